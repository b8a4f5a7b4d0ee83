"""Signing up, in and out, on a store in memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import bcrypt
import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import BadRequest, Conflict, Forbidden, ServiceUnavailable, Unauthenticated
from gatehouse.permissions import ANONYMOUS, Caller
from gatehouse.tokens import SESSION
from gatehouse.wiring.people import People
from tests.unit.fakes import (
    AT_HOME,
    HASHER,
    PASSWORD,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_people,
    the_settings,
)

NEW: NewUser = {"username": "John", "email": "John@Example.com", "password": PASSWORD}


def signed_up(people: People, new: NewUser) -> SignIn:
    """Who has opened an account where that takes nothing else."""
    signed = people.registration.register(new, AT_HOME)
    assert signed is not None
    return signed


@pytest.fixture
def people(store: MemoryStore, clock: StoppedClock) -> People:
    return the_people(store, clock, the_settings())


@pytest.fixture
def hashes_paid(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which bcrypt calls were made; each costs the same."""
    paid: list[str] = []

    def counted[**P, R](name: str, call: Callable[P, R]) -> Callable[P, R]:
        def counting(*args: P.args, **kwargs: P.kwargs) -> R:
            paid.append(name)
            return call(*args, **kwargs)

        return counting

    monkeypatch.setattr(bcrypt, "checkpw", counted("check", bcrypt.checkpw))
    monkeypatch.setattr(bcrypt, "hashpw", counted("hash", bcrypt.hashpw))
    return paid


def test_whoever_registers_is_a_user_and_signed_in(people: People, store: MemoryStore) -> None:
    signed = signed_up(people, {**NEW, "first_name": "John", "last_name": "Doe"})

    assert signed.user == User(
        id=signed.user.id,
        username="John",
        email="John@Example.com",
        first_name="John",
        last_name="Doe",
        role=Role.USER,
        kind=Kind.USER,
        password_changed_at=START,
        created_at=START,
        updated_at=START,
    )
    claims = TOKENS.verify(SESSION, signed.access_token, START)
    assert claims.subject == store.sessions[claims.own["sid"]].user_id == signed.user.id
    assert signed.expires_in == 86_400
    assert RefreshToken.parse(signed.refresh_token).session_id == claims.own["sid"]
    assert store.counts == {signed.user.id: 1}


def test_nobody_registers_with_a_role_of_their_choice(people: People) -> None:
    assert signed_up(people, {**NEW, "role": Role.ADMIN, "kind": Kind.SERVICE}).user.role is Role.USER


def test_the_password_is_kept_as_a_hash_only(people: People, store: MemoryStore) -> None:
    signed = signed_up(people, NEW)

    assert PASSWORD not in repr(store) + repr(signed)
    assert HASHER.matches(PASSWORD, store.hashes[signed.user.id])


