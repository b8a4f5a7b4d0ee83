"""The cleanup's Lambda function: a run's report is its answer and a line of the log."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from gatehouse.audit.recording import Recorder
from gatehouse.audit.retention import Retention
from gatehouse.cleanup.expiring import Expiring
from gatehouse.cleanup.model import Report
from gatehouse.cleanup.scheduled import Cleanup
from gatehouse.errors import ServiceUnavailable
from tests.unit.audit.logs import MemoryLog
from tests.unit.endings import MemoryEndings
from tests.unit.fakes import StoppedClock
from tests.unit.sweeps import MemoryJournal, MemorySweep, a_consumer, the_sweep

EVENTS = Path(__file__).parents[3] / "events/cleanup"
DONE = dict(Report(considered=1, warned=1).as_json())


class Context:
    """Lambda's context, as far as time goes."""

    def __init__(self, milliseconds: int = 900_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture
def dormant() -> MemorySweep:
    """One consumer that is to be warned."""
    store = MemorySweep()
    store.add(*a_consumer(1, unused=timedelta(days=80)))
    return store


@pytest.fixture
def door(dormant: MemorySweep, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on this store."""
    recorder = Recorder(clock)
    cleanup = Cleanup(
        sweep=the_sweep(dormant, clock),
        expiring=Expiring(MemoryEndings(), clock, recorder),
        retention=Retention(MemoryLog()),
        retention_days=lambda: 365,
        journal=MemoryJournal(),
        clock=clock,
        recorder=recorder,
    )
    monkeypatch.setattr(wiring, "cleanup", lambda: cleanup)
    monkeypatch.delitem(sys.modules, "cleanup.handler", raising=False)
    yield importlib.import_module("cleanup.handler")
    sys.modules.pop("cleanup.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def figures(written: str) -> dict[str, float]:
    """The metrics that were printed, by name and outcome."""
    lines = [json.loads(line) for line in written.splitlines()]
    return {
        " ".join([metric["Name"], line["outcome"]] if "outcome" in line else [metric["Name"]]): line[metric["Name"]][0]
        for line in lines
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def event(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return read


def test_a_run_answers_and_logs_its_report(door: ModuleType, log: Callable[[], list[dict[str, Any]]]) -> None:
    assert door.handler(event("run"), Context()) == DONE
    (line,) = log()
    assert line["message"] == "cleanup"
    assert {name: line[name] for name in DONE} == DONE


def test_a_run_counts_what_it_did_and_a_dry_run_nothing(door: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    door.handler(event("dry-run"), Context())
    assert figures(capsys.readouterr().out) == {}

    door.handler(event("run"), Context())
    assert figures(capsys.readouterr().out) == {
        "CleanupRuns": 1,
        "CleanupFailures": 0,
        "CleanedUp warned": 1,
        "CleanedUp deactivated": 0,
        "CleanedUp anonymised": 0,
        "CleanedUp skipped": 0,
    }


def test_a_dry_run_changes_nothing(door: ModuleType, dormant: MemorySweep) -> None:
    before = dormant.state()

    assert door.handler(event("dry-run"), Context()) == DONE | {"dryRun": True}
    assert dormant.state() == before


def test_an_event_that_says_nothing_is_a_run(door: ModuleType) -> None:
    assert door.handler({}, Context())["warned"] == 1


def test_where_time_is_short_the_next_run_goes_on(door: ModuleType, dormant: MemorySweep) -> None:
    assert door.handler({}, Context(9_000))["wentOn"] is True
    assert dormant.calls == []


def test_accounts_that_failed_fail_the_run_after_its_report(
    door: ModuleType,
    dormant: MemorySweep,
    log: Callable[[], list[dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(name: str) -> None:
        if name == "take_step":
            raise ServiceUnavailable("The store did not answer.")

    dormant.before = fail
    with pytest.raises(door.Incomplete):
        door.handler({}, Context())
    assert [line["failed"] for line in log() if line["message"] == "cleanup"] == [1]
    assert figures(capsys.readouterr().out)["CleanupFailures"] == 1
