"""The way of a request through the API: route, authorizer, function, answer."""

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from local.gateway.gateway import BODY_LIMIT, Gateway
from local.gateway.intrinsics import TemplateError
from local.gateway.messages import HttpRequest
from local.gateway.runtime import PAYLOAD_LIMIT
from local.gateway.template import Template
from tests.unit.local.conftest import Handler, allow

MakeGateway = Callable[..., Gateway]


def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """A function that answers with its event."""
    return {"statusCode": 200, "body": json.dumps(event)}


def raising(error: Exception) -> Callable[[dict[str, Any], Any], Any]:
    def handler(_: dict[str, Any], __: Any) -> Any:
        raise error

    return handler


def test_the_function_gets_what_the_authorizer_said(make_gateway: MakeGateway, post: HttpRequest) -> None:
    response = make_gateway(echo).handle(post)
    event = json.loads(response.body)
    assert event["requestContext"]["authorizer"].pop("integrationLatency") >= 0
    assert event["requestContext"]["authorizer"] == {"principalId": "someone", "kind": "session"}
    assert event["body"] == '{"café": true}'
    assert response.value("x-amzn-RequestId") == event["requestContext"]["requestId"]


def test_the_authorizer_sees_the_request_and_not_its_body(make_gateway: MakeGateway, post: HttpRequest) -> None:
    seen: list[dict[str, Any]] = []

    def gate(event: dict[str, Any], _: Any) -> Any:
        seen.append(event)
        raise PermissionError

    make_gateway(echo, gate).handle(post)
    assert [(event["type"], event["headers"]["X-Several"], "body" in event) for event in seen] == [
        ("REQUEST", "two", False)
    ]


def test_a_route_without_authorizer_asks_none(make_gateway: MakeGateway) -> None:
    response = make_gateway(echo, raising(Exception("Unauthorized"))).handle(HttpRequest(method="GET", path="/open"))
    assert response.status == 200
    assert "authorizer" not in json.loads(response.body)["requestContext"]


@pytest.mark.parametrize(
    ("gate", "status", "code"),
    [
        (raising(Exception("Unauthorized")), 401, "UNAUTHENTICATED"),
        (raising(RuntimeError("the table is gone")), 500, "AUTHORIZER_FAILURE"),
        (lambda _, __: {"principalId": "x", "policyDocument": {"Statement": []}}, 403, None),
        (lambda _, __: "Allow", 500, "AUTHORIZER_CONFIGURATION_ERROR"),
    ],
)
def test_an_authorizer_that_does_not_allow_keeps_the_function_from_being_called(
    make_gateway: MakeGateway, post: HttpRequest, gate: Any, status: int, code: str | None
) -> None:
    called = Event()
    response = make_gateway(lambda _, __: called.set(), gate).handle(post)
    assert (response.status, json.loads(response.body).get("code")) == (status, code)
    assert not called.is_set()


def test_a_refusal_carries_the_requests_id_and_the_configured_headers(
    make_gateway: MakeGateway, post: HttpRequest
) -> None:
    response = make_gateway(gate=raising(Exception("Unauthorized"))).handle(post)
    assert response.value("WWW-Authenticate") == "Bearer"
    assert json.loads(response.body)["id"] == response.value("x-amzn-RequestId")


