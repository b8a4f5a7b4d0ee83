"""How often each operation calls the store; none of them scans, and none costs more where there is more.

What admission costs is in `test_admission_budgets`.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.accounts.registration import Acceptance
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.credentials.model import CredentialQuery, CredentialType, IssuedCredential
from gatehouse.credentials.service import NewCredential
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.table import open_table
from tests.contracts.made_up import (
    an_admin,
    consumers_on_the_table,
    credentials_on_the_table,
    people_on_the_table,
    register,
)
from tests.stores import Cost, Store, cost_of
from tests.unit.fakes import AT_HOME, PASSWORD, StoppedClock, signed_in, the_settings
from tests.unit.post import SEAL

CONSUMERS = DynamoConsumers()
ANOTHER = "An0ther-Secret!"
ROBOT: NewUser = {"username": "robot", "email": "robot@example.com", "kind": Kind.SERVICE}
ONE_READ = {"GetItem": 1}
ONE_BATCH_READ = {"BatchGetItem": 1}
ONE_TRANSACTION = {"TransactWriteItems": 1}


class House:
    """The use cases on a table with an ADMIN, and a person who has signed up and has a key."""

    def __init__(self, store: Store, clock: StoppedClock) -> None:
        self.store, self.clock = store, clock
        self.people = people_on_the_table(clock)
        self.accounts = self.people.accounts
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
        return register(self.people, name)

    def verified(self, name: str) -> User:
        """A person whose mailbox is known to be theirs."""
        return self.consumers.create(
            self.admin, {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        )

    def link(self, ask: Callable[[], object]) -> str:
        """The token of the mail that is written then."""
        before = self._sealed_tokens()
        ask()
        ((mail_id, sealed),) = self._sealed_tokens() - before
        return SEAL.open(sealed, mail_id).text()

    def _sealed_tokens(self) -> set[tuple[str, str]]:
        kept = [item for item in self.store.items() if item["SK"] == {"S": "M"} and "sealedToken" in item]
        return {(item["PK"]["S"].removeprefix("MAIL#"), item["sealedToken"]["S"]) for item in kept}

    def create_key(self) -> IssuedCredential:
        return self.credentials.create(self.caller, NewCredential(type=CredentialType.KEY_AUTH))


@pytest.fixture
def house(dynoxide_store: Store, clock: StoppedClock) -> House:
    return House(dynoxide_store, clock)


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
    # Ten items with the event, the mail, its link and its mailbox, at two units each, and their entries in indexes.
    assert cost.units <= 30


def test_a_registration_that_begins_with_a_mail_is_two_reads_and_one_transaction_also_for_a_taken_email(
    house: House,
) -> None:
    people = people_on_the_table(house.clock, the_settings(REGISTRATION_MODE="VERIFY_FIRST"))

    def begin(email: str) -> Cost:
        new: NewUser = {"username": "jane", "email": email, "password": PASSWORD}
        return cost_of(lambda: people.registration.register(new, AT_HOME))

    begin("first@example.com")  # reads the configuration as well, for a minute
    free, taken = begin("jane@example.com"), begin(house.user.email)
    assert free == taken
    assert free.calls == {"GetItem": 2} | ONE_TRANSACTION


def test_asking_for_a_new_password_is_two_reads_and_one_transaction_alike_for_everybody(house: House) -> None:
    off, robot = house.register("off").user, house.consumers.create(house.admin, ROBOT)
    house.consumers.update(house.admin, off.id, {"is_active": False})
    emails = (house.user.email, "nobody@example.com", off.email, robot.email)
    costs = [cost_of(partial(house.people.passwords.ask_for_reset, email, AT_HOME)) for email in emails]
    assert [cost.calls for cost in costs] == [{"GetItem": 2} | ONE_TRANSACTION] * 4
    # What is written is alike. An account's event is in the index by subject too, which is written behind the answer.
    assert [costs[0].units - cost.units for cost in costs[1:]] == [1.0] * 3


def test_asking_once_too_often_is_refused_by_the_transaction_and_costs_everybody_the_same(house: House) -> None:
    ask = house.people.passwords.ask_for_reset
    emails = (house.user.email, "nobody@example.com")
    for email in emails * 3:
        ask(email, AT_HOME)
    costs = [cost_of(partial(ask, email, AT_HOME)) for email in emails]
    assert costs[0] == costs[1]
    assert costs[0].calls == {"GetItem": 2} | ONE_TRANSACTION


def test_signing_in_is_two_reads_three_counts_and_one_transaction_also_after_many(house: House) -> None:
    costs = [cost_of(lambda: house.accounts.login(house.user.email, PASSWORD, AT_HOME)) for _ in range(40)]
    assert {(tuple(cost.calls.items()), cost.units) for cost in costs} == {
        ((("GetItem", 2), ("UpdateItem", 3), ("TransactWriteItems", 1)), costs[0].units)
    }


def test_a_refused_sign_in_is_two_reads_five_counts_and_an_event_whatever_was_wrong(house: House) -> None:
    off, locked = house.register("off").user, house.register("locked").user
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            house.accounts.login(locked.email, "WrongPass123!", AT_HOME)
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
                house.accounts.login(email, password, AT_HOME)

        costs.append(cost_of(refused))
    assert [cost.calls for cost in costs] == [{"GetItem": 2, "UpdateItem": 5, "PutItem": 1}] * 4


def test_changing_a_password_is_a_read_a_query_four_counts_and_one_transaction(house: House) -> None:
    change = house.people.passwords.change
    cost = cost_of(lambda: change(house.caller, AT_HOME, PASSWORD, ANOTHER))
    assert cost.calls == {"UpdateItem": 4, "Query": 1} | ONE_READ | ONE_TRANSACTION


def test_setting_a_password_anew_is_two_reads_a_query_and_one_transaction(house: House) -> None:
    verified = house.verified("jane")
    token = house.link(lambda: house.people.passwords.ask_for_reset(verified.email, AT_HOME))
    cost = cost_of(lambda: house.people.passwords.reset(token, ANOTHER, AT_HOME))
    assert cost.calls == {"GetItem": 2, "Query": 1} | ONE_TRANSACTION


def test_verifying_and_changing_an_email_are_a_few_reads_and_one_transaction_each(house: House) -> None:
    emails = house.people.emails
    asked = cost_of(lambda: emails.ask_for_verification(house.caller))
    token = house.link(lambda: emails.ask_for_verification(house.caller))
    verified = cost_of(lambda: emails.verify(house.caller, token))
    change = partial(emails.ask_for_change, house.caller, AT_HOME, "moved@example.com", PASSWORD)
    asked_for_change = cost_of(change)
    token = house.link(change)
    changed = cost_of(lambda: emails.verify(house.caller, token))
    assert asked.calls == ONE_READ | ONE_TRANSACTION
    assert asked_for_change.calls == {"UpdateItem": 4} | ONE_READ | ONE_BATCH_READ | ONE_TRANSACTION
    assert verified.calls == changed.calls == {"GetItem": 2} | ONE_TRANSACTION


def test_inviting_is_two_reads_and_one_transaction_and_so_is_accepting_with_one_read(house: House) -> None:
    registration = house.people.registration
    invited = cost_of(lambda: registration.invite(house.admin, "jane@example.com", Role.USER))
    token = house.link(lambda: registration.invite(house.admin, "jane@example.com", Role.USER))
    given: Acceptance = {"token": token, "username": "jane", "password": PASSWORD}
    accepted = cost_of(lambda: registration.accept(given, AT_HOME))
    assert invited.calls == {"GetItem": 2} | ONE_TRANSACTION
    assert accepted.calls == ONE_READ | ONE_TRANSACTION


def test_sessions_are_read_by_a_read_and_a_query_and_ended_by_one_transaction(house: House) -> None:
    sessions = house.people.sessions
    listed = cost_of(lambda: sessions.list(house.caller))
    revoked = cost_of(lambda: sessions.revoke(house.caller, house.caller.session_id or ""))
    ended = cost_of(lambda: sessions.revoke_all(house.caller, include_credentials=False))
    assert listed.calls == ONE_READ | {"Query": 1}
    assert revoked.calls == ONE_BATCH_READ | ONE_TRANSACTION
    assert ended.calls == ONE_TRANSACTION


def test_refreshing_is_one_batch_read_and_one_write_at_a_token_s_first_use_only(house: House) -> None:
    token = house.sign_in.refresh_token
    first = cost_of(lambda: house.accounts.refresh(token, AT_HOME))
    again = cost_of(lambda: house.accounts.refresh(token, AT_HOME))
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


def test_deleting_a_user_is_one_transaction(house: House) -> None:
    cost = cost_of(lambda: house.consumers.delete(house.admin, house.user.id))
    assert cost.calls == ONE_READ | ONE_TRANSACTION
