"""Accounts opened on invitation, and by a link that shows that the mailbox is the owner's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys import traces
from tests.journeys.client import LOGIN, ME, REGISTER, Answer, Person, person
from tests.journeys.conftest import open_mailing
from tests.journeys.mailbox import ACCEPT, NOT_VALID, Mailing

INVITE = "mutation ($input: InviteUserInput!) { inviteUser(inviteUserInput: $input) { email role expiresAt } }"
CHANGE_EMAIL = "mutation ($input: ChangeEmailInput!) { changeEmail(changeEmailInput: $input) }"
ASK = "mutation { requestEmailVerification }"
INVITED = "you are invited"
WEEK = 7 * 86_400


@pytest.fixture(scope="module")
def verifying() -> Iterator[Mailing]:
    """A system that opens accounts for mailboxes of one domain that were shown to be the owner's."""
    with open_mailing({"REGISTRATION_MODE": "VERIFY_FIRST", "ALLOWED_EMAIL_DOMAINS": "Example.com"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def closed() -> Iterator[Mailing]:
    """A system that opens accounts on invitation only."""
    with open_mailing({"REGISTRATION_MODE": "INVITE_ONLY"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def strict() -> Iterator[Mailing]:
    """A system that signs in nobody whose email is not verified, and likes new passwords."""
    with open_mailing({"REQUIRE_VERIFIED_EMAIL": "true", "PASSWORD_REMINDER_DAYS": "30"}) as opened:
        yield opened


def invite(mailing: Mailing, email: str, by: Person | None, role: str | None = None) -> Answer:
    return mailing.graphql(INVITE, {"input": {"email": email, **({"role": role} if role else {})}}, by=by)


def accept(mailing: Mailing, token: str, given: dict[str, str], **more: str) -> Answer:
    wanted = {"username": given["username"], "password": given["password"], "token": token, **more}
    return mailing.graphql(ACCEPT, {"input": wanted})


def alike(answers: list[Answer]) -> Any:
    """What all of the answers are, but for what is left of the rate limit."""
    for answer in answers:
        answer.body["extensions"].pop("rateLimit")
    told = [(answer.status, answer.body) for answer in answers]
    assert told == told[:1] * len(told)
    return told[0]


def test_an_invitation_opens_one_account_of_its_role_within_a_week(closed: Mailing) -> None:
    new = closed.names()
    told = invite(closed, new["email"], closed.admin, "MODERATOR").data["inviteUser"]
    assert (told["email"], told["role"]) == (new["email"], "MODERATOR")
    letter = closed.letter(new["email"], INVITED)
    assert f"http://localhost:3000/accept-invitation#token={letter.token}\n" in letter.text

    weak = accept(closed, letter.token, new, password="abc")
    assert (weak.outcome, weak.extensions["field"]) == ("BAD_REQUEST", "password")
    taken = accept(closed, letter.token, {**new, "username": closed.person().username})
    assert (taken.outcome, taken.extensions["field"]) == ("CONFLICT", "username")
    accepted = accept(closed, letter.token, new, firstName="Jo").data["acceptInvitation"]
    user = accepted["user"]
    assert user == {
        "id": user["id"],
        "username": new["username"],
        "email": new["email"],
        "firstName": "Jo",
        "role": "MODERATOR",
        "emailVerifiedAt": user["emailVerifiedAt"],
    }
    assert user["emailVerifiedAt"]
    assert closed.graphql(ME, by=person(accepted, new["password"])).data["me"]["role"] == "MODERATOR"
    assert accept(closed, letter.token, closed.names()).extensions == NOT_VALID
    assert invite(closed, new["email"], closed.admin).extensions["field"] == "email"

    early, late = closed.names(), closed.names()
    for each in (early, late):
        assert invite(closed, each["email"], closed.admin).data["inviteUser"]["role"] == "USER"
    links = [closed.letter(each["email"], INVITED).token for each in (early, late)]
    closed.pass_seconds(WEEK - 60)
    assert accept(closed, links[0], early).outcome == "ok"
    closed.pass_seconds(60)
    assert accept(closed, links[1], late).extensions == NOT_VALID


def test_only_an_admin_invites_and_one_who_is_still_an_admin(closed: Mailing) -> None:
    new = closed.names()
    for role in ("USER", "MODERATOR"):
        assert invite(closed, new["email"], closed.person(role)).outcome == "FORBIDDEN"
    assert invite(closed, new["email"], None).outcome == "UNAUTHENTICATED"
    admin = closed.person("ADMIN")
    assert invite(closed, new["email"], admin, "ADMIN").outcome == "ok"
    link = closed.letter(new["email"], INVITED).token
    closed.change(admin.id, {"role": "USER"}, by=closed.admin)
    assert accept(closed, link, new).extensions == NOT_VALID
    signs_in = {"input": {"email": new["email"], "password": new["password"]}}
    assert closed.graphql(LOGIN, signs_in).outcome == "UNAUTHENTICATED"


def test_where_accounts_are_opened_on_invitation_nobody_registers(closed: Mailing) -> None:
    refused = closed.graphql(REGISTER, {"input": closed.names()})
    assert refused.extensions == {"code": "FORBIDDEN", "statusCode": 403, "reason": "REGISTRATION_CLOSED"}


def test_a_registration_that_begins_with_a_mail_tells_nobody_what_is_taken(verifying: Mailing) -> None:
    owner, new = verifying.person(), verifying.names()
    wanted = [new, {**verifying.names(), "email": owner.email}, {**verifying.names(), "username": owner.username}]
    answers = [verifying.graphql(REGISTER, {"input": each}) for each in wanted]
    assert alike(answers) == (200, {"data": {"register": None}, "extensions": {}})

    verifying.letter(owner.email, "you have an account already")
    link = verifying.letter(new["email"], "finish opening your account").token
    # The password is the mailbox owner's to choose, whoever registered.
    signs_in = {"input": {"email": new["email"], "password": new["password"]}}
    assert verifying.graphql(LOGIN, signs_in).outcome == "UNAUTHENTICATED"
    chosen = verifying.password()
    told = verifying.graphql(ACCEPT, {"input": {"token": link, "password": chosen}}).data["acceptInvitation"]
    assert (told["user"]["username"], told["user"]["role"]) == (new["username"], "USER")
    assert told["user"]["emailVerifiedAt"]
    assert verifying.sign_in(new["email"], chosen).id == told["user"]["id"]
    assert verifying.graphql(LOGIN, signs_in).outcome == "UNAUTHENTICATED"
    assert verifying.graphql(ACCEPT, {"input": {"token": link, "password": chosen}}).extensions == NOT_VALID

    link = verifying.letter(wanted[2]["email"], "finish opening your account").token
    taken = verifying.graphql(ACCEPT, {"input": {"token": link, "password": chosen}})
    assert (taken.outcome, taken.extensions["field"]) == ("CONFLICT", "username")
    assert accept(verifying, link, wanted[1]).outcome == "ok"


def test_who_registers_a_mailbox_again_and_again_is_told_alike_and_mails_it_three_times(verifying: Mailing) -> None:
    new = verifying.names()
    assert alike([verifying.graphql(REGISTER, {"input": new}) for _ in range(5)])[0] == 200
    assert verifying.subjects(new["email"]) == ["finish opening your account"] * 3


def test_an_email_is_of_an_allowed_domain(verifying: Mailing) -> None:
    owner = verifying.person()
    refused = {"code": "BAD_REQUEST", "statusCode": 400, "reason": "EMAIL_DOMAIN"}
    for domain in ("example.org", "sub.example.com", "example.com.example.org"):
        new = {**verifying.names(), "email": f"jo@{domain}"}
        assert verifying.graphql(REGISTER, {"input": new}).extensions == {**refused, "field": "email"}
        given = {"newEmail": new["email"], "currentPassword": owner.password}
        answer = verifying.graphql(CHANGE_EMAIL, {"input": given}, by=owner)
        assert answer.extensions == {**refused, "field": "newEmail"}
    shouted = verifying.names()
    shouted["email"] = shouted["email"].upper()
    assert verifying.graphql(REGISTER, {"input": shouted}).data == {"register": None}


def test_where_emails_are_to_be_verified_nobody_signs_in_before(strict: Mailing) -> None:
    new, stranger = strict.names(), strict.names()
    assert strict.graphql(REGISTER, {"input": new}).data == {"register": None}
    assert strict.graphql(REGISTER, {"input": stranger}).data == {"register": None}
    about = "please confirm your email address"
    first, other = (strict.letter(each["email"], about).token for each in (new, stranger))

    def sign_in(**more: str) -> Answer:
        given = {"email": new["email"], "password": new["password"], **more}
        return strict.graphql(LOGIN, {"input": given})

    refused = sign_in()
    assert refused.extensions == {"code": "FORBIDDEN", "statusCode": 403, "reason": "EMAIL_NOT_VERIFIED"}
    second = strict.letter(new["email"], about).token
    wrong = sign_in(password="Wrong-Password-1", verificationToken=second)
    assert wrong.extensions == sign_in(password="Wrong-Password-1").extensions
    assert wrong.extensions["reason"] == "WRONG_CREDENTIALS"
    assert sign_in(verificationToken=other).extensions == {**NOT_VALID, "field": "verificationToken"}
    signed = person(sign_in(verificationToken=second).data["login"], new["password"])
    assert strict.graphql(ASK, by=signed).outcome == "CONFLICT"
    assert sign_in(verificationToken=first).outcome == "ok"
    assert sign_in().outcome == "ok"


def test_a_password_of_so_many_days_is_due_to_be_changed(strict: Mailing) -> None:
    owner = strict.person()
    query = LOGIN.replace("expiresIn", "passwordChangeDue")
    given = {"input": {"email": owner.email, "password": owner.password}}
    assert strict.graphql(query, given).data["login"]["passwordChangeDue"] is False
    strict.pass_seconds(30 * 86_400)
    assert strict.graphql(query, given).data["login"]["passwordChangeDue"] is True
    owner = strict.sign_in(owner.email, owner.password)
    new = strict.password()
    assert strict.change_password(owner, owner.password, new).outcome == "ok"
    given["input"]["password"] = new
    assert strict.graphql(query, given).data["login"]["passwordChangeDue"] is False


@pytest.mark.parametrize("name", ["closed", "verifying", "strict"])
def test_none_of_these_leaves_a_secret_anywhere(request: pytest.FixtureRequest, name: str) -> None:
    mailing: Mailing = request.getfixturevalue(name)
    assert (traces.in_log(mailing), traces.in_answers(mailing), traces.in_mails(mailing)) == ([], [], [])
