"""The GraphQL door's Lambda function, loaded on a house in memory."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gatehouse import wiring
from tests.unit.fakes import MemoryStore, StoppedClock, the_house

EVENTS = Path(__file__).parents[3] / "events" / "graphql_api"


@pytest.fixture
def door(store: MemoryStore, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(wiring, "_installed", the_house(store, clock))
    monkeypatch.delitem(sys.modules, "graphql_api.handler", raising=False)
    yield importlib.import_module("graphql_api.handler")
    sys.modules.pop("graphql_api.handler", None)


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("health", 200),
        ("register", 200),
        ("login", 401),
        ("me-anonymous", 401),
        ("bad-json", 400),
        ("typename-get", 200),
    ],
)
def test_each_kept_event_is_answered_in_plain_text(door: ModuleType, name: str, status: int) -> None:
    answer = door.handler(_event(name), None)

    codes = [e["extensions"]["code"] for e in json.loads(answer["body"]).get("errors", [])]
    assert answer["isBase64Encoded"] is False
    if name == "login":  # executed and refused in the field: GraphQL tells that in the body
        assert (answer["statusCode"], codes) == (200, ["UNAUTHENTICATED"])
    else:
        assert answer["statusCode"] == status


def test_what_breaks_before_the_application_is_told_in_the_same_shape(
    door: ModuleType, log: Callable[[], list[dict[str, Any]]]
) -> None:
    event = _event("me-anonymous")
    answer = door.handler({"requestContext": event["requestContext"]}, None)

    assert (answer["statusCode"], answer["headers"]) == (500, {"content-type": "application/json"})
    assert json.loads(answer["body"]) == {
        "errors": [
            {
                "message": "Something went wrong on our side.",
                "extensions": {
                    "code": "INTERNAL_SERVER_ERROR",
                    "statusCode": 500,
                    "correlationId": event["requestContext"]["requestId"],
                },
            }
        ]
    }
    [line] = log()
    assert (line["level"], line["message"]) == ("ERROR", "unexpected error")
    assert line["correlation_id"] == event["requestContext"]["requestId"]
