"""The stream's Lambda function: every change is followed once or told to Lambda, and a bad one keeps no other back."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from gatehouse.changes import DayEnded, KeyAffected, MailWritten, SecretUsed, SessionUsed
from gatehouse.wall.service import Outcome
from tests.unit.stream.followers import CONSUMER, CREDENTIAL, EVENTS, MAIL, SESSION, Context, Followers, event

type Log = Callable[[], list[dict[str, Any]]]


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
    door: ModuleType, followers: Followers, log: Log
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


def test_a_full_account_is_a_warning_and_nothing_to_try_again(door: ModuleType, followers: Followers, log: Log) -> None:
    followers.outcome = Outcome.NO_ROOM

    assert door.handler(event("profile-removed"), Context()) == {"batchItemFailures": []}
    assert [(line["level"], line["consumer_id"]) for line in log()] == [("WARNING", CONSUMER)]


def test_what_became_of_a_key_is_logged_without_its_value(door: ModuleType, followers: Followers, log: Log) -> None:
    for outcome in (Outcome.GIVEN, Outcome.AGREES, Outcome.TAKEN_BACK):
        followers.outcome = outcome
        door.handler(event("profile-removed"), Context())

    told = [(line["message"], line["consumer_id"], line["outcome"]) for line in log()]
    assert told == [("gateway key", CONSUMER, outcome) for outcome in ("GIVEN", "TAKEN_BACK")]


def test_an_event_of_another_kind_fails_as_a_whole(door: ModuleType) -> None:
    with pytest.raises(KeyError):
        door.handler({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, Context())


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json") if path.stem != "poison"))
def test_what_lies_in_events_is_followed(door: ModuleType, followers: Followers, name: str) -> None:
    assert door.handler(event(name), Context()) == {"batchItemFailures": []}
    assert followers.done
