"""What may happen to a usage plan, on a store in memory."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gatehouse.admission.meters import Count, Meter
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Conflict, Forbidden, NotFound, ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.plans.service import PlanFields, Plans
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, signed_in
from tests.unit.plan_stores import MemoryPlans, a_plan

GOLD: PlanFields = {"name": "Gold", "rate_limit": 100}
UNKNOWN = new_id(START)
BAD_IDS = (UNKNOWN, "", "x", "uuid-123", "0" * 10_000, "\x00", "PLANS")


@pytest.fixture
def plans(store: MemoryStore, clock: StoppedClock) -> Plans:
    return Plans(MemoryPlans(store), clock, Recorder(clock))


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


def _kept(store: MemoryStore, name: str = "gold", **changes: Any) -> UsagePlan:
    plan = a_plan(name, **changes)
    store.plans[plan.id] = plan
    return plan


def _writes(store: MemoryStore) -> list[str]:
    return [call for call in store.calls if call.endswith("_plan") and call != "find_plan"]


def test_a_plan_is_made_with_what_is_told_and_the_rest_by_default(
    plans: Plans, admin: Caller, store: MemoryStore
) -> None:
    made = plans.create(admin, GOLD)

    assert made == UsagePlan(id=made.id, name="Gold", rate_limit=100, created_at=START, updated_at=START)
    assert store.plans == {made.id: made}
    assert made.window_seconds == 60


def test_a_plan_is_made_with_everything(plans: Plans, admin: Caller) -> None:
    everything: PlanFields = {
        "name": "All",
        "rate_limit": 500,
        "window_seconds": 1,
        "burst_limit": 50,
        "quota_limit": 10_000,
        "quota_period": QuotaPeriod.WEEK,
        "meters_cost": True,
        "max_depth": 5,
        "max_cost": 200,
        "allowed_fields": ["me", "users", "me"],
    }
    made = plans.create(admin, everything)

    told: dict[str, Any] = {**everything, "allowed_fields": ("me", "users")}
    assert made == UsagePlan(id=made.id, created_at=START, updated_at=START, **told)


def test_null_for_what_has_a_default_is_the_default(plans: Plans, admin: Caller) -> None:
    made = plans.create(admin, {**GOLD, "window_seconds": None, "meters_cost": None, "allowed_fields": None})

    assert (made.window_seconds, made.meters_cost, made.allowed_fields) == (60, False, None)


def test_a_plan_that_breaks_a_rule_is_neither_made_nor_changed(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    plan = _kept(store)
    with pytest.raises(BadRequest):
        plans.create(admin, {**GOLD, "quota_limit": 5})
    with pytest.raises(BadRequest):
        plans.update(admin, plan.id, {"quota_limit": 5})
    with pytest.raises(BadRequest):
        plans.update(admin, plan.id, {"window_seconds": 1, "rate_limit": 501})

    assert (store.plans, _writes(store)) == ({plan.id: plan}, [])


def test_a_name_is_taken_in_any_case(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    plans.create(admin, GOLD)
    silver = _kept(store, "Silver")
    with pytest.raises(Conflict) as on_create:
        plans.create(admin, {**GOLD, "name": "gOLD"})
    with pytest.raises(Conflict) as on_update:
        plans.update(admin, silver.id, {"name": "GOLD"})

    assert (on_create.value.field, on_update.value.field) == ("name", "name")


def test_only_what_is_given_is_changed(plans: Plans, admin: Caller, store: MemoryStore, clock: StoppedClock) -> None:
    plan = _kept(store, burst_limit=5, quota_limit=9, quota_period=QuotaPeriod.DAY, allowed_fields=("me",), consumers=3)
    clock.advance(hours=1)
    changed = plans.update(admin, plan.id.upper(), {"rate_limit": 7, "burst_limit": None, "allowed_fields": []})

    assert changed == replace(
        plan, rate_limit=7, burst_limit=None, allowed_fields=(), updated_at=clock.now(), revision=1
    )
    assert store.plans == {plan.id: changed}


def test_a_change_to_what_is_already_so_writes_nothing(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    plan = _kept(store, allowed_fields=("me",))

    assert plans.update(admin, plan.id, {"rate_limit": 100, "allowed_fields": ["me", "me"]}) == plan
    assert plans.update(admin, plan.id, {}) == plan
    assert _writes(store) == []


@pytest.mark.parametrize("field", ["name", "rateLimit", "windowSeconds", "metersCost"])
def test_what_every_plan_has_cannot_be_taken_away(plans: Plans, admin: Caller, store: MemoryStore, field: str) -> None:
    plan = _kept(store)
    changes: Any = {"".join(f"_{c.lower()}" if c.isupper() else c for c in field): None}
    with pytest.raises(BadRequest) as refusal:
        plans.update(admin, plan.id, changes)

    assert refusal.value.field == field


def test_an_unknown_and_a_malformed_id_are_not_found_alike(plans: Plans, admin: Caller, user: User) -> None:
    for id in BAD_IDS:
        for call in (
            plans.get,
            plans.delete,
            lambda c, i: plans.update(c, i, {}),
            lambda c, i: plans.assign(c, user.id, i),
        ):
            with pytest.raises(NotFound) as refusal:
                call(admin, id)
            assert refusal.value.message == "There is no such usage plan."
        with pytest.raises(NotFound, match="no such user"):
            plans.assign(admin, id, None)


def test_a_user_reads_the_own_plan_and_knows_of_no_other(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    own, other = _kept(store, "own"), _kept(store, "other")
    user = store.add(a_user("john", plan_id=own.id))
    without = store.add(a_user("jane"))
    moderator = store.add(a_user("mod", role=Role.MODERATOR))

    assert plans.get(signed_in(user), own.id) == own
    for caller, plan in ((user, other), (without, own), (a_user("gone"), own)):
        with pytest.raises(NotFound) as refusal:
            plans.get(signed_in(caller), plan.id)
        assert refusal.value.message == "There is no such usage plan."
    assert plans.get(signed_in(moderator), other.id) == plans.get(admin, other.id) == other


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_only_an_admin_lists_makes_changes_and_assigns(
    plans: Plans, store: MemoryStore, user: User, role: Role
) -> None:
    plan = _kept(store)
    caller = signed_in(store.add(a_user("caller", role=role)))
    for call in (
        lambda: plans.page(caller, 10, None),
        lambda: plans.create(caller, GOLD),
        lambda: plans.update(caller, plan.id, {"rate_limit": 1}),
        lambda: plans.delete(caller, plan.id),
        lambda: plans.assign(caller, user.id, plan.id),
    ):
        with pytest.raises(Forbidden):
            call()
    assert (store.plans, _writes(store)) == ({plan.id: plan}, [])


def test_plans_are_listed_newest_first_page_by_page(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    kept = [_kept(store, f"plan {number}", id=f"0195fff0-0000-7000-8000-00000000000{number}") for number in range(5)]
    first = plans.page(admin, 3, None)
    last = plans.page(admin, 3, first.next_position)

    assert [plan for page in (first, last) for _, plan in page.entries] == kept[::-1]
    assert last.next_position is None


def test_a_plan_is_deleted_and_its_name_is_free(plans: Plans, admin: Caller, store: MemoryStore) -> None:
    plan = plans.create(admin, GOLD)

    assert plans.delete(admin, plan.id) == plan
    assert store.plans == {}
    plans.create(admin, GOLD)


@pytest.mark.parametrize(
    ("consumers", "message"),
    [
        (1, "1 consumer has this usage plan; assign another first."),
        (12, "12 consumers have this usage plan; assign another first."),
    ],
)
def test_a_plan_that_consumers_have_is_not_deleted_and_it_is_told_how_many(
    plans: Plans, admin: Caller, store: MemoryStore, consumers: int, message: str
) -> None:
    plan = _kept(store, consumers=consumers)
    with pytest.raises(Conflict) as refusal:
        plans.delete(admin, plan.id)

    assert refusal.value.message == message
    assert store.plans == {plan.id: plan}


def test_a_plan_is_assigned_changed_for_another_and_taken_away(
    plans: Plans, admin: Caller, store: MemoryStore, user: User, clock: StoppedClock
) -> None:
    gold, silver = _kept(store, "gold"), _kept(store, "silver")
    told = []
    for plan_id in (gold.id.upper(), silver.id, None):
        clock.advance(minutes=1)
        told.append(plans.assign(admin, user.id, plan_id))
        assert store.users[user.id] == told[-1]
        assert told[-1].updated_at == clock.now()
        standing = store.gates.gates[user.id].standing
        assert (standing.plan_id, standing.epoch) == (told[-1].plan_id, len(told))

    assert [(u.plan_id, u.revision) for u in told] == [(gold.id, 1), (silver.id, 2), (None, 3)]
    assert [store.plans[plan.id].consumers for plan in (gold, silver)] == [0, 0]


def test_another_plan_starts_what_credentials_have_used_afresh_and_leaves_sessions(
    plans: Plans, admin: Caller, store: MemoryStore, user: User
) -> None:
    used = {meter: Count(ends=1, used=1) for meter in Meter}
    store.gates.gates[user.id] = replace(store.gates.gates[user.id], counts=used)
    plans.assign(admin, user.id, _kept(store).id)

    assert store.gates.gates[user.id].counts == {Meter.SESSIONS: used[Meter.SESSIONS]}


def test_the_plan_that_the_user_has_already_is_no_change(
    plans: Plans, admin: Caller, store: MemoryStore, user: User
) -> None:
    plan = _kept(store)
    has_it = plans.assign(admin, user.id, plan.id)

    assert plans.assign(admin, user.id, plan.id) == has_it
    assert plans.assign(admin, admin.consumer_id or "", None).plan_id is None
    assert _writes(store) == ["assign_plan"]


def test_a_deleted_user_no_longer_counts(plans: Plans, admin: Caller, store: MemoryStore, user: User) -> None:
    plan = _kept(store)
    store.delete_user(plans.assign(admin, user.id, plan.id))

    assert plans.delete(admin, plan.id) == replace(plan, consumers=0)


@pytest.mark.parametrize("write", ["update", "delete", "assign"])
def test_a_write_that_came_too_late_is_decided_again_five_times(
    plans: Plans, admin: Caller, store: MemoryStore, user: User, write: str
) -> None:
    def attempt() -> object:
        plan = _kept(store, f"plan {len(store.plans)}")
        calls: dict[str, Callable[[], object]] = {
            "update": lambda: plans.update(admin, plan.id, {"rate_limit": 1}),
            "delete": lambda: plans.delete(admin, plan.id),
            "assign": lambda: plans.assign(admin, user.id, plan.id),
        }
        return calls[write]()

    store.stale = 4
    attempt()
    store.stale = 5
    with pytest.raises(ServiceUnavailable):
        attempt()
