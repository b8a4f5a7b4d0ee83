"""Mailboxes shown to be somebody's, and emails changed, by the links that are mailed."""

import pytest

from tests.journeys.client import LOGIN, ME, Answer, Person
from tests.journeys.mailbox import ACCEPT, NOT_VALID, REQUEST_RESET, VERIFIED_AT, Mailing
from tests.journeys.phone import CONFIRM, Phone

ASK = "mutation { requestEmailVerification }"
CHANGE = "mutation ($input: ChangeEmailInput!) { changeEmail(changeEmailInput: $input) }"
CONFIRM_THIS = "please confirm your email address"
CONFIRM_NEW = "please confirm your new email address"
DAY = 86_400


def again(mailing: Mailing, who: Person) -> Person:
    """Who has signed in afresh, since time has passed."""
    return mailing.sign_in(who.email, who.password)


def change(mailing: Mailing, who: Person, new: str, password: str | None = None) -> Answer:
    given = {"newEmail": new, "currentPassword": password or who.password}
    return mailing.graphql(CHANGE, {"input": given}, by=who)


def signs_in(mailing: Mailing, email: str, password: str) -> str:
    return mailing.graphql(LOGIN, {"input": {"email": email, "password": password}}).outcome


def test_a_link_verifies_once_and_for_its_owner_alone(mailing: Mailing) -> None:
    owner, stranger = mailing.registered(), mailing.registered()
    key = mailing.key(owner)
    letter = mailing.letter(owner.email, CONFIRM_THIS)
    assert f"http://localhost:3000/verify-email#token={letter.token}\n" in letter.text
    assert mailing.graphql(VERIFIED_AT, by=owner).data["me"]["emailVerifiedAt"] is None

    assert mailing.verify(letter.token, None).outcome == "UNAUTHENTICATED"
    assert mailing.verify(letter.token, key).outcome == "FORBIDDEN"
    assert mailing.verify(letter.token, stranger).extensions == NOT_VALID
    assert mailing.verify(letter.token[:-1] + "_", owner).extensions == NOT_VALID
    assert mailing.graphql(VERIFIED_AT, by=stranger).data["me"]["emailVerifiedAt"] is None

    verified = mailing.verify(letter.token, owner).data["verifyEmail"]
    assert (verified["id"], verified["emailVerifiedAt"] is None) == (owner.id, False)
    assert mailing.verify(letter.token, owner).extensions == NOT_VALID
    assert mailing.graphql(ASK, by=owner).outcome == "CONFLICT"
    assert mailing.graphql(ASK, by=key).outcome == "FORBIDDEN"


def test_a_link_is_good_for_24_hours_and_another_can_be_asked_for(mailing: Mailing) -> None:
    early, late = mailing.registered(), mailing.registered()
    links = [mailing.letter(who.email, CONFIRM_THIS).token for who in (early, late)]
    mailing.pass_seconds(DAY - 60)
    assert mailing.verify(links[0], again(mailing, early)).outcome == "ok"
    mailing.pass_seconds(60)
    late = again(mailing, late)
    assert mailing.verify(links[1], late).extensions == NOT_VALID
    assert mailing.graphql(ASK, by=late).data == {"requestEmailVerification": True}
    assert mailing.verify(mailing.letter(late.email, CONFIRM_THIS).token, late).outcome == "ok"


def test_a_mailbox_gets_three_mails_an_hour_that_anybody_can_ask_for_and_a_way_back_in_beside_them_and_warnings(
    mailing: Mailing,
) -> None:
    owner = mailing.registered()  # the first mail
    assert [mailing.graphql(ASK, by=owner).outcome for _ in range(3)] == ["ok", "ok", "RATE_LIMIT_EXCEEDED"]
    for _ in range(2):
        assert mailing.graphql(REQUEST_RESET, {"email": owner.email}).data == {"requestPasswordReset": True}
    new = mailing.password()
    assert mailing.change_password(owner, owner.password, new).outcome == "ok"
    assert mailing.subjects(owner.email) == [CONFIRM_THIS] * 3 + [
        "choose a new password",
        "your password has changed",
    ]
    mailing.pass_seconds(3600)
    owner = mailing.sign_in(owner.email, new)
    assert [mailing.graphql(ASK, by=owner).outcome for _ in range(4)] == ["ok"] * 3 + ["RATE_LIMIT_EXCEEDED"]


