"""Passwords changed by who knows them, and set anew by who reads the mailbox."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.client import LOGIN, ME, REFRESH, UPDATE_CREDENTIAL, Answer, Person, person
from tests.journeys.mailbox import NOT_VALID, REQUEST_RESET, VERIFIED_AT, Mailing
from tests.journeys.phone import Phone, challenge_of, complete, login

CREDENTIALS = "{ credentials { id } }"
CHANGED = "your password has changed"
CONFIRM_THIS = "please confirm your email address"
WRONG = "Wrong-Password-1"


def sign_in(mailing: Mailing, email: str, password: str, address: str = "192.0.2.1") -> Answer:
    given = {"email": email, "password": password}
    return mailing.graphql(LOGIN, {"input": given}, headers={"X-Forwarded-For": address})


def has_ended(mailing: Mailing, session: Person) -> bool:
    """Whether neither token of the session does anything."""
    answers = mailing.graphql(ME, by=session), mailing.graphql(REFRESH, {"token": session.refresh_token})
    [ended] = {answer.outcome == "UNAUTHENTICATED" for answer in answers}
    return ended


def test_a_changed_password_ends_the_other_sessions_and_tells_what_still_works(mailing: Mailing) -> None:
    owner = mailing.person()
    others = [mailing.sign_in(owner.email, owner.password) for _ in range(2)]
    key, off = mailing.key(owner), mailing.key(owner)
    mailing.graphql(UPDATE_CREDENTIAL, {"id": off.id, "input": {"isActive": False}}, by=owner)
    assert {mailing.graphql(ME, by=other).outcome for other in others} == {"ok"}

    new = mailing.password()
    told = mailing.change_password(owner, owner.password, new).data["changePassword"]
    assert all(has_ended(mailing, session) for session in (*others, owner))
    assert mailing.graphql(ME, by=person(told, new)).data["me"]["id"] == owner.id
    assert mailing.graphql(ME, by=key).outcome == "ok"
    assert sign_in(mailing, owner.email, owner.password).outcome == "UNAUTHENTICATED"
    assert sign_in(mailing, owner.email, new).outcome == "ok"
    letter = mailing.letter(owner.email, CHANGED)
    assert f"still work:\n\n- KEY_AUTH, {key.key_id}, made on " in letter.text
    assert off.key_id not in letter.text


def test_a_password_is_changed_by_who_knows_it_in_a_session_and_by_the_rules(mailing: Mailing) -> None:
    owner = mailing.person()
    new = mailing.password()
    assert mailing.change_password(mailing.key(owner), owner.password, new).outcome == "FORBIDDEN"
    assert mailing.change_password(None, owner.password, new).outcome == "UNAUTHENTICATED"
    broken = mailing.change_password(owner, owner.password, "abc")
    assert (broken.outcome, broken.extensions["field"]) == ("BAD_REQUEST", "newPassword")
    for rule in ("8 characters", "upper", "digit", "symbol"):
        assert rule in broken.errors[0]["message"]
    assert mailing.change_password(owner, owner.password, owner.password).extensions["field"] == "newPassword"
    wrong = [mailing.change_password(owner, WRONG, new) for _ in range(5)]
    assert {answer.extensions["reason"] for answer in wrong} == {"WRONG_PASSWORD"}
    assert mailing.change_password(owner, owner.password, new).outcome == "RATE_LIMIT_EXCEEDED"
    assert mailing.graphql(ME, by=owner).outcome == "ok"
    assert CHANGED not in mailing.subjects(owner.email)


def test_a_reset_is_asked_for_alike_and_mailed_to_whom_it_may_help(mailing: Mailing) -> None:
    owner, off, stranger = mailing.person(), mailing.inactive_person(by=mailing.admin), mailing.names()["email"]
    asked = [mailing.graphql(REQUEST_RESET, {"email": email}) for email in (owner.email, off.email, stranger)]
    for answer in asked:
        answer.body["extensions"].pop("rateLimit")
    assert [(answer.status, answer.body) for answer in asked] == [
        (200, {"data": {"requestPasswordReset": True}, "extensions": {}})
    ] * 3
    assert [mailing.subjects(email) for email in (owner.email, off.email, stranger)] == [
        ["choose a new password"],
        [],
        [],
    ]


def test_a_reset_works_once_within_an_hour_ends_all_sessions_and_signs_nobody_in(mailing: Mailing) -> None:
    owner = mailing.person()
    old = mailing.reset_link(owner.email)
    mailing.pass_seconds(3600)
    new = mailing.password()
    assert mailing.reset(old, new).extensions == NOT_VALID
    first, second = mailing.reset_link(owner.email), mailing.reset_link(owner.email)
    weak = mailing.reset(first, "abc")
    assert (weak.outcome, weak.extensions["field"]) == ("BAD_REQUEST", "newPassword")
    assert mailing.graphql(ME, by=owner).outcome == "ok"
    mailing.pass_seconds(3590)
    assert mailing.reset(first, new).data == {"resetPassword": True}
    assert has_ended(mailing, owner)
    for link in (first, second):
        assert mailing.reset(link, mailing.password()).extensions == NOT_VALID
    assert sign_in(mailing, owner.email, owner.password).outcome == "UNAUTHENTICATED"
    assert sign_in(mailing, owner.email, new).outcome == "ok"
    assert mailing.letter(owner.email, CHANGED).token == ""


@pytest.mark.long
def test_a_reset_lets_in_again_whom_100_failures_locked_out(mailing: Mailing) -> None:
    owner = mailing.person()
    for number in range(100):
        sign_in(mailing, owner.email, WRONG, f"203.0.113.{number // 4}")
    assert sign_in(mailing, owner.email, owner.password, "198.51.100.9").outcome == "UNAUTHENTICATED"
    assert mailing.letter(owner.email, "your account is locked").token == ""
    new = mailing.password()
    assert mailing.reset(mailing.reset_link(owner.email), new).outcome == "ok"
    for address in ("198.51.100.9", "203.0.113.1"):
        assert sign_in(mailing, owner.email, new, address).outcome == "ok"
    assert mailing.subjects(owner.email).count("your account is locked") == 1


def test_a_reset_never_skips_the_second_factor(mailing: Mailing) -> None:
    owner = mailing.person()
    phone = Phone(mailing, owner)
    phone.confirm()
    new = mailing.password()
    assert mailing.reset(mailing.reset_link(owner.email), new).outcome == "ok"
    challenge = challenge_of(sign_in(mailing, owner.email, new))
    assert complete(mailing, challenge, phone.code()).outcome == "ok"


def test_who_opened_an_account_with_a_strangers_email_loses_all_once_its_owner_resets_it(mailing: Mailing) -> None:
    thief = mailing.registered()
    key = mailing.key(thief)
    phone = Phone(mailing, thief)
    phone.confirm()
    moved = mailing.names("moved")["email"]
    change = "mutation ($input: ChangeEmailInput!) { changeEmail(changeEmailInput: $input) }"
    given = {"newEmail": moved, "currentPassword": thief.password}
    assert mailing.graphql(change, {"input": given}, by=thief).outcome == "ok"
    pending = mailing.letter(moved, "please confirm your new email address").token
    assert challenge_of(login(mailing, thief))

    # The owner of the mailbox comes, and has never seen the account before.
    new = mailing.password()
    assert mailing.reset(mailing.reset_link(thief.email), new).outcome == "ok"
    owner = mailing.sign_in(thief.email, new)
    assert owner.id == thief.id
    assert mailing.graphql(VERIFIED_AT, by=owner).data["me"]["emailVerifiedAt"] is not None
    assert mailing.graphql(CREDENTIALS, by=owner).data == {"credentials": []}
    assert mailing.graphql(ME, by=key).outcome == "UNAUTHENTICATED"
    assert has_ended(mailing, thief)
    for who in (owner, mailing.registered()):
        assert mailing.verify(pending, who).extensions == NOT_VALID
    assert "There are no credentials for programs that still work." in mailing.letter(thief.email, CHANGED).text


def test_who_verified_the_email_keeps_credentials_through_a_reset(mailing: Mailing) -> None:
    owner = mailing.registered()
    key = mailing.key(owner)
    assert mailing.verify(mailing.letter(owner.email, CONFIRM_THIS).token, owner).outcome == "ok"
    assert mailing.reset(mailing.reset_link(owner.email), mailing.password()).outcome == "ok"
    assert mailing.graphql(ME, by=key).outcome == "ok"


def test_a_reset_brings_back_what_its_owner_switched_off(mailing: Mailing) -> None:
    owner = mailing.person()
    early = mailing.reset_link(owner.email)
    mailing.change(owner.id, {"isActive": False}, by=owner)
    new = mailing.password()
    assert mailing.reset(early, new).extensions == NOT_VALID
    assert sign_in(mailing, owner.email, owner.password).outcome == "UNAUTHENTICATED"
    assert mailing.reset(mailing.reset_link(owner.email), new).outcome == "ok"
    assert sign_in(mailing, owner.email, new).outcome == "ok"


@pytest.mark.parametrize("by", [("MODERATOR",), ("ADMIN",), ("owner", "ADMIN")])
def test_a_reset_brings_back_nobody_whom_others_switched_off(mailing: Mailing, by: tuple[str, ...]) -> None:
    owner = mailing.person()
    early = mailing.reset_link(owner.email)
    people = {"owner": owner, "MODERATOR": mailing.person("MODERATOR"), "ADMIN": mailing.admin}
    for role in by:
        mailing.change(owner.id, {"isActive": False}, by=people[role])
    assert mailing.graphql(REQUEST_RESET, {"email": owner.email}).data == {"requestPasswordReset": True}
    assert mailing.reset(early, mailing.password()).extensions == NOT_VALID
    assert mailing.subjects(owner.email) == ["choose a new password"]  # the early one
    assert sign_in(mailing, owner.email, owner.password).outcome == "UNAUTHENTICATED"


def test_a_link_that_is_used_ten_times_at_once_works_once(mailing: Mailing) -> None:
    owner = mailing.person()
    link, passwords = mailing.reset_link(owner.email), [mailing.password() for _ in range(10)]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda new: mailing.reset(link, new), passwords))
    assert Counter(answer.outcome for answer in answers) == {"ok": 1, "BAD_REQUEST": 9}
    taken = [sign_in(mailing, owner.email, new, f"192.0.2.{at}").outcome for at, new in enumerate(passwords)]
    assert taken == [answer.outcome.replace("BAD_REQUEST", "UNAUTHENTICATED") for answer in answers]
    assert mailing.subjects(owner.email).count(CHANGED) == 1
