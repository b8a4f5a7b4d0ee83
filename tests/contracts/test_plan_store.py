"""The port of usage plans, `plans.service.PlanStore`, on every implementation, and its races."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gatehouse.admission.meters import Count, Meter
from gatehouse.audit.recording import Recorder
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, User
from gatehouse.errors import Conflict, NotFound, ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.persistence import Stale
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.plans.service import Plans
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.usage import DynamoUsage
from tests.contracts.faults import PatientTime, cancelled, faults, lost, silent
from tests.contracts.made_up import NOBODY, an_admin, at_once, changed, consumers_on_the_table
from tests.stores import Store, cost_of
from tests.unit.fakes import START, StoppedClock, a_user, signed_in
from tests.unit.plan_stores import a_plan

CONSUMERS = DynamoConsumers()
PLANS = DynamoPlanChanges()
EVERYTHING: dict[str, Any] = {
    "window_seconds": 30,
    "burst_limit": 5,
    "quota_limit": 1_000_000,
    "quota_period": QuotaPeriod.MONTH,
    "meters_cost": True,
    "max_depth": 4,
    "max_cost": 300,
    "allowed_fields": ("me", "users"),
}


def kept(name: str = "gold", **changes: Any) -> UsagePlan:
    plan = a_plan(name, **changes)
    PLANS.create_plan(plan)
    return plan


def kept_user(name: str = "john", **changes: Any) -> User:
    user = a_user(name, **changes)
    CONSUMERS.create_user(user, None)
    return user


def newer(plan: UsagePlan, **changes: Any) -> UsagePlan:
    return replace(plan, revision=plan.revision + 1, **changes)


def assigned(user: User, plan: UsagePlan | None) -> User:
    after = changed(user, plan_id=None if plan is None else plan.id)
    PLANS.assign_plan(user, after)
    return after


def consumers_of(*plans: UsagePlan) -> list[int | None]:
    found = [PLANS.find_plan(plan.id) for plan in plans]
    return [None if plan is None else plan.consumers for plan in found]


def test_a_plan_is_found_by_its_id_as_it_was_kept(store: Store) -> None:
    plans = [kept("sparse"), kept("full", **EVERYTHING), kept("none allowed", allowed_fields=())]

    assert [PLANS.find_plan(plan.id) for plan in plans] == plans
    assert PLANS.find_plan(NOBODY) is None


def test_a_taken_name_is_a_conflict_in_any_case_and_leaves_nothing(store: Store) -> None:
    kept("Gold")
    silver = kept("Silver")
    before = store.items()
    for write in (
        lambda: PLANS.create_plan(a_plan("gOLD")),
        lambda: PLANS.update_plan(silver, newer(silver, name="GOLD", rate_limit=1)),
    ):
        with pytest.raises(Conflict) as refusal:
            write()
        assert refusal.value.field == "name"
        assert store.items() == before


@pytest.mark.parametrize("before", [{}, EVERYTHING], ids=["sparse", "full"])
@pytest.mark.parametrize(
    "change",
    [
        EVERYTHING,
        {"name": "Platinum"},
        {"name": "GOLD"},
        {"burst_limit": None, "quota_limit": None, "quota_period": None, "max_depth": None, "max_cost": None},
        {"allowed_fields": None, "meters_cost": False},
        {"allowed_fields": ()},
        {"rate_limit": 1, "window_seconds": 86_400},
    ],
    ids=lambda change: ",".join(change),
)
def test_a_plan_is_found_as_it_was_changed(store: Store, before: dict[str, Any], change: dict[str, Any]) -> None:
    plan = kept(**before)
    after = newer(plan, **change)
    PLANS.update_plan(plan, after)

    assert PLANS.find_plan(plan.id) == after


def test_a_name_that_was_given_up_is_free_and_the_new_one_is_taken(store: Store) -> None:
    plan = kept("Gold")
    PLANS.update_plan(plan, newer(plan, name="Silver"))

    kept("gold")
    with pytest.raises(Conflict):
        kept("silver")


def test_a_change_does_not_touch_how_many_have_it(store: Store) -> None:
    plan = kept()
    assigned(kept_user(), plan)
    PLANS.update_plan(plan, newer(plan, rate_limit=1))

    assert PLANS.find_plan(plan.id) == newer(plan, rate_limit=1, consumers=1)


def test_a_deleted_plan_is_gone_and_its_name_is_free(store: Store) -> None:
    before = store.items()
    PLANS.delete_plan(kept())

    assert store.items() == before
    kept()


def test_what_was_decided_on_an_older_plan_is_stale_and_leaves_nothing(store: Store) -> None:
    plan = kept()
    PLANS.update_plan(plan, newer(plan, rate_limit=1))
    gone = kept("gone")
    PLANS.delete_plan(gone)
    before = store.items()
    for old in (plan, gone):
        for write in (lambda p: PLANS.update_plan(p, newer(p, name="other")), PLANS.delete_plan):
            with pytest.raises(Stale):
                write(old)
            assert store.items() == before


def test_a_plan_that_somebody_has_is_not_deleted(store: Store) -> None:
    plan = kept()
    user = assigned(kept_user(), plan)
    before = store.items()
    with pytest.raises(Stale):
        PLANS.delete_plan(plan)
    assert store.items() == before
    assigned(user, None)
    PLANS.delete_plan(plan)


def test_plans_are_listed_newest_first_by_one_query_a_page(dynoxide_store: Store) -> None:
    plans = [kept(f"plan {number}") for number in range(25)]
    position, found = None, []
    for size in (10, 10, 5):
        cost = cost_of(partial(lambda after: found.append(PLANS.page_plans(10, after)), position))
        page = found[-1]
        assert cost.calls == {"Query": 1}
        assert len(page.entries) == size
        position = page.next_position

    assert position is None
    assert [plan for page in found for _, plan in page.entries] == sorted(plans, key=lambda p: p.id, reverse=True)


def test_a_list_goes_on_where_its_position_was_deleted_meanwhile(store: Store) -> None:
    plans = sorted((kept(f"plan {number}") for number in range(4)), key=lambda p: p.id, reverse=True)
    first = PLANS.page_plans(2, None)
    PLANS.delete_plan(plans[1])

    assert [plan for _, plan in PLANS.page_plans(2, first.next_position).entries] == plans[2:]


def used_up(store: Store, user: User) -> None:
    """Puts something into every counter of the user's gate."""
    for meter in Meter:
        store.set_number(f"G#{user.id}", "G", f"{meter}Ends", milliseconds(START))
        store.set_number(f"G#{user.id}", "G", f"{meter}Used", 9)


