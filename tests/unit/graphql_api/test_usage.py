"""Usage and explanations through the door."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gatehouse.admission.meters import Count, Meter
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import CredentialType
from gatehouse.permissions import Caller
from tests.unit.fakes import START, MemoryStore, a_user, signed_in
from tests.unit.graphql_api.conftest import Api
from tests.unit.plan_stores import a_plan

USAGE = """userId plan { name } sessions { limit remaining resetsAt } credentials { limit remaining resetsAt }
    quota { limit } days { day requests sessions credentials { credentialId keyId requests } }"""
READ = f"query($u: ID!, $f: Date, $t: Date) {{ usage(userId: $u, from: $f, to: $t) {{ {USAGE} }} }}"
RESET = f"mutation($u: ID!) {{ resetUsage(userId: $u) {{ {USAGE} }} }}"
EXPLAIN = """query($u: ID!, $c: ID, $o: String!) { explainAccess(userId: $u, credentialId: $c, operation: $o) {
    isAllowed rule reason limit remaining resetsAt } }"""
FRESH = {"limit": 10, "remaining": 10, "resetsAt": "2026-03-01T12:01:00.000Z"}


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


@pytest.fixture
def user(store: MemoryStore) -> User:
    """A user who has called 3 times with a session, today and yesterday."""
    user = store.add(a_user("john"))
    ends = milliseconds(START.replace(second=40))
    store.gates.gates[user.id] = replace(
        store.gates.gates[user.id], counts={Meter.SESSIONS: Count(ends, 3)}, day=20513, usage={"s": 3}
    )
    store.usage_days[user.id, date(2026, 2, 28)] = {"s": 3, "1": 2}
    return user


def _day(day: str, sessions: int, *credentials: dict[str, Any]) -> dict[str, Any]:
    requests = sessions + sum(credential["requests"] for credential in credentials)
    return {"day": day, "requests": requests, "sessions": sessions, "credentials": list(credentials)}


def test_usage_is_told_and_set_back(api: Api, admin: Caller, user: User) -> None:
    days = [
        _day("2026-03-01", 3),
        _day("2026-02-28", 3, {"credentialId": None, "keyId": None, "requests": 2}),
    ]
    told = {
        "userId": user.id,
        "plan": None,
        "sessions": {"limit": 10, "remaining": 7, "resetsAt": "2026-03-01T12:00:40.000Z"},
        "credentials": FRESH,
        "quota": None,
        "days": days,
    }
    for caller in (signed_in(user), admin):
        assert api.ask(READ, {"u": user.id}, caller).data["usage"] == told
    assert api.ask(RESET, {"u": user.id}, admin).data["resetUsage"] == {**told, "sessions": FRESH}


@pytest.mark.parametrize(
    ("between", "days"),
    [
        ({"f": "2026-03-01"}, ["2026-03-01"]),
        ({"t": "2026-02-28"}, ["2026-02-28"]),
        ({"f": "2026-02-28", "t": "2026-02-28"}, ["2026-02-28"]),
        ({"f": None, "t": None}, ["2026-03-01", "2026-02-28"]),
        ({"f": "2025-12-01", "t": "2026-02-27"}, []),
    ],
)
def test_usage_is_told_from_the_first_day_to_the_last(
    api: Api, user: User, between: dict[str, str], days: list[str]
) -> None:
    told = api.ask(READ, {"u": user.id, **between}, signed_in(user)).data["usage"]["days"]

    assert [day["day"] for day in told] == days


@pytest.mark.parametrize(
    "day", ["", "2026-3-1", "20260301", "2026-02-30", "2026-03-01T00:00:00Z", "2026-W09-7", 20260301, "٢٠٢٦-03-01"]
)
def test_what_is_no_day_is_refused(api: Api, user: User, day: Any) -> None:
    answer = api.ask(READ, {"u": user.id, "f": day}, signed_in(user))

    assert answer.codes == ["BAD_REQUEST"]
    assert answer.errors[0]["message"] == "Date is expected at f."


def test_more_than_92_days_are_refused(api: Api, user: User) -> None:
    answer = api.ask(READ, {"u": user.id, "f": "2025-11-29"}, signed_in(user))

    assert (answer.codes, answer.errors[0]["extensions"]["field"]) == (["BAD_REQUEST"], "from")


def test_a_session_is_explained_by_its_role(api: Api, user: User) -> None:
    caller = signed_in(user)
    told = {
        operation: api.ask(EXPLAIN, {"u": user.id, "o": operation}, caller).data["explainAccess"]
        for operation in ("me", "users", "login")
    }

    allowed = {
        "isAllowed": True,
        "rule": "QUOTA",
        "reason": "Every rule allows it.",
        "limit": 10,
        "remaining": 7,
        "resetsAt": "2026-03-01T12:00:40.000Z",
    }
    refused = {
        "isAllowed": False,
        "rule": "ROLE",
        "reason": "The role USER does not allow this.",
        "limit": None,
        "remaining": None,
        "resetsAt": None,
    }
    assert told == {"me": allowed, "users": refused, "login": allowed}


def test_a_credential_is_explained_by_its_scopes_and_plan(
    api: Api, admin: Caller, user: User, store: MemoryStore
) -> None:
    make = """mutation($c: CreateCredentialInput!) { createCredential(createCredentialInput: $c) { id } }"""
    new = {"type": CredentialType.KEY_AUTH, "scopes": ["users:read", "usage:read"]}
    key = api.ask(make, {"c": new}, signed_in(user)).data["createCredential"]["id"]
    plan = a_plan(allowed_fields=("me", "credentials"))
    store.plans[plan.id] = plan
    api.ask(
        "mutation($u: ID!, $p: ID) { assignUsagePlan(userId: $u, planId: $p) { id } }",
        {"u": user.id, "p": plan.id},
        admin,
    )

    def rule(operation: str) -> str:
        told = api.ask(EXPLAIN, {"u": user.id, "c": key, "o": operation}, signed_in(user)).data["explainAccess"]
        return f"{told['rule']} {told['isAllowed']}"

    assert {operation: rule(operation) for operation in ("me", "usage", "credentials", "users", "logout")} == {
        "me": "QUOTA True",
        "usage": "PLAN False",
        "credentials": "SCOPE False",
        "users": "ROLE False",
        "logout": "SCOPE False",
    }


@pytest.mark.parametrize("operation", ["", "nothing", "Me", "__typename", "id", "User"])
def test_what_is_no_root_field_is_refused(api: Api, user: User, operation: str) -> None:
    answer = api.ask(EXPLAIN, {"u": user.id, "o": operation}, signed_in(user))

    assert (answer.codes, answer.errors[0]["extensions"]["field"]) == (["BAD_REQUEST"], "operation")


def test_a_user_asks_about_nobody_else(api: Api, user: User, store: MemoryStore) -> None:
    other = store.add(a_user("other"))

    assert api.ask(READ, {"u": other.id}, signed_in(user)).codes == ["NOT_FOUND"]
    assert api.ask(EXPLAIN, {"u": other.id, "o": "me"}, signed_in(user)).codes == ["NOT_FOUND"]
    assert api.ask(RESET, {"u": user.id}, signed_in(user)).codes == ["FORBIDDEN"]
