"""Asking for a link to reset a password: alike for every address, and mailed to who may use it."""

import pytest

from gatehouse.accounts.one_use import Purpose
from gatehouse.consumers.model import DeactivatedBy, Kind, User
from gatehouse.errors import BadRequest
from gatehouse.mail.model import MailKind
from gatehouse.mail.sealing import Seal
from tests.unit.fakes import AT_HOME, PASSWORD, RING, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, Town, count_hashes, kept_for, refusal

NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


WHO = {
    "active": (a_user("john"), True),
    "in another case": (a_user("john", email="JOHN@Example.com"), True),
    "unknown": (None, False),
    "switched off by an ADMIN": (a_user("john", is_active=False, deactivated_by=DeactivatedBy.ADMIN), False),
    "switched off by a MODERATOR": (a_user("john", is_active=False, deactivated_by=DeactivatedBy.MODERATOR), False),
    "switched off by the owner": (a_user("john", is_active=False, deactivated_by=DeactivatedBy.OWNER), True),
    "switched off by the sweep": (a_user("john", is_active=False, deactivated_by=DeactivatedBy.SWEEP), True),
    "a service without a password": (a_user("john", kind=Kind.SERVICE), False),
    "an application without a password": (a_user("john", kind=Kind.APPLICATION), False),
}


@pytest.mark.parametrize(("user", "is_mailed"), WHO.values(), ids=WHO.keys())
def test_whoever_asks_is_told_the_same_and_the_same_is_done(
    town: Town, monkeypatch: pytest.MonkeyPatch, user: User | None, is_mailed: bool
) -> None:
    if user is not None:
        town.store.add(user, None) if user.kind is not Kind.USER else town.store.add(user)
    paid = count_hashes(monkeypatch)

    town.people.passwords.ask_for_reset("john@example.com", AT_HOME)

    assert (town.store.calls, paid) == (["find_account", "ask"], [])
    assert len(kept_for(town.store, Purpose.RESET)) == 1
    (mail,) = town.store.mailroom.waiting.values()
    assert (mail.kind, mail.is_for_nobody) == (MailKind.PASSWORD_RESET, not is_mailed)
    assert mail.to.lower() == "john@example.com"


def test_a_mail_goes_to_the_address_that_is_kept_and_not_to_what_was_typed(town: Town) -> None:
    town.store.add(a_user("john", email="John@Example.com"))

    town.people.passwords.ask_for_reset("JOHN@EXAMPLE.COM", AT_HOME)

    assert town.mailed("John@Example.com") == [MailKind.PASSWORD_RESET]


def test_the_fourth_within_an_hour_is_answered_alike_and_not_mailed(town: Town, john: User) -> None:
    for email in (john.email, "nobody@example.com"):
        for _ in range(5):
            town.people.passwords.ask_for_reset(email, AT_HOME)

    assert town.mailed(john.email) == [MailKind.PASSWORD_RESET] * 3
    assert len(kept_for(town.store, Purpose.RESET)) == 6


def test_a_stranger_who_fills_the_mailbox_keeps_nobody_from_a_link(town: Town, john: User) -> None:
    stranger = town.sign_in(town.add("jane"))
    for _ in range(4):
        town.people.emails.ask_for_change(stranger, ELSEWHERE, john.email, PASSWORD)
    assert town.mailed(john.email) == [MailKind.CONFIRM_NEW_EMAIL] * 3

    for _ in range(2):
        town.people.passwords.ask_for_reset(john.email, AT_HOME)
    assert town.mailed(john.email) == [MailKind.CONFIRM_NEW_EMAIL] * 3 + [MailKind.PASSWORD_RESET]
    town.people.passwords.reset(town.link(john.email), NEW_PASSWORD, AT_HOME)
    assert town.login(john, NEW_PASSWORD).user.id == john.id


def test_a_token_that_was_made_for_nobody_resets_nothing(town: Town) -> None:
    robot = town.add("robot", kind=Kind.SERVICE)
    town.store.hashes[robot.id] = None
    town.people.passwords.ask_for_reset(robot.email, AT_HOME)
    (mail,) = town.store.mailroom.waiting.values()
    token = Seal(RING).open(mail.sealed_token or "", mail.id).text()

    assert refusal(town.people.passwords.reset, token, NEW_PASSWORD, AT_HOME) == NO_LINK
    assert (town.store.users, town.store.hashes) == ({robot.id: robot}, {robot.id: None})


def test_what_cannot_be_an_address_is_told(town: Town) -> None:
    assert refusal(town.people.passwords.ask_for_reset, "john", AT_HOME) == (BadRequest, None, "email")
    assert town.store.calls == []
