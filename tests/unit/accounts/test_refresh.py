"""The chain of refresh tokens, held against contract §3: good until the successor is first used, and 30 s more."""

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.accounts.model import Session
from gatehouse.accounts.refresh import RefreshToken, TokenSpent, present, start_session
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from tests.unit.fakes import AT_HOME, START

USER = new_id(START)
PREFIX = "gatehouse_refresh_"


def _start() -> tuple[Session, RefreshToken]:
    return start_session(USER, generation=0, origin=AT_HOME, now=START, lifetime=timedelta(days=30))


def _told(session: Session, token: RefreshToken, now: datetime) -> tuple[str, Session]:
    """What comes of presenting the token: good, spent or refused; and the session after it."""
    try:
        return "good", present(session, token, now)
    except TokenSpent:
        return "spent", session
    except Unauthenticated:
        return "refused", session


@dataclass
class Contract:
    """When each token of one chain was first used; token 1 is the first. Nothing else decides."""

    first_used: dict[int, datetime] = field(default_factory=dict)

    def present(self, number: int, now: datetime) -> str:
        successor_first_used = self.first_used.get(number + 1)
        if successor_first_used is not None and now > successor_first_used + timedelta(seconds=30):
            return "spent"
        self.first_used.setdefault(number, now)
        return "good"


# A step: how far back from the newest token the client reaches, and how many seconds it waited before.
STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.001, 1.0, 15.0, 29.999, 30.0, 30.001, 60.0])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(STEPS)
def test_a_token_is_good_until_its_successor_was_in_use_for_thirty_seconds(steps: list[tuple[int, float]]) -> None:
    session, first = _start()
    chain = [first]
    contract = Contract()
    now = START
    for back, wait in steps:
        now += timedelta(seconds=wait)
        number = max(1, len(chain) - back)
        told, session = _told(session, chain[number - 1], now)

        assert told == contract.present(number, now)
        if told == "spent":
            break  # and the family with it: `Accounts.refresh` ends the session
        if number == len(chain):
            chain.append(chain[-1].successor(session.salt))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 6), st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32))
def test_a_made_up_token_is_refused_and_never_counts_as_spent(used: int, number: int, secret: bytes) -> None:
    session, token = _start()
    now = START
    for _ in range(used):
        session = present(session, token, now)
        token = token.successor(session.salt)
        now += timedelta(minutes=5)
    made_up = RefreshToken(session.user_id, session.id, number, secret)

    assert _told(session, made_up, now) == ("refused", session)
    for near in range(session.used + 3):
        assert _told(session, replace(made_up, number=near), now)[0] == "refused"


def test_a_genuine_token_under_another_number_is_refused() -> None:
    session, first = _start()
    second = first.successor(session.salt)
    session = present(present(session, first, START), second, START)

    for number in (0, 2, 3, 4, 2**32 - 1):
        assert _told(session, replace(first, number=number), START) == ("refused", session)


def test_every_replay_gets_the_same_successor() -> None:
    session, first = _start()
    once = present(session, first, START)
    again = present(once, first, START + timedelta(days=3))

    assert again == once
    assert once.next_digest == first.successor(session.salt).digest


def test_a_client_that_never_reads_the_new_token_keeps_working() -> None:
    session, first = _start()
    for day in range(30):
        session = present(session, first, START + timedelta(days=day))

    assert session.used == 1


def test_a_spent_token_is_told_from_a_made_up_one_however_old_it_is() -> None:
    session, first = _start()
    token, now = first, START
    for _ in range(500):
        session = present(session, token, now)
        token = token.successor(session.salt)
        now += timedelta(minutes=1)

    assert _told(session, first, now) == ("spent", session)
    assert _told(session, replace(first, secret=bytes(32)), now) == ("refused", session)


def test_who_rotates_on_and_on_keeps_the_last_ten_in_grace() -> None:
    session, token = _start()
    chain = [token]
    for _ in range(30):
        session = present(session, chain[-1], START)
        chain.append(chain[-1].successor(session.salt))

    told = [_told(session, used, START)[0] for used in chain[:30]]
    assert told == ["spent"] * 19 + ["good"] * 11


def test_another_sessions_token_is_refused() -> None:
    session, _ = _start()
    _, foreign = _start()

    assert _told(session, foreign, START) == ("refused", session)


def test_nothing_that_is_kept_gives_the_token_back() -> None:
    session, token = _start()
    session = present(session, token, START)

    assert token.secret not in (session.salt, session.used_digest, session.next_digest)
    assert token.successor(session.salt).secret not in (session.salt, session.used_digest, session.next_digest)
    for kept in (session, token):
        assert not any(
            repr(secret) in repr(kept) for secret in (token.secret, session.salt, session.next_digest, token.digest)
        )


TOKENS = st.builds(
    RefreshToken,
    st.uuids().map(str),
    st.uuids().map(str),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=32, max_size=32),
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(TOKENS)
def test_what_is_written_is_read_again(token: RefreshToken) -> None:
    text = token.text()

    assert text.startswith(PREFIX)
    assert RefreshToken.parse(text) == token


def test_every_single_change_of_a_character_is_refused_or_another_token() -> None:
    token = _start()[1]
    text = token.text()
    for place, character in enumerate(text):
        for other in ("A" if character != "A" else "B", "=", "é", " ", "\ud800"):
            if other == character:
                continue
            changed = text[:place] + other + text[place + 1 :]
            try:
                read = RefreshToken.parse(changed)
            except Unauthenticated:
                continue
            assert read != token
            assert read.text() == changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        PREFIX + "====",
        PREFIX + "A" * 92,
        PREFIX + base64.urlsafe_b64encode(bytes(67)).decode(),
        PREFIX + base64.urlsafe_b64encode(bytes(69)).decode(),
        base64.urlsafe_b64encode(bytes(68)).decode(),
        PREFIX * 2 + base64.urlsafe_b64encode(bytes(68)).decode(),
        PREFIX + base64.urlsafe_b64encode(bytes(68)).decode() + "\n",
        PREFIX.upper() + base64.urlsafe_b64encode(bytes(68)).decode(),
        PREFIX + base64.b64encode(b"\xff" * 68).decode(),
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "\x00",
        "\ud800",
        "ключ",
        "A" * 1_000_000,
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_is_no_refresh_token_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        RefreshToken.parse(text)

    assert refusal.value.message == "The refresh token is not valid."


def test_every_session_begins_with_256_bits_of_its_own() -> None:
    secrets = {_start()[1].secret for _ in range(100)}

    assert ({len(secret) for secret in secrets}, len(secrets)) == ({32}, 100)
