"""Bounded refusals: the first few of an hour are kept, and then how many more there were."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.model import (
    SYSTEM,
    Actor,
    ActorKind,
    AuditAction,
    AuditEvent,
    Erased,
    Outcome,
    Personal,
)
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import (
    KEPT_AN_HOUR,
    Party,
    PartyKind,
    Refusals,
    Tally,
    first_tally,
    left_out,
)
from gatehouse.clock import milliseconds
from gatehouse.ids import new_id
from tests.unit.audit.kept import MemoryRefusals
from tests.unit.audit.logs import ADMIN, PERSON, an_event
from tests.unit.fakes import START, StoppedClock

SALT = b"s" * 32
HOUR = milliseconds(START) // 3_600_000
STRANGER = Actor(kind=ActorKind.ANONYMOUS, address=Personal("192.0.2.9", SALT))
SOMEBODY = Actor(kind=ActorKind.PERSON, consumer_id=ADMIN, address=Personal("192.0.2.9", SALT))
RECORDER = Recorder(StoppedClock(START + timedelta(hours=5)), salt=lambda: SALT)


def tell(store: MemoryRefusals, actor: Actor, subject_id: str | None = None, **more: object) -> bool:
    """Whether one more refusal is kept."""
    event = refused(actor, subject_id, id=new_id(START), **more)
    Refusals(store).tell(event)
    return event.id in store.events


def refused(actor: Actor, subject_id: str | None = None, **more: object) -> AuditEvent:
    told = {"action": AuditAction.SIGN_IN_FAILED, "before": {}, "after": {}} | more
    return an_event(0, actor=actor, subject_id=subject_id, outcome=Outcome.REFUSED, **told)


@pytest.mark.parametrize(
    ("event", "party"),
    [
        (refused(SOMEBODY, PERSON), Party(PartyKind.ACTOR, ADMIN)),
        (refused(STRANGER, PERSON), Party(PartyKind.ADDRESS, "192.0.2.9")),
        (refused(STRANGER), Party(PartyKind.ADDRESS, "192.0.2.9")),
        (refused(replace(STRANGER, address=None)), Party(PartyKind.ADDRESS, "unknown")),
        (refused(replace(STRANGER, address=Erased("0"))), Party(PartyKind.ADDRESS, "unknown")),
    ],
    ids=["by a consumer", "about a consumer", "by a stranger", "from nowhere", "from a forgotten place"],
)
def test_refusals_count_with_those_who_cause_them(event: AuditEvent, party: Party) -> None:
    assert first_tally(event) == Tally(party=party, action=AuditAction.SIGN_IN_FAILED, hour=HOUR)


def test_what_was_done_is_never_left_out() -> None:
    with pytest.raises(ValueError, match="refusals"):
        first_tally(an_event(1))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_of_each_hour_the_first_few_are_kept_and_all_others_counted(steps: list[tuple[int, bool]]) -> None:
    store, hour, made, hours = MemoryRefusals(), 0, 0, set()
    for later, is_tried_often in steps:
        hour += later
        for _ in range(15 if is_tried_often else 1):
            made += 1
            hours.add(hour)
            tell(store, SOMEBODY, at=START + timedelta(hours=hour))
    tallies = store.tallies()
    assert len(store.events) + sum(tally.left_out for tally in tallies) == made
    assert len(store.events) <= KEPT_AN_HOUR * len(hours)
    assert {tally.hour - HOUR for tally in tallies} == hours


def test_one_who_is_refused_uses_up_nobody_elses_places_nor_those_of_another_action() -> None:
    store = MemoryRefusals()
    for _ in range(KEPT_AN_HOUR):
        assert tell(store, SOMEBODY)
    assert not tell(store, SOMEBODY)
    assert tell(store, STRANGER, PERSON)
    assert tell(store, SOMEBODY, action=AuditAction.FORBIDDEN)
    assert tell(store, SOMEBODY, at=START + timedelta(hours=1))


def a_tally(party: Party, count: int) -> Tally:
    return Tally(party=party, action=AuditAction.FORBIDDEN, hour=HOUR, refused=count)


def test_nothing_is_told_of_an_hour_that_nothing_was_left_out_of() -> None:
    assert left_out(a_tally(Party(PartyKind.ACTOR, ADMIN), KEPT_AN_HOUR), RECORDER) is None


def test_one_event_tells_how_many_were_left_out() -> None:
    event = left_out(a_tally(Party(PartyKind.ACTOR, ADMIN), KEPT_AN_HOUR + 7), RECORDER)
    assert event is not None
    assert event == AuditEvent(
        id=event.id,
        at=START + timedelta(hours=1),
        action=AuditAction.REFUSALS_LEFT_OUT,
        outcome=Outcome.REFUSED,
        actor=SYSTEM,
        subject_id=ADMIN,
        after={"action": "FORBIDDEN", "hour": HOUR, "leftOut": 7},
    )


def test_of_a_stranger_it_tells_the_address() -> None:
    event = left_out(a_tally(Party(PartyKind.ADDRESS, "192.0.2.9"), KEPT_AN_HOUR + 1), RECORDER)
    assert event is not None
    assert (event.actor, event.subject_id) == (STRANGER, None)


def test_told_twice_it_is_the_same_event_and_of_another_hour_or_party_another() -> None:
    tally = a_tally(Party(PartyKind.ACTOR, ADMIN), 99)
    others = [
        replace(tally, hour=HOUR + 1),
        replace(tally, action=AuditAction.SIGN_IN_FAILED),
        replace(tally, party=Party(PartyKind.ACTOR, PERSON)),
        replace(tally, party=Party(PartyKind.ADDRESS, ADMIN)),
    ]
    ids = [event.id for one in [tally, tally, *others] if (event := left_out(one, RECORDER)) is not None]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
