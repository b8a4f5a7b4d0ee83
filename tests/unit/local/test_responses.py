"""API Gateway's own answers."""

import json
from uuid import UUID

import pytest

from local.gateway.api import GatewayResponse
from local.gateway.messages import HttpResponse
from local.gateway.responses import error, gateway_response

ID = UUID("01234567-89ab-4def-8123-456789abcdef")
JSON = ("Content-Type", "application/json")


def test_an_answer_is_worded_as_the_api_says() -> None:
    configured = {
        "UNAUTHORIZED": GatewayResponse(401, (("WWW-Authenticate", "Bearer"),), '{"id":"$context.requestId"}')
    }
    assert gateway_response(configured, "UNAUTHORIZED", ID) == HttpResponse(
        401, (JSON, ("WWW-Authenticate", "Bearer")), b'{"id":"01234567-89ab-4def-8123-456789abcdef"}'
    )


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("UNAUTHORIZED", 401, "Unauthorized"),
        ("ACCESS_DENIED", 403, "User is not authorized to access this resource"),
        ("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token"),
        ("REQUEST_TOO_LARGE", 413, "Request Too Long"),
        ("AUTHORIZER_FAILURE", 500, "Internal server error"),
        ("DEFAULT_5XX", 502, "Internal server error"),
        ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out"),
    ],
)
def test_an_answer_that_the_api_says_nothing_of_is_awss_own(kind: str, status: int, message: str) -> None:
    assert gateway_response({}, kind, ID) == HttpResponse(
        status, (JSON,), json.dumps({"message": message}).replace(": ", ":").encode()
    )


def test_an_answer_without_words_of_its_own_has_those_of_its_family() -> None:
    body = "$context.error.responseType: $context.error.message"
    configured = {"DEFAULT_4XX": GatewayResponse(None, (), body), "DEFAULT_5XX": GatewayResponse(500, (), body)}
    denied = gateway_response(configured, "ACCESS_DENIED", ID)
    assert (denied.status, denied.body) == (403, b"ACCESS_DENIED: User is not authorized to access this resource")
    timed_out = gateway_response(configured, "INTEGRATION_TIMEOUT", ID)
    assert (timed_out.status, timed_out.body) == (500, b"INTEGRATION_TIMEOUT: Endpoint request timed out")


def test_the_servers_own_errors_have_graphqls_shape() -> None:
    response = error(403, "FORBIDDEN", "No.", ID)
    assert (response.status, response.headers) == (403, (JSON,))
    assert json.loads(response.body) == {
        "errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN", "statusCode": 403, "correlationId": str(ID)}}]
    }
