"""What a usage plan says of an operation, before it is executed."""

from typing import Any

import pytest
from graphql import GraphQLSchema, parse

from gatehouse.admission.meters import Allowance, Meter
from gatehouse.consumers.model import User
from gatehouse.errors import BadRequest, Forbidden, GatehouseError, RateLimitExceeded, ServiceUnavailable
from gatehouse.permissions import ANONYMOUS, Caller
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.wiring import Gatehouse
from graphql_api.app import build_schema
from graphql_api.context import RequestContext
from graphql_api.documents import operation_of, root_fields
from graphql_api.limits import Limits
from graphql_api.plan_policy import enforce
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, signed_in, the_house, the_settings
from tests.unit.plan_stores import a_plan

ADMITTED = Allowance(limit=100, remaining=99, resets_at=START)
FIVE_USERS = "{ users(first: 5) { id } }"  # costs 105
ME = "{ me { id } }"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(the_settings())


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return the_house(store, clock)


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user())


class Door:
    """Asks for operations as a credential of the user that has the plan."""

    def __init__(self, house: Gatehouse, schema: GraphQLSchema, user: User, plan: UsagePlan | None) -> None:
        self.schema = schema
        caller = Caller(consumer_id=user.id, credential_id="c", credential_number=7)
        self.context = RequestContext(house, caller, "correlation", ADMITTED, plan_id=plan.id if plan else None)

    def ask(self, query: str) -> GatehouseError | None:
        """The refusal of the operation, if it is refused."""
        document = parse(query)
        operation = operation_of(document, None)
        cost = Limits.of(the_settings()).check_operation(self.schema, document, operation, {})
        try:
            enforce(self.context, document, operation, root_fields(document, operation), cost)
        except GatehouseError as error:
            return error
        return None


@pytest.fixture
def door(house: Gatehouse, schema: GraphQLSchema, user: User, store: MemoryStore) -> Any:
    def opened(**changes: Any) -> Door:
        plan = a_plan(**changes)
        store.plans[plan.id] = plan
        store.gates.assign(user.id, plan.id)
        return Door(house, schema, user, plan)

    return opened


def _used(store: MemoryStore, user: User) -> dict[Meter, int]:
    return {meter: count.used for meter, count in store.gates.gates[user.id].counts.items()}


def test_a_plan_without_a_policy_lets_everything_be(door: Any, store: MemoryStore) -> None:
    opened = door()

    assert opened.ask(FIVE_USERS) is None
    assert opened.context.allowance == ADMITTED
    assert store.gates.calls == []


@pytest.mark.parametrize(
    ("allowed", "query", "refused"),
    [
        (("me",), ME, None),
        (("me",), "{ a: me { id } b: me { id } __typename }", None),
        (("me",), FIVE_USERS, "users"),
        (("me",), "{ me { id } ...F } fragment F on Query { ... { u: users { id } } }", "users"),
        (("me", "users"), FIVE_USERS, None),
        (("users",), "mutation { logout }", "logout"),
        ((), ME, "me"),
        ((), "{ __typename __schema { types { name } } }", None),
    ],
)
def test_a_root_field_that_the_plan_does_not_allow_is_forbidden(
    door: Any, allowed: tuple[str, ...], query: str, refused: str | None
) -> None:
    refusal = door(allowed_fields=allowed).ask(query)

    if refused is None:
        assert refusal is None
    else:
        assert isinstance(refusal, Forbidden)
        assert (refusal.reason, refusal.message) == ("PLAN", f"Your usage plan does not allow {refused}.")


@pytest.mark.parametrize(
    ("depth", "query", "is_refused"),
    [
        (2, ME, False),
        (1, ME, True),
        (1, "{ __typename }", False),
        (3, "{ usersConnection { nodes { id } } }", False),
        (2, "{ usersConnection { nodes { id } } }", True),
        (
            2,
            "{ ...F } fragment F on Query { usersConnection { ...G } } fragment G on UserConnection { nodes { id } }",
            True,
        ),
        (2, "{ __schema { types { fields { name } } } }", False),
    ],
)
def test_an_operation_deeper_than_the_plan_allows_is_refused(
    door: Any, depth: int, query: str, is_refused: bool
) -> None:
    refusal = door(max_depth=depth).ask(query)

    assert isinstance(refusal, BadRequest) is is_refused
    if refusal is not None:
        assert refusal.message == f"The request is too deep: at most {depth} levels."


