"""What callers are told of their limits: on every answer, in headers and in the body alike; and 429 above them."""

from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.consumers.model import Role, User
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, signed_in
from tests.unit.graphql_api.conftest import REQUEST_ID, Answer, Api
from tests.unit.plan_stores import a_plan

SPENT = Allowance(limit=10, remaining=0, resets_at=START + timedelta(seconds=37, milliseconds=1), is_spent=True)
TOLD_WHEN_SPENT = {"limit": 10, "remaining": 0, "reset": 1_772_366_438}
REFUSED = {
    "errors": [
        {
            "message": "Too many requests; the Retry-After header tells when to try again.",
            "extensions": {"code": "RATE_LIMIT_EXCEEDED", "statusCode": 429, "correlationId": REQUEST_ID},
        }
    ],
    "extensions": {"rateLimit": TOLD_WHEN_SPENT},
}
ME = '{"query":"{ me { id } }"}'
FIVE_USERS = '{"query":"{ users(first: 5) { id } }"}'
"""It costs 105: 100 for a list, and one for each that it may have."""


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user(role=Role.ADMIN))


@pytest.fixture
def program(user: User) -> Caller:
    return Caller(
        consumer_id=user.id,
        role=user.role,
        credential_id="c",
        credential_number=7,
        scopes=frozenset({"users:read"}),
    )


def _told(answer: Answer) -> Any:
    """What the body tells of the limit, which is what the headers tell."""
    in_body = answer.body["extensions"]["rateLimit"]
    assert answer.rate_limit_headers == {f"x-ratelimit-{name}": str(value) for name, value in in_body.items()}
    return in_body


@pytest.mark.parametrize(
    "request_",
    [
        {"body": ME},
        {"body": '{"query":"mutation { logout }"}'},
        {"body": "{"},
        {"body": b"\xff"},
        {"body": "x" * 5_000_000},
        {"body": ME, "headers": {"content-type": "text/plain"}},
        {"body": ME, "headers": {"accept": "text/html"}},
        {"method": "GET", "query_string": {"query": "{ __typename }"}},
        {"method": "GET", "query_string": {"query": "mutation { logout }"}},
    ],
    ids=lambda request: str(request)[:60],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_who_is_over_the_limit_is_refused_first_whatever_was_sent(
    api: Api, store: MemoryStore, user: User, request_: dict[str, Any], is_known: bool
) -> None:
    answer = api.send(**request_, caller=signed_in(user) if is_known else ANONYMOUS, allowance=SPENT)

    assert (answer.status, answer.body, answer.headers["retry-after"]) == (429, REFUSED, "38")
    assert _told(answer) == TOLD_WHEN_SPENT
    assert store.calls == []


def test_the_last_request_below_the_limit_is_answered(api: Api, user: User) -> None:
    last = Allowance(limit=10, remaining=0, resets_at=START + timedelta(seconds=37))
    answer = api.send(ME, caller=signed_in(user), allowance=last)

    assert (answer.status, answer.data) == (200, {"me": {"id": user.id}})
    assert _told(answer) == {"limit": 10, "remaining": 0, "reset": 1_772_366_437}
    assert "retry-after" not in answer.headers


def test_what_an_operation_costs_above_one_is_told_as_used(api: Api, store: MemoryStore, program: Caller) -> None:
    plan = a_plan(meters_cost=True, rate_limit=150)
    store.plans[plan.id] = plan
    store.gates.assign(program.consumer_id or "", plan.id)
    answer = api.send(FIVE_USERS, caller=program, plan_id=plan.id)

    assert (answer.status, answer.data) == (200, {"users": [{"id": program.consumer_id}]})
    assert _told(answer) == {"limit": 150, "remaining": 46, "reset": 1_772_366_460}


def test_an_operation_that_the_rest_does_not_pay_for_is_told_when_it_will(
    api: Api, store: MemoryStore, clock: StoppedClock, program: Caller
) -> None:
    plan = a_plan(meters_cost=True, rate_limit=150)
    store.plans[plan.id] = plan
    store.gates.assign(program.consumer_id or "", plan.id)
    api.send(FIVE_USERS, caller=program, plan_id=plan.id)
    clock.advance(seconds=20)
    store.calls.clear()
    answer = api.send(FIVE_USERS, caller=program, plan_id=plan.id)

    assert (answer.status, answer.codes, answer.headers["retry-after"]) == (429, ["RATE_LIMIT_EXCEEDED"], "40")
    assert _told(answer) == {"limit": 150, "remaining": 46, "reset": 1_772_366_460}
    assert store.calls == []
    assert "data" not in answer.body
