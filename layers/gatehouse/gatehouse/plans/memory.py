"""Usage plans as a function remembers them, so that a request does not read the plan that the one before it read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from gatehouse.clock import Clock
from gatehouse.plans.model import UsagePlan

REMEMBERED_FOR = timedelta(seconds=60)
"""How long an edit of a plan may take to count."""

_MOST_REMEMBERED = 1_000


@dataclass(frozen=True)
class RememberedPlans:
    """Asks `find` for a plan at most once a minute; `find` may raise ServiceUnavailable, and so may this."""

    find_plan: Callable[[str], UsagePlan | None]
    clock: Clock
    _known: dict[str, tuple[datetime, UsagePlan | None]] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def find(self, plan_id: str) -> UsagePlan | None:
        """The plan as it was at most a minute ago; None where there is none of that id."""
        now = self.clock.now()
        known = self._known.get(plan_id)
        if known is not None and timedelta(0) <= now - known[0] < REMEMBERED_FOR:
            return known[1]
        plan = self.find_plan(plan_id)
        with self._lock:
            self._known.pop(plan_id, None)
            if len(self._known) >= _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]  # the one that was read first
            self._known[plan_id] = (now, plan)
        return plan
