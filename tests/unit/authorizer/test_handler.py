"""The authorizer's Lambda function: two words for API Gateway, whatever the refusal was."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from gatehouse.accounts.service import Accounts
from gatehouse.errors import ServiceUnavailable
from tests.unit.fakes import HASHER, PASSWORD, POLICY, TOKENS, MemoryStore, StoppedClock, a_user, the_house

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev"


@pytest.fixture
def door(store: MemoryStore, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on a house in memory."""
    monkeypatch.setattr(wiring, "_installed", the_house(store, clock))
    monkeypatch.delitem(sys.modules, "authorizer.handler", raising=False)
    yield importlib.import_module("authorizer.handler")
    sys.modules.pop("authorizer.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def _event(**headers: str | list[str]) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/POST/graphql",
        "multiValueHeaders": {
            name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in headers.items()
        },
        "headers": {name.replace("_", "-"): value for name, value in headers.items() if isinstance(value, str)},
        "requestContext": {"requestId": "6f1d2c3b"},
    }


@pytest.fixture
def token(store: MemoryStore, clock: StoppedClock) -> str:
    user = store.add(a_user())
    return Accounts(store, clock, HASHER, POLICY, TOKENS, timedelta(days=30)).login(user.email, PASSWORD).access_token


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_a_person_comes_in_whatever_the_case_of_the_headers_name(door: ModuleType, token: str, name: str) -> None:
    answer = door.handler(_event(**{name: f"Bearer {token}"}), None)

    assert (answer["context"]["kind"], answer["principalId"]) == ("session", answer["context"]["consumerId"])
    assert token not in json.dumps(answer)


def test_the_same_header_in_two_cases_is_two_credentials(door: ModuleType, token: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        door.handler(_event(Authorization=f"Bearer {token}", authorization=f"Bearer {token}"), None)


@pytest.mark.parametrize("headers", [None, {}])
def test_whoever_shows_nothing_comes_in_as_nobody(door: ModuleType, headers: dict[str, Any] | None) -> None:
    answer = door.handler({**_event(), "headers": headers, "multiValueHeaders": headers}, None)

    assert (answer["principalId"], answer["context"]) == ("anonymous", {"kind": "anonymous"})


def test_an_event_without_headers_is_not_taken_for_somebody_without_a_credential(door: ModuleType) -> None:
    event = _event()
    del event["multiValueHeaders"]

    with pytest.raises(KeyError):
        door.handler(event, None)


def test_headers_that_came_one_by_one_count_as_well(door: ModuleType, token: str) -> None:
    event = {**_event(Authorization=f"Bearer {token}"), "multiValueHeaders": None}

    assert door.handler(event, None)["context"]["kind"] == "session"


def test_a_session_token_that_is_only_too_old_comes_in_as_nobody_with_the_reason(
    door: ModuleType, clock: StoppedClock, token: str
) -> None:
    clock.advance(hours=1)
    answer = door.handler(_event(Authorization=f"Bearer {token}"), None)

    assert (answer["principalId"], answer["context"]) == (
        "anonymous",
        {"kind": "anonymous", "reason": "TOKEN_EXPIRED"},
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer a.b.c"},
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
    door: ModuleType, headers: dict[str, Any], log: Callable[[], list[dict[str, Any]]]
) -> None:
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the type is the point: Exception itself
        door.handler(_event(**headers), None)

    assert type(refusal.value) is Exception
    assert str(refusal.value) == "Unauthorized"
    [line] = log()
    assert (line["message"], line["correlation_id"]) == ("refused", "6f1d2c3b")
    assert not any(secret in json.dumps(line) for secret in ("a.b.c", "nobodys", "YTpi"))


def test_a_store_that_does_not_answer_is_another_exception(
    door: ModuleType, store: MemoryStore, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(_user_id: str, _session_id: str) -> None:
        raise ServiceUnavailable("The store did not answer. Try again.")

    monkeypatch.setattr(store, "standing_with_session", out_of_reach)
    with pytest.raises(ServiceUnavailable):
        door.handler(_event(Authorization=f"Bearer {token}"), None)
