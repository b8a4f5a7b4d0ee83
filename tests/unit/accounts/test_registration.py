"""Opening an account: by oneself, by a link that shows the mailbox is one's own, or on invitation."""

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.accounts.one_use import Purpose
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import BadRequest, Conflict, Forbidden
from gatehouse.mail.model import MailKind
from tests.unit.fakes import AT_HOME, HASHER, PASSWORD, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, Town, count_hashes, kept_for, refusal

NEW: NewUser = {
    "username": "John",
    "email": "John@Example.com",
    "password": PASSWORD,
    "first_name": "John",
    "last_name": "Doe",
}
GUEST = "guest@example.com"
NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def first(store: MemoryStore, clock: StoppedClock) -> Town:
    """Where a mailbox is verified before there is an account."""
    return Town(store, clock, REGISTRATION_MODE="VERIFY_FIRST")


def accept(town: Town, token: str, username: str = "guest", password: str = PASSWORD) -> SignIn:
    return town.people.registration.accept({"token": token, "username": username, "password": password}, AT_HOME)


def test_whoever_registers_is_signed_in_and_mailed_a_link_at_once(town: Town) -> None:
    signed = town.people.registration.register(NEW, AT_HOME)

    assert signed is not None
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
    assert town.store.users == {signed.user.id: signed.user}
    (session,) = town.store.sessions.values()
    assert (session.user_id, session.origin, session.generation) == (signed.user.id, AT_HOME, 0)
    assert town.is_in_force(town.caller(signed))
    assert town.mailed("John@Example.com") == [MailKind.VERIFY_EMAIL]
    town.clock.advance(hours=23)
    verified = town.people.emails.verify(town.caller(signed), town.link("John@Example.com"))
    assert verified.email_verified_at == town.clock.now()


def test_a_full_mailbox_keeps_nobody_from_registering(town: Town) -> None:
    town.fill("john@example.com")

    signed = town.people.registration.register(NEW, AT_HOME)

    assert signed is not None
    assert town.is_in_force(town.caller(signed))
    assert town.mailed("John@Example.com") == []
    assert kept_for(town.store, Purpose.VERIFY_EMAIL) == []
    town.clock.advance(hours=1)
    town.people.emails.ask_for_verification(town.caller(signed))
    assert town.mailed("John@Example.com") == [MailKind.VERIFY_EMAIL]


def test_a_full_mailbox_keeps_nobody_from_registering_where_it_has_to_be_verified(
    store: MemoryStore, clock: StoppedClock
) -> None:
    town = Town(store, clock, REQUIRE_VERIFIED_EMAIL="true")
    town.fill("john@example.com")

    assert town.people.registration.register(NEW, AT_HOME) is None

    (user,) = store.users.values()
    clock.advance(hours=1)
    assert refusal(town.login, user)[1] == "EMAIL_NOT_VERIFIED"
    assert town.login(user, token=town.link(user.email)).user.id == user.id


@pytest.mark.parametrize("field", ["email", "username"])
def test_where_a_name_is_taken_nothing_is_written_or_mailed(town: Town, field: str) -> None:
    taken = {"email": "john@EXAMPLE.com", "username": "JOHN"}[field]
    there = town.store.add(a_user("other", **{field: taken}))

    told = refusal(town.people.registration.register, NEW, AT_HOME)

    assert told == (Conflict, None, field)
    assert (town.store.users, town.store.sessions) == ({there.id: there}, {})
    assert town.store.mailroom.waiting == {}


