"""What API Gateway does with the key that an authorizer names: it looks it up, and holds it to its plan's limits."""

from datetime import datetime, timedelta
from threading import Lock

from gatehouse.clock import Clock
from local.gateway.control_plane import ControlPlane, Plan
from local.gateway.responses import Refusal


class UsagePlans:
    """Counts requests under keys. Safe for threads.

    AWS does the same by best effort, and forgets; here each limit is kept exactly, by the gateway's clock.
    """

    def __init__(self, plane: ControlPlane, clock: Clock) -> None:
        self._plane = plane
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._used: dict[tuple[str, str], tuple[str, int]] = {}

    def enter(self, stage: tuple[str, str], value: str | None) -> dict[str, str]:
        """What `requestContext.identity` tells of the key; raises Refusal where it is unknown, or its plan used up."""
        found = None if value is None else self._plane.in_force(value, stage)
        if found is None:
            raise Refusal("INVALID_API_KEY")
        key, plan = found
        now = self._clock.now()
        with self._lock:
            self._throttle(plan, key.id, now)
            self._count(plan, key.id, now)
        return {"apiKey": key.value, "apiKeyId": key.id}

    def _throttle(self, plan: Plan, key_id: str, now: datetime) -> None:
        """Takes a token out of the key's bucket, which holds a burst and is filled at the plan's rate."""
        if plan.rate is None or plan.burst is None:
            return
        left, since = self._buckets.get((plan.id, key_id), (float(plan.burst), now))
        left = min(plan.burst, left + plan.rate * (now - since).total_seconds())
        if left < 1:
            raise Refusal("THROTTLED")
        self._buckets[plan.id, key_id] = left - 1, now

    def _count(self, plan: Plan, key_id: str, now: datetime) -> None:
        if plan.quota is None:
            return
        period, used = _period(plan.period, now), 0
        if (plan.id, key_id) in self._used:
            counted_in, count = self._used[plan.id, key_id]
            used = count if counted_in == period else 0
        if used >= plan.quota:
            raise Refusal("QUOTA_EXCEEDED")
        self._used[plan.id, key_id] = period, used + 1


def _period(kind: str | None, now: datetime) -> str:
    """The period of a quota that it is now, in UTC; weeks begin on Sunday."""
    match kind:
        case "DAY":
            return f"{now:%Y-%m-%d}"
        case "WEEK":
            return f"{now + timedelta(days=1):%G-%V}"
        case _:
            return f"{now:%Y-%m}"
