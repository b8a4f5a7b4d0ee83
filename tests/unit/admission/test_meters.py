"""The decisions of the gate: when counters begin and end, what fits, and what is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.admission.meters import (
    Allowance,
    Count,
    Limit,
    Meter,
    Step,
    allowance,
    credential_limits,
    quota_to_tell,
    session_limits,
    spent,
    steps,
)
from gatehouse.clock import milliseconds
from gatehouse.plans.model import QuotaPeriod
from tests.unit.fakes import START
from tests.unit.plan_stores import a_plan

NOW = milliseconds(START)
MINUTE = timedelta(minutes=1)
WINDOW = Limit(Meter.WINDOW, 10, MINUTE)
BURST = Limit(Meter.BURST, 3, timedelta(seconds=1))
QUOTA = Limit(Meter.QUOTA, 100, QuotaPeriod.DAY)
ENDS = NOW + 60_000
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def test_without_a_plan_credentials_have_the_window_of_the_role() -> None:
    assert credential_limits(10, 60, None) == (WINDOW,)
    assert session_limits(10, 60) == (Limit(Meter.SESSIONS, 10, MINUTE),)


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({}, []),
        ({"burst_limit": 3}, [BURST]),
        ({"quota_limit": 100, "quota_period": QuotaPeriod.DAY}, [QUOTA]),
        ({"burst_limit": 3, "quota_limit": 100, "quota_period": QuotaPeriod.DAY}, [BURST, QUOTA]),
    ],
    ids=str,
)
def test_with_a_plan_they_have_the_plans_own(changes: dict[str, Any], limits: list[Limit]) -> None:
    plan = a_plan(rate_limit=7, window_seconds=90, **changes)
    assert credential_limits(10, 60, plan) == (Limit(Meter.WINDOW, 7, timedelta(seconds=90)), *limits)


@pytest.mark.parametrize(
    ("period", "now", "ends"),
    [
        (QuotaPeriod.DAY, datetime(2026, 2, 28, 23, 59, 59, 999_000, UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (QuotaPeriod.DAY, datetime(2028, 2, 28, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        (QuotaPeriod.WEEK, datetime(2026, 3, 1, 23, 59, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        (QuotaPeriod.WEEK, datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)),
        (QuotaPeriod.WEEK, datetime(2026, 12, 31, 1, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)),
        (QuotaPeriod.MONTH, datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (QuotaPeriod.MONTH, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (QuotaPeriod.MONTH, datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
    ids=str,
)
def test_a_period_ends_where_the_calendar_has_it(period: QuotaPeriod, now: datetime, ends: datetime) -> None:
    assert Limit(Meter.QUOTA, 1, period).ends(now) == milliseconds(ends)


def test_a_window_ends_as_long_after_its_first_request() -> None:
    assert WINDOW.ends(START + timedelta(milliseconds=7)) == ENDS + 7


def test_a_counter_that_nobody_saw_or_that_has_ended_begins_and_another_goes_on() -> None:
    counts = {Meter.WINDOW: Count(ENDS, 9), Meter.BURST: Count(NOW, 3)}
    assert steps(counts, [WINDOW, BURST, QUOTA], START, cost=2) == (
        Step(WINDOW, 2, turns=False, ends=ENDS),
        Step(BURST, 2, turns=True, ends=NOW + 1_000),
        Step(QUOTA, 2, turns=True, ends=milliseconds(MIDNIGHT)),
    )
    assert Step(WINDOW, 2, turns=False, ends=ENDS).ceiling == 8


def test_what_fits_is_not_spent() -> None:
    counts = {Meter.WINDOW: Count(ENDS, 9), Meter.BURST: Count(NOW, 3)}
    assert spent(counts, [WINDOW, BURST, QUOTA], START) is None
    assert spent({}, [WINDOW], START, cost=10) is None


def test_what_does_not_fit_is_told_by_the_limit_that_lasts_longest() -> None:
    counts = {Meter.WINDOW: Count(ENDS, 10), Meter.BURST: Count(NOW + 1, 3), Meter.QUOTA: Count(ENDS + 5, 99)}
    over_window = Allowance(limit=10, remaining=0, resets_at=START + MINUTE, is_spent=True)
    resets_at = START + timedelta(seconds=60, milliseconds=5)
    assert spent(counts, [WINDOW, BURST, QUOTA], START) == over_window
    assert spent(counts, [WINDOW, BURST, QUOTA], START, cost=2) == Allowance(
        limit=100, remaining=1, resets_at=resets_at, is_spent=True
    )


def test_a_limit_that_was_lowered_leaves_nothing() -> None:
    counts = {Meter.WINDOW: Count(ENDS, 25)}
    assert spent(counts, [WINDOW], START) == Allowance(limit=10, remaining=0, resets_at=START + MINUTE, is_spent=True)
    assert allowance(counts, [WINDOW], START).remaining == 0


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, Allowance(limit=10, remaining=10, resets_at=START + MINUTE)),
        (
            {Meter.WINDOW: Count(ENDS - 1, 4)},
            Allowance(limit=10, remaining=6, resets_at=START + timedelta(seconds=59, milliseconds=999)),
        ),
        ({Meter.QUOTA: Count(ENDS, 91)}, Allowance(limit=100, remaining=9, resets_at=START + MINUTE)),
        ({Meter.QUOTA: Count(ENDS, 90)}, Allowance(limit=10, remaining=10, resets_at=START + MINUTE)),
        ({Meter.BURST: Count(ENDS, 3)}, Allowance(limit=10, remaining=10, resets_at=START + MINUTE)),
        ({Meter.WINDOW: Count(NOW, 10)}, Allowance(limit=10, remaining=10, resets_at=START + MINUTE)),
    ],
    ids=["nothing", "window", "less of the quota", "as much of the quota", "burst", "ended"],
)
def test_what_remains_is_of_the_window_or_of_the_quota_where_that_is_less(
    counts: dict[Meter, Count], told: Allowance
) -> None:
    assert allowance(counts, [WINDOW, BURST, QUOTA], START) == told


@given(
    st.dictionaries(st.sampled_from(Meter), st.builds(Count, st.integers(NOW - 5, NOW + 5), st.integers(0, 12))),
    st.integers(1, 12),
)
def test_a_request_is_spent_exactly_where_a_step_of_its_does_not_fit(counts: dict[Meter, Count], cost: int) -> None:
    limits = [WINDOW, BURST, QUOTA]
    taken = steps(counts, limits, START, cost)
    fits = all(
        step.cost <= step.limit.most if step.turns else counts[step.limit.meter].used <= step.ceiling for step in taken
    )
    assert (spent(counts, limits, START, cost) is None) is fits


@pytest.mark.parametrize(
    ("used", "cost", "most", "told"),
    [
        (78, 1, 100, False),
        (79, 1, 100, True),
        (99, 1, 100, True),
        (60, 20, 100, True),
        (60, 19, 100, False),
        (0, 1, 2, False),
        (2, 1, 4, False),
        (3, 1, 4, True),
    ],
)
def test_a_quota_is_told_from_80_percent_on(used: int, cost: int, most: int, told: bool) -> None:
    limit, counts = Limit(Meter.QUOTA, most, QuotaPeriod.DAY), {Meter.QUOTA: Count(ENDS, used)}
    quota = quota_to_tell(counts, steps(counts, [WINDOW, limit], START, cost))

    assert quota == (f"{ENDS} {most}" if told else None)


def test_a_quota_that_begins_anew_is_told_where_the_first_request_takes_80_percent_of_it() -> None:
    ended, ends = {Meter.QUOTA: Count(NOW, 99)}, milliseconds(MIDNIGHT)

    assert quota_to_tell(ended, steps(ended, [QUOTA], START)) is None
    assert quota_to_tell(ended, steps(ended, [QUOTA], START, 80)) == f"{ends} 100"
    assert quota_to_tell({}, steps({}, [Limit(Meter.QUOTA, 1, QuotaPeriod.DAY)], START)) == f"{ends} 1"


def test_no_other_limit_is_told() -> None:
    counts = {Meter.WINDOW: Count(ENDS, 10), Meter.QUOTA: Count(ENDS, 100)}

    assert quota_to_tell(counts, steps(counts, [WINDOW, BURST], START)) is None
