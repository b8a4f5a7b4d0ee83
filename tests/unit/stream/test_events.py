"""Events in the stream's function: each is sealed and told once, announced, and never kept back by a bad one."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from gatehouse.announcements.model import (
    ConsumerDeactivated,
    ConsumerDeleted,
    ConsumerReactivated,
    CredentialIssued,
    QuotaNearlySpent,
)
from gatehouse.audit.chain import ChainBroken
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.noted import line_of
from gatehouse.changes import MailWritten, PersonGone
from gatehouse.errors import ServiceUnavailable
from tests.unit.audit.logs import PERSON, an_event
from tests.unit.stream.followers import CONSUMER, MAIL, Context, Followers, batch, event, written

type Log = Callable[[], list[dict[str, Any]]]

EVENTS = [an_event(number) for number in range(5)]
POISON = {"before": {"S": "{"}}


def failures(*numbers: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]}


def announced_of(followers: Followers) -> list[str]:
    return [each.cause for each in followers.done if isinstance(each, ConsumerDeactivated)]


def ids(*events: AuditEvent) -> list[str]:
    return [each.id for each in events]


def test_events_are_sealed_in_the_order_in_which_they_come_and_each_announced(
    door: ModuleType, followers: Followers
) -> None:
    late_first = [EVENTS[2], EVENTS[0], EVENTS[1]]

    assert door.handler(batch(*map(written, late_first)), Context()) == failures()
    assert followers.sealed == announced_of(followers) == ids(*late_first)


def test_an_event_that_comes_again_is_sealed_and_told_once(door: ModuleType, followers: Followers, log: Log) -> None:
    for events in (EVENTS[:2], EVENTS[:2], [EVENTS[1], EVENTS[1], EVENTS[2]]):
        assert door.handler(batch(*map(written, events)), Context()) == failures()

    assert followers.sealed == ids(*EVENTS[:3])
    assert [line["eventId"] for line in log() if "eventId" in line] == ids(*EVENTS[:3])


def test_where_the_chain_is_is_noted_in_the_log(door: ModuleType, followers: Followers, log: Log) -> None:
    for events in (EVENTS[:2], EVENTS[:2], EVENTS[2:]):
        door.handler(batch(*map(written, events)), Context())
    noted = [line["position"] for line in log() if line["message"] == "sealed"]

    seals = followers.log.kept_seals
    assert noted == [line_of(seals[number].position) for number in (2, 5)]


def test_an_event_that_cannot_be_read_is_told_alone(door: ModuleType, followers: Followers, log: Log) -> None:
    records = [written(EVENTS[0]), written(EVENTS[1], **POISON), written(EVENTS[2])]

    assert door.handler(batch(*records), Context()) == failures(1)
    assert followers.sealed == announced_of(followers) == ids(EVENTS[0], EVENTS[2])
    assert [line["sequence_number"] for line in log() if line["level"] == "ERROR"] == ["1"]


def test_an_event_that_cannot_be_sealed_is_told_alone(
    door: ModuleType, followers: Followers, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = followers.log.append

    def choking(last: Any, seals: Any, checkpoints: Any) -> None:
        if any(seal.event_id == EVENTS[1].id for seal in seals):
            raise ValueError("nobody knows why")
        append(last, seals, checkpoints)

    monkeypatch.setattr(followers.log, "append", choking)
    mail = event("mail-written")["Records"]

    assert door.handler(batch(*map(written, EVENTS[:3]), *mail), Context()) == failures(1)
    assert followers.sealed == ids(EVENTS[0], EVENTS[2])
    assert MailWritten(MAIL) in followers.done
    assert [line["events"] for line in log() if line["level"] == "ERROR"] == [ids(EVENTS[1])]


@pytest.mark.parametrize("error", [ServiceUnavailable("Busy."), ChainBroken()], ids=["busy", "broken"])
def test_where_nothing_can_be_sealed_all_changes_with_events_are_told_and_the_rest_is_done(
    door: ModuleType, followers: Followers, log: Log, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = []

    def failing() -> None:
        calls.append(1)
        raise error

    monkeypatch.setattr(followers.log, "find_head", failing)
    mail = event("mail-written")["Records"]

    assert door.handler(batch(*mail, *map(written, EVENTS[:3])), Context()) == failures(1, 2, 3)
    assert len(calls) == 1
    assert followers.done[0] == MailWritten(MAIL)
    assert announced_of(followers) == ids(*EVENTS[:3])
    assert [line["events"] for line in log()] == [ids(*EVENTS[:3])]


def test_an_event_that_cannot_be_announced_is_sealed_and_keeps_no_other_back(
    door: ModuleType, followers: Followers
) -> None:
    unannounceable = replace(EVENTS[1], action=AuditAction.TOKEN_REUSED)  # without its target

    assert door.handler(batch(*map(written, [unannounceable, EVENTS[0]])), Context()) == failures(0)
    assert followers.sealed == ids(EVENTS[1], EVENTS[0])
    assert announced_of(followers) == ids(EVENTS[0])


def test_where_the_bus_is_silent_the_event_is_sealed_and_comes_again(door: ModuleType, followers: Followers) -> None:
    followers.failing = {EVENTS[0].id}
    assert door.handler(batch(*map(written, EVENTS[:2])), Context()) == failures(0)
    followers.failing = set()
    assert door.handler(batch(*map(written, EVENTS[:2])), Context()) == failures()

    assert followers.sealed == ids(*EVENTS[:2])
    assert announced_of(followers) == ids(EVENTS[1], EVENTS[0], EVENTS[1])


def test_where_time_runs_out_all_events_have_their_seals(door: ModuleType, followers: Followers) -> None:
    assert door.handler(batch(*map(written, EVENTS)), Context(calls=2)) == failures(2)
    assert followers.sealed == ids(*EVENTS)
    assert announced_of(followers) == ids(*EVENTS[:2])


def test_an_event_that_is_told_wrongly_has_its_seal(
    door: ModuleType, followers: Followers, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_events: Any) -> None:
        raise RuntimeError("no log")

    monkeypatch.setattr("stream.activity.tell", failing)

    assert door.handler(batch(written(EVENTS[0])), Context()) == failures()
    assert followers.sealed == ids(EVENTS[0])
    assert [(line["message"], line["events"]) for line in log()] == [
        ("events were sealed and not told", ids(EVENTS[0]))
    ]


def test_who_is_deleted_or_anonymised_is_forgotten_even_where_nobody_can_be_told(
    door: ModuleType, followers: Followers
) -> None:
    deleted = an_event(1, action=AuditAction.USER_DELETED)
    followers.failing = {deleted.id}

    assert door.handler(batch(written(deleted)), Context()) == failures(0)
    assert followers.done == [PersonGone(deleted.id, PERSON, None)]


def test_a_person_who_could_not_be_forgotten_is_told(door: ModuleType, followers: Followers) -> None:
    followers.failing = {CONSUMER}

    assert door.handler(event("person-gone", "mail-written"), Context()) == failures(0)
    assert [type(each) for each in followers.done] == [ConsumerDeleted, MailWritten]


def test_the_hour_s_left_out_refusals_are_one_event_whenever_they_are_told(
    door: ModuleType, followers: Followers
) -> None:
    for _ in range(2):
        assert door.handler(event("refusals-ended"), Context()) == failures()
    first, again = followers.done

    assert isinstance(first, AuditEvent)
    assert isinstance(again, AuditEvent)
    assert (first.action, first.after["leftOut"]) == (AuditAction.REFUSALS_LEFT_OUT, 27)
    assert first.id == again.id


def test_an_hour_in_which_none_was_left_out_is_no_event(door: ModuleType, followers: Followers) -> None:
    few = event("refusals-ended")
    few["Records"][0]["dynamodb"]["OldImage"]["refused"] = {"N": "10"}

    assert door.handler(few, Context()) == failures()
    assert followers.done == []


def test_what_is_announced_says_what_happened(door: ModuleType, followers: Followers) -> None:
    door.handler(event("event-written", "quota-nearly-spent"), Context())
    back = an_event(9, before={"isActive": False}, after={"isActive": True})
    door.handler(batch(written(back)), Context())

    assert [type(each) for each in followers.done] == [CredentialIssued, QuotaNearlySpent, ConsumerReactivated]
