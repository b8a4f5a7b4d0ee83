"""Usage plans in the table, as the gate reads them; it imports this at every cold start, and nothing of the changes."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.storage import keys
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults


class PlanRecord(Record):
    """A usage plan. `consumers` is how many profiles name it."""

    name = UnicodeAttribute()
    rate_limit = NumberAttribute(attr_name="rateLimit")
    window_seconds = NumberAttribute(attr_name="windowSeconds")
    burst_limit = NumberAttribute(attr_name="burstLimit", null=True)
    quota_limit = NumberAttribute(attr_name="quotaLimit", null=True)
    quota_period = UnicodeAttribute(attr_name="quotaPeriod", null=True)
    meters_cost = BooleanAttribute(attr_name="metersCost")
    max_depth = NumberAttribute(attr_name="maxDepth", null=True)
    max_cost = NumberAttribute(attr_name="maxCost", null=True)
    allowed_fields: ListAttribute[Any] = ListAttribute(attr_name="allowedFields", null=True)
    consumers = NumberAttribute(default=0)
    revision = NumberAttribute(default=0)
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")

    @classmethod
    def key(cls, plan_id: str) -> "PlanRecord":
        return cls(keys.PLANS, plan_id)

    @classmethod
    def of(cls, plan: UsagePlan) -> "PlanRecord":
        return cls(
            keys.PLANS,
            plan.id,
            name=plan.name,
            rate_limit=plan.rate_limit,
            window_seconds=plan.window_seconds,
            burst_limit=plan.burst_limit,
            quota_limit=plan.quota_limit,
            quota_period=plan.quota_period,
            meters_cost=plan.meters_cost,
            max_depth=plan.max_depth,
            max_cost=plan.max_cost,
            allowed_fields=None if plan.allowed_fields is None else list(plan.allowed_fields),
            created_at=milliseconds(plan.created_at),
            updated_at=milliseconds(plan.updated_at),
        )

    def plan(self) -> UsagePlan:
        return UsagePlan(
            id=self.sk,
            name=self.name,
            rate_limit=int(self.rate_limit),
            window_seconds=int(self.window_seconds),
            burst_limit=_optional_int(self.burst_limit),
            quota_limit=_optional_int(self.quota_limit),
            quota_period=None if self.quota_period is None else QuotaPeriod(self.quota_period),
            meters_cost=self.meters_cost,
            max_depth=_optional_int(self.max_depth),
            max_cost=_optional_int(self.max_cost),
            allowed_fields=None if self.allowed_fields is None else tuple(self.allowed_fields),
            consumers=int(self.consumers),
            created_at=from_milliseconds(int(self.created_at)),
            updated_at=from_milliseconds(int(self.updated_at)),
            revision=int(self.revision),
        )


class DynamoPlans:
    """What the gate asks of usage plans."""

    def find_plan(self, plan_id: str) -> UsagePlan | None:
        with store_faults():
            try:
                return PlanRecord.get(keys.PLANS, plan_id, consistent_read=True).plan()
            except PlanRecord.DoesNotExist:
                return None


def _optional_int(value: float | None) -> int | None:
    return None if value is None else int(value)
