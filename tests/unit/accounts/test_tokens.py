"""The access tokens of sessions."""

from datetime import timedelta

from gatehouse.tokens import SESSION
from tests.unit.fakes import SESSION_TOKENS, START, TOKENS


def test_an_access_token_is_of_its_session_and_lives_as_long_as_it_was_given() -> None:
    claims = TOKENS.verify(SESSION, SESSION_TOKENS.issue("u", "s", START), START)

    assert (claims.subject, claims.own["sid"]) == ("u", "s")
    assert claims.expires_at == START + timedelta(seconds=SESSION_TOKENS.lifetime)
