"""A password changed by who knows it: all other sessions end, the owner is told, and guesses are counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.model import SignIn
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
from tests.unit.fakes import AT_HOME, HASHER, PASSWORD, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, WRONG_PASSWORD, Town, a_program, refusal

WRONG = (BadRequest, "WRONG_PASSWORD", "currentPassword")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


@pytest.fixture
def caller(town: Town, john: User) -> Caller:
    return town.sign_in(john)


def change(town: Town, caller: Caller, current: str = PASSWORD, new: str = NEW_PASSWORD) -> SignIn:
    return town.people.passwords.change(caller, AT_HOME, current, new)


def test_a_changed_password_ends_all_sessions_but_the_one_it_answers_with(
    town: Town, john: User, caller: Caller
) -> None:
    other = town.login(john)
    town.clock.advance(minutes=1)

    signed = town.people.passwords.change(caller, ELSEWHERE, PASSWORD, NEW_PASSWORD)

    now = town.clock.now()
    assert signed.user == replace(john, password_changed_at=now, updated_at=now, revision=1)
    assert signed.user == town.store.users[john.id]
    assert not town.is_in_force(caller)
    assert not town.refreshes(other)
    assert town.is_in_force(town.caller(signed))
    assert town.refreshes(signed)
    (session,) = town.live_sessions(john)
    assert (session.origin, session.generation) == (ELSEWHERE, 1)
    assert town.store.counts[john.id] == 1


def test_from_then_on_the_new_password_signs_in_and_the_old_one_does_not(
    town: Town, john: User, caller: Caller
) -> None:
    change(town, caller)

    assert refusal(town.login, john)[1] == "WRONG_CREDENTIALS"
    assert town.login(john, NEW_PASSWORD).user.id == john.id
    assert NEW_PASSWORD not in repr(town.store)


def test_a_wrong_current_password_changes_nothing_and_counts(town: Town, john: User, caller: Caller) -> None:
    for number in (1, 2, 3, 4):
        assert refusal(change, town, caller, WRONG_PASSWORD) == WRONG
        assert town.failures(john) == number

    assert (town.store.users[john.id], town.mailed(john.email)) == (john, [])
    change(town, caller)
    assert town.failures(john) == 0


def test_after_five_wrong_ones_a_right_one_is_refused_from_there(town: Town, john: User, caller: Caller) -> None:
    for _ in range(5):
        refusal(change, town, caller, WRONG_PASSWORD)

    assert refusal(change, town, caller)[0] is RateLimitExceeded
    assert refusal(town.login, john)[1] == "WRONG_CREDENTIALS"
    assert town.store.users[john.id] == john
    town.people.passwords.change(caller, ELSEWHERE, PASSWORD, NEW_PASSWORD)


def test_wrong_current_passwords_and_wrong_sign_ins_are_counted_together(
    town: Town, john: User, caller: Caller
) -> None:
    town.fails(john, 3)
    for _ in range(2):
        assert refusal(change, town, caller, WRONG_PASSWORD) == WRONG

    assert refusal(change, town, caller)[0] is RateLimitExceeded


def test_all_broken_rules_are_told_at_once_and_only_to_who_knows_the_password(town: Town, caller: Caller) -> None:
    with pytest.raises(BadRequest) as refused:
        change(town, caller, new="qzv")

    assert (refused.value.message, refused.value.field) == (
        "newPassword must have at least 8 characters; have an upper-case letter; have a digit; have a symbol.",
        "newPassword",
    )
    assert refusal(change, town, caller, WRONG_PASSWORD, "qzv") == WRONG


@pytest.mark.parametrize("new", ["abc", "", "x" * 73, "john@example.com", "Password1!", "\ud800Another-Pass-456"])
def test_a_password_that_may_not_be_set_is_no_failure_and_changes_nothing(
    town: Town, john: User, caller: Caller, new: str
) -> None:
    for _ in range(6):
        assert refusal(change, town, caller, new=new) == (BadRequest, None, "newPassword")

    assert (town.failures(john), town.store.users[john.id]) == (0, john)
    assert town.is_in_force(caller)


def test_the_present_password_is_no_new_one(town: Town, john: User, caller: Caller) -> None:
    assert refusal(change, town, caller, new=PASSWORD) == (BadRequest, None, "newPassword")
    assert (town.store.users[john.id], town.failures(john)) == (john, 0)


CHOSEN = "KEY_AUTH, with a key id that was chosen, made on 1 March 2026 at 12:00 UTC"


def test_the_owner_is_told_and_of_the_credentials_that_still_sign_in(town: Town, john: User, caller: Caller) -> None:
    town.give(john, 1)
    town.give(john, 2, is_active=False)
    town.give(john, 3, expires_at=START)
    town.give(john, 4, expires_at=START + timedelta(milliseconds=1))
    town.give(town.add("jane"), 5)

    change(town, caller)

    (mail,) = town.mails(john.email)
    assert (mail.kind, mail.listed) == (MailKind.PASSWORD_CHANGED, (CHOSEN, CHOSEN))
    assert len(town.store.credentials) == 5


def test_a_full_mailbox_is_told_all_the_same(town: Town, john: User, caller: Caller) -> None:
    town.fill(john.email)

    change(town, caller)

    assert town.mailed(john.email)[3:] == [MailKind.PASSWORD_CHANGED]


def test_a_change_that_met_another_one_is_looked_at_again(town: Town, john: User, caller: Caller) -> None:
    town.store.stale = 4

    assert change(town, caller).user.revision == 1
    assert town.store.calls.count("change_account") == 5
    assert (town.failures(john), town.mailed(john.email)) == (0, [MailKind.PASSWORD_CHANGED])


def test_a_change_that_meets_others_without_end_gives_up_and_is_no_failure(
    town: Town, john: User, caller: Caller
) -> None:
    town.store.stale = 1_000

    assert refusal(change, town, caller)[0] is ServiceUnavailable
    assert (town.store.users[john.id], town.failures(john), town.mailed(john.email)) == (john, 0, [])


def test_of_two_changes_at_once_one_is_told_that_the_password_is_another_by_now(
    town: Town, john: User, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = town.sign_in(john)
    write: Callable[..., None] = town.store.change_account

    def overtaken(*args: object) -> None:
        monkeypatch.setattr(town.store, "change_account", write)
        town.people.passwords.change(other, ELSEWHERE, PASSWORD, "Faster-Pass-789")
        write(*args)

    monkeypatch.setattr(town.store, "change_account", overtaken)

    assert refusal(change, town, caller)[0] is Conflict
    assert town.failures(john) == 0
    assert HASHER.matches("Faster-Pass-789", town.store.hashes[john.id])
    assert town.mailed(john.email) == [MailKind.PASSWORD_CHANGED]


def test_it_takes_a_person(town: Town, john: User, caller: Caller) -> None:
    assert refusal(change, town, a_program(john)) == (Forbidden, "SCOPE", None)
    assert refusal(change, town, ANONYMOUS)[0] is Unauthenticated
    assert town.failures(john) == 0
    assert town.is_in_force(caller)


@pytest.mark.parametrize(
    "ends",
    [
        lambda store, john: store.users.pop(john.id),
        lambda store, john: store.users.update({john.id: replace(john, is_active=False)}),
    ],
    ids=["deleted", "switched off"],
)
def test_an_account_that_ended_meanwhile_is_not_changed(
    town: Town, john: User, caller: Caller, ends: Callable[[MemoryStore, User], None]
) -> None:
    ends(town.store, john)

    assert refusal(change, town, caller)[0] is Unauthenticated
    assert town.failures(john) == 0


def test_an_account_without_a_password_has_none_to_change(town: Town) -> None:
    robot = town.add("robot")
    caller = town.sign_in(robot)
    town.store.hashes[robot.id] = None

    assert refusal(change, town, caller) == WRONG


def test_second_factor_and_what_is_counted_of_others_stay(town: Town, john: User, caller: Caller) -> None:
    secret = town.turn_on_two_factors(caller)
    jane = town.add("jane")
    town.fails(jane, 2)

    change(town, caller)

    assert town.store.factors.factor(john.id).secret == secret
    assert town.failures(jane) == 2
    town.clock.advance(minutes=1)
    with pytest.raises(TwoFactorRequired) as asked:
        town.login(john, NEW_PASSWORD)
    code = app_code(secret, town.clock.now())
    assert town.people.accounts.complete_login(asked.value.challenge or "", code, AT_HOME).user.id == john.id


def test_an_open_challenge_ends_with_the_password_it_was_given_for(town: Town, john: User, caller: Caller) -> None:
    secret = town.turn_on_two_factors(caller)
    with pytest.raises(TwoFactorRequired) as asked:
        town.login(john)
    town.clock.advance(minutes=1)
    change(town, caller)

    code = app_code(secret, town.clock.now())
    told = refusal(town.people.accounts.complete_login, asked.value.challenge or "", code, AT_HOME)
    assert told[1] == "CHALLENGE_EXPIRED"


def test_failures_from_elsewhere_are_not_forgiven_by_a_change_at_home(town: Town, john: User, caller: Caller) -> None:
    town.fails(john, 2, ELSEWHERE)
    town.fails(john, 2)

    change(town, caller)

    assert town.failures(john) == 2
    assert town.store.users[john.id] != a_user("john")