@pytest.mark.parametrize(
    ("change", "at_fault"),
    [
        ({"username": "jo"}, "username"),
        ({"username": "x" * 33}, "username"),
        ({"username": ".john"}, "username"),
        ({"username": "john doe"}, "username"),
        ({"username": "jöhn"}, "username"),
        ({"username": "john\n"}, "username"),
        ({"email": ""}, "email"),
        ({"email": "john"}, "email"),
        ({"email": "john@example"}, "email"),
        ({"email": "john@exa mple.com"}, "email"),
        ({"email": "jöhn@example.com"}, "email"),
        ({"email": "john@example.com\x00"}, "email"),
        ({"email": "a" * 65 + "@example.com"}, "email"),
        ({"email": "john@" + "a." * 130 + "com"}, "email"),
        ({"first_name": ""}, "firstName"),
        ({"first_name": "  "}, "firstName"),
        ({"first_name": "J\x00"}, "firstName"),
        ({"last_name": "x" * 101}, "lastName"),
        ({"last_name": "\ud800"}, "lastName"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 73}, "password"),
        ({"password": None}, "password"),
    ],
    ids=lambda change: ascii(change)[:40],
)
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_written(
    people: People, store: MemoryStore, change: NewUser, at_fault: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        signed_up(people, {**NEW, **change})

    assert refusal.value.field == at_fault
    assert store == MemoryStore()


def test_a_bad_password_is_refused_before_a_hash_is_paid(people: People, hashes_paid: list[str]) -> None:
    with pytest.raises(BadRequest):
        signed_up(people, {**NEW, "password": "short"})

    assert hashes_paid == []


def test_names_are_taken_without_regard_to_case(people: People) -> None:
    signed_up(people, NEW)

    for other in ({"email": "JOHN@example.COM", "username": "another"}, {"email": "a@example.com", "username": "JOHN"}):
        with pytest.raises(Conflict):
            signed_up(people, {**NEW, **other})


def test_a_sign_in_takes_the_email_in_any_case(people: People) -> None:
    registered = signed_up(people, NEW)

    assert people.accounts.login("jOHN@eXAMPLE.com", PASSWORD, AT_HOME).user == registered.user


@dataclass(frozen=True)
class WrongSignIn:
    """A sign-in that must fail, on a store where John is as `user` says."""

    email: str
    password: str
    user: User
    has_password: bool = True


JOHN = a_user("john")
WRONG = {
    "unknown email": WrongSignIn("nobody@example.com", PASSWORD, JOHN),
    "wrong password": WrongSignIn(JOHN.email, "Wrong-Pass-123!", JOHN),
    "empty password": WrongSignIn(JOHN.email, "", JOHN),
    "password of another length": WrongSignIn(JOHN.email, "x" * 200, JOHN),
    "inactive account": WrongSignIn(JOHN.email, PASSWORD, replace(JOHN, is_active=False)),
    "account without a password": WrongSignIn(JOHN.email, PASSWORD, JOHN, has_password=False),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_sign_in_that_fails_tells_nothing_by_its_words_or_by_what_it_does(
    people: People, store: MemoryStore, hashes_paid: list[str], wrong: WrongSignIn
) -> None:
    store.add(wrong.user, HASHER.hash(PASSWORD) if wrong.has_password else None)
    hashes_paid.clear()

    with pytest.raises(Unauthenticated) as refusal:
        people.accounts.login(wrong.email, wrong.password, AT_HOME)

    assert (refusal.value.message, refusal.value.reason, refusal.value.field) == (
        "The email or the password is wrong.",
        "WRONG_CREDENTIALS",
        None,
    )
    assert hashes_paid == ["check"]
    assert store.calls == ["find_account", "count_refusal", "keep_event"]


@pytest.mark.parametrize("email", ["", "john", "\x00", "\ud800", "x" * 300])
def test_what_is_no_email_is_refused_before_anything_is_read(
    people: People, store: MemoryStore, hashes_paid: list[str], email: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        people.accounts.login(email, PASSWORD, AT_HOME)

    assert refusal.value.field == "email"
    assert (store.calls, hashes_paid) == ([], [])


def test_a_hash_of_fewer_rounds_is_made_anew_at_the_next_sign_in(store: MemoryStore, clock: StoppedClock) -> None:
    user = store.add(a_user())
    stricter = the_people(store, clock, the_settings(BCRYPT_ROUNDS="5")).accounts
    stricter.login(user.email, PASSWORD, AT_HOME)

    rehashed = store.hashes[user.id]
    assert rehashed is not None
    assert rehashed.startswith("$2b$05$")
    stricter.login(user.email, PASSWORD, AT_HOME)
    assert store.hashes[user.id] == rehashed


def test_a_sign_in_that_met_a_change_looks_again(people: People, store: MemoryStore) -> None:
    user = store.add(a_user())
    store.stale = 3

    assert people.accounts.login(user.email, PASSWORD, AT_HOME).user == user
    assert store.calls.count("open_session") == 4


def test_a_sign_in_that_meets_changes_without_end_gives_up(people: People, store: MemoryStore) -> None:
    user = store.add(a_user())
    store.stale = 10_000

    with pytest.raises(ServiceUnavailable):
        people.accounts.login(user.email, PASSWORD, AT_HOME)
    assert store.sessions == {}


def test_one_session_too_many_ends_the_oldest(people: People, store: MemoryStore, clock: StoppedClock) -> None:
    user = store.add(a_user())
    for _ in range(MOST_SESSIONS):
        people.accounts.login(user.email, PASSWORD, AT_HOME)
        clock.advance(seconds=1)
    oldest = min(store.sessions.values(), key=lambda session: session.created_at)
    assert "prune_sessions" not in store.calls

    newest = people.accounts.login(user.email, PASSWORD, AT_HOME)

    assert len(store.sessions) == MOST_SESSIONS == 100
    assert oldest.id not in store.sessions
    assert TOKENS.verify(SESSION, newest.access_token, clock.now()).own["sid"] in store.sessions
    assert store.calls.count("prune_sessions") == 1


def test_a_refresh_gives_the_successor_and_replays_give_the_same(
    people: People, store: MemoryStore, clock: StoppedClock
) -> None:
    first = signed_up(people, NEW)
    clock.advance(days=1)
    second = people.accounts.refresh(first.refresh_token, AT_HOME)
    clock.advance(days=3)
    replay = people.accounts.refresh(first.refresh_token, AT_HOME)

    assert second.refresh_token == replay.refresh_token != first.refresh_token
    assert second.user == first.user
    assert TOKENS.verify(SESSION, replay.access_token, clock.now()).own["sid"] == next(iter(store.sessions))


def test_a_token_that_returns_after_its_time_ends_its_session(
    people: People, store: MemoryStore, clock: StoppedClock
) -> None:
    first = signed_up(people, NEW)
    second = people.accounts.refresh(first.refresh_token, AT_HOME)
    people.accounts.refresh(second.refresh_token, AT_HOME)
    clock.advance(seconds=30)
    people.accounts.refresh(first.refresh_token, AT_HOME)
    clock.advance(milliseconds=1)

    with pytest.raises(Unauthenticated) as refusal:
        people.accounts.refresh(first.refresh_token, AT_HOME)

    assert refusal.value.reason == "TOKEN_REUSED"
    assert store.sessions == {}
    with pytest.raises(Unauthenticated):
        people.accounts.refresh(second.refresh_token, AT_HOME)


def test_a_made_up_token_leaves_the_session_as_it_is(people: People, store: MemoryStore) -> None:
    genuine = RefreshToken.parse(signed_up(people, NEW).refresh_token)
    before = dict(store.sessions)

    for number in (0, 1, 2):
        with pytest.raises(Unauthenticated) as refusal:
            people.accounts.refresh(replace(genuine, number=number, secret=bytes(32)).text(), AT_HOME)
        assert refusal.value.reason is None
    assert store.sessions == before


def _switch_off(store: MemoryStore, user: User) -> None:
    store.update_user(user, replace(user, is_active=False), None)


def _switch_off_and_on(store: MemoryStore, user: User) -> None:
    _switch_off(store, user)
    store.update_user(store.users[user.id], user, None)


@pytest.mark.parametrize(
    "happens",
    [
        lambda store, user: store.sessions.clear(),
        _switch_off,
        _switch_off_and_on,
        lambda store, user: store.delete_user(user),
    ],
    ids=["signed out", "switched off", "switched off and on", "deleted"],
)
def test_a_session_that_has_ended_is_not_refreshed(
    people: People, store: MemoryStore, happens: Callable[[MemoryStore, User], None]
) -> None:
    signed = signed_up(people, NEW)
    happens(store, signed.user)

    with pytest.raises(Unauthenticated):
        people.accounts.refresh(signed.refresh_token, AT_HOME)


def test_a_session_is_refreshed_up_to_its_end_and_not_on_it(people: People, clock: StoppedClock) -> None:
    latest = signed_up(people, NEW)
    for _ in range(3):
        clock.advance(days=10, milliseconds=-1)
        latest = people.accounts.refresh(latest.refresh_token, AT_HOME)
    clock.advance(milliseconds=2)
    people.accounts.refresh(latest.refresh_token, AT_HOME)
    clock.advance(milliseconds=1)

    with pytest.raises(Unauthenticated):
        people.accounts.refresh(latest.refresh_token, AT_HOME)


def test_a_session_that_is_not_used_for_its_idle_time_has_ended(people: People, clock: StoppedClock) -> None:
    first = signed_up(people, NEW)
    clock.advance(days=14, milliseconds=-1)
    second = people.accounts.refresh(first.refresh_token, AT_HOME)
    clock.advance(days=14, milliseconds=-1)
    assert people.accounts.refresh(second.refresh_token, AT_HOME).user == first.user
    clock.advance(milliseconds=1)
    unused = people.accounts.login(NEW["email"], PASSWORD, AT_HOME)
    clock.advance(days=14)

    with pytest.raises(Unauthenticated):
        people.accounts.refresh(unused.refresh_token, AT_HOME)


def test_a_refresh_that_others_overtook_looks_again(people: People, store: MemoryStore) -> None:
    signed = signed_up(people, NEW)
    store.stale = 3

    people.accounts.refresh(signed.refresh_token, AT_HOME)

    assert store.calls.count("step_session") == 4


def test_a_refresh_that_is_overtaken_without_end_gives_up(people: People, store: MemoryStore) -> None:
    signed = signed_up(people, NEW)
    store.stale = 10_000

    with pytest.raises(ServiceUnavailable):
        people.accounts.refresh(signed.refresh_token, AT_HOME)


def test_signing_out_ends_this_session_and_no_other(people: People, store: MemoryStore) -> None:
    user = store.add(a_user())
    stays, goes = (
        TOKENS.verify(SESSION, people.accounts.login(user.email, PASSWORD, AT_HOME).access_token, START)
        for _ in range(2)
    )

    people.accounts.logout(Caller(consumer_id=user.id, session_id=goes.own["sid"]))

    assert list(store.sessions) == [stays.own["sid"]]


def test_a_credential_has_no_session_to_end(people: People) -> None:
    with pytest.raises(Forbidden):
        people.accounts.logout(Caller(consumer_id=JOHN.id, credential_id="c"))
    with pytest.raises(Unauthenticated):
        people.accounts.logout(ANONYMOUS)


def test_what_a_sign_in_answers_with_does_not_show_its_tokens(people: People) -> None:
    signed = signed_up(people, NEW)

    assert signed.access_token not in repr(signed)
    assert signed.refresh_token not in repr(signed)
    assert signed_in(signed.user).consumer_id in repr(signed)
