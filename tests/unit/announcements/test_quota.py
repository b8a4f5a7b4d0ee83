"""A quota that is nearly spent is told once a time that it is."""

from datetime import UTC, datetime, timedelta

from gatehouse.admission.meters import Count
from gatehouse.announcements.model import QuotaNearlySpent
from gatehouse.announcements.quota import nearly_spent
from gatehouse.clock import milliseconds

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS = AT + timedelta(hours=12)


def test_the_same_change_is_the_same_announcement_and_after_a_reset_it_is_another() -> None:
    quota = Count(milliseconds(ENDS), 80)
    told = nearly_spent("c", "gold", quota, 100, AT)

    assert told == QuotaNearlySpent(
        cause=told.cause, consumer_id="c", at=AT, plan_id="gold", used=80, limit=100, resets_at=ENDS
    )
    assert nearly_spent("c", "gold", quota, 100, AT).id == told.id
    assert nearly_spent("c", "gold", quota, 100, AT + timedelta(hours=1)).id != told.id
