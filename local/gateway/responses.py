"""API Gateway's own answers: what it says when a request never reaches a function, or a function gives no answer."""

import json
import logging
from collections.abc import Mapping
from uuid import UUID

from local.gateway.api import GatewayResponse
from local.gateway.messages import HttpResponse

# The response types that the local gateway gives, with API Gateway's own status and message for each.
_DEFAULTS = {
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "DEFAULT_5XX": (502, "Internal server error"),  # a function that failed, or answered in no known format
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "INVALID_SIGNATURE": (403, "Authorization header requires 'Credential' parameter."),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
}
_log = logging.getLogger(__name__)

_DEFAULT_BODY = '{"message":$context.error.messageString}'


class Refusal(Exception):
    """API Gateway answers by itself, with the gateway response of this type."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def gateway_response(configured: Mapping[str, GatewayResponse], kind: str, request_id: UUID) -> HttpResponse:
    """The answer of a type as the API words it, else as it words DEFAULT_4XX or DEFAULT_5XX, else as AWS does."""
    status, message = _DEFAULTS[kind]
    fall_back = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    chosen = configured.get(kind) or configured.get(fall_back) or GatewayResponse(None, (), None)
    body = chosen.body or _DEFAULT_BODY
    for variable, value in (
        ("$context.error.messageString", json.dumps(message)),
        ("$context.error.message", message),
        ("$context.error.responseType", kind),
        ("$context.requestId", str(request_id)),
    ):
        body = body.replace(variable, value)
    headers = (("Content-Type", "application/json"), *chosen.headers)
    return HttpResponse(chosen.status or status, headers, body.encode())


def error(status: int, code: str, message: str, request_id: UUID) -> HttpResponse:
    """An answer of the local server's own, in GraphQL's shape like all others."""
    _log.info("%s %s for request %s", status, code, request_id)
    extensions = {"code": code, "statusCode": status, "correlationId": str(request_id)}
    body = json.dumps({"errors": [{"message": message, "extensions": extensions}]})
    return HttpResponse(status, (("Content-Type", "application/json"),), body.encode())
