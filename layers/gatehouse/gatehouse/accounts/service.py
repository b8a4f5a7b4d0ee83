"""Signing up, signing in, staying signed in, and signing out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts import lockout
from gatehouse.accounts.challenges import Challenge, Challenges
from gatehouse.accounts.guard import Guard
from gatehouse.accounts.model import Account, Entrance, KeptSession, Session, SignIn
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.refresh import RefreshToken, TokenSpent, present, start_session
from gatehouse.accounts.tokens import SessionTokens
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.creation import NewUser, fresh_user
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import ServiceUnavailable, TwoFactorRequired, Unauthenticated
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

    def find_account_of(self, user_id: str) -> Account | None: ...

    def open_session(self, account: Account, session: Session, entrance: Entrance) -> None:
        """Adds the session, with what comes with it.

        Raises Stale where the account is not as it was, has its most sessions, or the code has been used.
        """

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
    guard: Guard
    challenges: Challenges

    def register(self, new: NewUser) -> SignIn:
        """A new USER, signed in; raises BadRequest, or Conflict for a taken name."""
        user = fresh_user(new, self.clock, role=Role.USER, kind=Kind.USER)
        password = new["password"] or ""
        self.policy.check(password, username=user.username, email=user.email)
        session, token = self._new_session(user.id, generation=0)
        self.store.create_account(user, self.hasher.hash(password), session)
        return self._sign_in(user, session, token)

    def login(self, email: str, password: str, address: str) -> SignIn:
        """The person signed in; raises Unauthenticated, alike in words and in time whatever was wrong.

        Only a text that cannot be an address is told apart, as BadRequest. Raises TwoFactorRequired, with a challenge,
        where the password is right and a code is needed.
        """
        unique_email = unique_form(fields.email(email))
        account = self.store.find_account(unique_email)
        subject = lockout.no_account(unique_email) if account is None else lockout.account(account.user.id)
        with self.guard.attempt(subject, address, self.clock.now()) as attempt:
            verified, is_right = None, False
            for _ in range(_ATTEMPTS):
                known_hash = account.password_hash if account else None
                if verified is None or known_hash != verified:
                    is_right = self.hasher.matches(password, known_hash)
                is_active = account is not None and account.user.is_active
                if not attempt.take(is_right=is_right and is_active) or account is None or known_hash is None:
                    raise _wrong()
                verified = known_hash
                if account.factor.is_on:
                    raise self._challenge(account)
                new_hash = self.hasher.hash(password) if self.hasher.is_outdated(known_hash) else None
                entrance = Entrance(ledger=subject.name, address=address, new_hash=new_hash)
                if (signed_in := self._open(account, entrance)) is not None:
                    attempt.settle()
                    return signed_in
                account = self.store.find_account(unique_email)
        raise _too_many()

    def complete_login(self, challenge: str, code: str, address: str) -> SignIn:
        """The person signed in who has given the right password before; raises Unauthenticated.

        A wrong code counts as a wrong password does.
        """
        now = self.clock.now()
        given = self.challenges.read(challenge, now)
        subject = lockout.account(given.user_id)
        account = self._challenged(given)
        with self.guard.attempt(subject, address, now) as attempt:
            for _ in range(_ATTEMPTS):
                proof = account.factor.recognise(code, now)
                if not attempt.take(is_right=proof is not None):
                    raise Unauthenticated("The code is wrong, or was used before.", reason="WRONG_CODE")
                entrance = Entrance(ledger=subject.name, address=address, proof=proof)
                if (signed_in := self._open(account, entrance)) is not None:
                    attempt.settle()
                    return signed_in
                account = self._challenged(given)
        raise _too_many()

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

    def _challenge(self, account: Account) -> TwoFactorRequired:
        given = Challenge(account.user.id, account.generation)
        return TwoFactorRequired(
            "Give the challenge and a code to completeTwoFactorLogin.",
            challenge=self.challenges.issue(given, self.clock.now()),
        )

    def _challenged(self, given: Challenge) -> Account:
        account = self.store.find_account_of(given.user_id)
        ended = account is None or account.generation != given.generation or not account.user.is_active
        if account is None or ended or not account.factor.is_on:
            raise Unauthenticated("The challenge has ended. Sign in again.", reason="CHALLENGE_EXPIRED")
        return account

    def _open(self, account: Account, entrance: Entrance) -> SignIn | None:
        """None where something has changed, which has to be looked at again."""
        try:
            if account.sessions >= MOST_SESSIONS:
                self.store.prune_sessions(account, self.clock.now())
                return None
            session, token = self._new_session(account.user.id, account.generation)
            if entrance.proof is not None:
                session = replace(session, proved_at=session.created_at)
            self.store.open_session(account, session, entrance)
        except Stale:
            return None
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


def _too_many() -> ServiceUnavailable:
    return ServiceUnavailable("Too many sign-ins to this account at once. Try again.")
