"""Usage plans: made, assigned, held to, measured and explained, through the gateway."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.journeys.client import (
    ASSIGN_USAGE_PLAN,
    CREATE_CREDENTIAL,
    CREATE_USAGE_PLAN,
    DELETE_CREDENTIAL,
    DELETE_USER,
    ME,
    Answer,
    House,
    Key,
    Person,
)
from tests.journeys.conftest import open_house

UPDATE = """mutation ($id: ID!, $input: UpdateUsagePlanInput!) {
  updateUsagePlan(id: $id, updateUsagePlanInput: $input) { id rateLimit }
}"""
DELETE = "mutation ($id: ID!) { deleteUsagePlan(id: $id) { id } }"
PLAN = "query ($id: ID!) { usagePlan(id: $id) { name } }"
USAGE = """query ($user: ID!) { usage(userId: $user) {
  plan { name } sessions { limit remaining } credentials { limit remaining } quota { limit remaining resetsAt }
  days { day requests sessions credentials { credentialId keyId requests } }
} }"""
RESET = "mutation ($user: ID!) { resetUsage(userId: $user) { credentials { remaining } quota { remaining } } }"
EXPLAIN = """query ($user: ID!, $key: ID, $operation: String!) {
  explainAccess(userId: $user, credentialId: $key, operation: $operation) { isAllowed rule limit remaining }
}"""
PEOPLE = "{ users(first: 1) { id } }"


@pytest.fixture(scope="module")
def limited() -> Iterator[House]:
    """A system with the limits of the contract for USERs."""
    with open_house({"THROTTLE_LIMIT": "10", "THROTTLE_TTL": "60"}) as opened:
        yield opened


def a_plan(house: House, **wanted: Any) -> str:
    """A plan of a name that no other has."""
    new = {"name": house.names("plan")["username"], "rateLimit": 100, **wanted}
    plan_id: str = house.graphql(CREATE_USAGE_PLAN, {"input": new}, by=house.admin).data["createUsagePlan"]["id"]
    return plan_id


def assign(house: House, user: Person, plan_id: str | None) -> None:
    told = house.graphql(ASSIGN_USAGE_PLAN, {"user": user.id, "plan": plan_id}, by=house.admin).data
    assert told == {"assignUsagePlan": {"id": user.id, "usagePlanId": plan_id}}


def on_a_plan(house: House, **wanted: Any) -> tuple[Person, Key]:
    """Somebody with a key and such a plan."""
    user = house.person()
    key = house.key(user)
    assign(house, user, a_plan(house, **wanted))
    return user, key


def usage_of(house: House, user: Person) -> dict[str, Any]:
    usage: dict[str, Any] = house.graphql(USAGE, {"user": user.id}, by=house.admin).data["usage"]
    return usage


def explained(house: House, user: Person, key: Key | None, operation: str) -> tuple[str, bool]:
    variables = {"user": user.id, "key": None if key is None else key.id, "operation": operation}
    told = house.graphql(EXPLAIN, variables, by=house.admin).data["explainAccess"]
    return told["rule"], told["isAllowed"]


def rate_limit(answer: Answer) -> tuple[int, int]:
    told = answer.body["extensions"]["rateLimit"]
    headers = answer.headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == (
        str(told["limit"]),
        str(told["remaining"]),
    )
    return told["limit"], told["remaining"]


def test_a_key_is_held_to_its_plan_and_the_owner_still_gets_in(limited: House) -> None:
    user, key = on_a_plan(limited, rateLimit=3)

    assert [rate_limit(limited.graphql(ME, by=key)) for _ in range(3)] == [(3, 2), (3, 1), (3, 0)]
    over = limited.graphql(ME, by=key)
    assert (over.status, over.outcome) == (429, "RATE_LIMIT_EXCEEDED")
    assert rate_limit(over) == (3, 0)
    assert 1 <= int(over.headers["retry-after"]) <= 60
    assert rate_limit(limited.graphql(ME, by=user)) == (10, 8)  # the key was made before


def test_a_plan_counts_on_the_next_request_and_starts_afresh(limited: House) -> None:
    user = limited.person()
    key = limited.key(user)
    told = [rate_limit(limited.graphql(ME, by=key)) for _ in range(2)]
    for limit in (7, 5):
        assign(limited, user, a_plan(limited, rateLimit=limit))
        told.append(rate_limit(limited.graphql(ME, by=key)))
    assign(limited, user, None)
    told.append(rate_limit(limited.graphql(ME, by=key)))

    assert told == [(10, 9), (10, 8), (7, 6), (5, 4), (10, 9)]


def test_an_edit_of_a_plan_counts_within_a_minute_and_not_in_the_window_that_runs(limited: House) -> None:
    user = limited.person()
    key, plan = limited.key(user), a_plan(limited, rateLimit=5, windowSeconds=90)
    assign(limited, user, plan)
    assert rate_limit(limited.graphql(ME, by=key)) == (5, 4)
    limited.graphql(UPDATE, {"id": plan, "input": {"rateLimit": 2, "windowSeconds": 30}}, by=limited.admin)
    limited.pass_seconds(61)
    told = [rate_limit(limited.graphql(ME, by=key)) for _ in range(2)]
    limited.pass_seconds(30)
    told.append(rate_limit(limited.graphql(ME, by=key)))

    assert told == [(2, 0), (2, 0), (2, 1)]


def test_a_quota_lasts_until_the_day_is_over_and_a_reset_gives_it_back(limited: House) -> None:
    user, key = on_a_plan(limited, quotaLimit=2, quotaPeriod="DAY")
    assert [limited.graphql(ME, by=key).outcome for _ in range(3)] == ["ok", "ok", "RATE_LIMIT_EXCEEDED"]
    quota = usage_of(limited, user)["quota"]
    assert (quota["limit"], quota["remaining"]) == (2, 0)
    assert datetime.fromisoformat(quota["resetsAt"]).strftime("%H:%M:%S") == "00:00:00"
    told = limited.graphql(RESET, {"user": user.id}, by=limited.admin).data["resetUsage"]
    assert told == {"credentials": {"remaining": 100}, "quota": {"remaining": 2}}
    assert [limited.graphql(ME, by=key).outcome for _ in range(3)] == ["ok", "ok", "RATE_LIMIT_EXCEEDED"]
    limited.pass_seconds(24 * 3600)
    assert limited.graphql(ME, by=key).outcome == "ok"


def test_a_plan_says_which_fields_how_deep_and_how_costly(house: House) -> None:
    admin = house.person("ADMIN")
    key = house.key(admin, scopes=["users:read", "usage:read"])

    def outcome(query: str, by: Person | Key = key, **policy: Any) -> tuple[str, int]:
        assign(house, admin, a_plan(house, **policy))
        answer = house.graphql(query, by=by)
        return answer.outcome, answer.status

    connection = "{ usersConnection(first: 2) { nodes { id } } }"
    assert outcome(PEOPLE, allowedFields=["me"])[0] == "FORBIDDEN"
    assert outcome(PEOPLE, allowedFields=["users"])[0] == "ok"
    assert outcome(connection, maxDepth=2)[0] == "BAD_REQUEST"
    assert outcome(connection, maxDepth=3)[0] == "ok"
    assert outcome(PEOPLE, maxCost=100)[0] == "BAD_REQUEST"
    [too_costly] = house.graphql(PEOPLE, by=key).errors
    assert too_costly["message"] == (
        "The request costs 101, 1 for each object it asks for and 100 for each list: at most 100."
    )
    assert outcome(PEOPLE, maxCost=101)[0] == "ok"
    assert outcome(PEOPLE, by=admin, allowedFields=[], maxDepth=1, maxCost=1)[0] == "ok"
    refused = house.graphql(PEOPLE, by=key)
    assert refused.extensions == {"code": "FORBIDDEN", "statusCode": 403, "reason": "PLAN"}


def test_where_cost_is_metered_a_request_counts_as_often_as_it_costs(house: House) -> None:
    admin = house.person("ADMIN")
    key = house.key(admin, scopes=["users:read"])
    assign(house, admin, a_plan(house, rateLimit=250, metersCost=True))

    told = [rate_limit(house.graphql(query, by=key)) for query in (ME, PEOPLE, ME, PEOPLE)]
    assert told == [(250, 249), (250, 148), (250, 147), (250, 46)]
    over = house.graphql(PEOPLE, by=key)
    assert (over.status, over.outcome, rate_limit(over)) == (429, "RATE_LIMIT_EXCEEDED", (250, 45))
    assert 1 <= int(over.headers["retry-after"]) <= 60
    assert rate_limit(house.graphql(ME, by=key)) == (250, 44)


def test_usage_is_told_by_day_and_by_credential(house: House) -> None:
    user, key = on_a_plan(house)
    other = house.key(user)
    for caller in (user, key, key, key, other):
        house.graphql(ME, by=caller)
    house.graphql(DELETE_CREDENTIAL, {"id": other.id}, by=user)
    usage = usage_of(house, user)

    [day] = usage["days"]
    # The owner made two keys, asked for `me`, and deleted one key; signing in comes before there is a session to count.
    assert (day["requests"], day["sessions"]) == (8, 4)
    assert day["credentials"] == [
        {"credentialId": key.id, "keyId": key.key_id, "requests": 3},
        {"credentialId": None, "keyId": None, "requests": 1},
    ]
    assert usage["credentials"] == {"limit": 100, "remaining": 96}


def test_an_explanation_tells_what_would_become_of_a_call_and_spends_nothing(limited: House) -> None:
    user = limited.person()
    key = limited.key(user, scopes=["users:read", "usage:read"])
    assign(limited, user, a_plan(limited, rateLimit=1, allowedFields=["me", "users", "credentials"]))

    def told() -> list[tuple[str, bool]]:
        return [explained(limited, user, key, name) for name in ("users", "credentials", "usage", "me")]

    fresh = [("ROLE", False), ("SCOPE", False), ("PLAN", False), ("QUOTA", True)]
    assert told() == told() == fresh
    assert explained(limited, user, None, "usage") == ("QUOTA", True)
    assert limited.graphql(ME, by=key).outcome == "ok"
    assert told() == [*fresh[:3], ("QUOTA", False)]
    limited.change(user.id, {"isActive": False}, by=limited.admin)
    assert told() == [("STANDING", False)] * 4


def test_a_plan_that_consumers_have_goes_when_they_have_another_or_are_gone(house: House) -> None:
    plan = a_plan(house)
    users = [house.person() for _ in range(2)]
    for user in users:
        assign(house, user, plan)
    refused = house.graphql(DELETE, {"id": plan}, by=house.admin)
    assert (refused.outcome, refused.errors[0]["message"][:11]) == ("CONFLICT", "2 consumers")
    assign(house, users[0], None)
    house.graphql(DELETE_USER, {"id": users[1].id}, by=house.admin)
    assert house.graphql(DELETE, {"id": plan}, by=house.admin).outcome == "ok"
    assert house.graphql(ASSIGN_USAGE_PLAN, {"user": users[0].id, "plan": plan}, by=house.admin).outcome == "NOT_FOUND"


def test_a_user_sees_the_own_plan_and_usage_and_no_others(house: House) -> None:
    user, _ = on_a_plan(house)
    stranger = house.person()
    plan = house.graphql("{ me { usagePlanId } }", by=user).data["me"]["usagePlanId"]

    assert house.graphql(PLAN, {"id": plan}, by=user).outcome == "ok"
    assert house.graphql(PLAN, {"id": plan}, by=stranger).outcome == "NOT_FOUND"
    assert house.graphql(USAGE, {"user": user.id}, by=user).outcome == "ok"
    assert house.graphql(USAGE, {"user": user.id}, by=stranger).outcome == "NOT_FOUND"


def test_a_key_with_the_scope_manages_plans_and_none_without(house: House) -> None:
    admin = house.person("ADMIN")
    new = {"input": {"name": house.names("plan")["username"], "rateLimit": 1}}
    everything = house.key(admin, by=admin)
    assert house.graphql(CREATE_USAGE_PLAN, new, by=everything).extensions["reason"] == "SCOPE"
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": "KEY_AUTH", "scopes": ["system:write"]}}, by=admin).data[
        "createCredential"
    ]
    assert house.graphql(CREATE_USAGE_PLAN, new, by=Key(made["id"], made["keyId"], made["secret"])).outcome == "ok"
