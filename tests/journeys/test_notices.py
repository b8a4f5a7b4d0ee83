"""What owners are told by mail of what happened to their accounts, whoever it was."""

from tests.journeys.client import ME, REFRESH, Person, person
from tests.journeys.mailbox import Mailing
from tests.journeys.phone import DISABLE, Phone, challenge_of, complete, login

RESET_FACTOR = "mutation ($id: ID!) { resetTwoFactor(id: $id) { id } }"
GRACE = 30


def renewed(mailing: Mailing, session: Person) -> Person:
    """The session with the tokens that its refresh token gives."""
    told = mailing.graphql(REFRESH, {"token": session.refresh_token}).data["refreshToken"]
    return person(told, session.password)


def test_a_spent_refresh_token_that_returns_ends_its_session_and_is_told_once(mailing: Mailing) -> None:
    owner = mailing.person()
    elsewhere = mailing.sign_in(owner.email, owner.password)
    second = renewed(mailing, owner)
    third = renewed(mailing, second)
    mailing.pass_seconds(GRACE + 1)
    told = [mailing.graphql(REFRESH, {"token": owner.refresh_token}).extensions for _ in range(2)]
    assert [each.get("reason") for each in told] == ["TOKEN_REUSED", None]
    for tab in (owner, second, third):
        assert mailing.graphql(ME, by=tab).outcome == "UNAUTHENTICATED"
        assert mailing.graphql(REFRESH, {"token": tab.refresh_token}).outcome == "UNAUTHENTICATED"
    assert mailing.graphql(ME, by=elsewhere).outcome == "ok"
    assert mailing.subjects(owner.email) == ["we ended a session of yours"]


def test_two_factors_are_told_of_when_they_go_on_and_off(mailing: Mailing) -> None:
    owner = mailing.person()
    phone = Phone(mailing, owner)
    codes = phone.confirm()
    letter = mailing.letter(owner.email, "two-factor sign-in is on")
    assert not any(secret in letter.text for secret in (*codes, phone.told["secret"]))
    challenge = challenge_of(login(mailing, owner))
    assert complete(mailing, challenge, codes[0]).outcome == "ok"
    assert complete(mailing, challenge_of(login(mailing, owner)), codes[0]).extensions["reason"] == "WRONG_CODE"
    assert phone.send(DISABLE, codes[0]).extensions["reason"] == "WRONG_CODE"
    assert phone.send(DISABLE, codes[1]).data == {"disableTwoFactor": True}
    assert mailing.subjects(owner.email) == ["two-factor sign-in is on", "two-factor sign-in is off"]


def test_a_second_factor_that_an_admin_resets_is_told_to_its_owner(mailing: Mailing) -> None:
    owner = mailing.person()
    Phone(mailing, owner).confirm()
    challenge = challenge_of(login(mailing, owner))
    assert mailing.graphql(RESET_FACTOR, {"id": owner.id}, by=mailing.admin).outcome == "ok"
    assert complete(mailing, challenge, "000000").extensions["reason"] == "CHALLENGE_EXPIRED"
    assert login(mailing, owner).outcome == "ok"
    assert mailing.subjects(owner.email) == ["two-factor sign-in is on", "two-factor sign-in was reset"]