def test_an_email_changes_when_the_new_mailbox_confirms_and_the_old_is_told(mailing: Mailing) -> None:
    owner, stranger, new = mailing.person(), mailing.person(), mailing.names("moved")["email"]
    key = mailing.key(owner)
    assert change(mailing, owner, new, "Wrong-Password-1").extensions["reason"] == "WRONG_PASSWORD"
    assert mailing.graphql(CHANGE, {"input": {"newEmail": new, "currentPassword": ""}}, by=key).outcome == "FORBIDDEN"
    assert change(mailing, owner, new).data == {"changeEmail": True}
    link = mailing.letter(new, CONFIRM_NEW).token
    assert mailing.letter(owner.email, "your email address is about to change").token == ""
    assert mailing.graphql(ME, by=owner).data["me"]["email"] == owner.email
    assert signs_in(mailing, new, owner.password) == "UNAUTHENTICATED"

    assert mailing.verify(link, stranger).extensions == NOT_VALID
    assert mailing.verify(link, owner).data["verifyEmail"]["email"] == new
    assert mailing.verify(link, owner).extensions == NOT_VALID
    assert mailing.letter(owner.email, "your email address has changed").token == ""
    assert signs_in(mailing, new, owner.password) == "ok"
    assert signs_in(mailing, owner.email, owner.password) == "UNAUTHENTICATED"
    # The old address is free again, also for somebody else.
    assert change(mailing, stranger, owner.email).outcome == "ok"
    assert mailing.verify(mailing.letter(owner.email, CONFIRM_NEW).token, stranger).outcome == "ok"


def test_an_address_that_somebody_has_is_answered_alike_and_stays_theirs(mailing: Mailing) -> None:
    asking, owner, free = mailing.person(), mailing.person(), mailing.names("moved")["email"]
    answers = [change(mailing, asking, email) for email in (free, owner.email)]
    assert [(answer.status, answer.data) for answer in answers] == [(200, {"changeEmail": True})] * 2
    link = mailing.letter(owner.email, CONFIRM_NEW).token
    assert mailing.verify(link, owner).extensions == NOT_VALID
    assert mailing.verify(link, asking).outcome == "CONFLICT"
    assert mailing.graphql(ME, by=asking).data["me"]["email"] == asking.email
    assert mailing.graphql(ME, by=owner).data["me"]["email"] == owner.email


def test_a_changed_password_voids_the_links_of_before(mailing: Mailing) -> None:
    owner, new = mailing.person(), mailing.names("moved")["email"]
    assert change(mailing, owner, new).outcome == "ok"
    link, reset = mailing.letter(new, CONFIRM_NEW).token, mailing.reset_link(owner.email)
    changed = mailing.password()
    assert mailing.change_password(owner, owner.password, changed).outcome == "ok"
    assert mailing.verify(link, mailing.sign_in(owner.email, changed)).extensions == NOT_VALID
    assert mailing.reset(reset, mailing.password()).extensions == NOT_VALID


def test_with_two_factors_on_a_change_takes_a_code_of_the_last_15_minutes(mailing: Mailing) -> None:
    owner, new = mailing.person(), mailing.names("moved")["email"]
    phone = Phone(mailing, owner)
    phone.confirm()
    mailing.pass_seconds(901)
    needed = {"code": "TWO_FACTOR_REQUIRED", "statusCode": 401, "reason": "CODE_NEEDED"}
    assert change(mailing, owner, new).extensions == needed
    assert phone.send(CONFIRM).outcome == "ok"
    assert change(mailing, owner, new).outcome == "ok"
    assert mailing.verify(mailing.letter(new, CONFIRM_NEW).token, owner).data["verifyEmail"]["email"] == new


@pytest.mark.parametrize("text", ["", "gatehouse_verify_" + "A" * 43, "gatehouse_invite_\0", "\ud800", "x" * 60_000])
def test_what_is_no_link_is_refused_alike(mailing: Mailing, text: str) -> None:
    owner, new = mailing.person(), mailing.names()
    accepted = {"token": text, "username": new["username"], "password": new["password"]}
    answers = [
        mailing.verify(text, owner),
        mailing.reset(text, new["password"]),
        mailing.graphql(ACCEPT, {"input": accepted}),
    ]
    assert [answer.outcome for answer in answers] == ["BAD_REQUEST"] * 3
    assert "\ud800" in text or [answer.extensions for answer in answers] == [NOT_VALID] * 3
