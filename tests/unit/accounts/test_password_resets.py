"""A password set anew by who reads the mailbox: alike whoever asks, and no way past a second factor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.consumers.model import DeactivatedBy, User
from gatehouse.errors import BadRequest, RateLimitExceeded, ServiceUnavailable, TwoFactorRequired
from gatehouse.mail.model import MailKind
from tests.unit.factors import app_code
from tests.unit.fakes import AT_HOME, HASHER, PASSWORD, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, Town, count_hashes, refusal

NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


def asked(town: Town, user: User) -> str:
    """The token of a link to reset the password of the user."""
    town.people.passwords.ask_for_reset(user.email, AT_HOME)
    return town.link(user.email)


def reset(town: Town, token: str, new: str = NEW_PASSWORD) -> None:
    town.people.passwords.reset(token, new, AT_HOME)


def a_begin_token(town: Town, user: User) -> str:
    account = town.store.find_account_of(user.id)
    assert account is not None
    token, kept = issue(Purpose.BEGIN, user.id, town.clock.now(), payload={"state": account.state})
    town.store.ask(kept, [])
    return token.text()


def test_a_reset_ends_all_sessions_tells_the_owner_and_signs_nobody_in(town: Town, john: User) -> None:
    signed, caller = town.login(john), town.sign_in(john)
    town.give(john, 1)
    town.give(john, 2, is_active=False)
    town.clock.advance(minutes=1)
    token = asked(town, john)
    town.clock.advance(minutes=1)

    reset(town, token)

    now = town.clock.now()
    assert town.store.users[john.id] == replace(
        john, email_verified_at=now, password_changed_at=now, updated_at=now, revision=1
    )
    assert not town.refreshes(signed)
    assert not town.is_in_force(caller)
    assert (town.live_sessions(john), town.store.counts[john.id]) == ([], 0)
    mail = town.mails(john.email)[-1]
    assert (mail.kind, mail.listed) == (
        MailKind.PASSWORD_CHANGED,
        ("KEY_AUTH, with a key id that was chosen, made on 1 March 2026 at 12:00 UTC",),
    )
    assert refusal(town.login, john)[1] == "WRONG_CREDENTIALS"
    assert town.login(john, NEW_PASSWORD).user.id == john.id


def test_a_reset_forgets_what_was_counted_and_the_right_password_signs_in(town: Town, john: User) -> None:
    for number in range(20):
        town.fails(john, 5, replace(ELSEWHERE, address=f"203.0.113.{number}"))
    assert (town.failures(john), refusal(town.login, john)[1]) == (100, "WRONG_CREDENTIALS")
    town.clock.advance(days=30)
    assert refusal(town.login, john)[1] == "WRONG_CREDENTIALS"

    reset(town, asked(town, john))

    assert town.failures(john) == 0
    assert town.login(john, NEW_PASSWORD).user.id == john.id


def test_a_link_works_once(town: Town, john: User) -> None:
    token = asked(town, john)
    reset(town, token)

    assert town.store.mailroom.tokens == {}
    assert refusal(reset, town, token, "Third-Pass-789") == NO_LINK
    assert HASHER.matches(NEW_PASSWORD, town.store.hashes[john.id])


def test_a_link_works_for_an_hour(town: Town, john: User) -> None:
    token = asked(town, john)
    town.clock.advance(hours=1)
    assert refusal(reset, town, token) == NO_LINK

    token = asked(town, john)
    town.clock.advance(hours=1, milliseconds=-1)
    reset(town, token)
    assert HASHER.matches(NEW_PASSWORD, town.store.hashes[john.id])


def _email_changed_by_owner(town: Town, john: User) -> None:
    caller = town.sign_in(john)
    town.people.emails.ask_for_change(caller, AT_HOME, "new@example.com", PASSWORD)
    town.people.emails.verify(caller, town.link("new@example.com"))


def _email_changed_by_admin(town: Town, john: User) -> None:
    town.store.users[john.id] = replace(john, email="new@example.com", revision=1)


def _password_changed(town: Town, john: User) -> None:
    town.people.passwords.change(town.sign_in(john), AT_HOME, PASSWORD, "Third-Pass-789")


def _reset_by_another_link(town: Town, john: User) -> None:
    reset(town, asked(town, john), "Third-Pass-789")


def _all_sessions_revoked(town: Town, john: User) -> None:
    town.people.sessions.revoke_all(town.sign_in(john), include_credentials=False)


def _switched_off_by_admin(town: Town, john: User) -> None:
    town.store.users[john.id] = replace(john, is_active=False, deactivated_by=DeactivatedBy.ADMIN)


def _deleted(town: Town, john: User) -> None:
    del town.store.users[john.id]


@pytest.mark.parametrize(
    "happens",
    [
        _email_changed_by_owner,
        _email_changed_by_admin,
        _password_changed,
        _reset_by_another_link,
        _all_sessions_revoked,
        _switched_off_by_admin,
        _deleted,
    ],
)
def test_a_link_is_void_once_the_account_is_another(
    town: Town, john: User, happens: Callable[[Town, User], None]
) -> None:
    token = asked(town, john)
    happens(town, john)
    before = dict(town.store.hashes)

    assert refusal(reset, town, token) == NO_LINK
    assert town.store.hashes == before


@pytest.mark.parametrize("new", ["weak", "john@example.com", "Password1!"])
def test_a_password_that_may_not_be_set_does_not_use_the_link_up(town: Town, john: User, new: str) -> None:
    token = asked(town, john)

    assert refusal(reset, town, token, new) == (BadRequest, None, "newPassword")
    assert town.store.users[john.id] == john
    reset(town, token)


def test_a_link_does_not_tell_whether_a_guess_is_the_present_password(town: Town, john: User) -> None:
    reset(town, asked(town, john), PASSWORD)

    assert town.store.users[john.id].password_changed_at == town.clock.now()


def test_a_password_that_may_not_be_set_removes_nothing_of_an_account_that_was_never_verified(town: Town) -> None:
    user = town.add(email_verified_at=None)
    credential = town.give(user)
    token = asked(town, user)

    refusal(reset, town, token, "weak")

    assert town.store.credentials == {credential.id: credential}


@pytest.mark.parametrize("by", [DeactivatedBy.OWNER, DeactivatedBy.SWEEP])
def test_what_the_owner_or_the_sweep_switched_off_is_on_again(town: Town, by: DeactivatedBy) -> None:
    user = town.add(is_active=False, deactivated_by=by)

    reset(town, asked(town, user))

    assert town.store.users[user.id] == replace(
        user, is_active=True, deactivated_by=None, email_verified_at=START, password_changed_at=START, revision=1
    )
    assert town.store.gates.gates[user.id].standing.is_active
    assert town.login(user, NEW_PASSWORD).user.id == user.id


def test_on_an_account_that_was_never_verified_all_goes_that_a_stranger_may_have_put_there(town: Town) -> None:
    user = town.add(email_verified_at=None)
    stranger = town.sign_in(user)
    town.turn_on_two_factors(stranger)
    for number in range(1, 151):
        town.give(user, number)
    others = town.give(town.add("jane"), 1)
    town.people.emails.ask_for_change(stranger, AT_HOME, "stranger@example.com", PASSWORD)
    pending = town.link("stranger@example.com")

    reset(town, asked(town, user))

    assert town.store.credentials == {others.id: others}
    assert town.store.factors.factors == {}
    assert not town.is_in_force(stranger)
    assert town.mails(user.email)[-1].listed == ()
    owner = town.caller(town.login(user, NEW_PASSWORD))
    assert town.store.users[user.id].email_verified_at == START
    for caller in (stranger, owner):
        assert refusal(town.people.emails.verify, caller, pending) == NO_LINK


def test_a_second_factor_that_was_only_pending_goes_too(town: Town) -> None:
    user = town.add(email_verified_at=None)
    town.people.two_factor.enable(town.sign_in(user))

    reset(town, asked(town, user))

    assert town.store.factors.factors == {}


def test_a_credential_that_a_stranger_makes_meanwhile_does_not_stay(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = town.add(email_verified_at=None)
    token = asked(town, user)
    write: Callable[..., None] = town.store.change_account

    def overtaken(*args: object) -> None:
        monkeypatch.setattr(town.store, "change_account", write)
        town.give(user)
        write(*args)

    monkeypatch.setattr(town.store, "change_account", overtaken)

    reset(town, token)

    assert town.store.credentials == {}
    assert town.store.users[user.id].email_verified_at == START


def test_an_account_that_was_verified_keeps_its_credentials_and_its_second_factor(town: Town, john: User) -> None:
    caller = town.sign_in(john)
    secret = town.turn_on_two_factors(caller)
    credential = town.give(john)

    reset(town, asked(town, john))

    assert town.store.credentials == {credential.id: credential}
    town.clock.advance(minutes=1)
    with pytest.raises(TwoFactorRequired) as code_asked:
        town.login(john, NEW_PASSWORD)
    code = app_code(secret, town.clock.now())
    assert town.people.accounts.complete_login(code_asked.value.challenge or "", code, AT_HOME).user.id == john.id


def test_a_link_to_begin_sets_the_first_password_of_an_account(town: Town) -> None:
    user = town.store.add(a_user("root"), None)
    town.store.users[user.id] = replace(user, email_verified_at=START)

    reset(town, a_begin_token(town, user))

    assert town.login(user, NEW_PASSWORD).user.password_changed_at == START


@pytest.mark.parametrize("purpose", [Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL, Purpose.INVITATION])
def test_a_link_for_something_else_resets_nothing(town: Town, john: User, purpose: Purpose) -> None:
    account = town.store.find_account_of(john.id)
    assert account is not None
    token, kept = issue(purpose, john.id, START, payload={"state": account.state})
    town.store.ask(kept, [])

    for text in (token.text(), token.text().replace(purpose, Purpose.RESET), "", "x", "gatehouse_reset_"):
        assert refusal(reset, town, text) == NO_LINK
    assert town.store.users[john.id] == john


def test_a_made_up_link_costs_no_hash(town: Town, john: User, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = count_hashes(monkeypatch)

    assert refusal(reset, town, issue(Purpose.RESET, john.id, START)[0].text()) == NO_LINK
    assert paid == []


def test_a_reset_that_met_a_change_is_looked_at_again_and_not_for_ever(town: Town, john: User) -> None:
    token = asked(town, john)
    town.store.stale = 1_000
    assert refusal(reset, town, token)[0] is ServiceUnavailable
    assert town.store.users[john.id] == john

    town.store.stale = 4
    reset(town, token)
    assert town.mailed(john.email) == [MailKind.PASSWORD_RESET, MailKind.PASSWORD_CHANGED]


def test_a_reset_changes_nobody_else(town: Town, john: User) -> None:
    jane = town.add("jane")
    caller = town.sign_in(jane)
    town.fails(jane, 2)

    reset(town, asked(town, john))

    assert town.is_in_force(caller)
    assert (town.store.users[jane.id], town.failures(jane)) == (jane, 2)


def test_who_is_locked_out_of_a_change_may_still_reset(town: Town, john: User) -> None:
    caller = town.sign_in(john)
    for _ in range(5):
        refusal(town.people.passwords.change, caller, AT_HOME, "wrong", NEW_PASSWORD)
    token = asked(town, john)
    with pytest.raises(RateLimitExceeded):
        town.people.passwords.change(caller, AT_HOME, PASSWORD, NEW_PASSWORD)
    town.clock.advance(minutes=5)

    reset(town, token)

    assert town.login(john, NEW_PASSWORD).user.password_changed_at == START + timedelta(minutes=5)
