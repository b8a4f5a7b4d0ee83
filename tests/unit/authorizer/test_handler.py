"""The authorizer's Lambda function: two words for API Gateway, whatever the refusal was."""

import importlib
import io
import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from gatehouse.errors import ServiceUnavailable
from gatehouse.wiring import Gatehouse
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, START, MemoryStore, StoppedClock, a_user, the_house, the_settings

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev"
SETTINGS = the_settings(TRUSTED_PROXIES="1", GATEWAY_KEY_SEED="5" * 32, THROTTLE_LIMIT_ANONYMOUS="2")
RESET = str(int((START + timedelta(minutes=1)).timestamp()))


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return the_house(store, clock, SETTINGS)


@pytest.fixture
def door(house: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on a house in memory."""
    monkeypatch.setattr(wiring, "_installed", house)
    monkeypatch.delitem(sys.modules, "authorizer.handler", raising=False)
    yield importlib.import_module("authorizer.handler")
    sys.modules.pop("authorizer.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def token(house: Gatehouse, store: MemoryStore) -> str:
    return house.people.accounts.login(store.add(a_user()).email, PASSWORD, AT_HOME).access_token


def _event(**headers: str | list[str]) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/POST/graphql",
        "multiValueHeaders": {
            name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in headers.items()
        },
        "headers": {name.replace("_", "-"): value for name, value in headers.items() if isinstance(value, str)},
        "requestContext": {"requestId": "6f1d2c3b", "identity": {"sourceIp": HOME}},
    }


def _allowed(remaining: int, limit: int = 2) -> dict[str, str]:
    return {"limit": str(limit), "remaining": str(remaining), "reset": RESET, "verdict": "allow"}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_a_person_comes_in_whatever_the_case_of_the_headers_name(door: ModuleType, token: str, name: str) -> None:
    answer = door.handler(_event(**{name: f"Bearer {token}"}), None)

    assert (answer["context"]["kind"], answer["principalId"]) == ("session", answer["context"]["consumerId"])
    assert answer["context"].items() >= _allowed(9, limit=10).items()
    assert answer["usageIdentifierKey"] == "shared" + "5" * 32
    assert token not in json.dumps(answer)


def test_the_same_header_in_two_cases_is_two_credentials(door: ModuleType, token: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        door.handler(_event(Authorization=f"Bearer {token}", authorization=f"Bearer {token}"), None)


@pytest.mark.parametrize("headers", [None, {}])
def test_whoever_shows_nothing_comes_in_as_nobody(door: ModuleType, headers: dict[str, Any] | None) -> None:
    answer = door.handler({**_event(), "headers": headers, "multiValueHeaders": headers}, None)

    assert (answer["principalId"], answer["context"]) == ("anonymous", {"kind": "anonymous", **_allowed(1)})
    assert answer["usageIdentifierKey"] == "anonymous" + "5" * 32


def test_an_event_without_headers_is_not_taken_for_somebody_without_a_credential(door: ModuleType) -> None:
    event = _event()
    del event["multiValueHeaders"]

    with pytest.raises(KeyError):
        door.handler(event, None)


def test_headers_that_came_one_by_one_count_as_well(door: ModuleType, token: str) -> None:
    event = {**_event(Authorization=f"Bearer {token}"), "multiValueHeaders": None}

    assert door.handler(event, None)["context"]["kind"] == "session"


def test_who_is_over_the_limit_comes_in_with_that_verdict(door: ModuleType, clock: StoppedClock) -> None:
    answers = [door.handler(_event(), None)["context"] for _ in range(3)]
    clock.advance(seconds=59)
    answers.append(door.handler(_event(), None)["context"])
    limited = {"kind": "anonymous", "limit": "2", "remaining": "0", "reset": RESET, "verdict": "limited"}

    assert answers[:2] == [{"kind": "anonymous", **_allowed(1)}, {"kind": "anonymous", **_allowed(0)}]
    assert answers[2:] == [{**limited, "retryAfter": "60"}, {**limited, "retryAfter": "1"}]


def test_nobody_is_counted_by_the_address_that_the_trusted_proxy_vouches_for(door: ModuleType) -> None:
    forwarded = [
        ["198.51.100.1, " + HOME],
        ["203.0.113.9, 198.51.100.1, " + HOME],
        ["203.0.113.9", "198.51.100.1", HOME],
        ["198.51.100.1"],
        [HOME],
    ]
    told = [door.handler(_event(X_Forwarded_For=values), None)["context"] for values in forwarded]

    assert [(context["remaining"], context["verdict"]) for context in told] == [
        ("1", "allow"),
        ("0", "allow"),
        ("0", "limited"),
        ("0", "limited"),
        ("1", "allow"),
    ]


def test_a_session_token_that_is_only_too_old_comes_in_as_nobody_with_the_reason(
    door: ModuleType, clock: StoppedClock, token: str
) -> None:
    clock.advance(days=1)
    answer = door.handler(_event(Authorization=f"Bearer {token}"), None)
    reset = str(int((START + timedelta(days=1, minutes=1)).timestamp()))

    assert (answer["principalId"], answer["context"]) == (
        "anonymous",
        {"kind": "anonymous", "reason": "TOKEN_EXPIRED", **_allowed(1), "reset": reset},
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": f"Basic {b64encode(b'nobodys:secret').decode()}"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": ""},
        {"X-API-Key": ""},
        {"X-API-Key": "nobodys.secret"},
        {"Authorization": "Bearer a.b.c", "X-API-Key": "nobodys.secret"},
        {"Authorization": ["Bearer a.b.c", "Bearer a.b.c"]},
    ],
    ids=str,
)
def test_every_bad_credential_is_the_very_word_that_api_gateway_asks_for(
    door: ModuleType,
    headers: dict[str, Any],
    log: Callable[[], list[dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the type is the point: Exception itself
        door.handler(_event(**headers), None)

    assert type(refusal.value) is Exception
    assert str(refusal.value) == "Unauthorized"
    [line] = log()
    assert (line["message"], line["correlation_id"]) == ("refused", "6f1d2c3b")
    assert json.loads(capsys.readouterr().out)["Refused"] == [1.0]
    assert not any(secret in json.dumps(line) for secret in ("a.b.c", "nobodys", "YTpi", "bm9ib2R5czpzZWNyZXQ"))


def test_too_many_guesses_are_over_the_limit_and_no_401(door: ModuleType) -> None:
    for _ in range(SETTINGS.guess_limit):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            door.handler(_event(X_API_Key="nobodys.secret"), None)
    context = door.handler(_event(X_API_Key="nobodys.secret"), None)["context"]

    assert (context["kind"], context["verdict"], context["retryAfter"]) == ("anonymous", "limited", "900")


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "down"])
def test_a_store_that_does_not_answer_is_another_exception(
    door: ModuleType, store: MemoryStore, token: str, lost: bool
) -> None:
    if lost:
        store.gates.lost = 1
    else:
        store.gates.down = 1
    with pytest.raises(ServiceUnavailable):
        door.handler(_event(Authorization=f"Bearer {token}"), None)
