"""The files of events/ are what API Gateway sends: REST API, format 1.0, each for the function of its folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.gateway.environment import load_template
from tests.infrastructure.conftest import ROOT

EVENTS = sorted((ROOT / "events").glob("*/*.json"))
SHARED = {
    *("resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters"),
    *("multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext"),
}


def _read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def test_every_function_has_events() -> None:
    packages = {function.handler.split(".")[0] for function in load_template({}).functions.values()}

    assert {path.parent.name for path in EVENTS} == packages


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_event_has_the_shape_that_api_gateway_gives_it(path: Path) -> None:
    event = _read(path)
    own = {"type", "methodArn"} if path.parent.name == "authorizer" else {"body", "isBase64Encoded"}

    assert event.keys() == SHARED | own
    assert event["headers"] == {name: values[-1] for name, values in event["multiValueHeaders"].items()}
    assert event["requestContext"]["resourcePath"] == event["resource"]
    assert event["requestContext"]["path"] == f"/{event['requestContext']['stage']}{event['path']}"
    assert event["requestContext"]["httpMethod"] == event["httpMethod"]


def test_events_are_for_routes_that_there_are() -> None:
    routes = load_template({}).routes

    assert {(event["httpMethod"], event["resource"]) for event in map(_read, EVENTS)} == routes.keys()
