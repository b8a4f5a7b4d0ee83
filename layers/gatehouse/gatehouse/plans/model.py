"""A UsagePlan: rate, burst and quota of a consumer's credentials, and the GraphQL policy they are held to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_A_SECOND = 500
"""Requests that credentials of one consumer may make in a second at most: a partition takes 1000 writes."""


class QuotaPeriod(StrEnum):
    """How long a quota lasts: a day, a week from Monday, or a month of the calendar, in UTC."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, kw_only=True)
class UsagePlan:
    """At most `rate_limit` requests in a window of `window_seconds`, `burst_limit` in a second, `quota_limit` a period.

    The window begins with the first request in it, and so does the second of the burst; None is no limit. The policy is
    what a request may be: how deep, how costly (objects asked for), and which root fields. With `meters_cost` a request
    counts as often as it costs.
    """

    id: str
    name: str
    rate_limit: int
    window_seconds: int = 60
    burst_limit: int | None = None
    quota_limit: int | None = None
    quota_period: QuotaPeriod | None = None
    meters_cost: bool = False
    max_depth: int | None = None
    max_cost: int | None = None
    allowed_fields: tuple[str, ...] | None = None
    consumers: int = 0
    """How many have it; a plan that somebody has cannot be deleted."""
    created_at: datetime
    updated_at: datetime
    revision: int = 0
