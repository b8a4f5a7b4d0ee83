"""The errors Gatehouse tells its callers: each has a public code and message; the cause stays in the log."""

from datetime import datetime
from typing import ClassVar


class GatehouseError(Exception):
    """A refusal with a public voice: `code` and `message` are shown to the caller, `__cause__` never is.

    `status` is the HTTP status family that the code belongs to; `field` names the input field at fault;
    `reason` refines the code for programs.
    """

    code: ClassVar[str]
    status: int

    def __init__(self, message: str, *, field: str | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.reason = reason


class BadRequest(GatehouseError):
    """The input breaks a rule; nothing was written."""

    code = "BAD_REQUEST"
    status = 400


class Unauthenticated(GatehouseError):
    """The caller is not known, or no longer."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(GatehouseError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"
    status = 403


class NotFound(GatehouseError):
    """There is no such thing, or the caller may not know of it."""

    code = "NOT_FOUND"
    status = 404


class Conflict(GatehouseError):
    """Somebody else has it, or the state does not allow it now; nothing was written."""

    code = "CONFLICT"
    status = 409


class ServiceUnavailable(GatehouseError):
    """Something Gatehouse depends on did not answer; the caller may try again."""

    code = "SERVICE_UNAVAILABLE"
    status = 503


class RateLimitExceeded(GatehouseError):
    """The caller has used up what it may ask for; nothing was done."""

    code = "RATE_LIMIT_EXCEEDED"
    status = 429


class TooManyTries(RateLimitExceeded):
    """Nothing is tried for this address before `until`; `limit` failures are too many."""

    def __init__(self, until: datetime, limit: int) -> None:
        super().__init__("Too many wrong passwords, codes or keys from here. Try again later.")
        self.until = until
        self.limit = limit


class TwoFactorRequired(GatehouseError):
    """A code is needed beside what was given; `challenge` is what to give it with, when signing in."""

    code = "TWO_FACTOR_REQUIRED"
    status = 401

    def __init__(self, message: str, *, reason: str | None = None, challenge: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.challenge = challenge
