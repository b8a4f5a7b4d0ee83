"""The cleanup as it is scheduled: all its parts in turn, for as long as there is time, and in the end its event."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.audit.retention import Retention
from gatehouse.cleanup.expiring import Expiring
from gatehouse.cleanup.model import Report
from gatehouse.cleanup.service import Sweep
from gatehouse.clock import Clock

_log = logging.getLogger(__name__)


class Journal(Protocol):
    """Where events are kept that come with no other change. Raises ServiceUnavailable."""

    def keep_event(self, event: AuditEvent) -> None: ...


@dataclass(frozen=True)
class Cleanup:
    """The use case."""

    sweep: Sweep
    expiring: Expiring
    retention: Retention
    retention_days: Callable[[], int]
    journal: Journal
    clock: Clock
    recorder: Recorder

    def run(self, seconds_left: Callable[[], float], *, dry_run: bool = False) -> Report:
        """What was done until nothing was left to do, or no time.

        A dry run writes nothing, has no event, and does not look for old events. Raises ServiceUnavailable where it is
        not known what is to be done. To run again is safe at any time.
        """
        swept = self.sweep.run(seconds_left, dry_run=dry_run)
        told = self.expiring.run(seconds_left, dry_run=dry_run)
        report = replace(
            swept,
            expiring=told.expiring,
            failed=swept.failed + told.failed,
            went_on=swept.went_on or told.went_on,
        )
        if not dry_run:
            report = self._without_old_events(report, seconds_left)
        return self._kept(report) if report.did_something else report

    def _without_old_events(self, report: Report, seconds_left: Callable[[], float]) -> Report:
        try:
            told = self.retention.run(self.clock.now(), self.retention_days(), seconds_left)
        except Exception as error:  # noqa: BLE001 - logged, and told as a failure; what was done before stays told
            _log.error("old events were not dropped", exc_info=error)
            return replace(report, failed=report.failed + 1)
        if told.is_stuck:
            _log.error("old events are not dropped: a checkpoint is not as it was sealed", extra={"start": told.start})
        return replace(
            report,
            events_dropped=told.dropped,
            failed=report.failed + told.is_stuck,
            went_on=report.went_on or not (told.is_done or told.is_stuck),
        )

    def _kept(self, report: Report) -> Report:
        """The report, of which there is an event; what it tells is done, also where that cannot be kept."""
        after = {name: value for name, value in report.as_json().items() if name != "dryRun"}
        try:
            self.journal.keep_event(self.recorder.event(AuditAction.CLEANUP_DONE, ITSELF, after=after))
        except Exception as error:  # noqa: BLE001 - logged, and told as a failure
            _log.error("the event of a cleanup was not kept", exc_info=error)
            return replace(report, failed=report.failed + 1)
        return report
