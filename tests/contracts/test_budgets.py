"""How often each operation calls the store; none of them scans, and none costs more where there is more.

What admission costs is in `test_admission_budgets`.
"""

from collections.abc import Iterator
from functools import partial

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import CredentialQuery, CredentialType, IssuedCredential
from gatehouse.credentials.service import NewCredential
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.table import open_table
from tests.contracts.made_up import (
    accounts_on_the_table,
    an_admin,
    consumers_on_the_table,
    credentials_on_the_table,
)
from tests.stores import Store, cost_of
from tests.unit.fakes import HOME, PASSWORD, StoppedClock, signed_in

CONSUMERS = DynamoConsumers()
ONE_READ = {"GetItem": 1}
ONE_BATCH_READ = {"BatchGetItem": 1}
ONE_TRANSACTION = {"TransactWriteItems": 1}


class House:
    """The use cases on a table with an ADMIN, and a person who has signed up and has a key."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.accounts = accounts_on_the_table(clock)
        self.consumers = consumers_on_the_table(clock)
        self.credentials = credentials_on_the_table(clock)
        self.admin = signed_in(an_admin("admin", CONSUMERS))
        self.sign_in = self.register("john")
        session_id = RefreshToken.parse(self.sign_in.refresh_token).session_id
        self.caller = Caller(consumer_id=self.user.id, session_id=session_id)
        self.key = self.create_key()

    @property
    def user(self) -> User:
        return self.sign_in.user

    def register(self, name: str) -> SignIn:
        return self.accounts.register({"username": name, "email": f"{name}@example.com", "password": PASSWORD})

    def create_key(self) -> IssuedCredential:
        return self.credentials.create(self.caller, NewCredential(type=CredentialType.KEY_AUTH))


@pytest.fixture
def house(dynoxide_store: Store, clock: StoppedClock) -> House:
    return House(clock)


@pytest.fixture(autouse=True)
def no_scan(dynoxide_store: Store) -> Iterator[None]:
    """Nothing that a test below does scans; dumps go by another client."""
    scans: list[object] = []

    def note(params: object, **_more: object) -> None:
        scans.append(params)

    events = open_table().connection.client.meta.events
    events.register("before-call.dynamodb.Scan", note)
    yield
    events.unregister("before-call.dynamodb.Scan", note)
    assert scans == []


def test_reading_a_user_is_one_read_of_one_unit(house: House) -> None:
    for caller in (house.caller, house.admin):
        cost = cost_of(partial(house.consumers.get, caller, house.user.id))
        assert (cost.calls, cost.units) == (ONE_READ, 1.0)


def test_registering_is_one_transaction(house: House) -> None:
    cost = cost_of(lambda: house.register("jane"))
    assert cost.calls == ONE_TRANSACTION
    # Six items, of which three are in an index as well: at two units each.
    assert cost.units <= 20


def test_signing_in_is_two_reads_three_counts_and_one_transaction_also_after_many(house: House) -> None:
    costs = [cost_of(lambda: house.accounts.login(house.user.email, PASSWORD, HOME)) for _ in range(40)]
    assert {(tuple(cost.calls.items()), cost.units) for cost in costs} == {
        ((("GetItem", 2), ("UpdateItem", 3), ("TransactWriteItems", 1)), costs[0].units)
    }


def test_a_refused_sign_in_is_two_reads_and_four_counts_whatever_was_wrong(house: House) -> None:
    off, locked = house.register("off").user, house.register("locked").user
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            house.accounts.login(locked.email, "WrongPass123!", HOME)
    house.consumers.update(house.admin, off.id, {"is_active": False})
    costs = []
    for email, password in (
        ("nobody@example.com", PASSWORD),
        (house.user.email, "WrongPass123!"),
        (off.email, PASSWORD),
        (locked.email, PASSWORD),
    ):

        def refused(email: str = email, password: str = password) -> None:
            with pytest.raises(Unauthenticated):
                house.accounts.login(email, password, HOME)

        costs.append(cost_of(refused))
    assert [cost.calls for cost in costs] == [{"GetItem": 2, "UpdateItem": 4}] * 4


def test_refreshing_is_one_batch_read_and_one_write_at_a_token_s_first_use_only(house: House) -> None:
    token = house.sign_in.refresh_token
    first = cost_of(lambda: house.accounts.refresh(token))
    again = cost_of(lambda: house.accounts.refresh(token))
    assert first.calls == {"BatchGetItem": 1, "UpdateItem": 1}
    assert again.calls == ONE_BATCH_READ


def test_signing_out_is_one_transaction(house: House) -> None:
    assert cost_of(lambda: house.accounts.logout(house.caller)).calls == ONE_TRANSACTION


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        (UserQuery(), 24),
        (UserQuery(order=Order.USERNAME), 24),
        (UserQuery(role=Role.USER), 8),
        (UserQuery(is_active=True), 12),
        (UserQuery(role=Role.USER, is_active=True), 4),
        (UserQuery(role=Role.USER, is_active=True, order=Order.USERNAME), 4),
        (UserQuery(search="j"), 4),
        (UserQuery(search="j", role=Role.USER, is_active=True), 4),
    ],
)
def test_a_page_of_users_is_a_fixed_number_of_queries_and_one_batch_read(
    house: House, query: UserQuery, queries: int
) -> None:
    for first in (1, 50, 100):
        cost = cost_of(partial(house.consumers.page, house.admin, query, first, None))
        assert cost.calls == {"Query": queries, **ONE_BATCH_READ}


def test_a_page_of_credentials_is_one_query_of_a_consumer_s_or_four_of_all(house: House) -> None:
    own = cost_of(lambda: house.credentials.page(house.caller, CredentialQuery(), 50, None))
    every = cost_of(lambda: house.credentials.page(house.admin, CredentialQuery(), 50, None))
    assert (own.calls, every.calls) == ({"Query": 1}, {"Query": 4, **ONE_BATCH_READ})


def test_making_and_changing_a_user_is_one_transaction_each(house: House) -> None:
    new = {"username": "robot", "email": "robot@example.com", "password": PASSWORD}
    made = cost_of(lambda: house.consumers.create(house.admin, new))  # type: ignore[arg-type]
    changed = cost_of(lambda: house.consumers.update(house.admin, house.user.id, {"role": Role.MODERATOR}))
    unchanged = cost_of(lambda: house.consumers.update(house.admin, house.user.id, {"role": Role.MODERATOR}))
    assert made.calls == ONE_TRANSACTION
    assert changed.calls == ONE_READ | ONE_TRANSACTION
    assert unchanged.calls == ONE_READ


def test_making_changing_rotating_and_deleting_a_credential_is_one_transaction_each(house: House) -> None:
    made = cost_of(house.create_key)
    key_id = house.key.credential.id
    rotated = cost_of(lambda: house.credentials.rotate(house.caller, key_id, None))
    changed = cost_of(lambda: house.credentials.update(house.caller, key_id, {"is_active": False}))
    deleted = cost_of(lambda: house.credentials.delete(house.caller, key_id))
    assert made.calls == {"GetItem": 2} | ONE_TRANSACTION  # the owner, and the number that is next
    assert rotated.calls == changed.calls == deleted.calls == {"GetItem": 3} | ONE_TRANSACTION


def test_deleting_a_user_is_one_transaction_and_what_its_belongings_take(house: House) -> None:
    cost = cost_of(lambda: house.consumers.delete(house.admin, house.user.id))
    assert cost.calls == ONE_READ | ONE_TRANSACTION | {"Query": 1, "BatchWriteItem": 1}