def test_only_the_operation_that_is_executed_counts(house: Gatehouse, door: Any) -> None:
    opened = door(max_depth=1)
    document = parse("query shallow { __typename } query deep { me { id } }")
    operation = operation_of(document, "shallow")
    enforce(opened.context, document, operation, root_fields(document, operation), 1)


@pytest.mark.parametrize(("cost", "is_refused"), [(105, False), (104, True)])
def test_an_operation_that_costs_more_than_the_plan_allows_is_refused(door: Any, cost: int, is_refused: bool) -> None:
    refusal = door(max_cost=cost).ask(FIVE_USERS)

    assert isinstance(refusal, BadRequest) is is_refused
    if refusal is not None:
        assert refusal.message == (
            f"The request costs {cost + 1}, 1 for each object it asks for and 100 for each list: at most {cost}."
        )


def test_where_cost_is_metered_what_is_above_one_is_charged_before_execution(
    door: Any, store: MemoryStore, user: User
) -> None:
    opened = door(meters_cost=True, rate_limit=300, quota_limit=10_000, quota_period=QuotaPeriod.DAY, burst_limit=5)

    assert opened.ask(FIVE_USERS) is None
    assert _used(store, user) == {Meter.WINDOW: 104, Meter.QUOTA: 104}
    assert store.gates.gates[user.id].usage == {"7": 104}
    assert (opened.context.allowance.limit, opened.context.allowance.remaining) == (300, 196)


@pytest.mark.parametrize("query", [ME, "{ __typename }"])
def test_an_operation_that_costs_one_is_not_charged_again(door: Any, store: MemoryStore, query: str) -> None:
    opened = door(meters_cost=True)

    assert opened.ask(query) is None
    assert opened.context.allowance == ADMITTED
    assert store.gates.calls == []


def test_an_operation_that_the_rest_does_not_pay_for_is_refused_and_charged_nothing(
    door: Any, store: MemoryStore, user: User
) -> None:
    opened = door(meters_cost=True, rate_limit=150)
    assert opened.ask(FIVE_USERS) is None
    refusal = opened.ask(FIVE_USERS)

    assert isinstance(refusal, RateLimitExceeded)
    assert refusal.message == "The request costs 105, and your usage plan has less than that left."
    assert opened.context.allowance.is_spent
    assert opened.context.allowance.remaining == 46
    assert _used(store, user) == {Meter.WINDOW: 104}


@pytest.mark.parametrize(
    "changes", [{"rate_limit": 104}, {"rate_limit": 500, "quota_limit": 104, "quota_period": QuotaPeriod.DAY}], ids=str
)
def test_nobody_is_told_to_wait_for_what_never_fits(door: Any, store: MemoryStore, changes: dict[str, Any]) -> None:
    assert isinstance(door(meters_cost=True, **changes).ask(FIVE_USERS), BadRequest)
    assert door(meters_cost=False, **changes).ask(FIVE_USERS) is None
    assert store.gates.calls == []


def test_what_is_refused_is_not_charged(door: Any, store: MemoryStore) -> None:
    for changes in ({"allowed_fields": ()}, {"max_depth": 1}, {"max_cost": 1}):
        assert door(meters_cost=True, **changes).ask(FIVE_USERS) is not None
    assert store.gates.calls == []


def test_a_store_that_does_not_answer_is_told(door: Any, store: MemoryStore) -> None:
    opened = door(meters_cost=True, rate_limit=300)
    store.gates.down = 1

    assert isinstance(opened.ask(FIVE_USERS), ServiceUnavailable)


def test_sessions_and_those_without_a_plan_are_not_held_to_one(
    house: Gatehouse, schema: GraphQLSchema, user: User, store: MemoryStore
) -> None:
    plan = a_plan(allowed_fields=())
    store.plans[plan.id] = plan
    opened = Door(house, schema, user, plan)
    for caller, plan_id in (
        (signed_in(user), plan.id),
        (ANONYMOUS, plan.id),
        (opened.context.caller, None),
        (opened.context.caller, a_plan().id),
    ):
        opened.context = RequestContext(house, caller, "correlation", ADMITTED, plan_id=plan_id)
        assert opened.ask(ME) is None


def test_the_plan_is_read_once_a_minute(door: Any, store: MemoryStore, clock: StoppedClock) -> None:
    opened = door()
    for seconds in (0, 30, 29, 1):
        clock.advance(seconds=seconds)
        opened.ask(ME)

    assert store.calls == ["find_plan"] * 2
