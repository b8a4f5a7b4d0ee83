"""Challenges: five minutes for whoever has given the right password, and good for nothing else."""

from datetime import timedelta

import pytest

from gatehouse import tokens
from gatehouse.accounts.challenges import Challenge, Challenges
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from tests.unit.fakes import SESSION_TOKENS, START, TOKENS

CHALLENGES = Challenges(TOKENS)
GIVEN = Challenge(new_id(START), 7)


def refusal_of(text: str, later: timedelta = timedelta(0)) -> str | None:
    with pytest.raises(Unauthenticated) as refusal:
        CHALLENGES.read(text, START + later)
    return refusal.value.reason


def test_a_challenge_is_read_back_for_less_than_five_minutes() -> None:
    text = CHALLENGES.issue(GIVEN, START)
    assert CHALLENGES.read(text, START + timedelta(minutes=5, milliseconds=-1)) == GIVEN
    assert refusal_of(text, timedelta(minutes=5)) == "CHALLENGE_EXPIRED"


@pytest.mark.parametrize("kind", [tokens.SESSION, tokens.CREDENTIAL, tokens.CLIENT_ACCESS])
def test_no_other_token_is_a_challenge_and_a_challenge_is_no_other_token(kind: tokens.TokenKind) -> None:
    own = {"gen": 7, **{name: expected() for name, expected in kind.claims.items()}}
    other = TOKENS.issue(kind, GIVEN.user_id, own, START, START + timedelta(minutes=5))
    assert refusal_of(other) is None
    with pytest.raises(Unauthenticated):
        TOKENS.verify(kind, CHALLENGES.issue(GIVEN, START), START)


@pytest.mark.parametrize("generation", ["7", 7.0, True, None])
def test_a_generation_is_a_whole_number(generation: object) -> None:
    text = TOKENS.issue(tokens.CHALLENGE, GIVEN.user_id, {"gen": generation}, START, START + timedelta(minutes=5))
    assert refusal_of(text) is None


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "\ud800", SESSION_TOKENS.issue(GIVEN.user_id, "s", START)])
def test_whatever_else_is_given_is_refused(text: str) -> None:
    assert refusal_of(text) is None
