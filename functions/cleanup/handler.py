"""The Lambda function that the schedule wakes."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from typing import Any

from gatehouse import telemetry, wiring
from gatehouse.cleanup import figures

_cleanup = wiring.cleanup()
_log = telemetry.logger()
gc.freeze()
gc.enable()


class Incomplete(Exception):
    """Something could not be dealt with: the schedule tries again, and in the end tells its queue of failures."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The report of one run; raises Incomplete, and whatever keeps it from finding out who is due.

    `dryRun` in the event asks for the report alone. To run again is safe at any time.
    """
    report = _cleanup.run(lambda: context.get_remaining_time_in_millis() / 1000, dry_run=event.get("dryRun") is True)
    told = dict(report.as_json())
    _log.info("cleanup", extra=told)
    telemetry.counts().add(figures.facts(report))
    if report.failed:
        raise Incomplete(f"{report.failed} accounts or credentials could not be dealt with.")
    return told
