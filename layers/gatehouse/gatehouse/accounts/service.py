"""Signing up, signing in, staying signed in, and signing out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts.model import Account, KeptSession, Session, SignIn
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.refresh import RefreshToken, TokenSpent, present, start_session
from gatehouse.accounts.tokens import SessionTokens
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.creation import NewUser, fresh_user
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

MOST_SESSIONS = 100
"""Live sessions of one consumer; one more ends the oldest."""

_ATTEMPTS = 50  # as many sign-ins as may race for one place among the most sessions


class AccountStore(Protocol):
    """Where accounts and sessions are kept."""

    def create_account(self, user: User, password_hash: str, session: Session) -> None:
        """Keeps all of it or nothing; raises Conflict where email or username is taken."""

    def find_account(self, unique_email: str) -> Account | None:
        """The account; takes the same two reads where there is none."""

    def open_session(self, account: Account, session: Session, new_hash: str | None) -> None:
        """Adds the session; raises Stale where the account is not as it was, or has its most sessions."""

    def prune_sessions(self, account: Account, now: datetime) -> None:
        """Ends what is expired and the oldest, so that another session has room; raises Stale as above."""

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None: ...

    def step_session(self, before: Session, after: Session) -> bool:
        """Turns one into the other; False where it was no longer as before, or is being changed just now."""

    def end_session(self, user_id: str, session_id: str) -> None:
        """Ends the session, if it has not ended; counts on the next request."""


@dataclass(frozen=True)
class Accounts:
    """The use cases. `session_lifetime` is how long a session can be refreshed."""

    store: AccountStore
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy
    tokens: SessionTokens
    session_lifetime: timedelta

    def register(self, new: NewUser) -> SignIn:
        """A new USER, signed in; raises BadRequest, or Conflict for a taken name."""
        user = fresh_user(new, self.clock, role=Role.USER, kind=Kind.USER)
        password = new["password"] or ""
        self.policy.check(password, username=user.username, email=user.email)
        session, token = self._new_session(user.id, generation=0)
        self.store.create_account(user, self.hasher.hash(password), session)
        return self._sign_in(user, session, token)

    def login(self, email: str, password: str) -> SignIn:
        """The person signed in; raises Unauthenticated, alike in words and in time whatever was wrong.

        Only a text that cannot be an address is told apart, as BadRequest.
        """
        unique_email = unique_form(fields.email(email))
        verified = None
        for _ in range(_ATTEMPTS):
            account = self.store.find_account(unique_email)
            known_hash = account.password_hash if account else None
            if (verified is None or known_hash != verified) and not self.hasher.matches(password, known_hash):
                raise _wrong()
            if account is None or known_hash is None or not account.user.is_active:
                raise _wrong()
            verified = known_hash
            try:
                return self._open(account, known_hash, password)
            except Stale:
                continue
        raise ServiceUnavailable("Too many sign-ins to this account at once. Try again.")

    def refresh(self, refresh_token: str) -> SignIn:
        """A fresh access token, and the successor of the refresh token; raises Unauthenticated.

        A token that returns after its time ends its session: somebody else may hold it too.
        """
        token = RefreshToken.parse(refresh_token)
        for _ in range(_ATTEMPTS):
            found = self.store.find_session(token.user_id, token.session_id)
            if found is None or not found.session.is_in_force(found.standing, self.clock.now()):
                raise Unauthenticated("The session has ended. Sign in again.")
            before = found.session
            try:
                after = present(before, token, self.clock.now())
            except TokenSpent as error:
                self.store.end_session(before.user_id, before.id)
                raise Unauthenticated(
                    "This refresh token was used before; its session has ended. Sign in again.", reason="TOKEN_REUSED"
                ) from error
            if after == before or self.store.step_session(before, after):
                return self._sign_in(found.user, before, token.successor(before.salt))
        raise ServiceUnavailable("The session is being refreshed by others. Try again.")

    def logout(self, caller: Caller) -> None:
        """Ends the caller's session; a credential has none and is refused."""
        require(caller, Action.END_SESSION)
        if caller.consumer_id is not None and caller.session_id is not None:
            self.store.end_session(caller.consumer_id, caller.session_id)

    def _open(self, account: Account, known_hash: str, password: str) -> SignIn:
        if account.sessions >= MOST_SESSIONS:
            self.store.prune_sessions(account, self.clock.now())
            raise Stale
        session, token = self._new_session(account.user.id, account.generation)
        new_hash = self.hasher.hash(password) if self.hasher.is_outdated(known_hash) else None
        self.store.open_session(account, session, new_hash)
        return self._sign_in(account.user, session, token)

    def _new_session(self, user_id: str, generation: int) -> tuple[Session, RefreshToken]:
        now = self.clock.now()
        return start_session(new_id(now), user_id, generation, now, self.session_lifetime)

    def _sign_in(self, user: User, session: Session, token: RefreshToken) -> SignIn:
        return SignIn(
            access_token=self.tokens.issue(user.id, session.id, self.clock.now()),
            refresh_token=token.text(),
            expires_in=self.tokens.lifetime,
            user=user,
        )


def _wrong() -> Unauthenticated:
    return Unauthenticated("The email or the password is wrong.", reason="WRONG_CREDENTIALS")
