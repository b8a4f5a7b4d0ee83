"""Sessions: told to their owner, ended by their owner, and ended by time."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.journeys.client import LOGIN, ME, REFRESH, Person, person
from tests.journeys.conftest import open_mailing
from tests.journeys.mailbox import Mailing

SESSIONS = "{ sessions { id device address createdAt lastUsedAt expiresAt current } }"
REVOKE = "mutation ($id: ID!) { revokeSession(id: $id) { id current } }"
REVOKE_ALL = "mutation { revokeAllSessions }"
REVOKE_ALL_AND_KEYS = "mutation { revokeAllSessions(includeCredentials: true) }"
CREDENTIALS = "query ($where: CredentialWhere) { credentials(where: $where) { id isActive } }"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
HOUR = 3600
IDLE = 2 * HOUR
ABSOLUTE = 7 * HOUR


@pytest.fixture(scope="module")
def short() -> Iterator[Mailing]:
    """A system whose sessions do not last long."""
    with open_mailing({"SESSION_IDLE_TTL": str(IDLE), "REFRESH_TOKEN_TTL": str(ABSOLUTE)}) as opened:
        yield opened


def sessions_of(mailing: Mailing, who: Person) -> list[dict[str, Any]]:
    sessions: list[dict[str, Any]] = mailing.graphql(SESSIONS, by=who).data["sessions"]
    return sessions


def current(mailing: Mailing, who: Person) -> dict[str, Any]:
    [session] = [session for session in sessions_of(mailing, who) if session["current"]]
    return session


def sign_in(mailing: Mailing, who: Person, headers: Mapping[str, str]) -> Person:
    given = {"email": who.email, "password": who.password}
    return person(mailing.graphql(LOGIN, {"input": given}, headers=headers).data["login"], who.password)


def outcomes(mailing: Mailing, *sessions: Person) -> list[tuple[str, str]]:
    """What becomes of the access token and of the refresh token of each."""
    return [
        (mailing.graphql(ME, by=who).outcome, mailing.graphql(REFRESH, {"token": who.refresh_token}).outcome)
        for who in sessions
    ]


ALIVE, ENDED = ("ok", "ok"), ("UNAUTHENTICATED", "UNAUTHENTICATED")


def wait_for_a_use(mailing: Mailing, who: Person, after: str) -> None:
    """Waits for what is noted behind the request."""
    deadline = time.monotonic() + 10
    while current(mailing, who)["lastUsedAt"] <= after:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_sessions_are_told_with_their_devices_and_addresses_in_our_own_words(mailing: Mailing) -> None:
    owner, stranger = mailing.person(), mailing.person()
    at_home = sign_in(mailing, owner, {"User-Agent": FIREFOX, "X-Forwarded-For": "203.0.113.9"})
    sign_in(mailing, owner, {"User-Agent": SAFARI, "X-Forwarded-For": "2001:db8::1:2"})
    sign_in(mailing, owner, {"User-Agent": "<script>alert(1)</script>", "X-Forwarded-For": "198.51.100.3"})
    told = sessions_of(mailing, at_home)
    assert [(session["device"], session["address"], session["current"]) for session in told] == [
        ("an unknown device", "198.51.100.3", False),
        ("Safari on iPhone", "2001:db8::/64", False),
        ("Firefox on Windows", "203.0.113.9", True),
        ("a Python program", "127.0.0.1", False),
    ]
    assert all(each["createdAt"] == each["lastUsedAt"] < each["expiresAt"] for each in told)
    assert mailing.graphql(SESSIONS, by=mailing.key(owner)).outcome == "FORBIDDEN"
    assert len(sessions_of(mailing, stranger)) == 1


def test_a_session_tells_its_last_use_to_the_hour(mailing: Mailing) -> None:
    owner = mailing.person()
    begun = current(mailing, owner)["lastUsedAt"]
    mailing.pass_seconds(HOUR - 60)
    mailing.graphql(ME, by=owner)
    assert current(mailing, owner)["lastUsedAt"] == begun
    now = mailing.pass_seconds(120)
    mailing.graphql(ME, by=owner)
    wait_for_a_use(mailing, owner, begun)
    assert current(mailing, owner)["lastUsedAt"][:16] >= now[:16]


def test_a_session_that_is_revoked_ends_on_the_next_request_and_no_other_does(mailing: Mailing) -> None:
    owner, stranger = mailing.person(), mailing.person()
    other, key = mailing.sign_in(owner.email, owner.password), mailing.key(owner)
    lost = current(mailing, other)["id"]
    assert mailing.graphql(REVOKE, {"id": lost}, by=stranger).outcome == "NOT_FOUND"
    assert mailing.graphql(REVOKE, {"id": "made-up"}, by=owner).outcome == "NOT_FOUND"
    assert mailing.graphql(REVOKE, {"id": lost}, by=key).outcome == "FORBIDDEN"
    assert mailing.graphql(ME, by=other).outcome == "ok"
    assert mailing.graphql(REVOKE, {"id": lost}, by=owner).data == {"revokeSession": {"id": lost, "current": False}}
    assert outcomes(mailing, other, owner, stranger) == [ENDED, ALIVE, ALIVE]
    assert mailing.graphql(REVOKE, {"id": lost}, by=owner).outcome == "NOT_FOUND"
    assert [session["current"] for session in sessions_of(mailing, owner)] == [True]
    mine = current(mailing, owner)["id"]
    assert mailing.graphql(REVOKE, {"id": mine}, by=owner).data == {"revokeSession": {"id": mine, "current": True}}
    assert outcomes(mailing, owner) == [ENDED]


@pytest.mark.parametrize("with_credentials", [False, True])
def test_all_sessions_end_at_once_and_credentials_where_asked(mailing: Mailing, with_credentials: bool) -> None:
    owner, stranger = mailing.person(), mailing.person()
    other, keys = mailing.sign_in(owner.email, owner.password), [mailing.key(owner) for _ in range(2)]
    mutation = REVOKE_ALL_AND_KEYS if with_credentials else REVOKE_ALL
    assert mailing.graphql(mutation, by=keys[0]).outcome == "FORBIDDEN"
    assert mailing.graphql(mutation, by=other).data == {"revokeAllSessions": True}
    assert outcomes(mailing, owner, other, stranger) == [ENDED, ENDED, ALIVE]
    told = "UNAUTHENTICATED" if with_credentials else "ok"
    assert [mailing.graphql(ME, by=key).outcome for key in keys] == [told] * 2
    back = mailing.sign_in(owner.email, owner.password)
    listed = mailing.graphql(CREDENTIALS, by=back).data["credentials"]
    assert [each["isActive"] for each in listed] == [not with_credentials] * 2


def test_a_session_that_is_not_used_ends_before_one_that_is(short: Mailing) -> None:
    used = short.person()
    idle = short.sign_in(used.email, used.password)
    started = current(short, used)["lastUsedAt"]
    short.pass_seconds(IDLE - 120)
    short.graphql(ME, by=used)
    wait_for_a_use(short, used, started)
    assert len(sessions_of(short, used)) == 2
    short.pass_seconds(120)
    assert len(sessions_of(short, used)) == 1
    assert outcomes(short, idle, used) == [ENDED, ALIVE]


def test_a_session_ends_in_the_end_however_much_it_is_used(short: Mailing) -> None:
    owner = short.person()
    for _ in range(ABSOLUTE // HOUR - 1):
        short.pass_seconds(HOUR)
        before = current(short, owner)["lastUsedAt"]
        owner = person(short.graphql(REFRESH, {"token": owner.refresh_token}).data["refreshToken"], owner.password)
        wait_for_a_use(short, owner, before)
    short.pass_seconds(HOUR - 60)
    assert outcomes(short, owner) == [ALIVE]
    short.pass_seconds(60)
    assert outcomes(short, owner) == [ENDED]
