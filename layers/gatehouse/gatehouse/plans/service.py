"""What may happen to a usage plan: it is made, read, listed, changed, deleted, and given to consumers."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypedDict

from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.model import User
from gatehouse.errors import BadRequest, Conflict, NotFound, ServiceUnavailable
from gatehouse.ids import new_id, parse_id
from gatehouse.permissions import Action, Caller, Reach, reach, require, require_on
from gatehouse.persistence import Page, Stale
from gatehouse.plans import fields
from gatehouse.plans.model import QuotaPeriod, UsagePlan

_ATTEMPTS = 5


class PlanStore(Protocol):
    """Where usage plans are kept, and who has which."""

    def find_user(self, user_id: str) -> User | None: ...

    def find_plan(self, plan_id: str) -> UsagePlan | None: ...

    def page_plans(self, first: int, after: str | None) -> Page[UsagePlan]: ...

    def create_plan(self, plan: UsagePlan, event: AuditEvent) -> None:
        """Keeps it; raises Conflict for a taken name."""

    def update_plan(self, before: UsagePlan, after: UsagePlan, event: AuditEvent) -> None:
        """Turns one into the other, but for `consumers`; raises Stale, and Conflict for a taken name."""

    def delete_plan(self, plan: UsagePlan, event: AuditEvent) -> None:
        """Removes it and frees its name; raises Stale, also where a consumer has it."""

    def assign_plan(self, before: User, after: User, event: AuditEvent) -> None:
        """Gives the user another plan, or none, and starts what its credentials have used afresh.

        Raises Stale where the user has changed or the plan is gone.
        """


class PlanFields(TypedDict, total=False):
    """What `create` and `update` take: only what is given is changed."""

    name: str | None
    rate_limit: int | None
    window_seconds: int | None
    burst_limit: int | None
    quota_limit: int | None
    quota_period: QuotaPeriod | None
    meters_cost: bool | None
    max_depth: int | None
    max_cost: int | None
    allowed_fields: list[str] | None


_NEVER_NULL = {
    "name": "name",
    "rate_limit": "rateLimit",
    "window_seconds": "windowSeconds",
    "meters_cost": "metersCost",
}


@dataclass(frozen=True)
class Plans:
    """The use cases. Every one of them takes the caller first and raises what `permissions` raises."""

    store: PlanStore
    clock: Clock
    recorder: Recorder

    def get(self, caller: Caller, plan_id: str) -> UsagePlan:
        """The plan; raises NotFound, also for a USER whose plan is another."""
        require(caller, Action.READ_PLAN)
        plan = self._plan(plan_id)
        if reach(caller.role, Action.READ_PLAN) is not Reach.ANYONE:
            user = self.store.find_user(caller.consumer_id or "")
            if user is None or user.plan_id != plan.id:
                raise _no_such_plan()
        return plan

    def page(self, caller: Caller, first: int, after: str | None) -> Page[UsagePlan]:
        """At most `first` plans behind the position `after`, newest first."""
        require(caller, Action.LIST_PLANS)
        return self.store.page_plans(first, after)

    def create(self, caller: Caller, new: PlanFields) -> UsagePlan:
        """The fresh plan; raises BadRequest, or Conflict for a taken name."""
        require(caller, Action.MANAGE_PLANS)
        now = self.clock.now()
        given = {name: value for name, value in _as_kept(new).items() if value is not None}
        plan = fields.checked(UsagePlan(id=new_id(now), created_at=now, updated_at=now, **given))
        event = self._event(AuditAction.PLAN_CREATED, caller, plan, after=told.plan(plan))
        self.store.create_plan(plan, event)
        return plan

    def update(self, caller: Caller, plan_id: str, changes: PlanFields) -> UsagePlan:
        """The plan after the changes. They count within a minute, and from the next window or period on."""
        require(caller, Action.MANAGE_PLANS)
        for field in (field for name, field in _NEVER_NULL.items() if name in changes and changes.get(name) is None):
            raise BadRequest(f"{field} must not be null.", field=field)
        for _ in range(_ATTEMPTS):
            before = self._plan(plan_id)
            after = fields.checked(replace(before, **_as_kept(changes)))
            if after == before:
                return before
            after = replace(after, updated_at=self.clock.now(), revision=before.revision + 1)
            event = self._event(AuditAction.PLAN_UPDATED, caller, after, told.plan(before), told.plan(after))
            try:
                self.store.update_plan(before, after, event)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("The usage plan is being changed by others. Try again.")

    def delete(self, caller: Caller, plan_id: str) -> UsagePlan:
        """The plan as it was; raises Conflict while consumers have it."""
        require(caller, Action.MANAGE_PLANS)
        for _ in range(_ATTEMPTS):
            plan = self._plan(plan_id)
            if plan.consumers:
                have = "1 consumer has" if plan.consumers == 1 else f"{plan.consumers} consumers have"
                raise Conflict(f"{have} this usage plan; assign another first.")
            event = self._event(AuditAction.PLAN_DELETED, caller, plan, before=told.plan(plan))
            try:
                self.store.delete_plan(plan, event)
            except Stale:
                continue
            return plan
        raise ServiceUnavailable("The usage plan is being changed by others. Try again.")

    def assign(self, caller: Caller, user_id: str, plan_id: str | None) -> User:
        """The user with the plan, or with none; the plan that it has already is no change."""
        require(caller, Action.ASSIGN_PLAN)
        for _ in range(_ATTEMPTS):
            before = self._user(caller, user_id)
            after = replace(before, plan_id=None if plan_id is None else self._plan(plan_id).id)
            if after == before:
                return before
            after = replace(after, updated_at=self.clock.now(), revision=before.revision + 1)
            event = self.recorder.event(
                AuditAction.PLAN_ASSIGNED,
                acting.caller(caller),
                subject_id=after.id,
                before={"planId": before.plan_id},
                after={"planId": after.plan_id},
            )
            try:
                self.store.assign_plan(before, after, event)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("The user is being changed by others. Try again.")

    def _event(
        self,
        action: AuditAction,
        caller: Caller,
        plan: UsagePlan,
        before: told.Fields | None = None,
        after: told.Fields | None = None,
    ) -> AuditEvent:
        target = Target(TargetType.PLAN, plan.id)
        return self.recorder.event(action, acting.caller(caller), target=target, before=before, after=after)

    def _plan(self, plan_id: str) -> UsagePlan:
        known = parse_id(plan_id)
        plan = None if known is None else self.store.find_plan(known)
        if plan is None:
            raise _no_such_plan()
        return plan

    def _user(self, caller: Caller, user_id: str) -> User:
        known = parse_id(user_id)
        user = None if known is None else self.store.find_user(known)
        if user is None:
            raise NotFound("There is no such user.")
        require_on(caller, Action.ASSIGN_PLAN, user)
        return user


def _no_such_plan() -> NotFound:
    return NotFound("There is no such usage plan.")


def _as_kept(given: PlanFields) -> dict[str, Any]:
    kept: dict[str, Any] = dict(given)
    if "allowed_fields" in given:
        kept["allowed_fields"] = fields.allowed_fields(given["allowed_fields"])
    return kept
