"""Which questions about users an index can answer, and in which order the answers come."""

from datetime import timedelta
from typing import Any

import pytest

from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Kind, Role
from gatehouse.errors import BadRequest
from tests.unit.fakes import START, a_user

FILTERS: dict[str, Any] = {"role": Role.ADMIN, "is_active": True, "kind": Kind.SERVICE}
BETWEEN = [
    {"created_after": START},
    {"created_before": START},
    {"created_after": START - timedelta(days=1), "created_before": START},
]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"order": Order.CREATED_AT, "descending": False},
        {"order": Order.USERNAME},
        {"search": "jo"},
        *BETWEEN,
        *({**between, "order": Order.CREATED_AT} for between in BETWEEN),
    ],
    ids=str,
)
def test_what_an_index_answers_goes_with_role_state_and_kind(asked: dict[str, Any]) -> None:
    for filters in ({}, *({name: value} for name, value in FILTERS.items()), FILTERS):
        assert UserQuery(**asked, **filters).role == filters.get("role")


@pytest.mark.parametrize("between", BETWEEN, ids=str)
def test_a_search_does_not_go_with_a_time(between: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refusal:
        UserQuery(search="jo", **between)

    assert refusal.value.field == "where"
    assert refusal.value.message == (
        "search goes with role, isActive and kind, and comes in the order of what it matched."
    )


@pytest.mark.parametrize("order", Order)
def test_a_search_comes_in_its_own_order(order: Order) -> None:
    with pytest.raises(BadRequest) as refusal:
        UserQuery(search="jo", order=order)

    assert refusal.value.field == "orderBy"


@pytest.mark.parametrize("between", BETWEEN, ids=str)
def test_a_time_does_not_go_with_the_order_by_username(between: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refusal:
        UserQuery(order=Order.USERNAME, **between)

    assert refusal.value.field == "orderBy"
    assert refusal.value.message == (
        "createdAfter and createdBefore go with the order by createdAt; by username there are role, isActive and kind."
    )


@pytest.mark.parametrize("search", ["", "   ", "jo\x00", "jo\n", "\ud800", "x" * 255], ids=ascii)
def test_a_search_is_a_printable_text_of_up_to_254_characters(search: str) -> None:
    assert UserQuery(search="x" * 254).prefix == "x" * 254
    with pytest.raises(BadRequest) as refusal:
        UserQuery(search=search)
    assert refusal.value.field == "search"


def test_a_search_is_held_against_names_without_regard_to_case() -> None:
    assert UserQuery(search="JoHn@").prefix == "john@"
    assert UserQuery().prefix is None


@pytest.mark.parametrize(
    ("query", "newest_first"),
    [
        (UserQuery(), True),
        (UserQuery(order=Order.CREATED_AT), True),
        (UserQuery(order=Order.CREATED_AT, descending=False), False),
        (UserQuery(order=Order.CREATED_AT, descending=True), True),
        (UserQuery(order=Order.USERNAME), False),
        (UserQuery(order=Order.USERNAME, descending=True), True),
        (UserQuery(search="jo"), False),
    ],
    ids=str,
)
def test_the_newest_come_first_and_names_run_forwards_where_nothing_else_is_said(
    query: UserQuery, newest_first: bool
) -> None:
    assert query.newest_first is newest_first


def test_a_list_admits_who_is_now_what_was_asked_for() -> None:
    query = UserQuery(role=Role.ADMIN, is_active=True, kind=Kind.SERVICE)
    fits = a_user(role=Role.ADMIN, kind=Kind.SERVICE)

    assert query.admits(fits)
    assert UserQuery().admits(a_user(is_active=False))
    for other in ({"role": Role.USER}, {"is_active": False}, {"kind": Kind.USER}):
        assert not query.admits(a_user(**{"role": Role.ADMIN, "kind": Kind.SERVICE, **other}))
