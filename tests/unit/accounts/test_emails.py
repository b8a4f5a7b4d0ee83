"""Mailboxes shown to be somebody's, and emails changed: by who is signed in, and told to nobody else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.consumers.model import User
from gatehouse.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    RateLimitExceeded,
    ServiceUnavailable,
    TwoFactorRequired,
    Unauthenticated,
)
from gatehouse.mail.model import MailKind
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.factors import app_code
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, WRONG_PASSWORD, Town, a_program, kept_for, refusal

NEW = "new@example.com"
NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")
WRONG = (BadRequest, "WRONG_PASSWORD", "currentPassword")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def john(town: Town) -> User:
    """Whose email was never verified."""
    return town.add(email_verified_at=None)


@pytest.fixture
def caller(town: Town, john: User) -> Caller:
    return town.sign_in(john)


def asks(town: Town, caller: Caller, new: str = NEW, password: str = PASSWORD) -> None:
    town.people.emails.ask_for_change(caller, AT_HOME, new, password)


def test_the_owner_of_a_mailbox_verifies_it(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    town.clock.advance(hours=24, milliseconds=-1)

    verified = town.people.emails.verify(caller, town.link(john.email))

    now = town.clock.now()
    assert verified == replace(john, email_verified_at=now, updated_at=now, revision=1) == town.store.users[john.id]
    assert town.mailed(john.email) == [MailKind.VERIFY_EMAIL]
    assert town.is_in_force(caller)


def test_a_link_works_once_and_for_a_day(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    town.clock.advance(hours=24)
    assert refusal(town.people.emails.verify, caller, town.link(john.email)) == NO_LINK

    town.people.emails.ask_for_verification(caller)
    token = town.link(john.email)
    town.people.emails.verify(caller, token)
    assert refusal(town.people.emails.verify, caller, token) == NO_LINK


def test_a_click_of_somebody_else_blesses_nobodys_account(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    token = town.link(john.email)
    victim = town.add("victim", email_verified_at=None)

    assert refusal(town.people.emails.verify, town.sign_in(victim), token) == NO_LINK
    assert refusal(town.people.emails.verify, ANONYMOUS, token)[0] is Unauthenticated
    assert town.store.users == {john.id: john, victim.id: victim}
    assert town.people.emails.verify(caller, token).email_verified_at == START


def test_a_link_does_not_pass_to_who_has_the_mailbox_later(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    token = town.link(john.email)
    del town.store.users[john.id]
    later = town.add("later", email=john.email, email_verified_at=None)

    assert refusal(town.people.emails.verify, town.sign_in(later), token) == NO_LINK
    assert town.store.users == {later.id: later}


def test_what_is_verified_is_not_verified_again(town: Town) -> None:
    caller = town.sign_in(town.add())

    assert refusal(town.people.emails.ask_for_verification, caller)[0] is Conflict
    assert town.store.mailroom.waiting == {}


def test_three_links_are_mailed_within_an_hour(town: Town, john: User, caller: Caller) -> None:
    for _ in range(3):
        town.people.emails.ask_for_verification(caller)

    assert refusal(town.people.emails.ask_for_verification, caller)[0] is RateLimitExceeded
    assert (len(kept_for(town.store, Purpose.VERIFY_EMAIL)), len(town.mailed(john.email))) == (3, 3)
    town.clock.advance(hours=1)
    town.people.emails.ask_for_verification(caller)


def test_a_link_to_a_mailbox_that_is_not_theirs_any_more_is_void(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    old = town.link(john.email)
    asks(town, caller)
    town.people.emails.verify(caller, town.link(NEW))

    assert refusal(town.people.emails.verify, caller, old) == NO_LINK


def test_a_changed_password_leaves_a_verification_good(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    signed = town.people.passwords.change(caller, AT_HOME, PASSWORD, NEW_PASSWORD)

    assert town.people.emails.verify(town.caller(signed), town.link(john.email)).email_verified_at == START


def test_until_the_new_email_is_confirmed_the_old_one_stays(town: Town, john: User, caller: Caller) -> None:
    asks(town, caller)

    assert town.store.users[john.id] == john
    assert town.login(john).user == john
    assert (town.mailed(NEW), town.mailed(john.email)) == ([MailKind.CONFIRM_NEW_EMAIL], [MailKind.EMAIL_CHANGE_ASKED])


def test_a_confirmed_email_is_the_verified_one_and_the_old_one_is_told(town: Town, john: User, caller: Caller) -> None:
    asks(town, caller)
    town.clock.advance(hours=24, milliseconds=-1)

    changed = town.people.emails.verify(caller, town.link(NEW))

    now = town.clock.now()
    assert changed == replace(john, email=NEW, email_verified_at=now, updated_at=now, revision=1)
    assert town.store.users == {john.id: changed}
    assert town.mailed(john.email) == [MailKind.EMAIL_CHANGE_ASKED, MailKind.EMAIL_CHANGED]
    assert town.mailed(NEW) == [MailKind.CONFIRM_NEW_EMAIL]
    assert town.is_in_force(caller)
    assert town.login(changed).user == changed
    assert refusal(town.login, john)[1] == "WRONG_CREDENTIALS"


def test_another_spelling_of_the_same_email_is_a_change_without_a_second_notice(town: Town, caller: Caller) -> None:
    asks(town, caller, "JOHN@example.com")

    assert town.people.emails.verify(caller, town.link("JOHN@example.com")).email == "JOHN@example.com"
    assert town.mailed("john@example.com") == [MailKind.EMAIL_CHANGE_ASKED]


def test_whether_somebody_has_the_new_email_is_told_to_its_owner_alone(town: Town, john: User, caller: Caller) -> None:
    jane = town.add("jane")
    done = []
    for email in (jane.email, "free@example.com"):
        town.store.calls.clear()
        asks(town, caller, email)
        done.append((town.store.calls[:], town.mailed(email)))
    assert done == [(["find_account_of", "ask"], [MailKind.CONFIRM_NEW_EMAIL])] * 2

    token = town.link(jane.email)
    assert refusal(town.people.emails.verify, caller, token) == (Conflict, None, "email")
    assert town.store.users == {john.id: john, jane.id: jane}
    del town.store.users[jane.id]
    assert town.people.emails.verify(caller, token).email == jane.email


def test_whoever_asks_for_changes_without_end_mails_the_old_address_ten_notices_an_hour(
    town: Town, john: User, caller: Caller
) -> None:
    for number in range(30):
        asks(town, caller, f"new{number}@example.com")

    assert town.mailed(john.email) == [MailKind.EMAIL_CHANGE_ASKED] * 10
    assert town.mailed("new29@example.com") == [MailKind.CONFIRM_NEW_EMAIL]
    town.clock.advance(hours=1)
    asks(town, caller)
    assert town.mailed(john.email) == [MailKind.EMAIL_CHANGE_ASKED] * 11


def test_tags_make_no_more_mailboxes_of_one(town: Town, caller: Caller) -> None:
    for number in range(9):
        asks(town, caller, f"victim+{number}@example.com")

    assert [len(town.mailed(f"victim+{number}@example.com")) for number in range(9)] == [1] * 3 + [0] * 6


def test_a_change_is_confirmed_by_its_owner_alone(town: Town, john: User, caller: Caller) -> None:
    asks(town, caller)
    jane = town.sign_in(town.add("jane"))

    assert refusal(town.people.emails.verify, jane, town.link(NEW)) == NO_LINK
    assert town.store.users[john.id] == john


def _password_changed(town: Town, caller: Caller) -> Caller:
    return town.caller(town.people.passwords.change(caller, AT_HOME, PASSWORD, NEW_PASSWORD))


def _all_sessions_revoked(town: Town, caller: Caller) -> Caller:
    town.people.sessions.revoke_all(caller, include_credentials=False)
    return town.sign_in(town.store.users[caller.consumer_id or ""])


def _password_reset(town: Town, caller: Caller) -> Caller:
    user = town.store.users[caller.consumer_id or ""]
    town.people.passwords.ask_for_reset(user.email, AT_HOME)
    town.people.passwords.reset(town.link(user.email), NEW_PASSWORD, AT_HOME)
    return town.caller(town.login(user, NEW_PASSWORD))


def _another_change_confirmed(town: Town, caller: Caller) -> Caller:
    asks(town, caller, "third@example.com")
    town.people.emails.verify(caller, town.link("third@example.com"))
    return caller


def _a_day_later(town: Town, caller: Caller) -> Caller:
    town.clock.advance(days=1)
    return caller


@pytest.mark.parametrize(
    "happens",
    [_password_changed, _all_sessions_revoked, _password_reset, _another_change_confirmed, _a_day_later],
)
def test_a_change_that_waits_is_void_once_the_account_is_another(
    town: Town, john: User, caller: Caller, happens: Callable[[Town, Caller], Caller]
) -> None:
    asks(town, caller)
    token = town.link(NEW)

    then = happens(town, caller)

    assert refusal(town.people.emails.verify, then, token) == NO_LINK
    assert town.store.users[john.id].email != NEW


def test_a_change_takes_the_current_password_and_a_wrong_one_counts(town: Town, john: User, caller: Caller) -> None:
    for number in (1, 2, 3, 4):
        assert refusal(asks, town, caller, password=WRONG_PASSWORD) == WRONG
        assert town.failures(john) == number
    assert town.store.mailroom.waiting == {}

    asks(town, caller)
    assert town.failures(john) == 0


def test_after_five_wrong_passwords_a_right_one_is_refused_from_there(town: Town, john: User, caller: Caller) -> None:
    for _ in range(5):
        refusal(asks, town, caller, password=WRONG_PASSWORD)

    assert refusal(asks, town, caller)[0] is RateLimitExceeded
    assert town.store.mailroom.waiting == {}
    town.people.emails.ask_for_change(caller, ELSEWHERE, NEW, PASSWORD)


def test_with_two_factors_a_change_takes_a_code_of_the_last_15_minutes(town: Town, john: User, caller: Caller) -> None:
    secret = town.turn_on_two_factors(caller)
    town.clock.advance(minutes=15)
    asks(town, caller)
    town.clock.advance(milliseconds=1)

    for password in (PASSWORD, WRONG_PASSWORD):
        told = refusal(asks, town, caller, "third@example.com", password)
        assert told == (TwoFactorRequired, "CODE_NEEDED", None)
    assert (town.failures(john), town.mailed("third@example.com")) == (0, [])

    town.people.two_factor.confirm(caller, HOME, app_code(secret, town.clock.now()))
    asks(town, caller, "third@example.com")
    assert town.mailed("third@example.com") == [MailKind.CONFIRM_NEW_EMAIL]


@pytest.mark.parametrize(
    "act",
    [
        lambda town, caller: town.people.emails.ask_for_verification(caller),
        lambda town, caller: town.people.emails.verify(caller, "x"),
        lambda town, caller: asks(town, caller),
    ],
    ids=["ask for verification", "verify", "ask for a change"],
)
def test_all_of_it_takes_a_person(town: Town, john: User, act: Callable[[Town, Caller], object]) -> None:
    assert refusal(act, town, a_program(john)) == (Forbidden, "SCOPE", None)
    assert refusal(act, town, ANONYMOUS)[0] is Unauthenticated
    assert (town.store.mailroom.waiting, town.failures(john)) == ({}, 0)


@pytest.mark.parametrize("email", ["", "john", "john@example", "new@example.com\n", "x" * 300])
def test_what_is_no_email_is_told_by_the_name_it_came_with(town: Town, caller: Caller, email: str) -> None:
    assert refusal(asks, town, caller, email) == (BadRequest, None, "newEmail")
    assert town.store.mailroom.waiting == {}


def test_the_present_email_is_no_new_one(town: Town, john: User, caller: Caller) -> None:
    assert refusal(asks, town, caller, john.email) == (BadRequest, None, "newEmail")
    assert (town.store.mailroom.waiting, town.failures(john)) == ({}, 0)


def test_a_full_mailbox_answers_alike_and_a_full_old_one_is_told_all_the_same(
    town: Town, john: User, caller: Caller
) -> None:
    town.fill(NEW)
    asks(town, caller)
    assert kept_for(town.store, Purpose.CHANGE_EMAIL) == []

    town.fill(john.email)
    asks(town, caller, "third@example.com")
    assert town.mailed(john.email)[3:] == [MailKind.EMAIL_CHANGE_ASKED]


def test_a_confirmation_that_met_a_change_is_looked_at_again_and_not_for_ever(
    town: Town, john: User, caller: Caller
) -> None:
    asks(town, caller)
    town.store.stale = 1_000
    assert refusal(town.people.emails.verify, caller, town.link(NEW))[0] is ServiceUnavailable
    assert town.store.users[john.id] == john

    town.store.stale = 4
    assert town.people.emails.verify(caller, town.link(NEW)).email == NEW
    assert town.mailed(john.email) == [MailKind.EMAIL_CHANGE_ASKED, MailKind.EMAIL_CHANGED]


@pytest.mark.parametrize("purpose", [Purpose.RESET, Purpose.INVITATION, Purpose.BEGIN])
def test_a_link_for_something_else_verifies_nothing(town: Town, john: User, caller: Caller, purpose: Purpose) -> None:
    token, kept = issue(purpose, john.id, START, payload={"state": john.email, "email": NEW})
    town.store.ask(kept, [])

    texts = [token.text(), *(token.text().replace(purpose, other) for other in ("verify", "change")), "", "x"]
    for text in texts:
        assert refusal(town.people.emails.verify, caller, text) == NO_LINK
    assert town.store.users[john.id] == john


def test_who_is_gone_meanwhile_verifies_nothing(town: Town, john: User, caller: Caller) -> None:
    town.people.emails.ask_for_verification(caller)
    token = town.link(john.email)
    del town.store.users[john.id]

    assert refusal(town.people.emails.verify, caller, token) == NO_LINK
    assert refusal(town.people.emails.ask_for_verification, caller)[0] is Unauthenticated
    assert refusal(asks, town, caller)[0] is Unauthenticated


def test_a_change_of_mind_within_the_day_counts_the_last_link_that_is_used(town: Town, john: User) -> None:
    caller = town.sign_in(john)
    for email in ("first@example.com", "second@example.com"):
        asks(town, caller, email)
        town.clock.advance(minutes=1)

    assert town.people.emails.verify(caller, town.link("first@example.com")).email == "first@example.com"
    assert refusal(town.people.emails.verify, caller, town.link("second@example.com")) == NO_LINK
    assert town.store.users[john.id].updated_at == START + timedelta(minutes=2) == town.clock.now()
    assert town.store.users[john.id] != a_user("john")
