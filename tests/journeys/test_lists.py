"""Lists: nothing is cut silently, pages are walked by cursors, and what no index answers is refused with a sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.client import CREATE_USER, Answer, House, Person

USERS = """query ($where: UserWhere, $orderBy: UserOrderBy, $first: Int, $after: String) {
  users(where: $where, orderBy: $orderBy, first: $first, after: $after) { id }
}"""
CONNECTION = """query ($where: UserWhere, $orderBy: UserOrderBy, $first: Int, $after: String) {
  usersConnection(where: $where, orderBy: $orderBy, first: $first, after: $after) {
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


@dataclass(frozen=True)
class Crowd:
    """Seven users that no other list has: ids in the order in which they were made, two of them MODERATORs."""

    house: House
    search: str
    ids: list[str]
    by_name: list[str]
    moderators: list[str]
    created_after: str

    def ask(self, query: str, **variables: Any) -> Answer:
        return self.house.graphql(query, variables, by=self.house.admin)

    def walk(self, query: str, **variables: Any) -> Iterator[list[str]]:
        """The ids of page after page, by plain lists' `extensions.next`."""
        after = None
        while True:
            answer = self.ask(query, **variables, after=after)
            yield [user["id"] for user in answer.data["users"]]
            if not answer.next:
                return
            after = answer.next["users"]


@pytest.fixture(scope="module")
def crowd(house: House) -> Crowd:
    search = f"crowd-{uuid4().hex[:8]}-"
    before = house.graphql("{ users(first: 1) { createdAt } }", by=house.admin).data["users"][0]["createdAt"]
    made = {}
    for number, letter in enumerate("dbgaecf"):
        new = house.names()
        new |= {"username": f"{search}{letter}", "role": "MODERATOR" if number in (2, 5) else "USER"}
        made[letter] = str(house.graphql(CREATE_USER, {"input": new}, by=house.admin).data["createUser"]["id"])
    ids = list(made.values())
    by_name = [made[letter] for letter in sorted(made)]
    return Crowd(house, search, ids, by_name, [ids[2], ids[5]], before)


@pytest.mark.parametrize("first", [2, 3, 7, 8])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_walking_the_pages_gives_every_user_once_in_order(crowd: Crowd, first: int, direction: str) -> None:
    variables = {"where": {"createdAfter": crowd.created_after}, "orderBy": {"createdAt": direction}, "first": first}
    pages = list(crowd.walk(USERS, **variables))
    assert all(len(page) == first for page in pages[:-1])
    walked = [user_id for page in pages for user_id in page]
    assert walked == (crowd.ids if direction == "ASC" else crowd.ids[::-1])


def test_users_come_newest_first(crowd: Crowd) -> None:
    [page] = crowd.walk(USERS, where={"createdAfter": crowd.created_after})
    assert page == crowd.ids[::-1]


def test_a_search_comes_in_the_order_of_the_names_it_matched(crowd: Crowd) -> None:
    assert [*crowd.walk(USERS, where={"search": crowd.search})] == [crowd.by_name]
    assert [*crowd.walk(USERS, where={"search": crowd.search.upper() + "C"})] == [[crowd.by_name[2]]]
    assert [*crowd.walk(USERS, where={"search": crowd.search + "nobody"})] == [[]]
    pages = [page for page in crowd.walk(USERS, where={"search": crowd.search}, first=3) if page]
    assert pages == [crowd.by_name[:3], crowd.by_name[3:6], crowd.by_name[6:]]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_an_order_by_username_is_an_order_by_username(crowd: Crowd, direction: str) -> None:
    order = {"username": direction}
    pages = crowd.walk(USERS, where={"role": "MODERATOR"}, orderBy=order, first=50)
    walked = [user_id for page in pages for user_id in page if user_id in crowd.ids]
    in_order = [user_id for user_id in crowd.by_name if user_id in crowd.moderators]
    assert walked == (in_order if direction == "ASC" else in_order[::-1])


def test_a_filtered_page_may_be_short_and_its_cursor_goes_on(crowd: Crowd) -> None:
    pages = list(crowd.walk(USERS, where={"search": crowd.search, "role": "MODERATOR"}, first=1))
    assert sorted(user_id for page in pages for user_id in page) == sorted(crowd.moderators)
    assert all(len(page) <= 1 for page in pages)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"role": "MODERATOR"}, 2),
        ({"role": "USER"}, 5),
        ({"role": "ADMIN"}, 0),
        ({"isActive": True}, 7),
        ({"isActive": False}, 0),
        ({"kind": "USER"}, 7),
        ({"kind": "SERVICE"}, 0),
        ({"role": "MODERATOR", "isActive": True, "kind": "USER"}, 2),
        ({"createdBefore": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_filters_filter(crowd: Crowd, where: Mapping[str, Any], expected: int) -> None:
    pages = crowd.walk(USERS, where={"createdAfter": crowd.created_after, **where})
    assert len([user_id for page in pages for user_id in page]) == expected


def test_each_alias_has_its_own_cursor(crowd: Crowd) -> None:
    where = f'{{createdAfter: "{crowd.created_after}"}}'
    page = f"where: {where}, orderBy: {{createdAt: ASC}}"
    query = f"""{{
      all: users({page}) {{ id }}
      two: users({page}, first: 2) {{ id }}
      moderators: users(where: {{createdAfter: "{crowd.created_after}", role: MODERATOR}}, first: 1) {{ id }}
    }}"""
    answer = crowd.ask(query)
    assert {alias: len(users) for alias, users in answer.data.items()} == {"all": 7, "two": 2, "moderators": 1}
    cursors = answer.next
    assert set(cursors) == {"two", "moderators"}
    on = crowd.ask(f'{{ users({page}, first: 2, after: "{cursors["two"]}") {{ id }} }}')
    assert [user["id"] for user in on.data["users"]] == crowd.ids[2:4]


def test_a_connection_is_walked_as_relay_walks_it(crowd: Crowd) -> None:
    variables: dict[str, Any] = {"where": {"createdAfter": crowd.created_after}, "first": 3}
    walked, after = [], None
    while True:
        page = crowd.ask(CONNECTION, **variables, after=after).data["usersConnection"]
        edges, info = page["edges"], page["pageInfo"]
        assert [edge["node"] for edge in edges] == page["nodes"]
        assert info["hasPreviousPage"] == (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        walked += [edge["node"]["id"] for edge in edges]
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert walked == crowd.ids[::-1]
    # Every edge's cursor goes on behind its edge, not only the last one's.
    first = crowd.ask(CONNECTION, **variables).data["usersConnection"]["edges"][0]
    behind = crowd.ask(CONNECTION, **variables, after=first["cursor"]).data["usersConnection"]["nodes"]
    assert [user["id"] for user in behind] == crowd.ids[::-1][1:4]


def test_an_empty_connection_is_empty(crowd: Crowd) -> None:
    page = crowd.ask(CONNECTION, where={"search": crowd.search + "nobody"}).data["usersConnection"]
    nowhere = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert page == {"edges": [], "nodes": [], "pageInfo": nowhere}


def test_a_cursor_opens_only_the_list_it_was_made_for(crowd: Crowd, house: House) -> None:
    where = {"createdAfter": crowd.created_after}
    cursor = crowd.ask(USERS, where=where, first=2).next["users"]
    assert crowd.ask(USERS, where=where, first=5, after=cursor).outcome == "ok"
    assert crowd.ask(USERS, where=where, orderBy={"createdAt": "DESC"}, after=cursor).outcome == "ok"
    foreign: list[dict[str, Any]] = [
        {"where": {**where, "role": "USER"}, "after": cursor},
        {"where": {"search": crowd.search}, "after": cursor},
        {"where": where, "orderBy": {"createdAt": "ASC"}, "after": cursor},
        {"after": cursor},
        {"where": where, "after": cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")},
        {"where": where, "after": ""},
        {"where": where, "after": crowd.ids[0]},
    ]
    for variables in foreign:
        assert crowd.ask(USERS, **variables).extensions == {"code": "BAD_REQUEST", "statusCode": 400, "field": "after"}
    of_credentials = house.graphql(
        "query ($after: String) { credentials(after: $after) { id } }", {"after": cursor}, by=house.admin
    )
    assert of_credentials.extensions["field"] == "after"


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
@pytest.mark.parametrize("query", [USERS, CONNECTION], ids=["list", "connection"])
def test_a_page_has_1_to_100_entries(crowd: Crowd, query: str, first: int) -> None:
    answer = crowd.ask(query, first=first)
    assert answer.errors[0]["message"] == "first is a number from 1 to 100."
    assert answer.extensions["field"] == "first"


@pytest.mark.parametrize(
    ("variables", "possible"),
    [
        ({"where": {"search": "a"}, "orderBy": {"username": "ASC"}}, "search goes with role, isActive and kind"),
        ({"where": {"search": "a"}, "orderBy": {"createdAt": "ASC"}}, "search goes with role, isActive and kind"),
        (
            {"where": {"search": "a", "createdAfter": "2026-01-01T00:00:00Z"}},
            "search goes with role, isActive and kind",
        ),
        (
            {"where": {"createdBefore": "2026-01-01T00:00:00Z"}, "orderBy": {"username": "DESC"}},
            "createdAfter and createdBefore go with the order by createdAt",
        ),
    ],
)
def test_what_no_index_answers_is_refused_and_told_what_is_possible(
    crowd: Crowd, variables: dict[str, Any], possible: str
) -> None:
    answer = crowd.ask(USERS, **variables)
    assert answer.outcome == "BAD_REQUEST"
    assert answer.errors[0]["message"].startswith(possible)


def test_two_orders_at_once_are_refused(crowd: Crowd) -> None:
    assert crowd.ask(USERS, orderBy={"createdAt": "ASC", "username": "ASC"}).outcome == "BAD_REQUEST"


def test_credentials_are_walked_newest_first(house: House) -> None:
    owner = house.person()
    keys = [house.key(owner).id for _ in range(5)]
    listed = walk_credentials(house, owner, first=2)
    assert listed == [keys[:2:-1], keys[2:0:-1], keys[:1]]
    query = """query ($where: CredentialWhere) {
      credentialsConnection(where: $where, first: 4) { nodes { id } pageInfo { hasNextPage } }
    }"""
    page = house.graphql(query, {"where": {"consumerId": owner.id}}, by=house.admin).data["credentialsConnection"]
    assert page == {"nodes": [{"id": key} for key in keys[:0:-1]], "pageInfo": {"hasNextPage": True}}


def walk_credentials(house: House, owner: Person, first: int) -> list[list[str]]:
    query = "query ($first: Int, $after: String) { credentials(first: $first, after: $after) { id } }"
    pages, after = [], None
    while True:
        answer = house.graphql(query, {"first": first, "after": after}, by=owner)
        pages.append([each["id"] for each in answer.data["credentials"]])
        if not answer.next:
            return pages
        after = answer.next["credentials"]
