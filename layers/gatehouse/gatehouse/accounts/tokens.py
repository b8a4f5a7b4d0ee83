"""The access tokens of sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehouse.tokens import SESSION, Tokens


@dataclass(frozen=True)
class SessionTokens:
    """Makes access tokens that live `lifetime` seconds; the gate verifies them."""

    tokens: Tokens
    lifetime: int

    def issue(self, user_id: str, session_id: str, now: datetime) -> str:
        """A fresh access token of the session; raises ServiceUnavailable."""
        expires_at = now + timedelta(seconds=self.lifetime)
        return self.tokens.issue(SESSION, user_id, {"sid": session_id}, now, expires_at)
