"""What a run of the cleanup adds to the figures."""

from gatehouse.cleanup.model import Report
from gatehouse.counts import Counted, Fact


def facts(report: Report) -> list[Fact]:
    """Nothing for a dry run: whoever watches that the cleanup runs must not take one for it."""
    if report.dry_run:
        return []
    done = {
        "warned": report.warned,
        "deactivated": report.deactivated,
        "anonymised": report.anonymised,
        "skipped": report.skipped,
    }
    return [
        Fact(Counted.CLEANUP_RUNS),
        Fact(Counted.CLEANUP_FAILURES, report.failed),
        *(Fact(Counted.CLEANED_UP, number, by=outcome) for outcome, number in done.items()),
    ]
