"""Verification in stretches, with what was noted elsewhere, and while the log moves on."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import Head, Position
from gatehouse.audit.findings import Finding, Part, Tampering
from gatehouse.audit.verification import MOST_AT_ONCE, MOST_FINDINGS, Verdict, Verification
from tests.unit.audit.logs import EVERY, MemoryLog, a_log, an_event, found, head_of, made_fit, sealing, verdict
from tests.unit.fakes import START, StoppedClock

CHANGED, DROPPED, INSERTED, _ = Tampering
SEAL, EVENT, _, HEAD, MARK = Part
OTHER_HASH = "f" * 64


@given(st.integers(1, 3 * EVERY), st.data())
def test_stretch_by_stretch_the_same_is_found_as_at_once(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    log.kept_seals[number] = made_fit(log.kept_seals[number], digest=OTHER_HASH)
    width = data.draw(st.integers(1, size))
    stretches = [verdict(log, first=first, last=first + width - 1) for first in range(1, size + 1, width)]
    assert [finding for stretch in stretches for finding in stretch.findings] == list(found(log))


@given(st.integers(1, 3 * EVERY), st.data())
def test_stretch_by_stretch_an_inserted_event_is_found_once(size: int, data: st.DataObject) -> None:
    log, event = a_log(size), an_event(data.draw(st.integers(-3, size + 3)))
    event = replace(event, id=event.id[:-1] + "9")
    log.write(event)
    width = data.draw(st.integers(1, size))
    stretches = [verdict(log, first=first, last=first + width - 1) for first in range(1, size + 1, width)]
    assert [finding for stretch in stretches for finding in stretch.findings] == [
        Finding(INSERTED, EVENT, event_id=event.id)
    ]


def test_a_whole_new_chain_is_found_by_a_position_that_was_noted_elsewhere() -> None:
    noted = head_of(a_log(5)).last
    log, forged = MemoryLog(), [an_event(number, correlation_id="forged") for number in range(1, 8)]
    log.write(*forged)
    sealing(log, StoppedClock()).seal(forged)
    assert found(log) == ()
    assert found(log, known=[noted]) == (Finding(CHANGED, SEAL, 5),)
    assert found(a_log(7), known=[noted]) == ()


def test_what_is_sealed_meanwhile_is_no_finding() -> None:
    log = a_log(5)
    early = head_of(log)
    for number in (6, 7):
        log.write(an_event(number))
        sealing(log).seal([an_event(number)])
    late = head_of(log)
    heads = [early]

    class Moving(MemoryLog):
        def find_head(self) -> Head | None:
            return heads.pop() if heads else late

    moving = Moving()
    moving.__dict__.update(log.__dict__)
    assert verdict(moving) == Verdict(first=1, last=5)


def test_what_retention_drops_meanwhile_is_no_finding() -> None:
    log = a_log(2 * EVERY)
    heads = [head_of(log)]
    log.drop_up_to(EVERY)
    late = head_of(log)

    class Moving(MemoryLog):
        def find_head(self) -> Head | None:
            return heads.pop() if heads else late

    moving = Moving()
    moving.__dict__.update(log.__dict__)
    assert verdict(moving).findings == ()


def test_an_event_that_was_sealed_twice_is_found_at_the_second_seal() -> None:
    log = a_log(3)
    del log.numbers[an_event(2).id]
    sealing(log).seal([an_event(2)])
    assert found(log) == (Finding(INSERTED, SEAL, 4, an_event(2).id), Finding(CHANGED, MARK, 2, an_event(2).id))


def test_no_more_is_told_than_can_be_read() -> None:
    log = a_log(MOST_FINDINGS + 5)
    log.kept_events.clear()
    assert len(found(log)) == MOST_FINDINGS


def test_one_go_takes_no_more_than_so_many_seals() -> None:
    log = a_log(1)
    log.head = Head(last=Position(MOST_AT_ONCE + 7, OTHER_HASH))
    assert verdict(log).last == MOST_AT_ONCE
    assert verdict(a_log(3), first=9) == Verdict(first=9, last=8)


def test_a_log_that_nobody_has_written_to_is_whole() -> None:
    assert verdict(MemoryLog()).is_ok
    log = MemoryLog()
    log.write(an_event(1))
    assert found(log) == (Finding(DROPPED, HEAD),)
    assert Verification(log, EVERY).run(START + timedelta(hours=1)).is_ok
