"""The owner of an account is told once that it is locked until its password is reset, and of nothing less."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest

from gatehouse.accounts.lockout import account
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import User
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import Mail, MailKind
from tests.unit.fakes import AT_HOME, PASSWORD, MemoryStore, StoppedClock, a_user
from tests.unit.people import NEW_PASSWORD, WRONG_PASSWORD, Town, refusal

WRONG = "WRONG_CREDENTIALS"


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


def fail(town: Town, user: User, times: int, begin: int = 0) -> None:
    """So many wrong passwords, each from an address of its own."""
    for number in range(begin, begin + times):
        town.fails(user, 1, replace(AT_HOME, address=f"203.0.113.{number}"))


def test_the_hundredth_failure_is_told_and_no_other(town: Town, john: User) -> None:
    fail(town, john, 99)
    assert town.mailed(john.email) == []

    fail(town, john, 1, begin=99)
    assert town.mailed(john.email) == [MailKind.ACCOUNT_LOCKED]

    fail(town, john, 20, begin=100)
    town.clock.advance(days=2)
    fail(town, john, 20)
    assert town.mailed(john.email) == [MailKind.ACCOUNT_LOCKED]


def test_of_failures_at_once_beyond_the_hundredth_one_alone_is_told(town: Town, john: User) -> None:
    fail(town, john, 95)
    lockout, now = town.people.accounts.guard.lockout, town.clock.now()
    with ExitStack() as flying:
        for number in range(10):
            attempt = flying.enter_context(lockout.attempt(account(john.id), f"198.51.100.{number}", now))
            attempt.take(is_right=False)

    assert town.failures(john) == 105
    assert town.mailed(john.email) == [MailKind.ACCOUNT_LOCKED]


def test_it_is_told_however_many_mails_somebody_asked_for(town: Town, john: User) -> None:
    town.fill(john.email)
    fail(town, john, 100)

    assert town.mailed(john.email)[3:] == [MailKind.ACCOUNT_LOCKED]


def test_it_is_told_again_once_it_was_reset_and_locked_anew(town: Town, john: User) -> None:
    fail(town, john, 100)
    town.people.passwords.ask_for_reset(john.email, AT_HOME)
    town.people.passwords.reset(town.link(john.email), NEW_PASSWORD, AT_HOME)
    fail(town, john, 100)

    assert town.mailed(john.email).count(MailKind.ACCOUNT_LOCKED) == 2


def test_wrong_current_passwords_are_counted_and_told_as_well(town: Town, john: User) -> None:
    caller = town.sign_in(john)
    fail(town, john, 99)

    refusal(town.people.passwords.change, caller, AT_HOME, WRONG_PASSWORD, NEW_PASSWORD)

    assert town.mailed(john.email) == [MailKind.ACCOUNT_LOCKED]


def test_an_address_that_is_locked_out_is_told_to_nobody(town: Town, john: User) -> None:
    town.fails(john, 10)

    assert town.store.mailroom.waiting == {}
    assert town.failures(john) == 5


def test_where_there_is_no_account_nobody_is_told(town: Town) -> None:
    fail(town, a_user("nobody"), 110)

    (mail,) = town.store.mailroom.waiting.values()
    assert (mail.kind, "@" in mail.to, mail.is_for_nobody) == (MailKind.ACCOUNT_LOCKED, False, True)
    assert town.store.calls.count("find_account_of") == 1


def test_an_account_that_is_gone_by_then_is_no_obstacle(
    town: Town, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(town, john, 99)
    count: Callable[..., object] = town.store.lockouts.fail

    def then_gone(*args: object) -> object:
        town.store.users.pop(john.id, None)
        return count(*args)

    monkeypatch.setattr(town.store.lockouts, "fail", then_gone)

    assert refusal(town.login, john, WRONG_PASSWORD)[1] == WRONG
    assert town.mailed(john.email) == []


def test_where_the_mail_cannot_be_kept_the_sign_in_is_refused_alike(
    town: Town, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_mail: Mail | None, _event: AuditEvent) -> None:
        raise ServiceUnavailable("The store is busy. Try again.")

    monkeypatch.setattr(town.store, "keep_notice", down)

    fail(town, john, 100)

    assert town.failures(john) == 100
    assert refusal(town.login, john, PASSWORD)[1] == WRONG
    assert town.store.mailroom.waiting == {}
