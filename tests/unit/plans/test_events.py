"""Each change of a usage plan, and of who has one, is told as it is."""

from collections.abc import Callable

import pytest

from gatehouse.audit.model import AuditAction, Target, TargetType
from gatehouse.consumers.model import Role, User
from gatehouse.errors import GatehouseError
from gatehouse.permissions import Caller
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.plans.service import PlanFields, Plans
from tests.unit.events import an_expected, by
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, the_house
from tests.unit.people import REQUEST, asking
from tests.unit.plan_stores import a_plan

WHOLE = {
    "name": "gold",
    "rateLimit": 100,
    "windowSeconds": 60,
    "metersCost": False,
}


@pytest.fixture
def plans(store: MemoryStore, clock: StoppedClock) -> Plans:
    return the_house(store, clock).plans


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return asking(store.add(a_user("root", role=Role.ADMIN)))


@pytest.fixture
def gold(store: MemoryStore) -> UsagePlan:
    plan = a_plan()
    store.plans[plan.id] = plan
    return plan


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


def target(plan: UsagePlan) -> Target:
    return Target(TargetType.PLAN, plan.id)


def test_a_plan_that_is_made_is_told_whole(plans: Plans, store: MemoryStore, admin: Caller) -> None:
    new: PlanFields = {
        "name": "silver",
        "rate_limit": 50,
        "quota_limit": 1000,
        "quota_period": QuotaPeriod.MONTH,
        "allowed_fields": ["me", "users"],
    }

    made = plans.create(admin, new)

    assert store.events.told() == [
        an_expected(
            AuditAction.PLAN_CREATED,
            at=START,
            actor=by(admin),
            target=target(made),
            after={
                "name": "silver",
                "rateLimit": 50,
                "windowSeconds": 60,
                "metersCost": False,
                "quotaLimit": 1000,
                "quotaPeriod": "MONTH",
                "allowedFields": ("me", "users"),
            },
            correlation_id=REQUEST,
        )
    ]


def test_a_plan_that_is_changed_is_told_with_what_was_changed_alone(
    plans: Plans, store: MemoryStore, admin: Caller, gold: UsagePlan
) -> None:
    plans.update(admin, gold.id, {"name": "GOLD", "burst_limit": 5, "max_cost": 10, "allowed_fields": []})

    assert store.events.told() == [
        an_expected(
            AuditAction.PLAN_UPDATED,
            at=START,
            actor=by(admin),
            target=target(gold),
            before={"name": "gold", "burstLimit": None, "maxCost": None, "allowedFields": None},
            after={"name": "GOLD", "burstLimit": 5, "maxCost": 10, "allowedFields": ()},
            correlation_id=REQUEST,
        )
    ]


def test_a_plan_that_is_deleted_is_told_with_what_it_was(
    plans: Plans, store: MemoryStore, admin: Caller, gold: UsagePlan
) -> None:
    plans.delete(admin, gold.id)

    assert store.events.told() == [
        an_expected(
            AuditAction.PLAN_DELETED,
            at=START,
            actor=by(admin),
            target=target(gold),
            before=WHOLE,
            correlation_id=REQUEST,
        )
    ]


def test_who_gets_another_plan_and_loses_it_is_told_with_both(
    plans: Plans, store: MemoryStore, admin: Caller, gold: UsagePlan, user: User
) -> None:
    plans.assign(admin, user.id, gold.id)
    plans.assign(admin, user.id, gold.id)
    plans.assign(admin, user.id, None)

    assert store.events.told() == [
        an_expected(
            AuditAction.PLAN_ASSIGNED,
            at=START,
            actor=by(admin),
            subject_id=user.id,
            before={"planId": before},
            after={"planId": after},
            correlation_id=REQUEST,
        )
        for before, after in ((None, gold.id), (gold.id, None))
    ]


@pytest.mark.parametrize("changes", [{}, {"name": "gold"}, {"rate_limit": 100, "quota_limit": None}])
def test_where_nothing_is_changed_nothing_is_told(
    plans: Plans, store: MemoryStore, admin: Caller, gold: UsagePlan, changes: PlanFields
) -> None:
    assert plans.update(admin, gold.id, changes) == gold
    assert store.events == []


REFUSED: dict[str, Callable[[Plans, Caller, UsagePlan, User], object]] = {
    "a taken name": lambda plans, admin, _, __: plans.create(admin, {"name": "GOLD", "rate_limit": 1}),
    "no limit": lambda plans, admin, gold, _: plans.update(admin, gold.id, {"rate_limit": 0}),
    "in use": lambda plans, admin, gold, _: plans.delete(admin, gold.id),
    "none": lambda plans, admin, _, user: plans.assign(admin, user.id, "nothing"),
    "no right": lambda plans, _, gold, user: plans.assign(asking(user), user.id, gold.id),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_a_change_that_is_refused_is_not_told(
    plans: Plans,
    store: MemoryStore,
    admin: Caller,
    gold: UsagePlan,
    user: User,
    refused: Callable[[Plans, Caller, UsagePlan, User], object],
) -> None:
    plans.assign(admin, store.add(a_user("jane")).id, gold.id)
    told = store.events

    with pytest.raises(GatehouseError):
        refused(plans, admin, gold, user)

    assert store.events == told
