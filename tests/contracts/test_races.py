"""What must hold however many call at once; each race is run with real threads on a store that is atomic."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest

from gatehouse.accounts.model import Account, Session, SignIn
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.audit.model import AuditAction
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import CredentialType, IssuedCredential
from gatehouse.credentials.service import MOST_ACTIVE, MOST_KEPT, NewCredential
from gatehouse.errors import Conflict, Forbidden, NotFound, ServiceUnavailable, Unauthenticated
from gatehouse.persistence import Stale
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.table import open_table
from tests.contracts.made_up import (
    MONTH,
    a_credential,
    a_session,
    admission_on_the_table,
    an_admin,
    at_once,
    changed,
    consumers_on_the_table,
    credentials_on_the_table,
    entrance,
    keep_account,
    new_session,
    people_on_the_table,
)
from tests.stores import Store
from tests.unit.fakes import (
    AT_HOME,
    HOME,
    PASSWORD,
    PASSWORD_HASH,
    SESSION_TOKENS,
    START,
    StoppedClock,
    a_user,
    signed_in,
)

pytestmark = pytest.mark.long

ACCOUNTS = DynamoAccounts()
CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()


def registered(name: str = "john") -> tuple[User, Session, RefreshToken]:
    user = a_user(name)
    session, token = new_session(user)
    keep_account(user, session, PASSWORD_HASH)
    return user, session, token


def live_sessions(store: Store, user: User) -> int:
    return sum(partition == f"C#{user.id}" and sort.startswith("S#") for partition, sort in store.stored_keys())


def account_of(user: User) -> Account:
    account = ACCOUNTS.find_account(user.email)
    assert account is not None
    return account


def fill(user: User, sessions: int) -> None:
    account = account_of(user)
    for number in range(sessions - account.sessions):
        ACCOUNTS.open_session(account, a_session(user, age=timedelta(minutes=sessions - number)), entrance())


@pytest.mark.parametrize("field", ["email", "username"])
def test_of_24_registrations_of_one_name_in_two_spellings_one_succeeds_and_nothing_is_left_of_the_others(
    dynoxide_store: Store, clock: StoppedClock, field: str
) -> None:
    people = people_on_the_table(clock)
    spellings = {"email": ("Wanted@Example.com", "wanted@example.COM"), "username": ("Wanted", "WANTED")}[field]

    def register(number: int) -> SignIn | None:
        names = {"username": f"person{number}", "email": f"person{number}@example.com", field: spellings[number % 2]}
        return people.registration.register({**names, "password": PASSWORD}, AT_HOME)  # type: ignore[typeddict-item]

    answers = at_once([partial(register, number) for number in range(24)])
    (winner,) = [answer for answer in answers if isinstance(answer, SignIn)]
    assert [a.field for a in answers if isinstance(a, Conflict)] == [field] * 23
    token = RefreshToken.parse(winner.refresh_token)
    kept = [key for key in dynoxide_store.stored_keys() if not key[0].startswith(("MAIL#", "TOK#", "TRY#", "EV#"))]
    assert kept == [
        (f"C#{winner.user.id}", "P"),
        (f"C#{winner.user.id}", f"S#{token.session_id}"),
        (f"E#{winner.user.email.lower()}", "C"),
        (f"G#{winner.user.id}", "G"),
        (f"N#{winner.user.username.lower()}", "C"),
    ]
    assert [(event.action, event.subject_id) for event in dynoxide_store.events()] == [
        (AuditAction.USER_REGISTERED, winner.user.id)
    ]
    assert len(dynoxide_store.stored_keys()) == len(kept) + 4  # the winner's event, mail, its link, and its mailbox


def test_of_24_credentials_with_one_key_id_one_is_made_and_nothing_is_left_of_the_others(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    credentials = credentials_on_the_table(clock)
    owners = [registered(f"owner{number}")[0] for number in range(4)]
    before = dynoxide_store.stored_keys()
    wanted = NewCredential(type=CredentialType.KEY_AUTH, key_id="mobile-app")
    answers = at_once([partial(credentials.create, signed_in(owners[n % 4]), wanted) for n in range(24)])
    (winner,) = [answer.credential for answer in answers if isinstance(answer, IssuedCredential)]
    assert [a.field for a in answers if isinstance(a, Conflict)] == ["keyId"] * 23
    [event] = dynoxide_store.events()
    assert sorted(set(dynoxide_store.stored_keys()) - set(before)) == [
        (f"C#{winner.consumer_id}", f"K#{winner.id}"),
        (f"EV#{event.id}", "E"),
        (f"ID#{winner.id}", "C"),
        ("KEY#mobile-app", "C"),
    ]
    profiles = [dynoxide_store.item(f"C#{owner.id}", "P") for owner in owners]
    counts = {p["PK"]["S"][2:]: p["credentials"]["N"] for p in profiles if p is not None}
    assert counts == {owner.id: "1" if owner.id == winner.consumer_id else "0" for owner in owners}


def test_of_16_who_rename_themselves_alike_one_succeeds_and_the_others_keep_their_names(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    consumers = consumers_on_the_table(clock)
    users = [registered(f"person{number}")[0] for number in range(16)]
    answers = at_once([partial(consumers.update, signed_in(u), u.id, {"username": "Wanted"}) for u in users])
    (winner,) = [answer for answer in answers if isinstance(answer, User)]
    assert [a.field for a in answers if isinstance(a, Conflict)] == ["username"] * 15
    claimed = {partition for partition, _ in dynoxide_store.stored_keys() if partition.startswith("N#")}
    assert claimed == {"N#wanted", *(f"N#{u.username}" for u in users if u.id != winner.id)}


def test_changes_to_one_user_at_once_are_all_made_or_refused_and_none_is_lost(dynoxide_store: Store) -> None:
    user = a_user("user")
    CONSUMERS.create_user(user, None)
    changes = [changed(user, first_name=f"N{n}") for n in range(16)]
    answers = at_once([partial(CONSUMERS.update_user, user, after, None) for after in changes])
    (winner,) = [number for number, answer in enumerate(answers) if answer is None]
    assert sum(isinstance(answer, Stale) for answer in answers) == 15
    assert CONSUMERS.find_user(user.id) == changes[winner]


@pytest.mark.parametrize("_round", range(4))
def test_of_eight_admins_who_demote_one_another_in_a_ring_one_stays(
    dynoxide_store: Store, clock: StoppedClock, _round: int
) -> None:
    consumers = consumers_on_the_table(clock)
    admins = [an_admin(f"admin{number}", CONSUMERS) for number in range(8)]
    ring = [(admins[n], admins[(n + 1) % 8]) for n in range(8)]
    answers = at_once([partial(consumers.update, signed_in(a), b.id, {"role": Role.USER}) for a, b in ring])
    assert_one_admin_stays(dynoxide_store, admins, answers)


@pytest.mark.parametrize("_round", range(4))
def test_of_admins_who_demote_switch_off_and_delete_one_another_one_stays(
    dynoxide_store: Store, clock: StoppedClock, _round: int
) -> None:
    consumers = consumers_on_the_table(clock)
    admins = [an_admin(f"admin{number}", CONSUMERS) for number in range(9)]

    def oust(number: int) -> User:
        caller, target = signed_in(admins[number]), admins[(number + 1) % 9].id
        if number % 3 == 0:
            return consumers.delete(caller, target)
        if number % 3 == 1:
            return consumers.update(caller, target, {"is_active": False})
        return consumers.update(caller, target, {"role": Role.MODERATOR})

    assert_one_admin_stays(dynoxide_store, admins, at_once([partial(oust, number) for number in range(9)]))


def assert_one_admin_stays(store: Store, admins: list[User], answers: list[User | Exception]) -> None:
    refused = [answer for answer in answers if not isinstance(answer, User)]
    assert [(type(a), getattr(a, "reason", None)) for a in refused] == [(Forbidden, "LAST_ADMIN")]
    found = [CONSUMERS.find_user(admin.id) for admin in admins]
    (left,) = [user for user in found if user is not None and user.is_active_admin]
    roster = store.item("ROSTER", "R")
    assert roster is not None
    assert roster["ids"] == {"SS": [left.id]}


def test_deletions_of_one_user_at_once_delete_it_once_and_leave_what_the_stream_removes(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    consumers = consumers_on_the_table(clock)
    admin = an_admin("admin", CONSUMERS)
    before = dynoxide_store.items()
    user, _, _ = registered()
    CREDENTIALS.create_credential(a_credential(user), "hash")
    answers = at_once([partial(consumers.delete, signed_in(admin), user.id) for _ in range(12)])
    assert [answer for answer in answers if isinstance(answer, User)] == [user]
    assert sum(isinstance(answer, NotFound) for answer in answers) == 11
    DynamoBelongings().delete_belongings(user.id)
    assert [item for item in dynoxide_store.items() if not item["PK"]["S"].startswith(("KEY#", "EV#"))] == before
    assert [(event.action, event.subject_id) for event in dynoxide_store.events()] == [
        (AuditAction.USER_DELETED, user.id)
    ]


def test_16_uses_of_one_refresh_token_at_once_give_one_and_the_same_successor(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    accounts = people_on_the_table(clock).accounts
    user, session, token = registered()
    answers = at_once([partial(accounts.refresh, token.text(), AT_HOME) for _ in range(16)])
    assert {a.refresh_token for a in answers if isinstance(a, SignIn)} == {token.successor(session.salt).text()}
    assert len([answer for answer in answers if isinstance(answer, SignIn)]) == 16
    found = ACCOUNTS.find_session(user.id, session.id)
    assert found is not None
    assert found.session.used == 1


@pytest.mark.parametrize("_round", range(6))
def test_a_session_that_is_refreshed_while_it_ends_has_ended(
    dynoxide_store: Store, clock: StoppedClock, _round: int
) -> None:
    accounts, admission = people_on_the_table(clock).accounts, admission_on_the_table(clock)
    user, session, token = registered()
    caller = admission.by_session(SESSION_TOKENS.issue(user.id, session.id, START), HOME).caller
    refreshes = [partial(accounts.refresh, token.text(), AT_HOME) for _ in range(6)]
    answers = at_once([*refreshes[:3], partial(accounts.logout, caller), *refreshes[3:]])
    assert answers[3] is None
    for answer in (*answers[:3], *answers[4:]):
        if isinstance(answer, SignIn):
            with pytest.raises(Unauthenticated, match="The session has ended"):
                admission.by_session(answer.access_token, HOME)
            with pytest.raises(Unauthenticated, match="The session has ended"):
                accounts.refresh(answer.refresh_token, AT_HOME)
        else:
            assert isinstance(answer, Unauthenticated)
    assert live_sessions(dynoxide_store, user) == 0


def test_ten_right_sign_ins_at_once_all_succeed(dynoxide_store: Store, clock: StoppedClock) -> None:
    accounts, admission = people_on_the_table(clock).accounts, admission_on_the_table(clock)
    user, _, _ = registered()
    answers = at_once([partial(accounts.login, user.email, PASSWORD, AT_HOME) for _ in range(10)])
    callers = [admission.by_session(a.access_token, HOME).caller for a in answers if isinstance(a, SignIn)]
    assert len({caller.session_id for caller in callers}) == 10
    assert account_of(user).sessions == live_sessions(dynoxide_store, user) == 11


@pytest.mark.parametrize("_round", range(2))
def test_sign_ins_at_once_near_the_cap_never_exceed_it(dynoxide_store: Store, clock: StoppedClock, _round: int) -> None:
    accounts = people_on_the_table(clock).accounts
    user, _, _ = registered()
    fill(user, 95)
    seen: list[int] = []

    def sign_in() -> SignIn:
        answer = accounts.login(user.email, PASSWORD, AT_HOME)
        seen.append(live_sessions(dynoxide_store, user))
        return answer

    answers = at_once([sign_in] * 20)
    refused = [answer for answer in answers if not isinstance(answer, SignIn)]
    assert {type(answer) for answer in refused} <= {ServiceUnavailable}
    assert len(refused) < 15
    assert max(seen) <= MOST_SESSIONS
    assert live_sessions(dynoxide_store, user) <= account_of(user).sessions <= MOST_SESSIONS


@contextmanager
def before_the_next_transaction(act: Callable[[], None]) -> Iterator[None]:
    """Acts once, between what the next transaction was decided on and the transaction itself."""
    events = open_table().connection.client.meta.events

    def act_once(**_call: object) -> None:
        events.unregister("before-call.dynamodb.TransactWriteItems", act_once)
        act()

    events.register("before-call.dynamodb.TransactWriteItems", act_once)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", act_once)


@pytest.mark.parametrize("ended", [0, 30], ids=["all live", "some ended"])
def test_pruning_is_stale_where_others_pruned_and_filled_the_room_before_it_wrote(
    dynoxide_store: Store, ended: int
) -> None:
    user, _, _ = registered()
    fill(user, MOST_SESSIONS)
    sessions = [sort[2:] for _, sort in dynoxide_store.stored_keys() if sort.startswith("S#")]
    for session_id in sessions[:ended]:
        ACCOUNTS.end_session(user.id, session_id)
    slow = account_of(user)

    def others_come_first() -> None:
        ACCOUNTS.prune_sessions(slow, START, MONTH)
        fill(user, MOST_SESSIONS)

    with before_the_next_transaction(others_come_first), pytest.raises(Stale):
        ACCOUNTS.prune_sessions(slow, START, MONTH)
    assert live_sessions(dynoxide_store, user) == account_of(user).sessions == MOST_SESSIONS


def test_pruning_is_stale_where_others_pruned_before_it_read_and_filled_the_room_before_it_wrote(
    dynoxide_store: Store,
) -> None:
    user, _, _ = registered()
    fill(user, MOST_SESSIONS)
    slow = account_of(user)
    ACCOUNTS.prune_sessions(slow, START, MONTH)
    with before_the_next_transaction(lambda: fill(user, MOST_SESSIONS)), pytest.raises(Stale):
        ACCOUNTS.prune_sessions(slow, START, MONTH)
    assert live_sessions(dynoxide_store, user) <= account_of(user).sessions <= MOST_SESSIONS


def test_creations_at_once_near_the_cap_of_credentials_never_exceed_it(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    credentials = credentials_on_the_table(clock)
    owner, _, _ = registered()
    caller = signed_in(owner)
    off = [a_credential(owner, f"off-{number}") for number in range(5)]
    for credential in off:
        CREDENTIALS.create_credential(credential, "hash")
        credentials.update(caller, credential.id, {"is_active": False})
    for number in range(MOST_ACTIVE - 5):
        CREDENTIALS.create_credential(a_credential(owner, f"key-{number}"), "hash")
    creations = [partial(credentials.create, caller, NewCredential(type=CredentialType.KEY_AUTH)) for _ in range(15)]
    switches = [partial(credentials.update, caller, c.id, {"is_active": True}) for c in off]
    answers = at_once([*creations, *switches])
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(answer) for answer in refused] == [Conflict] * 15
    items = [item for item in dynoxide_store.items() if item["SK"]["S"].startswith("K#")]
    assert sum(item["isActive"]["BOOL"] for item in items) == MOST_ACTIVE
    profile = dynoxide_store.item(f"C#{owner.id}", "P")
    assert profile is not None
    assert profile["credentials"] == {"N": str(MOST_ACTIVE)}


def test_of_many_credentials_at_once_no_more_are_kept_than_a_consumer_keeps(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    credentials = credentials_on_the_table(clock)
    owner, _, _ = registered()
    dynoxide_store.set_number(f"C#{owner.id}", "P", "kept", MOST_KEPT - 3)
    create = partial(credentials.create, signed_in(owner), NewCredential(type=CredentialType.KEY_AUTH))
    refused = [answer for answer in at_once([create] * 8) if isinstance(answer, Exception)]
    assert [type(answer) for answer in refused] == [Conflict] * 5
    profile = dynoxide_store.item(f"C#{owner.id}", "P")
    assert profile is not None
    assert (profile["kept"], profile["credentials"]) == ({"N": str(MOST_KEPT)}, {"N": "3"})


def test_what_is_made_for_an_owner_who_is_being_deleted_goes_with_them(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    consumers, credentials = consumers_on_the_table(clock), credentials_on_the_table(clock)
    accounts = people_on_the_table(clock).accounts
    admin = an_admin("admin", CONSUMERS)
    before = dynoxide_store.items()
    for _ in range(5):
        user, _, _ = registered()
        create = partial(credentials.create, signed_in(user), NewCredential(type=CredentialType.KEY_AUTH))
        sign_in = partial(accounts.login, user.email, PASSWORD, AT_HOME)
        delete = partial(consumers.delete, signed_in(admin), user.id)
        answers = at_once([create, sign_in, create, delete, sign_in, create, sign_in])
        assert answers[3] == user
        for answer in answers:
            assert isinstance(answer, (IssuedCredential, SignIn, User, NotFound, Unauthenticated))
        DynamoBelongings().delete_belongings(user.id)
    # Key ids stay used, what was tried or refused ends by TTL, and what happened stays told.
    left = [item for item in dynoxide_store.items() if not item["PK"]["S"].startswith(("KEY#", "TRY#", "REF#", "EV#"))]
    assert left == before
