"""What is announced of a quota that is nearly spent, which the gate finds out."""

from datetime import datetime

from gatehouse.admission.meters import Count
from gatehouse.announcements.model import QuotaNearlySpent
from gatehouse.clock import from_milliseconds


def nearly_spent(consumer_id: str, plan_id: str, quota: Count, limit: int, at: datetime) -> QuotaNearlySpent:
    """The announcement. A quota that is reset, and nearly spent again in the same period, is another cause."""
    return QuotaNearlySpent(
        cause=f"{consumer_id} {plan_id} {quota.ends} {at.isoformat()}",
        consumer_id=consumer_id,
        at=at,
        plan_id=plan_id,
        used=quota.used,
        limit=limit,
        resets_at=from_milliseconds(quota.ends),
    )
