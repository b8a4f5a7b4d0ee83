"""Usage plans as a function remembers them, so that a request does not read the plan that the one before it read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.clock import Clock
from gatehouse.lately import Lately
from gatehouse.plans.model import UsagePlan

REMEMBERED_FOR = timedelta(seconds=60)
"""How long an edit of a plan may take to count."""

_MOST_REMEMBERED = 1_000


def _nothing_yet() -> Lately[tuple[datetime, UsagePlan | None]]:
    return Lately(_MOST_REMEMBERED)


@dataclass(frozen=True)
class RememberedPlans:
    """Asks `find_plan` for a plan at most once a minute; it may raise ServiceUnavailable, and so may this."""

    find_plan: Callable[[str], UsagePlan | None]
    clock: Clock
    _known: Lately[tuple[datetime, UsagePlan | None]] = field(default_factory=_nothing_yet, init=False, repr=False)

    def find(self, plan_id: str) -> UsagePlan | None:
        """The plan as it was at most a minute ago; None where there is none of that id."""
        now = self.clock.now()
        known = self._known.find(plan_id)
        if known is not None and timedelta(0) <= now - known[0] < REMEMBERED_FOR:
            return known[1]
        plan = self.find_plan(plan_id)
        self._known.keep(plan_id, (now, plan))
        return plan
