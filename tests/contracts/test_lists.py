"""Lists of users and credentials: a walk through all pages against a plain model, and pages while others write."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from moto import mock_aws

from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, User
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.ids import new_id
from gatehouse.persistence import Page
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.table import open_table
from local.gateway import moto_guard
from local.gateway.template import Table
from tests.contracts.made_up import NOBODY, a_credential, changed
from tests.stores import Store, cost_of
from tests.unit.fakes import START, a_user

pytestmark = pytest.mark.long

CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()
PAGE = 7

ORDERS: list[tuple[Order | None, bool | None]] = [
    (None, None),
    (Order.CREATED_AT, False),
    (Order.CREATED_AT, True),
    (Order.USERNAME, None),
    (Order.USERNAME, False),
    (Order.USERNAME, True),
]
FILTERS = [{"role": role, "is_active": is_active} for role in (None, *Role) for is_active in (None, True, False)]
QUERIES = [
    *(UserQuery(order=order, descending=down) for order, down in ORDERS),
    *(UserQuery(**filters) for filters in FILTERS[1:]),
    *(UserQuery(order=Order.USERNAME, **filters) for filters in FILTERS[3:]),
    UserQuery(order=Order.USERNAME, descending=True, role=Role.MODERATOR),
    UserQuery(order=Order.CREATED_AT, descending=False, is_active=False),
    UserQuery(kind=Kind.SERVICE),
    UserQuery(kind=Kind.APPLICATION, role=Role.USER, is_active=True, order=Order.USERNAME),
]
SEARCHES = [
    UserQuery(search=prefix, descending=down)
    for prefix, down in itertools.product(("a", "AN", "anna", "bob1@", "b", "x.y", "z", "nobody"), (None, False, True))
] + [
    UserQuery(search="a", role=Role.USER),
    UserQuery(search="a", is_active=False, kind=Kind.SERVICE),
    UserQuery(search="b", role=Role.ADMIN, is_active=True, descending=True),
]


def people(count: int) -> list[User]:
    """Users of every role, kind and state; groups of four in one millisecond, half with an email like their name."""
    roles = (Role.USER, Role.USER, Role.USER, Role.MODERATOR, Role.ADMIN)
    names = ("Anna", "bob", "annika", "x.y", "Ben", "Zed", "a-b", "x_y")
    made = []
    for number in range(count):
        name = f"{names[number % len(names)]}{number}"
        mailbox = name if number % 2 else f"{names[(number + 3) % len(names)]}{number}"
        at = START + timedelta(milliseconds=250 * (number // 4))
        is_active = number % 3 != 0
        user = a_user(
            name,
            id=new_id(at),
            email=f"{mailbox}@Example.com",
            role=roles[number % len(roles)],
            kind=tuple(Kind)[number % 4],
            is_active=is_active,
            deactivated_by=None if is_active else DeactivatedBy.ADMIN,
            created_at=at,
            updated_at=at,
        )
        made.append(user)
    return made


@pytest.fixture(scope="module")
def seeded_dynoxide(dynoxide: str, table: Table) -> Iterator[tuple[Store, list[User]]]:
    with Store(table, dynoxide, "lists").opened() as store:
        yield store, seeded(100)


@pytest.fixture(scope="module")
def seeded_moto(table: Table) -> Iterator[tuple[Store, list[User]]]:
    moto_guard.apply()
    with mock_aws(), Store(table, None, "lists").opened() as store:
        yield store, seeded(30)


@pytest.fixture
def users_on_dynoxide(seeded_dynoxide: tuple[Store, list[User]]) -> Iterator[list[User]]:
    store, users = seeded_dynoxide
    with store.opened(made=True):
        yield users


@pytest.fixture
def users_on_moto(seeded_moto: tuple[Store, list[User]]) -> Iterator[list[User]]:
    store, users = seeded_moto
    with store.opened(made=True):
        yield users


def seeded(count: int) -> list[User]:
    users = people(count)
    for user in users:
        CONSUMERS.create_user(user, None)
    return users


def walk(query: UserQuery, first: int = PAGE, between: Callable[[int], None] = lambda _: None) -> list[User]:
    """Every user of the list, from its first page to its last."""
    told: list[User] = []
    after: str | None = None
    for number in itertools.count():
        page = CONSUMERS.page_users(query, first, after)
        assert len(page.entries) <= first
        told += [user for _, user in page.entries]
        if page.next_position is None:
            return told
        assert page.next_position != after
        after = page.next_position
        between(number)
    raise AssertionError


def expected(users: list[User], query: UserQuery) -> list[User]:
    """The list as a plain sort and filter makes it."""
    kept = [user for user in users if query.admits(user)]
    if query.created_after is not None:
        kept = [user for user in kept if user.created_at > query.created_after]
    if query.created_before is not None:
        kept = [user for user in kept if user.created_at < query.created_before]
    if query.search is not None:
        prefix = query.search.lower()
        told_at = {}
        for user in kept:
            matching = sorted(n for n in (user.username.lower(), user.email.lower()) if n.startswith(prefix))
            if matching:
                told_at[user] = matching[-1 if query.descending else 0]
        return sorted(told_at, key=lambda user: told_at[user], reverse=bool(query.descending))
    if query.order is Order.USERNAME:
        return sorted(kept, key=lambda user: user.username.lower(), reverse=bool(query.descending))
    return sorted(kept, key=lambda user: user.id, reverse=query.descending is not False)


def told(query: UserQuery) -> str:
    said = {name: value for name, value in vars(query).items() if value is not None}
    return ",".join(f"{name}={value}" for name, value in said.items()) or "all"


@pytest.mark.parametrize("query", [*QUERIES, *SEARCHES], ids=told)
def test_a_walk_tells_each_user_once_and_in_order(users_on_dynoxide: list[User], query: UserQuery) -> None:
    assert walk(query) == expected(users_on_dynoxide, query)


@pytest.mark.parametrize(
    "query", [QUERIES[0], QUERIES[1], QUERIES[5], *QUERIES[-4:], *SEARCHES[:3], *SEARCHES[-3:]], ids=told
)
def test_a_walk_on_moto_tells_the_same(users_on_moto: list[User], query: UserQuery) -> None:
    assert walk(query) == expected(users_on_moto, query)


def test_the_queries_above_find_somebody_but_for_the_one_that_is_to_find_nobody(users_on_dynoxide: list[User]) -> None:
    empty = [query for query in (*QUERIES, *SEARCHES) if not expected(users_on_dynoxide, query)]
    assert {query.search for query in empty} == {"nobody"}


@pytest.mark.parametrize("first", [1, 100])
def test_pages_of_any_size_tell_the_same(users_on_dynoxide: list[User], first: int) -> None:
    for query in (UserQuery(role=Role.ADMIN, is_active=True), UserQuery(search="an")):
        assert walk(query, first) == expected(users_on_dynoxide, query)


@pytest.mark.parametrize("down", [None, False])
@pytest.mark.parametrize(
    ("after", "before"),
    [
        (timedelta(seconds=2), None),
        (None, timedelta(seconds=2)),
        (timedelta(seconds=1), timedelta(seconds=4)),
        (timedelta(seconds=1, microseconds=-1000), timedelta(seconds=1, microseconds=1000)),
        (timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta(seconds=4), timedelta(seconds=1)),
        (timedelta(days=-30_000), timedelta(days=2_000_000)),
        (timedelta(days=2_000_000), None),
    ],
)
def test_bounds_of_creation_are_exact_to_the_millisecond_and_shut_themselves_out(
    users_on_dynoxide: list[User], after: timedelta | None, before: timedelta | None, down: bool | None
) -> None:
    query = UserQuery(
        created_after=None if after is None else START + after,
        created_before=None if before is None else START + before,
        descending=down,
    )
    assert walk(query) == expected(users_on_dynoxide, query)


def test_bounds_go_with_role_and_state(users_on_dynoxide: list[User]) -> None:
    query = UserQuery(role=Role.USER, is_active=True, created_after=START + timedelta(seconds=3))
    assert walk(query) == expected(users_on_dynoxide, query) != []


def test_the_longest_search_is_answered(store: Store) -> None:
    assert walk(UserQuery(search="\U0001f9ff" * 254)) == []


@pytest.mark.parametrize(
    "query",
    [
        UserQuery(),
        UserQuery(order=Order.CREATED_AT, descending=False),
        UserQuery(order=Order.USERNAME),
        UserQuery(search="a"),
    ],
    ids=told,
)
def test_a_cursor_goes_on_where_it_stood_while_users_come_and_go(dynoxide_store: Store, query: UserQuery) -> None:
    users = seeded(36)
    going, staying = users[::6], [user for number, user in enumerate(users) if number % 6]

    def others_write(page: int) -> None:
        at = START + timedelta(milliseconds=250 * page + 1)
        CONSUMERS.create_user(a_user(f"A-new-{page}", id=new_id(at), created_at=at, updated_at=at), None)
        if page < len(going):
            CONSUMERS.delete_user(going[page])

    listed = walk(query, 4, others_write)
    assert len(listed) == len({user.id for user in listed})
    ids = {user.id for user in staying}
    assert [user for user in listed if user.id in ids] == expected(staying, query)
    assert len(listed) > len(expected(staying, query))


def test_a_cursor_may_stand_on_a_user_who_is_gone(store: Store) -> None:
    users = [a_user(f"user{number}") for number in range(9)]
    for user in users:
        CONSUMERS.create_user(user, None)
    users = expected(users, UserQuery())
    page = CONSUMERS.page_users(UserQuery(), 4, None)
    assert page.next_position is not None
    CONSUMERS.delete_user(users[3])
    rest = CONSUMERS.page_users(UserQuery(), 9, page.next_position)
    assert [user for _, user in rest.entries] == users[4:]


@pytest.mark.parametrize(
    ("change", "query"),
    [
        ({"role": Role.USER}, UserQuery(role=Role.MODERATOR)),
        ({"is_active": False}, UserQuery(is_active=True)),
        ({"username": "other"}, UserQuery(search="mod")),
        (None, UserQuery()),
    ],
    ids=["demoted", "switched off", "renamed", "deleted"],
)
def test_who_has_left_a_list_since_its_index_was_read_is_not_told_there(
    store: Store, change: dict[str, object] | None, query: UserQuery
) -> None:
    moderators = [a_user(f"mod{number}", role=Role.MODERATOR, email=f"{number}@example.com") for number in range(3)]
    for user in moderators:
        CONSUMERS.create_user(user, None)
    events = open_table().connection.client.meta.events
    leaving = moderators[1]

    def leave(**_call: object) -> None:
        events.unregister("before-call.dynamodb.BatchGetItem", leave)
        if change is None:
            CONSUMERS.delete_user(leaving)
        else:
            CONSUMERS.update_user(leaving, changed(leaving, **change), None)

    events.register("before-call.dynamodb.BatchGetItem", leave)
    page = CONSUMERS.page_users(query, 10, None)
    assert {user.id for _, user in page.entries} == {moderators[0].id, moderators[2].id}


def test_an_empty_table_has_one_empty_page(store: Store) -> None:
    for query in (UserQuery(), UserQuery(order=Order.USERNAME), UserQuery(search="a")):
        assert CONSUMERS.page_users(query, PAGE, None) == Page([], None)
    for of_all in (CredentialQuery(), CredentialQuery(consumer_id=NOBODY)):
        assert CREDENTIALS.page_credentials(of_all, PAGE, None) == Page([], None)
    assert cost_of(lambda: CONSUMERS.page_users(UserQuery(), PAGE, None)).calls == {"Query": 24}


def keys_of(owners: list[User], count: int) -> list[Credential]:
    """Credentials of the owners in turn, two in each millisecond, every third of them switched off."""
    made = []
    for number in range(count):
        at = START + timedelta(milliseconds=number // 2)
        owner = owners[number % len(owners)]
        credential = CREDENTIALS.create_credential(
            a_credential(owner, f"key-{number}", id=new_id(at), created_at=at, updated_at=at), "hash"
        )
        if number % 3 == 0:
            off = replace(credential, is_active=False, revision=1)
            CREDENTIALS.update_credential(credential, off)
            credential = off
        made.append(credential)
    return made


def walk_credentials(query: CredentialQuery, between: Callable[[int], None] = lambda _: None) -> list[Credential]:
    listed: list[Credential] = []
    after: str | None = None
    for number in itertools.count():
        page = CREDENTIALS.page_credentials(query, PAGE, after)
        assert len(page.entries) <= PAGE
        listed += [credential for _, credential in page.entries]
        if page.next_position is None:
            return listed
        after = page.next_position
        between(number)
    raise AssertionError


@pytest.mark.parametrize("is_active", [None, True, False])
def test_a_walk_tells_each_credential_once_and_newest_first(store: Store, is_active: bool | None) -> None:
    owners = [a_user(f"owner{number}") for number in range(3)]
    for owner in owners:
        CONSUMERS.create_user(owner, None)
    credentials = keys_of(owners, 30)
    for owner_id in (None, owners[0].id, NOBODY):
        query = CredentialQuery(consumer_id=owner_id, is_active=is_active)
        kept = [c for c in credentials if owner_id in (None, c.consumer_id) and is_active in (None, c.is_active)]
        assert walk_credentials(query) == sorted(kept, key=lambda c: c.id, reverse=True)


@pytest.mark.parametrize("of_one", [True, False], ids=["of a consumer", "of all"])
def test_a_walk_through_credentials_goes_on_where_it_stood_while_they_come_and_go(
    dynoxide_store: Store, of_one: bool
) -> None:
    owner = a_user("owner")
    CONSUMERS.create_user(owner, None)
    credentials = keys_of([owner], 40)
    going, staying = credentials[::5], [c for number, c in enumerate(credentials) if number % 5]

    def others_write(page: int) -> None:
        CREDENTIALS.create_credential(a_credential(owner, f"new-{page}", id=new_id(START + timedelta(1))), "hash")
        CREDENTIALS.delete_credential(going[page])

    listed = walk_credentials(CredentialQuery(consumer_id=owner.id if of_one else None), others_write)
    assert len(listed) == len({credential.id for credential in listed})
    assert [c for c in listed if c in staying] == sorted(staying, key=lambda c: c.id, reverse=True)
