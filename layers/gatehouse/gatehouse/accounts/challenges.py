"""Challenges: what a person who has given the right password gives back together with a code."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehouse.errors import Unauthenticated
from gatehouse.tokens import CHALLENGE, TokenExpired, Tokens

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Challenge:
    """Who has given the right password, and in which generation: what ends all sessions ends it too."""

    user_id: str
    generation: int


@dataclass(frozen=True)
class Challenges:
    """Makes and reads challenges; both may raise ServiceUnavailable."""

    tokens: Tokens

    def issue(self, challenge: Challenge, now: datetime) -> str:
        """What the client gives back."""
        own = {"gen": challenge.generation}
        return self.tokens.issue(CHALLENGE, challenge.user_id, own, now, now + LIFETIME)

    def read(self, text: str, now: datetime) -> Challenge:
        """The challenge; raises Unauthenticated."""
        try:
            claims = self.tokens.verify(CHALLENGE, text, now)
        except TokenExpired as error:
            raise Unauthenticated("The challenge has expired. Sign in again.", reason="CHALLENGE_EXPIRED") from error
        return Challenge(claims.subject, claims.own["gen"])
