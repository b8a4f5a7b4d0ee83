"""Usage plans through the door: made, read, listed, changed, assigned, deleted."""

from typing import Any

import pytest

from gatehouse.consumers.model import Role, User
from gatehouse.permissions import Caller
from tests.unit.fakes import MemoryStore, a_user, signed_in
from tests.unit.graphql_api.conftest import Answer, Api
from tests.unit.plan_stores import a_plan

FIELDS = """id name rateLimit windowSeconds burstLimit quotaLimit quotaPeriod metersCost maxDepth maxCost allowedFields
    consumers createdAt updatedAt"""
CREATE = f"mutation($c: CreateUsagePlanInput!) {{ createUsagePlan(createUsagePlanInput: $c) {{ {FIELDS} }} }}"
UPDATE = f"""mutation($id: ID!, $c: UpdateUsagePlanInput!) {{
    updateUsagePlan(id: $id, updateUsagePlanInput: $c) {{ {FIELDS} }} }}"""
READ = f"query($id: ID!) {{ usagePlan(id: $id) {{ {FIELDS} }} }}"
ASSIGN = "mutation($user: ID!, $plan: ID) { assignUsagePlan(userId: $user, planId: $plan) { id usagePlanId } }"


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


def _made(api: Api, admin: Caller, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.ask(CREATE, {"c": {"name": "Gold", "rateLimit": 100, **changes}}, admin).data
    made: dict[str, Any] = answer["createUsagePlan"]
    return made


def _field_of(answer: Answer) -> str:
    [error] = answer.errors
    assert error["extensions"]["code"] == "BAD_REQUEST"
    return str(error["extensions"]["field"])


def test_a_plan_is_made_read_changed_and_deleted(api: Api, admin: Caller) -> None:
    made = _made(api, admin)
    assert made == {
        "id": made["id"],
        "name": "Gold",
        "rateLimit": 100,
        "windowSeconds": 60,
        "burstLimit": None,
        "quotaLimit": None,
        "quotaPeriod": None,
        "metersCost": False,
        "maxDepth": None,
        "maxCost": None,
        "allowedFields": None,
        "consumers": 0,
        "createdAt": "2026-03-01T12:00:00.000Z",
        "updatedAt": "2026-03-01T12:00:00.000Z",
    }
    assert api.ask(READ, {"id": made["id"]}, admin).data["usagePlan"] == made
    changes = {"quotaLimit": 5, "quotaPeriod": "WEEK", "allowedFields": ["me", "logout"], "metersCost": True}
    changed = api.ask(UPDATE, {"id": made["id"], "c": changes}, admin).data["updateUsagePlan"]
    assert changed == {**made, **changes}
    delete = f"mutation($id: ID!) {{ deleteUsagePlan(id: $id) {{ {FIELDS} }} }}"
    assert api.ask(delete, {"id": made["id"]}, admin).data["deleteUsagePlan"] == changed
    assert api.ask(READ, {"id": made["id"]}, admin).codes == ["NOT_FOUND"]


@pytest.mark.parametrize("name", ["nothing", "id", "User", "__typename", "", "Me", "me "])
def test_a_field_that_the_schema_does_not_have_is_refused(
    api: Api, admin: Caller, store: MemoryStore, name: str
) -> None:
    plan = _made(api, admin)
    before = dict(store.plans)
    answers = [
        api.ask(CREATE, {"c": {"name": "x", "rateLimit": 1, "allowedFields": ["me", name]}}, admin),
        api.ask(UPDATE, {"id": plan["id"], "c": {"allowedFields": [name]}}, admin),
    ]

    assert [_field_of(answer) for answer in answers] == ["allowedFields"] * 2
    assert store.plans == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rateLimit": 0}, "rateLimit"),
        ({"rateLimit": 501, "windowSeconds": 1}, "rateLimit"),
        ({"windowSeconds": 100_000}, "windowSeconds"),
        ({"quotaLimit": 1}, "quotaPeriod"),
        ({"name": " "}, "name"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(
    api: Api, admin: Caller, changes: dict[str, Any], field: str
) -> None:
    assert _field_of(api.ask(CREATE, {"c": {"name": "x", "rateLimit": 1, **changes}}, admin)) == field


def test_plans_are_listed_page_by_page(api: Api, admin: Caller) -> None:
    made = [_made(api, admin, name=f"plan {number}") for number in range(5)]
    found, after = [], None
    while True:
        answer = api.ask("query($a: String) { p: usagePlans(first: 2, after: $a) { id name } }", {"a": after}, admin)
        found += answer.data["p"]
        after = answer.body["extensions"].get("next", {}).get("p")
        if after is None:
            break

    assert sorted(found, key=lambda plan: plan["name"]) == [{"id": p["id"], "name": p["name"]} for p in made]
    assert [plan["id"] for plan in found] == sorted((p["id"] for p in made), reverse=True)


def test_a_cursor_of_another_list_is_refused(api: Api, admin: Caller) -> None:
    for number in range(2):
        _made(api, admin, name=f"plan {number}")
    cursor = api.ask("{ usagePlans(first: 1) { id } }", caller=admin).body["extensions"]["next"]["usagePlans"]

    assert _field_of(api.ask("query($a: String) { users(after: $a) { id } }", {"a": cursor}, admin)) == "after"
    assert _field_of(api.ask("{ usagePlans(first: 101) { id } }", caller=admin)) == "first"


def test_a_plan_is_assigned_and_taken_away(api: Api, admin: Caller, user: User, store: MemoryStore) -> None:
    plan = _made(api, admin)
    told = [
        api.ask(ASSIGN, variables, admin).data["assignUsagePlan"]
        for variables in ({"user": user.id, "plan": plan["id"]}, {"user": user.id, "plan": None}, {"user": user.id})
    ]

    assert told == [{"id": user.id, "usagePlanId": plan_id} for plan_id in (plan["id"], None, None)]


def test_the_plan_is_told_with_the_user(api: Api, admin: Caller, user: User) -> None:
    plan = _made(api, admin)
    api.ask(ASSIGN, {"user": user.id, "plan": plan["id"]}, admin)

    me = api.ask("{ me { usagePlanId } }", caller=signed_in(user))
    others = api.ask("{ users { username usagePlanId } }", caller=admin)
    assert me.data == {"me": {"usagePlanId": plan["id"]}}
    assert {told["username"]: told["usagePlanId"] for told in others.data["users"]} == {
        "john": plan["id"],
        "root": None,
    }


def test_a_plan_that_somebody_has_is_a_conflict(api: Api, admin: Caller, user: User) -> None:
    plan = _made(api, admin)
    api.ask(ASSIGN, {"user": user.id, "plan": plan["id"]}, admin)
    answer = api.ask("mutation($id: ID!) { deleteUsagePlan(id: $id) { id } }", {"id": plan["id"]}, admin)

    assert (answer.codes, answer.errors[0]["message"]) == (
        ["CONFLICT"],
        "1 consumer has this usage plan; assign another first.",
    )


def test_how_many_have_a_plan_is_for_admins_only(api: Api, store: MemoryStore) -> None:
    plan = a_plan()
    store.plans[plan.id] = plan
    user = signed_in(store.add(a_user(plan_id=plan.id)))
    moderator = signed_in(store.add(a_user("mod", role=Role.MODERATOR)))
    for caller in (user, moderator):
        answer = api.ask("query($id: ID!) { usagePlan(id: $id) { name consumers } }", {"id": plan.id}, caller)
        assert answer.body["data"] == {"usagePlan": {"name": "gold", "consumers": None}}
        assert (answer.codes, answer.errors[0]["path"]) == (["FORBIDDEN"], ["usagePlan", "consumers"])


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_only_an_admin_manages_plans(api: Api, store: MemoryStore, role: Role) -> None:
    caller = signed_in(store.add(a_user("caller", role=role)))
    for query, variables in (
        ("{ usagePlans { id } }", {}),
        (CREATE, {"c": {"name": "x", "rateLimit": 1, "allowedFields": ["nothing"]}}),
        (UPDATE, {"id": "x", "c": {}}),
        ('mutation { deleteUsagePlan(id: "x") { id } }', {}),
        (ASSIGN, {"user": caller.consumer_id}),
    ):
        assert api.ask(query, variables, caller).codes == ["FORBIDDEN"]
