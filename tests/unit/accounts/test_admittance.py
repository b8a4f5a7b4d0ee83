"""Who may open an account: the mode, the domains of emails, and mailboxes that are verified first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.admittance import Admittance, Mode
from gatehouse.accounts.one_use import Purpose
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Forbidden, TwoFactorRequired, Unauthenticated
from gatehouse.mail.model import MailKind
from gatehouse.settings import InvalidSetting
from tests.unit.factors import app_code
from tests.unit.fakes import (
    AT_HOME,
    HOME,
    PASSWORD,
    START,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_house,
    the_settings,
)
from tests.unit.people import WRONG_PASSWORD, Town, kept_for, refusal

NEW: NewUser = {"username": "john", "email": "john@example.com", "password": PASSWORD}
NOT_VERIFIED = (Forbidden, "EMAIL_NOT_VERIFIED", None)
WRONG = (Unauthenticated, "WRONG_CREDENTIALS", None)
NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "verificationToken")


@pytest.fixture
def strict(store: MemoryStore, clock: StoppedClock) -> Town:
    """Where an email is verified before anybody signs in."""
    return Town(store, clock, REQUIRE_VERIFIED_EMAIL="true", GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def unverified(strict: Town) -> User:
    return strict.store.add(a_user("john"))


@pytest.mark.parametrize(
    ("email", "may"),
    [
        ("john@example.com", True),
        ("JOHN@EXAMPLE.COM", True),
        ("john@other.example", True),
        ("john@mail.example.com", False),
        ("john@badexample.com", False),
        ("john@example.com.evil.example", False),
        ("example.com@evil.example", False),
    ],
)
def test_an_email_of_these_very_domains_may_be_used(email: str, may: bool) -> None:
    admittance = Admittance(Mode.OPEN, frozenset({"example.com", "other.example"}))

    if may:
        admittance.check_domain(email, "email")
    else:
        assert refusal(admittance.check_domain, email, "newEmail") == (BadRequest, "EMAIL_DOMAIN", "newEmail")


def test_where_no_domains_are_listed_all_may_be_used() -> None:
    Admittance(Mode.OPEN, frozenset()).check_domain("john@anywhere.example", "email")


def test_domains_of_the_setting_are_taken_in_any_case_and_what_is_none_is_refused_at_start() -> None:
    assert the_settings(ALLOWED_EMAIL_DOMAINS="Example.COM, other.example").allowed_email_domains == {
        "example.com",
        "other.example",
    }
    with pytest.raises(InvalidSetting):
        the_settings(ALLOWED_EMAIL_DOMAINS="@example.com")


@pytest.mark.parametrize("mode", ["OPEN", "VERIFY_FIRST"])
def test_nobody_registers_with_an_email_of_another_domain(store: MemoryStore, clock: StoppedClock, mode: str) -> None:
    town = Town(store, clock, REGISTRATION_MODE=mode, ALLOWED_EMAIL_DOMAINS="Other.Example")

    told = refusal(town.people.registration.register, NEW, AT_HOME)

    assert told == (BadRequest, "EMAIL_DOMAIN", "email")
    assert store == MemoryStore()
    town.people.registration.register({**NEW, "email": "john@OTHER.example"}, AT_HOME)


def test_an_email_is_not_changed_to_one_of_another_domain(store: MemoryStore, clock: StoppedClock) -> None:
    town = Town(store, clock, ALLOWED_EMAIL_DOMAINS="example.com")
    caller = town.sign_in(town.add())

    for email in ("john@evil.example", "john@mail.example.com"):
        told = refusal(town.people.emails.ask_for_change, caller, AT_HOME, email, PASSWORD)
        assert told == (BadRequest, "EMAIL_DOMAIN", "newEmail")
    assert store.mailroom.waiting == {}
    town.people.emails.ask_for_change(caller, AT_HOME, "new@EXAMPLE.com", PASSWORD)


def test_an_admin_invites_and_makes_users_of_any_domain(store: MemoryStore, clock: StoppedClock) -> None:
    settings = the_settings(ALLOWED_EMAIL_DOMAINS="example.com")
    house = the_house(store, clock, settings)
    town = Town(store, clock, ALLOWED_EMAIL_DOMAINS="example.com")
    admin = signed_in(store.add(a_user("root", role=Role.ADMIN)))

    house.people.registration.invite(admin, "guest@partner.example", Role.USER)
    accepted = town.people.registration.accept(
        {"token": town.link("guest@partner.example"), "username": "guest", "password": PASSWORD}, AT_HOME
    )
    made = house.consumers.create(admin, {"username": "other", "email": "other@partner.example", "password": PASSWORD})

    assert (accepted.user.email, made.email) == ("guest@partner.example", "other@partner.example")


def test_where_emails_are_verified_first_who_registers_has_an_account_and_no_session(strict: Town) -> None:
    assert strict.people.registration.register(NEW, AT_HOME) is None

    (user,) = strict.store.users.values()
    assert (user.email_verified_at, strict.store.sessions) == (None, {})
    assert strict.mailed(user.email) == [MailKind.VERIFY_EMAIL]
    assert strict.login(user, token=strict.link(user.email)).user.email_verified_at == START


def test_a_right_password_is_told_to_verify_the_email_and_mailed_a_link_that_does(
    strict: Town, unverified: User
) -> None:
    assert refusal(strict.login, unverified) == NOT_VERIFIED
    assert strict.store.sessions == {}
    strict.clock.advance(minutes=1)

    signed = strict.login(unverified, token=strict.link(unverified.email))

    assert signed.user == strict.store.users[unverified.id]
    assert signed.user.email_verified_at == START + timedelta(minutes=1)
    assert strict.is_in_force(strict.caller(signed))
    assert strict.login(signed.user).user == signed.user


def test_a_wrong_password_is_told_nothing_of_it(strict: Town, unverified: User) -> None:
    refusal(strict.login, unverified)
    link = strict.link(unverified.email)
    strict.store.mailroom.waiting.clear()

    for token in (None, link, "gatehouse_verify_made-up"):
        assert refusal(strict.login, unverified, WRONG_PASSWORD, token=token) == WRONG
    assert refusal(strict.login, a_user("nobody"), token=link) == WRONG
    assert strict.store.mailroom.waiting == {}
    assert strict.store.users[unverified.id] == unverified


def test_a_right_password_that_waits_for_a_link_is_no_failure(strict: Town, unverified: User) -> None:
    for _ in range(10):
        assert refusal(strict.login, unverified) == NOT_VERIFIED
        assert refusal(strict.login, unverified, token="made-up") == NO_LINK

    assert {ledger.failed for ledger in strict.store.lockouts.ledgers.values()} == {0}
    assert {ledger.flying for ledger in strict.store.lockouts.ledgers.values()} == {0}
    assert strict.login(unverified, token=strict.link(unverified.email)).user.id == unverified.id


def test_a_locked_account_is_told_nothing_of_it_either(strict: Town, unverified: User) -> None:
    strict.fails(unverified, 5)

    assert refusal(strict.login, unverified) == WRONG
    assert strict.mailed(unverified.email) == []


def test_three_links_are_mailed_within_an_hour_and_the_answer_stays_the_same(strict: Town, unverified: User) -> None:
    for _ in range(5):
        assert refusal(strict.login, unverified) == NOT_VERIFIED
        strict.clock.advance(minutes=1)
    assert strict.mailed(unverified.email) == [MailKind.VERIFY_EMAIL] * 3

    strict.clock.advance(minutes=56)
    assert refusal(strict.login, unverified) == NOT_VERIFIED
    assert strict.mailed(unverified.email) == [MailKind.VERIFY_EMAIL] * 4


def test_the_link_of_somebody_else_signs_nobody_in(strict: Town, unverified: User) -> None:
    stranger = strict.store.add(a_user("stranger"))
    refusal(strict.login, stranger)
    link = strict.link(stranger.email)

    assert refusal(strict.login, unverified, token=link) == NO_LINK
    assert (strict.store.users[unverified.id], strict.store.sessions) == (unverified, {})
    assert strict.login(stranger, token=link).user.id == stranger.id


def test_a_link_for_something_else_verifies_nothing(strict: Town, unverified: User) -> None:
    strict.people.passwords.ask_for_reset(unverified.email, AT_HOME)

    assert refusal(strict.login, unverified, token=strict.link(unverified.email)) == NO_LINK
    assert len(kept_for(strict.store, Purpose.RESET)) == 1


def test_a_link_to_confirm_another_email_signs_nobody_in(strict: Town, unverified: User) -> None:
    session, _ = strict.people.accounts.sign_ins.begin(unverified.id, 0, AT_HOME)
    strict.store.sessions[session.id] = session
    caller = replace(signed_in(unverified), session_id=session.id)
    strict.people.emails.ask_for_change(caller, AT_HOME, "new@example.com", PASSWORD)

    assert refusal(strict.login, unverified, token=strict.link("new@example.com")) == NO_LINK
    assert strict.store.users[unverified.id] == unverified


def test_a_link_works_once_and_for_a_day(strict: Town, unverified: User) -> None:
    refusal(strict.login, unverified)
    strict.clock.advance(hours=24)
    assert refusal(strict.login, unverified, token=strict.link(unverified.email)) == NO_LINK

    refusal(strict.login, unverified)
    link = strict.link(unverified.email)
    strict.login(unverified, token=link)
    other = strict.caller(strict.login(unverified, token=link))
    assert refusal(strict.people.emails.verify, other, link) == (BadRequest, "TOKEN_NOT_VALID", "token")


def test_who_verifies_and_meets_a_change_still_comes_in(strict: Town, unverified: User) -> None:
    refusal(strict.login, unverified)
    strict.store.stale = 1

    assert strict.login(unverified, token=strict.link(unverified.email)).user.email_verified_at == START
    assert strict.store.calls.count("change_account") == 2


def test_a_session_that_could_not_be_opened_at_once_needs_no_second_link(
    strict: Town, unverified: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal(strict.login, unverified)
    change: Callable[..., None] = strict.store.change_account

    def then_stale(*args: object) -> None:
        change(*args)
        strict.store.stale = 1

    monkeypatch.setattr(strict.store, "change_account", then_stale)

    assert strict.login(unverified, token=strict.link(unverified.email)).user.email_verified_at == START
    assert strict.store.calls.count("open_session") == 2


def test_a_second_factor_is_asked_for_behind_the_link(store: MemoryStore, clock: StoppedClock) -> None:
    lax, strict = Town(store, clock), Town(store, clock, REQUIRE_VERIFIED_EMAIL="true")
    user = store.add(a_user("john"))
    secret = lax.turn_on_two_factors(lax.sign_in(user))
    clock.advance(minutes=1)

    assert refusal(strict.login, user) == NOT_VERIFIED
    with pytest.raises(TwoFactorRequired) as asked:
        strict.login(user, token=strict.link(user.email))

    signed = strict.people.accounts.complete_login(asked.value.challenge or "", app_code(secret, clock.now()), AT_HOME)
    assert signed.user.email_verified_at == clock.now()


def test_an_unverified_email_is_no_obstacle_where_no_setting_says_so(store: MemoryStore, clock: StoppedClock) -> None:
    town = Town(store, clock)
    user = store.add(a_user("john"))

    assert town.login(user).user == user
    assert town.mailed(user.email) == []


def test_the_address_is_not_blamed_for_right_passwords(strict: Town, unverified: User) -> None:
    for _ in range(3):
        refusal(strict.login, unverified)

    ledgers = strict.store.lockouts.ledgers.items()
    assert [ledger.failed for name, ledger in ledgers if name.startswith(f"address/{HOME}/")] == [0]