@pytest.mark.parametrize(
    "function",
    [raising(ValueError("inside")), lambda _, __: None, lambda _, __: {"statusCode": 200, "body": {}}],
)
def test_a_function_that_fails_is_answered_for_and_reported(
    make_gateway: MakeGateway, post: HttpRequest, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    with caplog.at_level(logging.ERROR):
        response = make_gateway(function).handle(post)
    assert (response.status, json.loads(response.body)) == (500, {"code": "DEFAULT_5XX"})
    assert [record.getMessage() for record in caplog.records] == [
        f"DEFAULT_5XX for request {response.value('x-amzn-RequestId')}"
    ]


def test_a_bad_credential_is_no_failure_to_report(
    make_gateway: MakeGateway, post: HttpRequest, caplog: pytest.LogCaptureFixture
) -> None:
    make_gateway(gate=raising(Exception("Unauthorized"))).handle(post)
    assert caplog.records == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/echo"), ("POST", "/"), ("POST", "/echo/"), ("PURGE", "/open")])
def test_an_unknown_route_is_answered_as_api_gateway_does_and_logged_with_its_id(
    make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    with caplog.at_level(logging.INFO):
        response = make_gateway().handle(HttpRequest(method=method, path=path))
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert caplog.messages == [f"MISSING_AUTHENTICATION_TOKEN for request {response.value('x-amzn-RequestId')}"]


def test_an_unknown_route_with_a_credential_is_taken_for_a_signed_request(make_gateway: MakeGateway) -> None:
    response = make_gateway().handle(HttpRequest(method="GET", path="/", headers=(("Authorization", "Bearer x"),)))
    assert (response.status, response.body) == (
        403,
        b"""{"message":"Authorization header requires 'Credential' parameter."}""",
    )


@pytest.mark.parametrize("size", [PAYLOAD_LIMIT, BODY_LIMIT + 1])
def test_a_body_over_lambdas_or_the_gateways_limit_is_refused(
    make_gateway: MakeGateway, post: HttpRequest, size: int
) -> None:
    response = make_gateway(echo).handle(dataclasses.replace(post, body=b"x" * size))
    assert (response.status, response.body) == (413, b'{"message":"Request Too Long"}')


# ---- another API beside the first


@pytest.fixture
def two_apis(template: Template, beside: Template) -> Iterator[Callable[..., Gateway]]:
    """Makes a gateway of two APIs with one authorizer; the functions tell their events, or do what the test wants."""
    made: list[Gateway] = []

    def make(gate: Handler = allow, other: Handler = echo) -> Gateway:
        handlers = {"EchoFunction": echo, "GateFunction": gate, "OtherFunction": other}
        made.append(Gateway(template, handlers, beside={"other": beside}))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.mark.parametrize(
    ("asked", "path"), [("/other/things", "/things"), ("/other/", "/"), ("/other", "/"), ("/open", "/open")]
)
def test_an_api_sees_the_path_that_its_template_says(two_apis: MakeGateway, asked: str, path: str) -> None:
    event = json.loads(two_apis().handle(HttpRequest(method="GET", path=asked)).body)
    of_the_first = asked == path
    context = event["requestContext"]
    assert (event["path"], event["resource"], context["resourcePath"]) == (path, path, path)
    assert (context["apiId"], context["stage"]) == (("Api", "dev") if of_the_first else ("OtherApi", "v1"))
    assert context["path"] == f"/{context['stage']}{path}"


def test_both_apis_ask_one_authorizer_each_about_a_method_of_its_own(two_apis: MakeGateway, post: HttpRequest) -> None:
    asked: list[str] = []

    def gate(event: dict[str, Any], context: Any) -> dict[str, Any]:
        asked.append(event["methodArn"])
        return allow(event, context)

    gateway = two_apis(gate)
    assert gateway.handle(post).status == 200
    assert gateway.handle(HttpRequest(method="GET", path="/other/things")).status == 200
    assert asked == [
        "arn:aws:execute-api:us-east-1:123456789012:Api/dev/POST/echo",
        "arn:aws:execute-api:us-east-1:123456789012:OtherApi/v1/GET/things",
    ]


def test_each_api_words_its_own_refusals(two_apis: MakeGateway, post: HttpRequest) -> None:
    gateway = two_apis(raising(Exception("Unauthorized")))
    assert gateway.handle(post).status == 401
    assert gateway.handle(HttpRequest(method="GET", path="/other/things")).status == 418


@pytest.mark.parametrize("path", ["/things", "/other/open", "/others/things", "//other/things", "/other//things"])
def test_a_route_of_one_api_is_none_of_the_other(two_apis: MakeGateway, path: str) -> None:
    response = two_apis().handle(HttpRequest(method="GET", path=path))
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')


def test_an_authorizer_that_is_nowhere_is_told_before_anything_is_served(template: Template, beside: Template) -> None:
    handlers = {"EchoFunction": echo, "OtherFunction": echo}
    with pytest.raises(TemplateError, match="POST /echo: there is no function GateFunction"):
        Gateway(template, handlers, beside={"other": beside})


def test_two_functions_of_one_name_are_told_before_anything_is_served(template: Template) -> None:
    with pytest.raises(TemplateError, match="Two templates have a function EchoFunction"):
        Gateway(template, {"EchoFunction": echo, "GateFunction": allow}, beside={"other": template})
