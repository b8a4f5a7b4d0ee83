"""The chain verified for who asks: in requests, one behind the other, and as a whole by a command."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import BEGINNING, ChainBroken, Head, Position, Seal
from gatehouse.audit.findings import Finding, Part, Tampering
from gatehouse.audit.inspection import Inspection
from gatehouse.audit.verification import MOST_FINDINGS, Verdict, Verification
from gatehouse.consumers.model import Role
from gatehouse.errors import BadRequest, Forbidden, Unauthenticated
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.audit.logs import EVERY, MemoryLog, a_log, an_event, head_of, made_fit, sealing
from tests.unit.fakes import START, StoppedClock, a_user, signed_in

CHANGED, DROPPED, INSERTED, _ = Tampering
ADMIN = signed_in(a_user("root", role=Role.ADMIN))
LATER = StoppedClock(START + timedelta(days=2))
SIZES = st.integers(1, 3 * EVERY)
OTHER_HASH = "f" * 64


def inspection(log: MemoryLog, most: int = 5, most_filed: int | None = None) -> Inspection:
    return Inspection(Verification(log, EVERY, most, most_filed), LATER)


def walk(log: MemoryLog, most: int = 5, most_filed: int | None = None) -> list[Verdict]:
    """The verdicts of requests, each of which goes on where the one before says."""
    verdicts: list[Verdict] = []
    goes_on: int | None = None
    while True:
        verdicts.append(inspection(log, most, most_filed).some(ADMIN, None, None, goes_on))
        goes_on = verdicts[-1].goes_on_at
        if goes_on is None:
            return verdicts
        assert goes_on == verdicts[-1].last + 1


def findings(verdicts: list[Verdict]) -> list[Finding]:
    return [finding for verdict in verdicts for finding in verdict.findings]


@given(SIZES, st.integers(1, 5))
def test_requests_that_go_on_come_to_the_end(size: int, most: int) -> None:
    verdicts = walk(a_log(size), most)
    assert [(verdict.first, verdict.last) for verdict in verdicts] == [
        (first, min(first + most - 1, size)) for first in range(1, size + 1, most)
    ]
    assert [verdict.is_complete for verdict in verdicts] == [False] * (len(verdicts) - 1) + [True]
    assert list(inspection(a_log(size), most).all(None, None)) == verdicts


@given(SIZES, st.integers(1, 5), st.data())
def test_requests_that_go_on_find_what_the_command_finds(size: int, most: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    log.kept_seals[number] = made_fit(log.kept_seals[number], digest=OTHER_HASH)
    expected = [Finding(CHANGED, Part.SEAL, number)]
    assert findings(walk(log, most)) == findings(list(inspection(log, most).all(None, None))) == expected


@given(SIZES, st.integers(1, 5), st.data())
def test_an_inserted_event_is_found_once_however_late_others_were_sealed(
    size: int, most: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(1, size + 1)))
    log, event = sealed_in_order(order), an_event(data.draw(st.integers(-3, size + 3)))
    log.write(replace(event, id=event.id[:-1] + "9"))
    assert findings(walk(log, most)) == [Finding(INSERTED, Part.EVENT, event_id=event.id[:-1] + "9")]


def sealed_in_order(numbers: list[int]) -> MemoryLog:
    """A log whose events were sealed in another order than they were in."""
    log, clock = MemoryLog(), StoppedClock(START + timedelta(hours=1))
    for number in numbers:
        clock.advance(seconds=1)
        log.write(an_event(number))
        sealing(log, clock).seal([an_event(number)])
    return log


def test_a_time_may_be_asked_for() -> None:
    log = a_log(10)
    between = [START + timedelta(seconds=second) for second in (3, 9)]
    first = inspection(log).some(ADMIN, between[0], between[1], None)
    assert first == Verdict(first=3, last=7, is_complete=False, goes_on_at=8)
    assert inspection(log).some(ADMIN, between[0], between[1], 8) == Verdict(first=8, last=9)
    assert inspection(log).some(ADMIN, between[1], None, None) == Verdict(first=9, last=10)
    assert inspection(log).some(ADMIN, None, between[0], None) == Verdict(first=1, last=3)
    assert inspection(log).some(ADMIN, LATER.now(), None, None) == Verdict(first=11, last=10)
    assert list(inspection(log).all(*between)) == [first, Verdict(first=8, last=9)]


def test_what_is_no_time_and_no_number_is_refused() -> None:
    with pytest.raises(BadRequest) as refusal:
        inspection(a_log(1)).some(ADMIN, LATER.now(), START, None)
    assert refusal.value.field == "from"
    for number in (0, -1):
        with pytest.raises(BadRequest) as refusal:
            inspection(a_log(1)).some(ADMIN, None, None, number)
        assert refusal.value.field == "continueFrom"


@pytest.mark.parametrize(
    ("caller", "refusal"),
    [
        (ANONYMOUS, Unauthenticated),
        (signed_in(a_user()), Forbidden),
        (signed_in(a_user(role=Role.MODERATOR)), Forbidden),
        (Caller(consumer_id="c", role=Role.ADMIN, credential_id="k"), Forbidden),
        (Caller(consumer_id="c", role=Role.ADMIN, credential_id="k", scopes=frozenset({"audit:read"})), Forbidden),
    ],
)
def test_only_an_admin_verifies(caller: Caller, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        inspection(a_log(1)).some(caller, None, None, None)


def test_an_admins_program_verifies_by_its_scope() -> None:
    program = Caller(consumer_id="c", role=Role.ADMIN, credential_id="k", scopes=frozenset({"system:write"}))
    assert inspection(a_log(1)).some(program, None, None, None).is_ok


def test_an_empty_log_is_verified() -> None:
    assert walk(MemoryLog()) == [Verdict(first=0, last=0)]
    assert inspection(MemoryLog()).position(Verdict(first=0, last=0)) is None


def test_without_a_head_there_is_no_end_to_come_to() -> None:
    log = a_log(3)
    log.head = None
    [verdict] = walk(log)
    assert (verdict.findings, verdict.is_complete) == ((Finding(DROPPED, Part.HEAD),), False)

    class Broken(MemoryLog):
        def find_head(self) -> Head | None:
            raise ChainBroken

    [verdict] = walk(Broken())
    assert (verdict.findings, verdict.is_complete) == ((Finding(CHANGED, Part.HEAD),), False)


def test_where_the_head_is_wrong_nobody_is_sent_in_circles() -> None:
    log = a_log(12)
    log.head = replace(head_of(log), last=Position(12, log.kept_seals[7].hash))
    verdicts = walk(log)
    assert Finding(CHANGED, Part.HEAD, 12) in findings(verdicts)
    assert not verdicts[-1].is_complete


def test_more_findings_than_are_told_leave_it_open_whether_there_are_others() -> None:
    log = a_log(MOST_FINDINGS + 1)
    for number in range(1, MOST_FINDINGS + 2):
        log.kept_events.pop(an_event(number).id)
    [verdict] = walk(log, most=1_000)
    assert (len(verdict.findings), verdict.is_complete, verdict.goes_on_at) == (MOST_FINDINGS, False, None)


def test_a_request_does_not_look_at_all_events_that_wait_but_the_command_does() -> None:
    log = a_log(3)
    waiting = [an_event(3600 * 24 * 2 - 60 + number) for number in range(20)]
    log.write(*waiting)
    [verdict] = walk(log, most_filed=10)
    assert (verdict.waiting, verdict.is_complete, verdict.goes_on_at, verdict.is_ok) == (7, False, None, True)
    [verdict] = inspection(log).all(None, None)
    assert (verdict.waiting, verdict.is_complete) == (20, True)


def test_a_long_pause_of_the_stream_makes_no_request_look_at_more() -> None:
    log, clock = MemoryLog(), StoppedClock(START + timedelta(hours=3))
    for number in range(1, 61):  # all of an hour, sealed within a minute
        clock.advance(seconds=1)
        log.write(an_event(60 * number))
        sealing(log, clock).seal([an_event(60 * number)])
    assert [verdict.is_complete for verdict in walk(log, most=10, most_filed=10)] == [False] * 5 + [True]


def test_events_that_claim_seals_far_away_make_nobody_look_at_all_between() -> None:
    class Counting(MemoryLog):
        asked = 0

        def seals(self, first: int, last: int) -> Mapping[int, Seal]:
            self.asked += max(last - first + 1, 0)
            return super().seals(first, last)

    log = Counting()
    vars(log).update(vars(a_log(12)))
    forged = [replace(an_event(3), id=an_event(3).id[:-1] + digit) for digit in "1234"]
    log.write(*forged)
    log.numbers |= {event.id: claimed for event, claimed in zip(forged, (9, 10, 5_000, 10**9), strict=True)}
    found = inspection(log).some(ADMIN, None, None, None).findings
    assert found == tuple(Finding(INSERTED, Part.EVENT, event_id=event.id) for event in forged)
    assert log.asked < 100


def test_the_last_position_is_there_to_be_noted_where_nothing_was_found() -> None:
    log = a_log(7)
    *_, verdict = inspection(log).all(None, None)
    assert inspection(log).position(verdict) == head_of(log).last
    assert inspection(log).position(replace(verdict, findings=(Finding(DROPPED, Part.HEAD),))) is None


@pytest.mark.parametrize("size", [0, 3, 7])
def test_a_chain_that_does_not_come_to_what_was_noted_any_more_is_found(size: int) -> None:
    noted = [a_log(9).kept_seals[number].position for number in (2, 9)]
    lost = [Finding(DROPPED, Part.SEAL, 9)] if size else [Finding(DROPPED, Part.HEAD)]
    assert findings(list(inspection(a_log(size)).all(None, None, noted))) == lost
    assert findings(list(inspection(a_log(12)).all(None, None, noted))) == []


def test_a_chain_that_begins_with_something_else_than_was_noted_is_found() -> None:
    log = a_log(2 * EVERY)
    log.drop_up_to(EVERY)
    noted = Position(EVERY, OTHER_HASH)
    assert findings(list(inspection(log).all(None, None, [noted]))) == [Finding(CHANGED, Part.HEAD, EVERY)]
    assert findings(list(inspection(log).all(None, None, [head_of(log).start, BEGINNING]))) == []
