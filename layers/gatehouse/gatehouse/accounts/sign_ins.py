"""Sessions as they begin, and what a person keeps who signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehouse.accounts.model import Origin, Session, SignIn
from gatehouse.accounts.refresh import RefreshToken, start_session
from gatehouse.accounts.tokens import SessionTokens
from gatehouse.clock import Clock
from gatehouse.consumers.model import User


@dataclass(frozen=True)
class SignIns:
    """Begins sessions, which can be refreshed for `lifetime`.

    A password that was not changed for the time of the `reminder` is due to be; None never is.
    """

    tokens: SessionTokens
    clock: Clock
    lifetime: timedelta
    reminder: timedelta | None

    def begin(
        self, user_id: str, generation: int, origin: Origin, *, proved_at: datetime | None = None
    ) -> tuple[Session, RefreshToken]:
        """A new session, to be kept, and the first of its refresh tokens."""
        return start_session(
            user_id,
            generation=generation,
            origin=origin,
            now=self.clock.now(),
            lifetime=self.lifetime,
            proved_at=proved_at,
        )

    def answer(self, user: User, session: Session, token: RefreshToken) -> SignIn:
        """What the person keeps whose session it is."""
        now, changed_at = self.clock.now(), user.password_changed_at
        return SignIn(
            access_token=self.tokens.issue(user.id, session.id, now),
            refresh_token=token.text(),
            expires_in=self.tokens.lifetime,
            user=user,
            password_change_due=bool(self.reminder and changed_at and now - changed_at >= self.reminder),
        )
