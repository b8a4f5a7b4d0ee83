"""Changes of usage plans in the table: each with the claim on its name, and with the gates that they are about."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action

from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import User
from gatehouse.errors import Conflict
from gatehouse.persistence import Page, Stale
from gatehouse.plans.fields import unique_form
from gatehouse.plans.model import UsagePlan
from gatehouse.storage import keys, listing
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import count_plan_consumer, find_user
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.plans import DynamoPlans, PlanRecord
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Transaction

USED_BY_CREDENTIALS = (
    GateRecord.window_ends,
    GateRecord.window_used,
    GateRecord.burst_ends,
    GateRecord.burst_used,
    GateRecord.quota_ends,
    GateRecord.quota_used,
    GateRecord.quota_told,
)
"""What another plan, or a reset, starts afresh."""


class PlanNameRecord(Record):
    """A claim on a usage plan's name."""

    owner = UnicodeAttribute()

    @classmethod
    def of(cls, plan: UsagePlan) -> "PlanNameRecord":
        return cls(keys.plan_name_claim(unique_form(plan.name)), keys.CLAIM, owner=plan.id)


class DynamoPlanChanges(DynamoPlans):
    """The store of `plans.service`."""

    def find_user(self, user_id: str) -> User | None:
        return find_user(user_id)

    def page_plans(self, first: int, after: str | None) -> Page[UsagePlan]:
        with store_faults():
            return listing.page_plans(first, after)

    def create_plan(self, plan: UsagePlan, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        _claim(transaction, plan)
        transaction.put(PlanRecord.of(plan))
        add_event(transaction, event)
        transaction.commit()

    def update_plan(self, before: UsagePlan, after: UsagePlan, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.update(
            PlanRecord.key(after.id), _changes(before, after), PlanRecord.revision == before.revision, otherwise=Stale()
        )
        if unique_form(after.name) != unique_form(before.name):
            _claim(transaction, after)
            transaction.delete(PlanNameRecord.of(before))
        add_event(transaction, event)
        transaction.commit()

    def delete_plan(self, plan: UsagePlan, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.delete(
            PlanRecord.key(plan.id),
            (PlanRecord.revision == plan.revision) & (PlanRecord.consumers == 0),
            otherwise=Stale(),
        )
        transaction.delete(PlanNameRecord.of(plan))
        add_event(transaction, event)
        transaction.commit()

    def assign_plan(self, before: User, after: User, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.update(
            ProfileRecord.key(after.id),
            [
                ProfileRecord.plan_id.remove() if after.plan_id is None else ProfileRecord.plan_id.set(after.plan_id),
                ProfileRecord.revision.set(after.revision),
                ProfileRecord.updated_at.set(milliseconds(after.updated_at)),
            ],
            ProfileRecord.revision == before.revision,
            otherwise=Stale(),
        )
        transaction.update(
            GateRecord.key(after.id),
            [
                GateRecord.plan_id.remove() if after.plan_id is None else GateRecord.plan_id.set(after.plan_id),
                GateRecord.epoch.add(1),
                *(attribute.remove() for attribute in USED_BY_CREDENTIALS),
            ],
            GateRecord.pk.exists(),
            otherwise=Stale(),
        )
        for plan_id, change in ((before.plan_id, -1), (after.plan_id, +1)):
            if plan_id is not None:
                count_plan_consumer(transaction, plan_id, change)
        add_event(transaction, event)
        transaction.commit()


def _claim(transaction: Transaction, plan: UsagePlan) -> None:
    taken = Conflict("This name is taken.", field="name")
    transaction.put(PlanNameRecord.of(plan), PlanNameRecord.pk.does_not_exist(), otherwise=taken)


def _changes(before: UsagePlan, after: UsagePlan) -> list[Action]:
    changes: list[Action] = [
        PlanRecord.revision.set(after.revision),
        PlanRecord.updated_at.set(milliseconds(after.updated_at)),
    ]
    for attribute, name in (
        (PlanRecord.name, "name"),
        (PlanRecord.rate_limit, "rate_limit"),
        (PlanRecord.window_seconds, "window_seconds"),
        (PlanRecord.burst_limit, "burst_limit"),
        (PlanRecord.quota_limit, "quota_limit"),
        (PlanRecord.quota_period, "quota_period"),
        (PlanRecord.meters_cost, "meters_cost"),
        (PlanRecord.max_depth, "max_depth"),
        (PlanRecord.max_cost, "max_cost"),
        (PlanRecord.allowed_fields, "allowed_fields"),
    ):
        if (value := getattr(after, name)) != getattr(before, name):
            kept: Any = list(value) if isinstance(value, tuple) else value
            changes.append(attribute.remove() if kept is None else attribute.set(kept))
    return changes
