"""How much may be asked: the counters of a gate, their limits, and what a request adds to them. Pure decisions.

A counter lasts until its end and then starts anew. Each contributes one step to the gate's one conditional write:
*live*, it goes on counting below a ceiling; or *turn*, it has ended and begins again. Which of the two is predicted
from what was last seen, and decided again on what the gate really holds where the prediction was wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.consumers.model import Role
from gatehouse.plans.model import MOST_A_SECOND, QuotaPeriod, UsagePlan

_SECOND = timedelta(seconds=1)


class Meter(StrEnum):
    """What is counted: sessions have a window; credentials another, with a burst's second and a quota's period."""

    SESSIONS = "s"
    WINDOW = "w"
    BURST = "b"
    QUOTA = "q"


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """How many requests in `window_seconds` each role, and each address without a name, may make."""

    window_seconds: int
    by_role: Mapping[Role, int]
    anonymous: int


@dataclass(frozen=True)
class Count:
    """A counter that was used `used` times and ends at `ends`, in milliseconds since the epoch."""

    ends: int
    used: int


@dataclass(frozen=True)
class Limit:
    """At most `most` in a span: a timedelta that begins with the first request, or a period of the calendar."""

    meter: Meter
    most: int
    span: timedelta | QuotaPeriod

    def ends(self, now: datetime) -> int:
        """When a counter that begins at `now` ends, in milliseconds since the epoch."""
        if isinstance(self.span, timedelta):
            return milliseconds(now + self.span)
        return milliseconds(_next_period(self.span, now))


@dataclass(frozen=True)
class Step:
    """What a request adds to one counter; `turns` says that it begins anew, to end at `ends`."""

    limit: Limit
    cost: int
    turns: bool
    ends: int

    @property
    def ceiling(self) -> int:
        """How much may have been used before, so that the cost still fits."""
        return self.limit.most - self.cost

    @property
    def floor(self) -> int:
        """How much must have been used before, so that with the cost nearly all of it is: 80 %."""
        return -(-self.limit.most * 4 // 5) - self.cost


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the caller is told: the limit that is nearest, what remains of it, and when it starts anew."""

    limit: int
    remaining: int
    resets_at: datetime
    is_spent: bool = False


def steps(counts: Mapping[Meter, Count], limits: Sequence[Limit], now: datetime, cost: int = 1) -> tuple[Step, ...]:
    """What a request of that cost adds to each counter, as the counts have it, whether it fits or not."""
    return tuple(_step(counts.get(limit.meter), limit, now, cost) for limit in limits)


def spent(counts: Mapping[Meter, Count], limits: Sequence[Limit], now: datetime, cost: int = 1) -> Allowance | None:
    """The refusal of a request of that cost, by the limit that lasts longest; None where it fits."""
    over = [
        Allowance(
            limit=limit.most, remaining=max(0, limit.most - used), resets_at=from_milliseconds(ends), is_spent=True
        )
        for limit in limits
        for used, ends in [_now(counts.get(limit.meter), limit, now)]
        if used + cost > limit.most
    ]
    return max(over, key=lambda allowance: allowance.resets_at, default=None)


def quota_to_tell(counts: Mapping[Meter, Count], taken: Sequence[Step]) -> str | None:
    """The quota that the steps leave nearly spent: when it ends, and its limit; None where they leave none so."""
    for step in taken:
        if step.limit.meter is Meter.QUOTA:
            used = 0 if step.turns else counts[Meter.QUOTA].used
            return f"{step.ends} {step.limit.most}" if used >= step.floor else None
    return None


def allowance(counts: Mapping[Meter, Count], limits: Sequence[Limit], now: datetime) -> Allowance:
    """What remains: of the first limit, or of the quota where that is less."""
    told = [
        Allowance(limit=limit.most, remaining=max(0, limit.most - used), resets_at=from_milliseconds(ends))
        for limit in limits
        if limit.meter is not Meter.BURST
        for used, ends in [_now(counts.get(limit.meter), limit, now)]
    ]
    return min(told, key=lambda allowance: allowance.remaining)


def session_limits(most: int, window_seconds: int) -> tuple[Limit, ...]:
    """What a consumer's sessions share."""
    return (Limit(Meter.SESSIONS, most, timedelta(seconds=window_seconds)),)


def credential_limits(most: int, window_seconds: int, plan: UsagePlan | None) -> tuple[Limit, ...]:
    """What a consumer's credentials share: the plan's limits, or those of the role without one."""
    if plan is None:
        return (Limit(Meter.WINDOW, most, timedelta(seconds=window_seconds)), *_burst(most, None))
    return plan_limits(plan)


def plan_limits(plan: UsagePlan) -> tuple[Limit, ...]:
    """The limits of a usage plan."""
    window = Limit(Meter.WINDOW, plan.rate_limit, timedelta(seconds=plan.window_seconds))
    limits = [window, *_burst(plan.rate_limit, plan.burst_limit)]
    if plan.quota_limit is not None and plan.quota_period is not None:
        limits.append(Limit(Meter.QUOTA, plan.quota_limit, plan.quota_period))
    return tuple(limits)


def _burst(most: int, burst: int | None) -> tuple[Limit, ...]:
    """The limit of a second, which a gate has wherever a window's requests could all come at once and be too many."""
    if burst is None and most <= MOST_A_SECOND:
        return ()
    return (Limit(Meter.BURST, MOST_A_SECOND if burst is None else burst, _SECOND),)


def _step(count: Count | None, limit: Limit, now: datetime, cost: int) -> Step:
    turns = count is None or count.ends <= milliseconds(now)
    return Step(limit, cost, turns, limit.ends(now) if count is None or turns else count.ends)


def _now(count: Count | None, limit: Limit, now: datetime) -> tuple[int, int]:
    """How much of the limit is used at `now`, and when it starts anew."""
    if count is None or count.ends <= milliseconds(now):
        return 0, limit.ends(now)
    return count.used, count.ends


def _next_period(period: QuotaPeriod, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case QuotaPeriod.DAY:
            return midnight + timedelta(days=1)
        case QuotaPeriod.WEEK:
            return midnight + timedelta(days=7 - midnight.weekday())
        case QuotaPeriod.MONTH:
            return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
