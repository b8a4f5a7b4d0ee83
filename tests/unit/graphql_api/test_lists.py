"""Lists, plain or as connections: every entry once, and nothing cut silently."""

from datetime import timedelta
from typing import Any

import pytest

from gatehouse.consumers.model import Role
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from tests.unit.fakes import START, MemoryStore, a_user, signed_in
from tests.unit.graphql_api.conftest import RATE_LIMIT, Answer, Api


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    """An ADMIN, and six users who came one after the other."""
    for number in range(6):
        store.add(a_user(f"user{number}", id=new_id(START + timedelta(seconds=number + 1))))
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


def _names(entries: list[dict[str, str]]) -> list[str]:
    return [entry["username"] for entry in entries]


def _ask(api: Api, caller: Caller, field: str, **variables: Any) -> Answer:
    head = "query($first: Int, $after: String, $where: UserWhere)"
    return api.ask(f"{head} {{ {field} }}", variables, caller)


PLAIN = "list: users(first: $first, after: $after, where: $where) { username }"
CONNECTION = """usersConnection(first: $first, after: $after, where: $where) {
    nodes { username } edges { cursor node { username } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""
NEWEST_FIRST = ["user5", "user4", "user3", "user2", "user1", "user0", "root"]


@pytest.mark.parametrize("first", [1, 2, 3, 6, 7, 100])
def test_the_pages_of_a_plain_list_tell_everybody_once(api: Api, admin: Caller, first: int) -> None:
    told: list[str] = []
    after = None
    for _ in range(10):
        answer = _ask(api, admin, PLAIN, first=first, after=after)
        told += _names(answer.data["list"])
        extensions = answer.body["extensions"]
        following = extensions.pop("next", {"list": None})
        assert extensions == RATE_LIMIT
        if (after := following["list"]) is None:
            break

    assert told == NEWEST_FIRST


@pytest.mark.parametrize("first", [1, 3, 7])
def test_the_pages_of_a_connection_tell_everybody_once(api: Api, admin: Caller, first: int) -> None:
    told: list[str] = []
    after = None
    for _ in range(10):
        page = _ask(api, admin, CONNECTION, first=first, after=after).data["usersConnection"]
        names = _names(page["nodes"])
        told += names
        assert _names([edge["node"] for edge in page["edges"]]) == names
        assert page["pageInfo"] == {
            "hasNextPage": len(told) < len(NEWEST_FIRST),
            "hasPreviousPage": after is not None,
            "startCursor": page["edges"][0]["cursor"],
            "endCursor": page["edges"][-1]["cursor"],
        }
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert told == NEWEST_FIRST
    empty = _ask(api, admin, CONNECTION, first=first, after=after).data["usersConnection"]
    assert empty == {
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None},
    }


def test_each_list_of_a_request_has_its_own_cursor(api: Api, admin: Caller) -> None:
    answer = api.ask("{ a: users(first: 1) { username } b: users(first: 2) { username } users { id } }", caller=admin)
    following = answer.body["extensions"]["next"]

    assert set(following) == {"a", "b"}
    assert _names(_ask(api, admin, PLAIN, first=1, after=following["b"]).data["list"]) == ["user3"]


def test_a_list_of_a_hundred_is_the_default_and_the_most(api: Api, admin: Caller, store: MemoryStore) -> None:
    for number in range(100):
        store.add(a_user(f"more{number}"))

    for variables in ({}, {"first": None}, {"first": 100}):
        answer = _ask(api, admin, PLAIN, **variables)
        assert len(answer.data["list"]) == 100
        assert "list" in answer.body["extensions"]["next"]


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_another_number_is_refused(api: Api, admin: Caller, first: int) -> None:
    [error] = _ask(api, admin, PLAIN, first=first).errors

    assert (error["message"], error["extensions"]["field"]) == ("first is a number from 1 to 100.", "first")


def test_a_cursor_of_another_list_is_refused(api: Api, admin: Caller) -> None:
    of_all = _ask(api, admin, PLAIN, first=1).body["extensions"]["next"]["list"]
    [error] = _ask(api, admin, PLAIN, first=1, after=of_all, where={"role": "USER"}).errors

    assert (error["message"], error["extensions"]["field"]) == ("after is no cursor of this list.", "after")


def test_a_filtered_list_tells_who_belongs_in_it(api: Api, admin: Caller) -> None:
    assert _names(_ask(api, admin, PLAIN, where={"role": "ADMIN", "isActive": True}).data["list"]) == ["root"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ('where: { search: "jo", createdAfter: "2026-01-01T00:00:00Z" }', "where"),
        ('where: { search: "jo" }, orderBy: { createdAt: ASC }', "orderBy"),
        ('where: { createdBefore: "2026-01-01T00:00:00Z" }, orderBy: { username: ASC }', "orderBy"),
        ('where: { search: "" }', "search"),
    ],
)
def test_a_combination_without_an_index_is_refused(api: Api, admin: Caller, arguments: str, field: str) -> None:
    answer = api.ask(f"{{ users({arguments}) {{ id }} }}", caller=admin)

    assert (answer.codes, answer.errors[0]["extensions"]["field"]) == (["BAD_REQUEST"], field)
