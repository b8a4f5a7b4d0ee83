"""Signing in and staying signed in: what is told to whom, and what time does to tokens."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.journeys.client import LOGIN, ME, REFRESH, REGISTER, Answer, House, Person, person
from tests.journeys.conftest import open_house

DAY = 86_400
GRACE = 30


@pytest.fixture(scope="module")
def moving() -> Iterator[House]:
    """A system whose clock these tests move."""
    with open_house({}) as house:
        yield house


def refresh(house: House, token: str, **others: Any) -> Answer:
    return house.graphql(REFRESH, {"token": token}, **others)


def renewed(house: House, session: Person) -> Person:
    """The session with the tokens that its refresh token gives."""
    return person(refresh(house, session.refresh_token).data["refreshToken"], session.password)


def test_a_sign_up_signs_in_as_a_user(house: House) -> None:
    new = house.names()
    told = house.graphql(REGISTER, {"input": {**new, "firstName": "Zoë", "lastName": "O'Neill 🦊"}}).data["register"]
    names = {name: new[name] for name in ("username", "email")}
    assert told["user"] == {"id": told["user"]["id"], **names, "role": "USER", "isActive": True}
    assert told["expiresIn"] == DAY
    me = house.graphql(ME, by=person(told, new["password"])).data["me"]
    more = {"firstName": "Zoë", "lastName": "O'Neill 🦊", "kind": "USER"}
    assert me == {**told["user"], **more}


def test_an_email_signs_in_in_any_spelling(house: House) -> None:
    user = house.person()
    assert house.sign_in(user.email.upper(), user.password).id == user.id


@pytest.mark.parametrize("name", ["email", "username"])
def test_a_name_is_taken_in_every_spelling(house: House, name: str) -> None:
    taken, new = house.names(), house.names()
    assert house.graphql(REGISTER, {"input": taken}).outcome == "ok"
    answer = house.graphql(REGISTER, {"input": {**new, name: taken[name].upper()}})
    assert answer.extensions == {"code": "CONFLICT", "statusCode": 409, "field": name}
    # Nothing of the one who was refused is left.
    assert house.graphql(REGISTER, {"input": new}).outcome == "ok"


def test_an_unknown_email_a_wrong_password_and_an_inactive_account_are_told_alike(house: House) -> None:
    user, inactive = house.person(), house.inactive_person()
    program = house.names("program")
    made = "mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { id } }"
    without_password = {"username": program["username"], "email": program["email"], "kind": "SERVICE"}
    assert house.graphql(made, {"input": without_password}, by=house.admin).outcome == "ok"
    attempts = [
        ("nobody@example.com", "SecurePass123!"),
        (user.email, "WrongPass123!"),
        (user.email, "x" * 5_000),
        (user.email, ""),
        (inactive.email, inactive.password),
        (inactive.email, "WrongPass123!"),
        (program["email"], program["password"]),
    ]
    answers = [house.graphql(LOGIN, {"input": {"email": email, "password": text}}) for email, text in attempts]
    for answer in answers:
        [error] = answer.errors
        assert error["extensions"].pop("correlationId") == answer.headers["x-amzn-requestid"]
    assert answers[0].extensions == {"code": "UNAUTHENTICATED", "statusCode": 401, "reason": "WRONG_CREDENTIALS"}
    # Each counts for one, whatever was wrong with it.
    limits = [answer.body["extensions"].pop("rateLimit") for answer in answers]
    for before, after in pairwise(limits):
        is_same_window = before["reset"] == after["reset"]
        remaining = (before["remaining"] if is_same_window else before["limit"]) - 1
        assert (after["limit"], after["remaining"]) == (before["limit"], remaining)
    assert [(a.status, a.body, sorted(a.headers)) for a in answers[1:]] == [
        (answers[0].status, answers[0].body, sorted(answers[0].headers))
    ] * (len(attempts) - 1)


def test_a_token_that_is_too_old_is_told_apart_from_a_bad_one(moving: House) -> None:
    session = moving.person()
    moving.pass_seconds(DAY - 60)
    assert moving.graphql(ME, by=session).outcome == "ok"
    moving.pass_seconds(61)
    answer = moving.graphql(ME, by=session)
    assert answer.status == 401
    assert answer.extensions == {"code": "UNAUTHENTICATED", "statusCode": 401, "reason": "TOKEN_EXPIRED"}
    assert answer.headers["www-authenticate"] == "Bearer"
    forged = moving.graphql(ME, headers={"Authorization": f"Bearer {session.token}x"})
    assert (forged.status, forged.extensions) == (401, {"code": "UNAUTHENTICATED", "statusCode": 401})


def test_a_stale_token_beside_them_does_not_keep_from_refreshing_and_signing_in(moving: House) -> None:
    session = moving.person()
    moving.pass_seconds(DAY + 1)
    refreshed = person(refresh(moving, session.refresh_token, by=session).data["refreshToken"], session.password)
    assert moving.graphql(ME, by=refreshed).data["me"]["id"] == session.id
    again = moving.graphql(LOGIN, {"input": {"email": session.email, "password": session.password}}, by=session)
    assert again.data["login"]["user"]["id"] == session.id
    mixed = moving.graphql("query { __typename me { id } }", by=session)
    assert (mixed.status, mixed.extensions["reason"], "data" in mixed.body) == (401, "TOKEN_EXPIRED", False)


def test_two_tabs_that_refresh_at_once_both_stay_signed_in(house: House) -> None:
    session = house.person()
    one, other = renewed(house, session), renewed(house, session)
    assert one.refresh_token == other.refresh_token != session.refresh_token
    assert {house.graphql(ME, by=tab).outcome for tab in (one, other, session)} == {"ok"}
    assert renewed(house, one).refresh_token == renewed(house, other).refresh_token


def test_a_client_that_never_keeps_the_new_refresh_token_stays_signed_in(moving: House) -> None:
    session = moving.person()
    for _ in range(3):
        moving.pass_seconds(DAY + 1)
        assert moving.graphql(ME, by=renewed(moving, session)).outcome == "ok"


def test_a_refresh_token_is_good_for_its_grace_after_its_successor_was_used(moving: House) -> None:
    session = moving.person()
    successor = renewed(moving, session)
    renewed(moving, successor)
    moving.pass_seconds(GRACE - 5)
    assert renewed(moving, session).refresh_token == successor.refresh_token
    moving.pass_seconds(6)
    reused = refresh(moving, session.refresh_token)
    assert reused.extensions == {"code": "UNAUTHENTICATED", "statusCode": 401, "reason": "TOKEN_REUSED"}


def test_a_refresh_token_that_returns_after_its_grace_ends_the_session_for_all_who_hold_it(moving: House) -> None:
    session = moving.person()
    elsewhere = moving.sign_in(session.email, session.password)
    second = renewed(moving, session)
    third = renewed(moving, second)
    moving.pass_seconds(GRACE + 1)
    assert refresh(moving, session.refresh_token).extensions["reason"] == "TOKEN_REUSED"
    for tab in (session, second, third):
        assert moving.graphql(ME, by=tab).status == 401
        assert refresh(moving, tab.refresh_token).outcome == "UNAUTHENTICATED"
    assert moving.graphql(ME, by=elsewhere).outcome == "ok"


def test_a_made_up_refresh_token_ends_nobodys_session(house: House) -> None:
    session = house.person()
    made_up = session.refresh_token[:-5] + "AAAA="
    for token in (made_up, "gatehouse_refresh_", session.refresh_token + "=", session.token):
        assert refresh(house, token).outcome == "UNAUTHENTICATED"
    assert house.graphql(ME, by=renewed(house, session)).outcome == "ok"


def test_a_session_that_is_not_refreshed_ends(moving: House) -> None:
    session = moving.person()
    moving.pass_seconds(30 * DAY)
    assert refresh(moving, session.refresh_token).outcome == "UNAUTHENTICATED"


def test_a_key_ends_when_it_was_to_end(moving: House) -> None:
    user = moving.person()
    made = """mutation ($at: DateTime!) {
      createCredential(createCredentialInput: {type: KEY_AUTH, expiresAt: $at}) { secret }
    }"""
    now = moving.pass_seconds(0)
    at = f"{int(now[:4]) + 1}{now[4:]}"
    secret = moving.graphql(made, {"at": at}, by=user).data["createCredential"]["secret"]
    moving.pass_seconds(364 * DAY)
    assert moving.graphql(ME, headers={"X-API-Key": secret}).outcome == "ok"
    moving.pass_seconds(2 * DAY)
    assert moving.graphql(ME, headers={"X-API-Key": secret}).status == 401
