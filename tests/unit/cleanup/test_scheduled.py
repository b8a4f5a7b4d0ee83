"""The cleanup as it is scheduled: its parts in turn, and one event of a run that did something."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gatehouse.audit.chain import Head
from gatehouse.audit.model import SYSTEM, AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.audit.retention import Retention
from gatehouse.cleanup.expiring import Expiring
from gatehouse.cleanup.model import Report
from gatehouse.cleanup.scheduled import Cleanup
from gatehouse.errors import ServiceUnavailable
from tests.unit.audit.logs import EVERY, MemoryLog, a_log
from tests.unit.endings import MemoryEndings, ending_in
from tests.unit.fakes import StoppedClock
from tests.unit.sweeps import MemoryJournal, MemorySweep, a_consumer, the_sweep

DAY = timedelta(days=1)


@dataclass
class House:
    """Someone to be warned, and a key that ends soon."""

    clock: StoppedClock = field(default_factory=StoppedClock)
    dormant: MemorySweep = field(default_factory=MemorySweep)
    endings: MemoryEndings = field(default_factory=MemoryEndings)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    log: MemoryLog = field(default_factory=lambda: a_log(0))

    def __post_init__(self) -> None:
        self.dormant.add(*a_consumer(1, unused=80 * DAY))
        self.endings.keep(ending_in(1, DAY))

    def run(self, *, dry_run: bool = False, seconds: float = 900.0) -> Report:
        recorder = Recorder(self.clock)
        cleanup = Cleanup(
            sweep=the_sweep(self.dormant, self.clock),
            expiring=Expiring(self.endings, self.clock, recorder),
            retention=Retention(self.log, EVERY),
            retention_days=lambda: 30,
            journal=self.journal,
            clock=self.clock,
            recorder=recorder,
        )
        return cleanup.run(lambda: seconds, dry_run=dry_run)


def test_all_parts_are_done_and_told_of_in_one_event() -> None:
    house = House()

    assert house.run() == Report(considered=1, warned=1, expiring=1)
    [event] = house.journal.events
    assert (event.action, event.actor, event.subject_id) == (AuditAction.CLEANUP_DONE, SYSTEM, None)
    assert event.after == {
        "considered": 1,
        "warned": 1,
        "deactivated": 0,
        "anonymised": 0,
        "skipped": 0,
        "expiring": 1,
        "eventsDropped": 0,
        "failed": 0,
        "wentOn": False,
    }


def test_a_run_that_found_nothing_and_a_dry_run_have_no_event() -> None:
    house = House()

    assert house.run(dry_run=True) == Report(considered=1, warned=1, expiring=1, dry_run=True)
    assert house.journal.events == []
    house.run()
    assert house.run() == Report()
    assert len(house.journal.events) == 1


def test_where_time_is_short_all_goes_on_with_the_next_run() -> None:
    house = House()

    assert house.run(seconds=9.0) == Report(went_on=True)
    assert (house.dormant.calls, house.endings.calls, house.journal.events) == ([], [], [])


def test_what_failed_is_told_of_all_parts_together() -> None:
    house = House()

    def fail(name: str) -> None:
        if name in ("take_step", "tell_end"):
            raise ServiceUnavailable("The store did not answer.")

    house.dormant.before = house.endings.before = fail
    assert house.run() == Report(considered=1, failed=2)


def test_an_event_that_cannot_be_kept_is_a_failure_and_undoes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.journal.down = True

    with caplog.at_level(logging.ERROR, "gatehouse.cleanup.scheduled"):
        assert house.run() == Report(considered=1, warned=1, expiring=1, failed=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert len(house.dormant.mails) == 1


def test_old_events_are_dropped_behind_the_rest_by_a_run_that_is_none_of_trial() -> None:
    house = House(log=a_log(EVERY + 1))
    house.clock.advance(days=31)

    assert house.run(dry_run=True).events_dropped == 0
    assert house.run().events_dropped == EVERY
    assert house.journal.events[-1].after["eventsDropped"] == EVERY
    assert sorted(house.log.kept_seals) == [EVERY + 1]


def test_a_log_that_was_tampered_with_is_kept_and_told_as_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    house = House(log=a_log(EVERY))
    house.log.kept_checkpoints.clear()
    house.clock.advance(days=31)

    with caplog.at_level(logging.ERROR, "gatehouse.cleanup.scheduled"):
        report = house.run()
    assert (report.events_dropped, report.failed, report.went_on) == (0, 1, False)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_log_that_cannot_be_read_keeps_nothing_else_back(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryLog):
        def find_head(self) -> Head | None:
            raise ServiceUnavailable("The store did not answer.")

    house = House(log=Broken())
    with caplog.at_level(logging.ERROR, "gatehouse.cleanup.scheduled"):
        assert house.run() == Report(considered=1, warned=1, expiring=1, failed=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
