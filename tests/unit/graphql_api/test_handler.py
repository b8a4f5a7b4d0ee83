"""The GraphQL door's Lambda function, loaded on a house in memory."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from authorizer import policy
from gatehouse import wiring
from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.permissions import ANONYMOUS
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
        ("me-limited", 429),
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


@pytest.mark.parametrize("name", [path.stem for path in sorted(EVENTS.glob("*.json"))])
def test_each_kept_event_tells_of_the_caller_what_the_authorizer_says(name: str) -> None:
    event = _event(name)
    if event["httpMethod"] == "OPTIONS" or event["path"] == "/health":
        assert "authorizer" not in event["requestContext"]
        return
    asked_at = datetime.fromtimestamp(event["requestContext"]["requestTimeEpoch"] / 1000, UTC)
    is_limited = name == "me-limited"
    allowance = Allowance(
        limit=30,
        remaining=0 if is_limited else 29,
        resets_at=asked_at + timedelta(seconds=38 if is_limited else 60),
        is_spent=is_limited,
    )
    admitted = Admitted(caller=ANONYMOUS, allowance=allowance, gateway_key="a-key")
    told = policy.allow("arn", admitted, asked_at)

    assert event["requestContext"]["authorizer"] == {
        **told["context"],
        "principalId": told["principalId"],
        "integrationLatency": 41,
    }


def test_what_breaks_before_the_application_is_told_in_the_same_shape(
    door: ModuleType, log: Callable[[], list[dict[str, Any]]]
) -> None:
    event = _event("me-anonymous")
    answer = door.handler({"requestContext": event["requestContext"]}, None)

    assert (answer["statusCode"], answer["headers"]) == (
        500,
        {
            "content-type": "application/json",
            "X-RateLimit-Limit": "30",
            "X-RateLimit-Remaining": "29",
            "X-RateLimit-Reset": "1795429906",
        },
    )
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
        ],
        "extensions": {"rateLimit": {"limit": 30, "remaining": 29, "reset": 1795429906}},
    }
    broken, request = log()
    assert (broken["level"], broken["message"]) == ("ERROR", "unexpected error")
    assert (request["message"], request["statusCode"], request["codes"]) == ("request", 500, ["INTERNAL_SERVER_ERROR"])
    assert {line["correlation_id"] for line in (broken, request)} == {event["requestContext"]["requestId"]}
