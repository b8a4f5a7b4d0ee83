"""What operations cost in tables of 100, 5,000 and 50,000 users: the same."""

from collections.abc import Mapping

import pytest

from benchmarks import scale
from tests import dynoxide as emulator
from tests.stores import Cost

pytestmark = pytest.mark.long

SIZES = (100, 5_000, 50_000)
BATCH = {"BatchGetItem": 1}
CALLS = {
    "users(first: 50)": {"Query": 24, **BATCH},
    "users(first: 50), from halfway on": {"Query": 24, **BATCH},
    "users(first: 50), by username": {"Query": 24, **BATCH},
    "users(first: 50), role and state": {"Query": 4, **BATCH},
    "users(first: 50), search": {"Query": 4, **BATCH},
    "user(id)": {"GetItem": 1},
    "login": {"GetItem": 2, "UpdateItem": 3, "TransactWriteItems": 1},
    "finding 100 accounts to warn": {"GetItem": 1, "Query": 100, "BatchGetItem": 24},
}


@pytest.fixture(scope="module")
def costs() -> Mapping[int, Mapping[str, Cost]]:
    if not emulator.is_made_for_this_machine():
        pytest.skip("dynoxide is pinned for Linux on x86-64 only")
    with scale.crowds(SIZES) as endpoint:
        return {size: scale.costs_of(endpoint, size) for size in SIZES}


@pytest.mark.parametrize("size", SIZES)
def test_an_operation_makes_the_same_calls_in_a_table_of_any_size(
    costs: Mapping[int, Mapping[str, Cost]], size: int
) -> None:
    assert {name: cost.calls for name, cost in costs[size].items()} == CALLS


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_consumes_the_same_capacity_in_a_table_of_any_size(
    costs: Mapping[int, Mapping[str, Cost]], name: str
) -> None:
    small, middle, large = (costs[size][name].units for size in SIZES)
    assert middle == large
    if name.endswith("search") or name.startswith("finding"):
        # Of 100 users there are fewer names in a shard than a page of a search looks at, and some are never due.
        assert small <= large
    else:
        assert small == large


def test_a_cost_that_follows_the_table_would_be_noticed() -> None:
    costs = {size: {"scan": Cost({"Scan": 1}, size / 40)} for size in SIZES}
    assert scale.grows(costs, "scan")


def test_no_key_takes_more_than_its_share_of_sign_ups() -> None:
    assert max(scale.spread(20_000).values()) < 1.1
