"""The stream's Lambda function: every change is followed once or told to Lambda, and a bad one keeps no other back."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from gatehouse.changes import DayEnded, KeyAffected, MailWritten, SecretUsed, SessionUsed
from gatehouse.storage.changes import facts
from gatehouse.wall.service import Outcome
from gatehouse.wiring import Following

EVENTS = Path(__file__).parents[3] / "events/stream"
CONSUMER = "01a1f9c2-6f3e-7c1b-8a52-3d0e9b7f4c21"
CREDENTIAL = "01a1f9c3-0b7d-7e44-9f10-52c8a6d1e0b3"
SESSION = "01a1f9c3-5d20-7a91-8e44-20b7c3f5d618"
MAIL = "01a1f9c4-11aa-7b02-8c33-7f5e0d9b6a42"


@dataclass
class Followers:
    """Takes note of what it is asked to do; fails for the consumers that it is told to."""

    done: list[object] = field(default_factory=list)
    outcome: Outcome = Outcome.GIVEN
    failing: set[str] = field(default_factory=set)

    def keep_day(self, consumer_id: str, day: int, requests: Any) -> None:
        self.done.append(DayEnded(consumer_id, day, dict(requests)))

    def note_use(self, consumer_id: str, credential_id: str, version: int, at: datetime) -> None:
        self.done.append(SecretUsed(consumer_id, credential_id, version, at))

    def note_session_use(self, consumer_id: str, session_id: str, at: datetime) -> None:
        self.done.append(SessionUsed(consumer_id, session_id, at))

    def put(self, mail_id: str) -> None:
        if mail_id in self.failing:
            raise RuntimeError("SQS is gone")
        self.done.append(MailWritten(mail_id))

    def provision(self, consumer_id: str) -> Outcome:
        if consumer_id in self.failing:
            raise RuntimeError("API Gateway is gone")
        self.done.append(KeyAffected(consumer_id))
        return self.outcome


@dataclass
class Context:
    """Lambda's context, as far as time goes: so many calls are made before it runs out."""

    calls: int = 1_000

    def get_remaining_time_in_millis(self) -> int:
        self.calls -= 1
        return 60_000 if self.calls >= 0 else 1_000


@pytest.fixture
def followers() -> Followers:
    return Followers()


@pytest.fixture
def door(followers: Followers, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on these followers."""
    wall: Any = followers
    monkeypatch.setattr(wiring, "_installed_following", Following(facts, followers, followers, wall, followers))
    monkeypatch.delitem(sys.modules, "stream.handler", raising=False)
    yield importlib.import_module("stream.handler")
    sys.modules.pop("stream.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def event(*names: str) -> dict[str, Any]:
    """The records of the event files, one after the other, each with a number of its own."""
    records = [record for name in names for record in json.loads((EVENTS / f"{name}.json").read_text())["Records"]]
    for number, record in enumerate(records):
        record["dynamodb"]["SequenceNumber"] = str(number)
    return {"Records": records}


def test_a_use_is_noted_at_the_time_that_the_stream_tells(door: ModuleType, followers: Followers) -> None:
    assert door.handler(event("secret-used"), Context()) == {"batchItemFailures": []}
    assert followers.done == [SecretUsed(CONSUMER, CREDENTIAL, 1, datetime(2026, 11, 23, 10, 40, 12, tzinfo=UTC))]


def test_a_use_of_a_session_is_noted_at_the_time_that_the_stream_tells(door: ModuleType, followers: Followers) -> None:
    used = event("secret-used")
    used["Records"][0]["dynamodb"]["NewImage"]["note"] = {"S": f"{SESSION} s"}

    assert door.handler(used, Context()) == {"batchItemFailures": []}
    assert followers.done == [SessionUsed(CONSUMER, SESSION, datetime(2026, 11, 23, 10, 40, 12, tzinfo=UTC))]


def test_a_day_that_is_over_is_kept_with_its_requests(door: ModuleType, followers: Followers) -> None:
    door.handler(event("day-turned"), Context())

    assert followers.done == [
        DayEnded(CONSUMER, 20_780, {"1": 18, "s": 4}),
        SecretUsed(CONSUMER, CREDENTIAL, 1, datetime(2026, 11, 24, 0, 0, 12, tzinfo=UTC)),
    ]


def test_who_is_gone_gives_the_key_back(door: ModuleType, followers: Followers) -> None:
    door.handler(event("profile-removed"), Context())

    assert followers.done == [KeyAffected(CONSUMER)]


def test_a_bad_change_is_told_and_the_ones_around_it_are_followed(
    door: ModuleType, followers: Followers, log: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = door.handler(event("profile-removed", "poison"), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert [type(fact) for fact in followers.done] == [KeyAffected, SecretUsed]
    assert [line["sequence_number"] for line in log() if line["level"] == "ERROR"] == ["1"]


def test_a_follower_that_fails_is_told_with_the_changes_number(door: ModuleType, followers: Followers) -> None:
    followers.failing = {CONSUMER}

    answer = door.handler(event("secret-used", "profile-removed", "secret-used"), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert [type(fact) for fact in followers.done] == [SecretUsed, SecretUsed]


def test_a_consumers_key_is_seen_to_once_a_batch(door: ModuleType, followers: Followers) -> None:
    door.handler(event("profile-removed", "profile-removed", "profile-removed"), Context())
    door.handler(event("profile-removed"), Context())

    assert followers.done == [KeyAffected(CONSUMER)] * 2


def test_where_time_runs_out_the_rest_is_handed_back(door: ModuleType, followers: Followers) -> None:
    answer = door.handler(event("secret-used", "secret-used", "secret-used", "secret-used"), Context(calls=2))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(followers.done) == 2


def test_a_mail_that_was_written_is_queued(door: ModuleType, followers: Followers) -> None:
    assert door.handler(event("mail-written"), Context()) == {"batchItemFailures": []}
    assert followers.done == [MailWritten(MAIL)]


def test_a_mail_that_could_not_be_queued_is_told(door: ModuleType, followers: Followers) -> None:
    followers.failing = {MAIL}

    assert door.handler(event("mail-written", "secret-used"), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "0"}]
    }
    assert [type(fact) for fact in followers.done] == [SecretUsed]


def test_a_full_account_is_a_warning_and_nothing_to_try_again(
    door: ModuleType, followers: Followers, log: Callable[[], list[dict[str, Any]]]
) -> None:
    followers.outcome = Outcome.NO_ROOM

    assert door.handler(event("profile-removed"), Context()) == {"batchItemFailures": []}
    assert [(line["level"], line["consumer_id"]) for line in log()] == [("WARNING", CONSUMER)]


def test_what_became_of_a_key_is_logged_without_its_value(
    door: ModuleType, followers: Followers, log: Callable[[], list[dict[str, Any]]]
) -> None:
    for outcome in (Outcome.GIVEN, Outcome.AGREES, Outcome.TAKEN_BACK):
        followers.outcome = outcome
        door.handler(event("profile-removed"), Context())

    told = [(line["message"], line["consumer_id"], line["outcome"]) for line in log()]
    assert told == [("gateway key", CONSUMER, outcome) for outcome in ("GIVEN", "TAKEN_BACK")]


def test_an_event_of_another_kind_fails_as_a_whole(door: ModuleType) -> None:
    with pytest.raises(KeyError):
        door.handler({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, Context())
