"""What a client is told that gets nothing: the errors of RFC 6749 §5.2, and those that it leaves to others."""

from gatehouse.credentials.clients import InvalidScope
from gatehouse.errors import (
    BadRequest,
    Forbidden,
    GatehouseError,
    RateLimitExceeded,
    ServiceUnavailable,
    Unauthenticated,
)

_ERRORS: tuple[tuple[type[GatehouseError], str], ...] = (
    (InvalidScope, "invalid_scope"),
    (BadRequest, "invalid_request"),
    (Unauthenticated, "invalid_client"),
    (Forbidden, "insufficient_scope"),
    (RateLimitExceeded, "rate_limit_exceeded"),
    (ServiceUnavailable, "temporarily_unavailable"),
)


class Refusal(Exception):
    """The request is refused with an error of the standard's; `status` is that of HTTP."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__()
        self.error = error
        self.description = description
        self.status = status


def refusal_of(cause: GatehouseError) -> Refusal:
    """The domain's refusal in the standard's words."""
    for kind, error in _ERRORS:
        if isinstance(cause, kind):
            return Refusal(error, _DESCRIPTIONS.get(error, cause.message), cause.status)
    return unexpected()


def unexpected() -> Refusal:
    """One neutral sentence for what was not meant for the client."""
    return Refusal("server_error", "Something went wrong on our side.", 500)


# Alike for whatever was wrong with the client, known or not.
_DESCRIPTIONS = {"invalid_client": "The client is not known, or its secret is wrong, or it has ended."}