def test_a_user_gets_a_plan_another_and_none_and_starts_afresh_each_time(store: Store) -> None:
    gold, silver, user = kept("gold"), kept("silver"), kept_user()
    for epoch, plan in enumerate((gold, silver, None), 1):
        used_up(store, user)
        user = assigned(user, plan)
        gate = DynamoUsage().find_gate(user.id)

        assert PLANS.find_user(user.id) == user
        assert gate is not None
        assert (gate.standing.plan_id, gate.standing.epoch) == (user.plan_id, epoch)
        assert gate.counts == {Meter.SESSIONS: Count(milliseconds(START), 9)}
        assert consumers_of(gold, silver) == [int(plan is gold), int(plan is silver)]


@pytest.mark.parametrize("what", ["plan gone", "user changed", "user gone"])
def test_an_assignment_that_came_too_late_is_stale_and_leaves_nothing(store: Store, what: str) -> None:
    gold, silver, user = kept("gold"), kept("silver"), kept_user()
    user = assigned(user, gold)
    if what == "plan gone":
        PLANS.delete_plan(silver)
    elif what == "user changed":
        CONSUMERS.update_user(user, changed(user, first_name="John"), None)
    else:
        CONSUMERS.delete_user(user)
    before = store.items()
    with pytest.raises(Stale):
        assigned(user, silver)
    assert store.items() == before


def test_a_deleted_user_no_longer_counts(store: Store) -> None:
    plan = kept()
    user = assigned(kept_user(), plan)
    assigned(kept_user("jane"), plan)
    CONSUMERS.delete_user(user)

    assert consumers_of(plan) == [1]


def test_a_change_of_the_user_leaves_the_plan(store: Store) -> None:
    plan = kept()
    user = assigned(kept_user(), plan)
    moderator = changed(user, role=Role.MODERATOR)
    CONSUMERS.update_user(user, moderator, None)
    gate = DynamoUsage().find_gate(user.id)

    assert CONSUMERS.find_user(user.id) == moderator
    assert gate is not None
    assert gate.standing.plan_id == moderator.plan_id == plan.id


@pytest.mark.parametrize("fault", [lost, silent, cancelled("None", "None", "TransactionConflict")])
def test_an_assignment_is_counted_once_whatever_becomes_of_an_answer(
    dynoxide_store: Store, patient_time: PatientTime, fault: Any
) -> None:
    plan, user = kept(), kept_user()
    with faults("TransactWriteItems", [fault]) as sent:
        assigned(user, plan)

    assert len(sent) == 2
    assert consumers_of(plan) == [1]


def test_an_assignment_whose_answers_are_all_lost_can_be_made_again(
    dynoxide_store: Store, patient_time: PatientTime, clock: StoppedClock
) -> None:
    admin, plan, user = signed_in(an_admin("root", CONSUMERS)), kept(), kept_user()
    with faults("TransactWriteItems", [lost, lost, lost]), pytest.raises(ServiceUnavailable):
        Plans(PLANS, clock, Recorder(clock)).assign(admin, user.id, plan.id)

    assert Plans(PLANS, clock, Recorder(clock)).assign(admin, user.id, plan.id).plan_id == plan.id
    assert consumers_of(plan) == [1]


