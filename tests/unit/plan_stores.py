"""Usage plans and usage on the store in memory: its plans, its users, its gates, and its days of usage."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from gatehouse.admission.meters import Meter
from gatehouse.admission.model import Gate
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.errors import Conflict
from gatehouse.ids import new_id
from gatehouse.persistence import Page, Stale
from gatehouse.plans.fields import unique_form
from gatehouse.plans.model import UsagePlan
from gatehouse.usage.model import CredentialName

if TYPE_CHECKING:
    from tests.unit.fakes import MemoryStore

_OF_CREDENTIALS = (Meter.WINDOW, Meter.BURST, Meter.QUOTA)


@dataclass
class MemoryPlans:
    """The store of `plans.service`."""

    store: "MemoryStore"

    def find_user(self, user_id: str) -> User | None:
        return self.store.find_user(user_id)

    def find_plan(self, plan_id: str) -> UsagePlan | None:
        self.store.calls.append("find_plan")
        return self.store.plans.get(plan_id)

    def page_plans(self, first: int, after: str | None) -> Page[UsagePlan]:
        rest = [
            p for p in sorted(self.store.plans.values(), key=lambda p: p.id, reverse=True) if not after or p.id < after
        ]
        return Page([(p.id, p) for p in rest[:first]], rest[first - 1].id if len(rest) > first else None)

    def create_plan(self, plan: UsagePlan, event: AuditEvent | None = None) -> None:
        self.store._write("create_plan")
        self._refuse_taken(plan)
        self.store.plans[plan.id] = plan
        self.store.audit.add(event)

    def update_plan(self, before: UsagePlan, after: UsagePlan, event: AuditEvent | None = None) -> None:
        self.store._write("update_plan")
        self._require_as_it_was(before)
        self._refuse_taken(after)
        self.store.plans[after.id] = replace(after, consumers=self.store.plans[after.id].consumers)
        self.store.audit.add(event)

    def delete_plan(self, plan: UsagePlan, event: AuditEvent | None = None) -> None:
        self.store._write("delete_plan")
        self._require_as_it_was(plan)
        if self.store.plans[plan.id].consumers:
            raise Stale
        del self.store.plans[plan.id]
        self.store.audit.add(event)

    def assign_plan(self, before: User, after: User, event: AuditEvent | None = None) -> None:
        self.store._write("assign_plan")
        if self.store.users.get(before.id) != before or not {after.plan_id} <= {None, *self.store.plans}:
            raise Stale
        for plan_id, change in ((before.plan_id, -1), (after.plan_id, +1)):
            if plan_id is not None:
                plan = self.store.plans[plan_id]
                self.store.plans[plan_id] = replace(plan, consumers=plan.consumers + change)
        self.store.users[after.id] = after
        self.store._move_epoch(after.id)
        gate = self.store.gates.gates[after.id]
        counts = {meter: count for meter, count in gate.counts.items() if meter not in _OF_CREDENTIALS}
        self.store.gates.gates[after.id] = replace(gate, counts=counts, quota_told=None)
        self.store.audit.add(event)

    def _require_as_it_was(self, plan: UsagePlan) -> None:
        known = self.store.plans.get(plan.id)
        if known is None or known.revision != plan.revision:
            raise Stale

    def _refuse_taken(self, plan: UsagePlan) -> None:
        others = [p for p in self.store.plans.values() if p.id != plan.id]
        if unique_form(plan.name) in {unique_form(other.name) for other in others}:
            raise Conflict("This name is taken.", field="name")


@dataclass
class MemoryUsage:
    """The store of `usage.service`."""

    store: "MemoryStore"

    def find_user(self, user_id: str) -> User | None:
        return self.store.find_user(user_id)

    def find_credential(self, credential_id: str) -> Credential | None:
        return self.store.find_credential(credential_id)

    def find_plan(self, plan_id: str) -> UsagePlan | None:
        return self.store.plans.get(plan_id)

    def find_gate(self, user_id: str) -> Gate | None:
        return self.store.gates.gates.get(user_id)

    def find_days(self, user_id: str, first: date, last: date) -> Mapping[date, Mapping[str, int]]:
        days = self.store.usage_days.items()
        return {day: requests for (owner, day), requests in days if owner == user_id and first <= day <= last}

    def find_names(self, user_id: str, numbers: Collection[str]) -> Mapping[str, CredentialName]:
        return {
            str(c.number): CredentialName(credential_id=c.id, key_id=c.key_id)
            for c in self.store.credentials.values()
            if c.consumer_id == user_id and str(c.number) in numbers
        }

    def reset_gate(self, user_id: str, event: AuditEvent | None = None) -> None:
        self.store.calls.append("reset_gate")
        if (gate := self.store.gates.gates.get(user_id)) is None:
            raise Stale
        self.store.gates.gates[user_id] = replace(gate, counts={}, quota_told=None)
        self.store.audit.add(event)


def a_plan(name: str = "gold", **changes: Any) -> UsagePlan:
    """A plan of that name, 100 requests a minute where nothing else is said."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    known = UsagePlan(id=new_id(now), name=name, rate_limit=100, created_at=now, updated_at=now)
    return replace(known, **changes)
