"""The figures of the cleanup: what was done by each outcome, and that it ran at all."""

from dataclasses import replace

from gatehouse.cleanup.figures import facts
from gatehouse.cleanup.model import Report
from gatehouse.counts import Counted, Fact

REPORT = Report(considered=15, warned=1, deactivated=2, anonymised=3, skipped=4, failed=5, went_on=True)


def test_a_run_tells_what_it_did_and_what_it_could_not_do() -> None:
    assert facts(REPORT) == [
        Fact(Counted.CLEANUP_RUNS),
        Fact(Counted.CLEANUP_FAILURES, 5),
        Fact(Counted.CLEANED_UP, 1, by="warned"),
        Fact(Counted.CLEANED_UP, 2, by="deactivated"),
        Fact(Counted.CLEANED_UP, 3, by="anonymised"),
        Fact(Counted.CLEANED_UP, 4, by="skipped"),
    ]


def test_a_run_that_found_nobody_has_run_all_the_same() -> None:
    assert {fact.what: fact.value for fact in facts(Report())} == {
        Counted.CLEANUP_RUNS: 1,
        Counted.CLEANUP_FAILURES: 0,
        Counted.CLEANED_UP: 0,
    }


def test_a_dry_run_counts_as_none() -> None:
    assert facts(replace(REPORT, dry_run=True)) == []