@pytest.fixture
def admin(dynoxide_store: Store) -> Caller:
    return signed_in(an_admin("root", CONSUMERS))


def profiles_by_plan(store: Store) -> Counter[str]:
    profiles = [item for item in store.items() if item["SK"]["S"] == "P"]
    for profile in profiles:
        gate = store.item(profile["PK"]["S"].replace("C#", "G#"), "G")
        assert gate is not None
        assert gate.get("planId") == profile.get("planId")
    return Counter(profile["planId"]["S"] for profile in profiles if "planId" in profile)


def test_each_change_is_one_transaction(dynoxide_store: Store, clock: StoppedClock, admin: Caller) -> None:
    service, user = Plans(PLANS, clock, Recorder(clock)), kept_user()
    made: list[UsagePlan] = []
    one = {"TransactWriteItems": 1}

    assert cost_of(lambda: made.append(service.create(admin, {"name": "gold", "rate_limit": 5}))).calls == one
    [plan] = made
    assert cost_of(lambda: service.update(admin, plan.id, {"rate_limit": 6})).calls == {"GetItem": 1, **one}
    assert cost_of(lambda: service.assign(admin, user.id, plan.id)).calls == {"GetItem": 2, **one}
    assert cost_of(lambda: service.assign(admin, user.id, plan.id)).calls == {"GetItem": 2}
    assert cost_of(lambda: service.assign(admin, user.id, None)).calls == {"GetItem": 1, **one}
    assert cost_of(lambda: service.delete(admin, plan.id)).calls == {"GetItem": 1, **one}


@pytest.mark.parametrize("people", [1, 4, 16])
def test_sixteen_assignments_at_once_leave_every_counter_right(
    dynoxide_store: Store, clock: StoppedClock, admin: Caller, people: int
) -> None:
    service = Plans(PLANS, clock, Recorder(clock))
    users = [kept_user(f"user{number}") for number in range(people)]
    plans = [kept(f"plan {number}") for number in range(3)]
    wanted = [None if number % 4 == 3 else plans[number % 4].id for number in range(16)]
    answers = at_once(
        [partial(service.assign, admin, users[number % people].id, wanted[number]) for number in range(16)]
    )

    assert {type(answer) for answer in answers} <= {User, ServiceUnavailable}
    assert User in {type(answer) for answer in answers}
    have = profiles_by_plan(dynoxide_store)
    assert consumers_of(*plans) == [have[plan.id] for plan in plans]


@pytest.mark.parametrize("_round", range(5))
def test_a_plan_that_is_deleted_while_it_is_assigned_is_never_somebodys(
    dynoxide_store: Store, clock: StoppedClock, admin: Caller, _round: int
) -> None:
    service = Plans(PLANS, clock, Recorder(clock))
    plan = kept()
    users = [kept_user(f"user{number}") for number in range(7)]
    answers = at_once(
        [*(partial(service.assign, admin, user.id, plan.id) for user in users), partial(service.delete, admin, plan.id)]
    )

    have = profiles_by_plan(dynoxide_store)
    if isinstance(answers[-1], UsagePlan):
        assert (PLANS.find_plan(plan.id), have) == (None, {})
        assert {type(answer) for answer in answers[:-1]} <= {NotFound}
    else:
        assert isinstance(answers[-1], (Conflict, ServiceUnavailable))
        assert consumers_of(plan) == [have[plan.id]]


def test_users_who_are_deleted_while_they_get_plans_are_not_counted(
    dynoxide_store: Store, clock: StoppedClock, admin: Caller
) -> None:
    service, consumers = Plans(PLANS, clock, Recorder(clock)), consumers_on_the_table(clock)
    gold, silver = kept("gold"), kept("silver")
    for number in range(5):
        user = assigned(kept_user(f"user{number}"), gold)
        assign = partial(service.assign, admin, user.id, silver.id)
        answers = at_once([assign, partial(consumers.delete, admin, user.id), assign])
        assert isinstance(answers[1], User)

    assert consumers_of(gold, silver) == [0, 0]
    assert profiles_by_plan(dynoxide_store) == {}


def test_plans_of_one_name_made_at_once_are_one(dynoxide_store: Store, clock: StoppedClock, admin: Caller) -> None:
    service = Plans(PLANS, clock, Recorder(clock))
    answers = at_once([partial(service.create, admin, {"name": name, "rate_limit": 5}) for name in ("a", "A") * 8])

    assert Counter(type(answer) for answer in answers) == {UsagePlan: 1, Conflict: 15}
    assert [plan for _, plan in PLANS.page_plans(100, None).entries] == [a for a in answers if isinstance(a, UsagePlan)]


def test_an_id_of_something_else_is_no_plan(store: Store) -> None:
    user = kept_user()

    assert (PLANS.find_plan(user.id), PLANS.find_plan(new_id(START))) == (None, None)
