"""What the stream gave up on: found when its turn is over, and sealed once, unless it has a seal already."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import CHECKPOINT_EVERY, ChainBroken, Head
from gatehouse.audit.findings import Finding, Part, Tampering
from gatehouse.audit.late import SETTLED, Late, LateSealing
from gatehouse.audit.model import AuditEvent
from tests.unit.audit.logs import MemoryLog, a_log, an_event, found, head_of, sealing
from tests.unit.fakes import START, StoppedClock

LATER = timedelta(hours=1)


def late_sealing(log: MemoryLog, after: timedelta = LATER) -> LateSealing:
    return LateSealing(log, sealing(log, StoppedClock(START + after)))


def given_up(*numbers: int, sealed: int = 3) -> tuple[MemoryLog, list[AuditEvent]]:
    """A log of sealed events, and of others that nobody sealed."""
    log, events = a_log(sealed), [an_event(number) for number in numbers]
    log.write(*events)
    return log, events


def test_what_the_stream_gave_up_on_is_found_sealed_and_then_no_finding() -> None:
    log, events = given_up(10, 12, 11)
    assert found(log) == tuple(
        Finding(Tampering.INSERTED, Part.EVENT, event_id=an_event(number).id) for number in (10, 11, 12)
    )

    late = list(late_sealing(log).waiting())
    assert late == [Late(an_event(number).id, an_event(number)) for number in (10, 11, 12)]
    assert late_sealing(log).seal(late) == len(events)
    assert [log.kept_seals[number].event_id for number in (4, 5, 6)] == [one.event_id for one in late]
    assert found(log) == ()
    assert list(late_sealing(log).waiting()) == []


def test_looking_changes_nothing() -> None:
    log, _ = given_up(10)
    list(late_sealing(log).waiting())
    assert (head_of(log).last.number, sorted(log.kept_seals)) == (3, [1, 2, 3])


def test_a_log_without_any_seal_begins_with_them() -> None:
    log = MemoryLog()
    assert list(late_sealing(log).waiting()) == []
    log.write(an_event(1), an_event(2))
    assert late_sealing(log).seal(list(late_sealing(log).waiting())) == 2
    assert found(log) == ()


def test_an_event_is_left_to_the_stream_until_it_had_its_turn() -> None:
    log, [event] = given_up(10)
    waited = timedelta(seconds=10) + SETTLED
    assert list(late_sealing(log, waited - timedelta(milliseconds=1)).waiting()) == []
    assert list(late_sealing(log, waited).waiting()) == [Late(event.id, event)]


@given(st.sets(st.integers(4, 90), min_size=1), st.sets(st.integers(4, 90)))
def test_what_the_stream_seals_meanwhile_is_sealed_once(waiting: set[int], streams: set[int]) -> None:
    log, _ = given_up(*waiting)
    late = list(late_sealing(log).waiting())
    log.write(*(an_event(number) for number in streams))
    log.before_append.append(lambda: sealing(log).seal([an_event(number) for number in sorted(streams)]))

    assert late_sealing(log).seal(late) == len(waiting - streams)
    assert sorted(log.numbers) == sorted(seal.event_id for seal in log.kept_seals.values())
    assert found(log) == ()


def test_what_is_sealed_while_it_is_listed_is_not_told() -> None:
    log, events = given_up(*range(10, 60))
    listed = late_sealing(log).waiting()
    first = next(listed)
    sealing(log).seal(events)
    rest = {late.event_id for late in listed}
    assert first == Late(events[0].id, events[0])
    assert events[-1].id not in rest


def test_what_is_gone_while_it_is_listed_is_not_told() -> None:
    log, events = given_up(*range(10, 60))
    listed = late_sealing(log).waiting()
    next(listed)
    del log.kept_events[events[-1].id]
    assert [late.event_id for late in listed] == [event.id for event in events[1:-1]]


def test_an_event_that_only_lost_its_mark_is_told_with_its_seal_and_gets_no_other() -> None:
    log, [event] = given_up(10)
    del log.numbers[an_event(2).id]
    lost = Late(an_event(2).id, an_event(2), 2)

    late = list(late_sealing(log).waiting())
    assert late == [lost, Late(event.id, event)]
    assert [one.may_be_sealed for one in late] == [False, True]
    assert late_sealing(log).seal(late) == 1
    assert found(log) == (Finding(Tampering.DROPPED, Part.MARK, 2, an_event(2).id),)


@pytest.mark.parametrize("number", [1, CHECKPOINT_EVERY, CHECKPOINT_EVERY + 1])
def test_a_seal_is_found_wherever_in_the_chain_it_is(number: int) -> None:
    log = MemoryLog()
    events = [an_event(second) for second in range(1, CHECKPOINT_EVERY + 2)]
    log.write(*events)
    sealing(log).seal(events)
    del log.numbers[events[number - 1].id]
    assert [late.number for late in late_sealing(log).waiting()] == [number]


def test_events_of_before_the_chains_beginning_are_found_too() -> None:
    log = a_log(9)
    log.drop_up_to(8)
    log.write(an_event(1))
    assert [late.event_id for late in late_sealing(log).waiting()] == [an_event(1).id]


def test_a_chain_that_was_tampered_with_does_not_go_on() -> None:
    log, _ = given_up(10)
    late = list(late_sealing(log).waiting())
    log.head = Head()
    with pytest.raises(ChainBroken):
        late_sealing(log).seal(late)