def test_a_link_that_shows_the_mailbox_opens_the_account_with_the_password_chosen_then(first: Town) -> None:
    assert first.people.registration.register(NEW, ELSEWHERE) is None
    assert (first.store.users, first.store.sessions) == ({}, {})
    assert first.mailed("John@Example.com") == [MailKind.REGISTRATION]
    first.clock.advance(days=6)

    signed = first.people.registration.accept(
        {"token": first.link("John@Example.com"), "password": NEW_PASSWORD}, AT_HOME
    )

    now = first.clock.now()
    assert signed.user == User(
        id=signed.user.id,
        username="John",
        email="John@Example.com",
        first_name="John",
        last_name="Doe",
        email_verified_at=now,
        password_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    assert first.is_in_force(first.caller(signed))
    assert HASHER.matches(NEW_PASSWORD, first.store.hashes[signed.user.id])


def test_what_is_said_with_the_link_counts_before_what_was_said_first(first: Town) -> None:
    first.people.registration.register(NEW, AT_HOME)

    signed = first.people.registration.accept(
        {
            "token": first.link("John@Example.com"),
            "username": "Johnny",
            "password": PASSWORD,
            "first_name": "Johnny",
            "last_name": None,
        },
        AT_HOME,
    )

    assert (signed.user.username, signed.user.first_name, signed.user.last_name) == ("Johnny", "Johnny", "Doe")


def test_nothing_kept_of_a_registration_that_waits_is_the_password(first: Town) -> None:
    first.people.registration.register(NEW, AT_HOME)

    assert PASSWORD not in repr(first.store.mailroom)
    assert [dict(kept.payload) for kept in kept_for(first.store, Purpose.INVITATION)] == [
        {"email": "John@Example.com", "role": "USER", "username": "John", "first_name": "John", "last_name": "Doe"}
    ]


def test_a_free_and_a_taken_email_cannot_be_told_apart(first: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    first.store.add(a_user("john", is_active=False))
    paid = count_hashes(monkeypatch)
    done = []
    for email in ("JOHN@example.com", "free@example.com"):
        first.store.calls.clear()
        before = len(first.store.mailroom.tokens), len(first.store.mailroom.waiting)
        assert first.people.registration.register({**NEW, "email": email}, AT_HOME) is None
        after = len(first.store.mailroom.tokens), len(first.store.mailroom.waiting)
        done.append((first.store.calls[:], before, after))

    assert done == [(["find_account", "ask"], (0, 0), (1, 1)), (["find_account", "ask"], (1, 1), (2, 2))]
    assert paid == []
    assert len(first.store.users) == 1
    assert first.mailed("john@example.com") == [MailKind.ACCOUNT_EXISTS]
    assert first.mailed("free@example.com") == [MailKind.REGISTRATION]


def test_a_free_and_a_taken_email_cannot_be_told_apart_by_how_often_they_are_mailed(first: Town) -> None:
    first.store.add(a_user("john"))
    for email in ("john@example.com", "free@example.com"):
        for _ in range(5):
            assert first.people.registration.register({**NEW, "email": email}, AT_HOME) is None

    assert first.mailed("john@example.com") == [MailKind.ACCOUNT_EXISTS] * 3
    assert first.mailed("free@example.com") == [MailKind.REGISTRATION] * 3


def test_a_taken_username_is_told_when_the_link_is_used_and_another_one_works(first: Town) -> None:
    first.store.add(a_user("john", email="other@example.com"))
    first.people.registration.register(NEW, AT_HOME)
    token = first.link("John@Example.com")

    told = refusal(first.people.registration.accept, {"token": token, "password": PASSWORD}, AT_HOME)

    assert told == (Conflict, None, "username")
    assert accept(first, token, "johnny").user.username == "johnny"


@pytest.mark.parametrize(
    ("change", "at_fault"),
    [({"email": "john"}, "email"), ({"username": "j"}, "username"), ({"password": "weak"}, "password")],
)
@pytest.mark.parametrize("mode", ["OPEN", "VERIFY_FIRST"])
def test_a_field_that_breaks_its_rule_is_named_in_every_mode(
    store: MemoryStore, clock: StoppedClock, mode: str, change: NewUser, at_fault: str
) -> None:
    town = Town(store, clock, REGISTRATION_MODE=mode)

    assert refusal(town.people.registration.register, {**NEW, **change}, AT_HOME)[::2] == (BadRequest, at_fault)
    assert store == MemoryStore()


def test_where_accounts_are_opened_on_invitation_nobody_registers(store: MemoryStore, clock: StoppedClock) -> None:
    town = Town(store, clock, REGISTRATION_MODE="INVITE_ONLY")
    root = town.add("root", role=Role.ADMIN)

    told = refusal(town.people.registration.register, NEW, AT_HOME)

    assert told == (Forbidden, "REGISTRATION_CLOSED", None)
    assert store.users == {root.id: root}
    town.people.registration.invite(town.sign_in(root), GUEST, Role.USER)
    assert accept(town, town.link(GUEST)).user.email == GUEST


def test_a_registration_that_waits_is_void_once_accounts_are_opened_on_invitation_only(
    first: Town, store: MemoryStore, clock: StoppedClock
) -> None:
    first.people.registration.register(NEW, AT_HOME)
    link = first.link("John@Example.com")

    told = refusal(accept, Town(store, clock, REGISTRATION_MODE="INVITE_ONLY"), link)

    assert told == (BadRequest, "TOKEN_NOT_VALID", "token")
    assert store.users == {}
    assert accept(first, link).user.email == "John@Example.com"
