"""The port of refusals, `audit.refusals.RefusalStore`, on every implementation, and what a refusal costs."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from gatehouse.audit.model import AuditAction, AuditEvent, Outcome, Personal
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import KEPT_AN_HOUR, Party, PartyKind, Refusals, Tally, first_tally, left_out
from gatehouse.clock import milliseconds
from gatehouse.storage.refusals import DynamoRefusals, is_tally, tally_of
from tests.contracts.audits import A_STRANGER, AN_ADMIN, SALT, told
from tests.contracts.faults import faults, lost
from tests.contracts.made_up import at_once
from tests.stores import Cost, Item, Store, cost_of
from tests.unit.audit.kept import MemoryRefusals
from tests.unit.audit.logs import ADMIN, PERSON
from tests.unit.fakes import START, StoppedClock

HOUR = milliseconds(START) // 3_600_000
HOME = Party(PartyKind.ADDRESS, "192.0.2.9")


def a_refusal(number: int = 0, **changes: Any) -> AuditEvent:
    """A sign-in of a stranger that failed, one of the hour's."""
    wanted = {"action": AuditAction.SIGN_IN_FAILED, "outcome": Outcome.REFUSED, "actor": A_STRANGER}
    return told(number, **(wanted | changes))


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def refusals(request: pytest.FixtureRequest) -> Any:
    """Nothing was refused yet, on each implementation in turn."""
    if request.param == "memory":
        return MemoryRefusals()
    request.getfixturevalue(f"{request.param}_store")
    return DynamoRefusals()


def counters(store: Store) -> list[Item]:
    return [item for item in store.items() if is_tally(item)]


def test_of_an_hour_the_first_are_kept(refusals: Any) -> None:
    events = [a_refusal(number) for number in range(KEPT_AN_HOUR + 5)]
    for event in events:
        Refusals(refusals).tell(event)
    assert [refusals.find_event(event.id) for event in events] == events[:KEPT_AN_HOUR] + [None] * 5


@pytest.mark.parametrize(
    "other",
    [
        a_refusal(99, action=AuditAction.FORBIDDEN),
        a_refusal(99, actor=replace(A_STRANGER, address=Personal("192.0.2.10", SALT))),
        a_refusal(99, actor=replace(A_STRANGER, address=Personal("2001:db8::1", SALT))),
        a_refusal(99, actor=AN_ADMIN),
        replace(a_refusal(99), at=START + timedelta(hours=1)),
    ],
    ids=["action", "address", "of version 6", "actor", "hour"],
)
def test_others_have_places_of_their_own(refusals: Any, other: AuditEvent) -> None:
    for number in range(KEPT_AN_HOUR + 1):
        Refusals(refusals).tell(a_refusal(number))
    Refusals(refusals).tell(other)
    assert refusals.find_event(other.id) == other
    assert refusals.count_refusal(first_tally(other)).refused == 2


def test_refusals_at_the_same_time_are_all_counted(dynoxide_store: Store) -> None:
    store = DynamoRefusals()
    numbers = range(KEPT_AN_HOUR + 20)
    at_once([partial(Refusals(store).tell, a_refusal(number)) for number in numbers])
    kept = [number for number in numbers if store.find_event(a_refusal(number).id) is not None]
    assert len(kept) == KEPT_AN_HOUR
    assert tally_of(counters(dynoxide_store)[0]).left_out == 20


def test_a_counter_holds_how_many_there_were_and_ends_two_hours_after_its_hour(store: Store) -> None:
    tell = Refusals(DynamoRefusals()).tell
    tell(a_refusal(1))
    tell(a_refusal(2, subject_id=PERSON))
    tell(a_refusal(3, actor=AN_ADMIN, action=AuditAction.FORBIDDEN))
    ends = int((START + timedelta(hours=3)).timestamp())
    assert counters(store) == [
        {
            "PK": {"S": f"REF#actor/{ADMIN}"},
            "SK": {"S": f"R#FORBIDDEN#{HOUR}"},
            "refused": {"N": "1"},
            "expires": {"N": str(ends)},
        },
        {
            "PK": {"S": "REF#address/192.0.2.9"},
            "SK": {"S": f"R#SIGN_IN_FAILED#{HOUR}"},
            "refused": {"N": "2"},
            "expires": {"N": str(ends)},
        },
    ]
    assert [tally_of(item) for item in counters(store)] == [
        Tally(party=Party(PartyKind.ACTOR, ADMIN), action=AuditAction.FORBIDDEN, hour=HOUR, refused=1),
        Tally(party=HOME, action=AuditAction.SIGN_IN_FAILED, hour=HOUR, refused=2),
    ]
    assert Counter(is_tally(item) for item in store.items()) == {True: 2, False: 3}


def test_what_was_left_out_is_told_once(refusals: Any) -> None:
    tally = Tally(party=HOME, action=AuditAction.SIGN_IN_FAILED, hour=HOUR, refused=KEPT_AN_HOUR + 3)
    for _ in range(2):
        event = left_out(tally, Recorder(StoppedClock()))
        assert event is not None
        refusals.keep_event(event)
    kept = refusals.find_event(event.id)
    assert kept is not None
    assert (kept.at, kept.after["leftOut"]) == (START + timedelta(hours=1), 3)


def test_a_refusal_is_two_writes_and_one_that_is_left_out_is_one(dynoxide_store: Store) -> None:
    refusals = Refusals(DynamoRefusals())
    kept = [cost_of(partial(refusals.tell, a_refusal(number))) for number in range(KEPT_AN_HOUR)]
    left = [cost_of(partial(refusals.tell, a_refusal(number))) for number in range(KEPT_AN_HOUR, KEPT_AN_HOUR + 20)]
    assert [cost.calls for cost in kept] == [{"UpdateItem": 1, "PutItem": 1}] * KEPT_AN_HOUR
    assert left == [Cost({"UpdateItem": 1}, 1.0)] * 20


def test_where_it_is_not_known_whether_it_was_counted_it_is_not_kept(dynoxide_store: Store) -> None:
    with faults("UpdateItem", [lost]):
        Refusals(DynamoRefusals()).tell(a_refusal())
    assert [tally_of(item).refused for item in dynoxide_store.items()] == [1]
