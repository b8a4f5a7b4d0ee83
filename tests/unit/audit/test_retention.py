"""Retention: what is old is dropped, and the rest still verifies, wherever a run is killed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import Position
from gatehouse.audit.retention import SECONDS_FOR_A_BATCH, Retention, RetentionReport
from tests.unit.audit.logs import EVERY, MemoryLog, a_log, an_event, found, head_of, verdict
from tests.unit.fakes import START

DAYS = 30
SIZES = st.integers(0, 4 * EVERY + 1)


def endless() -> float:
    return 900


def run(log: MemoryLog, old: int, seconds_left: Callable[[], float] = endless) -> RetentionReport:
    """A run at a time when the first so many events were sealed more than 30 days ago."""
    now = START + timedelta(days=DAYS, seconds=old, milliseconds=1)
    return Retention(log, EVERY).run(now, DAYS, seconds_left)


def kept(log: MemoryLog) -> set[int]:
    """The numbers of the events of a log that are there, with all that goes with them."""
    assert set(log.kept_events) == set(log.numbers)
    assert sorted(log.numbers.values()) == sorted(log.kept_seals)
    return set(log.kept_seals)


@given(SIZES, st.integers(0, 5 * EVERY))
def test_what_is_old_is_dropped_up_to_a_checkpoint_and_the_rest_verifies(size: int, old: int) -> None:
    log = a_log(size)
    start = min(old, size) // EVERY * EVERY
    assert run(log, old) == RetentionReport(dropped=start, start=start, is_done=True)
    assert kept(log) == set(range(start + 1, size + 1))
    assert found(log) == ()
    assert [number for number in log.kept_checkpoints if number < start] == []
    assert run(log, old) == RetentionReport(dropped=0, start=start, is_done=True)


def test_what_was_sealed_just_so_long_ago_is_kept() -> None:
    log = a_log(EVERY)
    now = START + timedelta(days=DAYS, seconds=EVERY)
    assert Retention(log, EVERY).run(now, DAYS, endless).dropped == 0
    assert Retention(log, EVERY).run(now + timedelta(milliseconds=1), DAYS, endless).dropped == EVERY


def test_what_has_no_seal_is_never_dropped() -> None:
    log = a_log(EVERY)
    unsealed = an_event(-5)
    log.write(unsealed)
    run(log, 100)
    assert set(log.kept_events) == {unsealed.id}


def test_a_run_ends_when_there_is_no_time_and_the_next_goes_on() -> None:
    log, times = a_log(2 * EVERY), iter([900.0, SECONDS_FOR_A_BATCH - 1])
    assert run(log, 100, lambda: next(times)) == RetentionReport(dropped=EVERY, start=2 * EVERY, is_done=False)
    assert found(log) == ()
    assert run(log, 100) == RetentionReport(dropped=EVERY, start=2 * EVERY, is_done=True)
    assert kept(log) == set()


class Killed(BaseException):
    """The process is gone, in the middle of whatever it did."""


class Deadly(MemoryLog):
    """A log that kills the run at one of its steps, each item it drops being one."""

    def __init__(self, log: MemoryLog, deadly: int) -> None:
        self.__dict__ |= log.__dict__
        self.steps: Iterator[int] = count()
        self.deadly = deadly

    def _step(self) -> None:
        if next(self.steps) == self.deadly:
            raise Killed

    def begin_behind(self, start: Position) -> None:
        self._step()
        super().begin_behind(start)
        self._step()

    def drop(self, seals: object) -> None:
        assert isinstance(seals, dict)
        for seal in seals.values():
            self._step()
            self.kept_events.pop(seal.event_id, None)
        for seal in seals.values():
            self._step()
            self.numbers.pop(seal.event_id, None)
        for number in seals:
            self._step()
            self.kept_seals.pop(number, None)


@pytest.mark.parametrize("deadly", range(3 * (2 + 3 * EVERY)))
def test_wherever_a_run_is_killed_the_log_verifies_and_the_next_run_finishes(deadly: int) -> None:
    log = Deadly(a_log(3 * EVERY + 1), deadly)
    with pytest.raises(Killed):
        run(log, 100)
    assert found(log) == ()
    assert run(log, 100).is_done
    assert kept(log) == {3 * EVERY + 1}
    assert found(log) == ()


def test_a_chain_that_is_not_as_it_was_at_a_checkpoint_is_not_dropped() -> None:
    def seal_dropped(log: MemoryLog) -> None:
        del log.kept_seals[EVERY]

    def seal_older(log: MemoryLog) -> None:
        log.kept_seals[EVERY] = replace(log.kept_seals[EVERY], sealed_at=0)

    def seal_of_another(log: MemoryLog) -> None:
        log.kept_seals[EVERY] = log.kept_seals[EVERY - 1]

    def checkpoint_dropped(log: MemoryLog) -> None:
        del log.kept_checkpoints[EVERY]

    def checkpoint_changed(log: MemoryLog) -> None:
        log.kept_checkpoints[EVERY] = Position(EVERY, "f" * 64)

    for tamper in (seal_dropped, seal_older, seal_of_another, checkpoint_dropped, checkpoint_changed):
        log = a_log(2 * EVERY)
        tamper(log)
        assert run(log, 100) == RetentionReport(dropped=0, start=0, is_done=False, is_stuck=True)
        assert len(log.kept_events) == 2 * EVERY


def test_a_head_that_cannot_be_moved_is_no_endless_run() -> None:
    class Fixed(MemoryLog):
        def begin_behind(self, start: Position) -> None:
            pass

    log = Fixed()
    log.__dict__ |= a_log(2 * EVERY).__dict__
    assert run(log, 100).is_stuck
    assert kept(log) == set(range(1, 2 * EVERY + 1))


def test_of_an_empty_log_nothing_is_dropped() -> None:
    assert run(MemoryLog(), 100) == RetentionReport(dropped=0, start=0, is_done=True)


def test_while_old_events_are_dropped_new_ones_are_sealed() -> None:
    log = a_log(EVERY)
    run(log, 100)
    assert head_of(log).start.number == head_of(log).last.number == EVERY
    assert verdict(log).is_ok
