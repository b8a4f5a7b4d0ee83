"""Requests as the events of a REST API, and results as responses."""

import dataclasses
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from local.gateway.api import Api
from local.gateway.events import MalformedResult, authorizer_event, http_response, proxy_event
from local.gateway.messages import HttpRequest, HttpResponse

API = Api(id="local", stage="dev", region="us-east-1", binary_media_types=frozenset({"image/png"}))
ID = UUID("01234567-89ab-4def-8123-456789abcdef")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
JSON = ("Content-Type", "application/json")


def event(request: HttpRequest) -> dict[str, Any]:
    return proxy_event(API, request, ID, NOW)


def test_a_request_becomes_the_whole_event(post: HttpRequest) -> None:
    assert event(post) == {
        "resource": "/echo",
        "path": "/echo",
        "httpMethod": "POST",
        "headers": {
            "Host": "localhost:3000",
            "User-Agent": "curl/8",
            "content-type": "application/json",
            "X-Several": "two",
            "X-Forwarded-For": "10.1.1.1, 127.0.0.1",
            "X-Forwarded-Port": "3000",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["localhost:3000"],
            "User-Agent": ["curl/8"],
            "content-type": ["application/json"],
            "X-Several": ["one", "two"],
            "X-Forwarded-For": ["10.1.1.1, 127.0.0.1"],
            "X-Forwarded-Port": ["3000"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"a": "2", "b": "é x", "empty": ""},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["é x"], "empty": [""]},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "deploymentId": "local",
            "domainName": "localhost:3000",
            "domainPrefix": "local",
            "extendedRequestId": "ASNFZ4mrTe+BI0U=",
            "httpMethod": "POST",
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "127.0.0.1",
                "user": None,
                "userAgent": "curl/8",
                "userArn": None,
            },
            "path": "/dev/echo",
            "protocol": "HTTP/1.1",
            "requestId": "01234567-89ab-4def-8123-456789abcdef",
            "requestTime": "02/Jan/2026:03:04:05 +0000",
            "requestTimeEpoch": 1767323045678,
            "resourceId": "local",
            "resourcePath": "/echo",
            "stage": "dev",
        },
        "body": '{"café": true}',
        "isBase64Encoded": False,
    }


def test_an_empty_body_and_an_empty_query_are_null() -> None:
    bare = event(HttpRequest(method="GET", path="/open"))
    assert [bare[name] for name in ("body", "queryStringParameters", "multiValueQueryStringParameters")] == [None] * 3
    assert bare["isBase64Encoded"] is False


def test_only_a_binary_media_type_of_the_api_travels_as_base64(post: HttpRequest) -> None:
    image = dataclasses.replace(post, headers=(("Content-Type", "Image/PNG; q=1"),), body=b"\x89PNG")
    assert (event(image)["body"], event(image)["isBase64Encoded"]) == ("iVBORw==", True)
    other = dataclasses.replace(post, headers=(("Content-Type", "image/gif"),), body=b"\x89GIF")
    assert (event(other)["body"], event(other)["isBase64Encoded"]) == ("\N{REPLACEMENT CHARACTER}GIF", False)


def test_everything_is_binary_to_an_api_that_says_so(post: HttpRequest) -> None:
    anything = dataclasses.replace(API, binary_media_types=frozenset({"*/*"}))
    assert proxy_event(anything, post, ID, NOW)["isBase64Encoded"] is True


def test_the_authorizer_gets_the_same_request_without_its_body(post: HttpRequest) -> None:
    arn = API.method_arn(post)
    whole = event(post)
    assert arn == "arn:aws:execute-api:us-east-1:123456789012:local/dev/POST/echo"
    assert authorizer_event(whole, arn) == {
        "type": "REQUEST",
        "methodArn": arn,
        **{name: whole[name] for name in ("resource", "path", "httpMethod", "headers", "multiValueHeaders")},
        **{name: whole[name] for name in ("queryStringParameters", "multiValueQueryStringParameters")},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": whole["requestContext"],
    }


def test_a_result_becomes_a_response_with_both_maps_of_headers() -> None:
    result = {
        "statusCode": 201,
        "headers": {"X-One": 1, "X-Flag": True, "Set-Cookie": "a=1", "content-length": "9"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "Content-Type": ["text/plain"]},
        "body": "é",
    }
    assert http_response(API, result, None) == HttpResponse(
        201,
        (
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Content-Type", "text/plain"),
            ("X-One", "1"),
            ("X-Flag", "true"),
        ),
        "é".encode(),
    )


@pytest.mark.parametrize("extra", [{}, {"body": None, "headers": None, "multiValueHeaders": None}])
def test_a_status_is_all_that_a_result_needs(extra: dict[str, Any]) -> None:
    assert http_response(API, {"statusCode": 204, **extra}, None) == HttpResponse(204, (JSON,), b"")


def test_headers_that_api_gateway_keeps_for_itself_are_renamed() -> None:
    result = {"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer", "server": "x", "Upgrade": "h2c"}}
    headers = http_response(API, result, None).headers
    assert headers == (("WWW-Authenticate", "Bearer"), ("x-amzn-Remapped-server", "x"), JSON)


@pytest.mark.parametrize(
    ("accept", "body"),
    [("image/png, */*", b"\x89PNG"), ("application/json, image/png", b"iVBORw=="), (None, b"iVBORw==")],
)
def test_a_base64_body_is_decoded_for_who_asks_for_a_binary_type_first(accept: str | None, body: bytes) -> None:
    result = {"statusCode": 200, "body": "iVBORw==", "isBase64Encoded": True}
    assert http_response(API, result, accept).body == body


@pytest.mark.parametrize(
    "result",
    [
        None,
        "fine",
        [],
        {},
        {"body": "no status"},
        {"statusCode": "200"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "surprise": 1},
        {"statusCode": 200, "isBase64Encoded": "yes"},
        {"statusCode": 200, "headers": ["X-One: 1"]},
        {"statusCode": 200, "headers": {"X-One": ["1"]}},
        {"statusCode": 200, "headers": {"X-One": "1\r\nX-Two: 2"}},
        {"statusCode": 200, "headers": {"X One": "1"}},
        {"statusCode": 200, "multiValueHeaders": {"X-One": "1"}},
        {"statusCode": 200, "multiValueHeaders": {"X-One": [{}]}},
    ],
)
def test_a_result_in_another_format_is_malformed(result: Any) -> None:
    with pytest.raises(MalformedResult):
        http_response(API, result, None)


def test_a_body_that_claims_to_be_base64_and_is_not_is_malformed() -> None:
    with pytest.raises(MalformedResult):
        http_response(API, {"statusCode": 200, "body": "?", "isBase64Encoded": True}, "image/png")
