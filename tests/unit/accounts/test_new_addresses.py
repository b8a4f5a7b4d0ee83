"""A sign-in from an address that was not seen before is told to the owner, once for each."""

from dataclasses import replace

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.consumers.model import User
from gatehouse.mail.model import MailKind
from tests.unit.fakes import AT_HOME, MemoryStore, StoppedClock
from tests.unit.people import ELSEWHERE, WRONG_PASSWORD, Town, refusal

NEW = {"username": "ann", "email": "ann@example.com", "password": "SecurePass123!"}


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def ann(town: Town) -> User:
    signed_up = town.people.registration.register({**NEW}, AT_HOME)
    assert signed_up is not None
    return signed_up.user


def sign_in(town: Town, who: User, origin: Origin) -> None:
    town.people.accounts.login(who.email, NEW["password"], origin)


def told(town: Town, who: User) -> list[dict[str, str]]:
    return [dict(mail.words) for mail in town.mails(who.email) if mail.kind is MailKind.NEW_ADDRESS]


def test_where_somebody_signed_up_is_no_news(town: Town, ann: User) -> None:
    sign_in(town, ann, AT_HOME)
    sign_in(town, ann, replace(AT_HOME, device="Chrome on Android"))

    assert told(town, ann) == []


def test_another_address_is_told_once_with_its_device(town: Town, ann: User) -> None:
    sign_in(town, ann, ELSEWHERE)
    sign_in(town, ann, ELSEWHERE)
    sign_in(town, ann, AT_HOME)

    assert told(town, ann) == [{"address": ELSEWHERE.address, "device": ELSEWHERE.device}]


def test_the_first_address_of_an_account_that_somebody_else_made_is_no_news(town: Town) -> None:
    made = town.add("made")
    town.login(made)
    assert told(town, made) == []

    town.login(made, origin=ELSEWHERE)
    assert len(told(town, made)) == 1


def test_a_sign_in_that_fails_tells_nothing(town: Town, ann: User) -> None:
    assert refusal(town.people.accounts.login, ann.email, WRONG_PASSWORD, ELSEWHERE)[1] == "WRONG_CREDENTIALS"

    assert told(town, ann) == []
