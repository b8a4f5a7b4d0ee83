"""Signing in, staying signed in, and signing out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts import lockout
from gatehouse.accounts.challenges import Challenge, Challenges
from gatehouse.accounts.changes import AccountFinder
from gatehouse.accounts.guard import Guard
from gatehouse.accounts.model import Account, Entrance, KeptSession, Origin, Session, SignIn, place
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.accounts.refresh import RefreshToken, TokenSpent, present
from gatehouse.accounts.sign_ins import SignIns
from gatehouse.audit import acting
from gatehouse.audit.failed_sign_ins import FailedSignIns
from gatehouse.audit.model import AuditAction, AuditEvent, Outcome, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.fields import unique_form
from gatehouse.errors import ServiceUnavailable, TwoFactorRequired, Unauthenticated
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

MOST_SESSIONS = 100
"""Live sessions of one consumer; one more ends the oldest."""

_log = logging.getLogger(__name__)

_ATTEMPTS = 50  # as many sign-ins as may race for one place among the most sessions


class AccountStore(AccountFinder, Protocol):
    """Where accounts and sessions are kept."""

    def open_session(self, account: Account, session: Session, entrance: Entrance, event: AuditEvent) -> None:
        """Adds the session, with what comes with it.

        Raises Stale where the account is not as it was, has its most sessions, or the code has been used.
        """

    def prune_sessions(self, account: Account, now: datetime, idle: timedelta, event: AuditEvent) -> None:
        """Ends what has had its time and the oldest, so that another session has room; raises Stale as above."""

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None: ...

    def step_session(self, before: Session, after: Session) -> bool:
        """Turns one into the other; False where it was no longer as before, or is being changed just now."""

    def end_session(self, user_id: str, session_id: str, notice: Mail | None, event: AuditEvent) -> bool:
        """Ends the session; False, and no notice, where it had ended. Counts on the next request."""


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The use cases. A session that is not used for `idle` has ended.

    `admit` is given who gave the right password, the link's token they gave with it, and where they are; it answers
    with the account as it is then, or raises Forbidden.
    """

    store: AccountStore
    clock: Clock
    hasher: PasswordHasher
    sign_ins: SignIns
    guard: Guard
    challenges: Challenges
    writer: Writer
    recorder: Recorder
    failed: FailedSignIns
    idle: timedelta
    admit: Callable[[Account, str | None, Origin], Account]

    def login(self, email: str, password: str, origin: Origin, verification_token: str | None = None) -> SignIn:
        """The person signed in; raises Unauthenticated, alike in words and in time whatever was wrong.

        Only a text that cannot be an address is told apart, as BadRequest. Where the password is right, raises
        TwoFactorRequired with a challenge where a code is needed, Forbidden where the email is to be verified first.
        """
        unique_email = unique_form(fields.email(email))
        account = self.store.find_account(unique_email)
        subject = lockout.no_account(unique_email) if account is None else lockout.account(account.user.id)
        with self.guard.attempt(subject, origin.address, self.clock.now(), origin.correlation_id) as attempt:
            verified, is_right = None, False
            for _ in range(_ATTEMPTS):
                known_hash = account.password_hash if account else None
                if verified is None or known_hash != verified:
                    is_right = self.hasher.matches(password, known_hash)
                is_active = account is not None and account.user.is_active
                if not attempt.take(is_right=is_right and is_active) or account is None or known_hash is None:
                    self.failed.keep(origin, None if account is None else account.user.id, "WRONG_CREDENTIALS")
                    raise _wrong()
                verified = known_hash
                account = self.admit(account, verification_token, origin)
                if account.factor.is_on:
                    raise self._challenge(account)
                new_hash = self.hasher.hash(password) if self.hasher.is_outdated(known_hash) else None
                entrance = Entrance(ledger=subject.name, new_hash=new_hash)
                if (signed_in := self._open(account, origin, entrance)) is not None:
                    attempt.settle()
                    return signed_in
                account = self.store.find_account(unique_email)
        raise _too_many()

    def complete_login(self, challenge: str, code: str, origin: Origin) -> SignIn:
        """The person signed in who has given the right password before; raises Unauthenticated.

        A wrong code counts as a wrong password does.
        """
        now = self.clock.now()
        given = self.challenges.read(challenge, now)
        subject = lockout.account(given.user_id)
        account = self._challenged(given)
        with self.guard.attempt(subject, origin.address, now, origin.correlation_id) as attempt:
            for _ in range(_ATTEMPTS):
                proof = account.factor.recognise(code, now)
                if not attempt.take(is_right=proof is not None):
                    self.failed.keep(origin, account.user.id, "WRONG_CODE")
                    raise Unauthenticated("The code is wrong, or was used before.", reason="WRONG_CODE")
                entrance = Entrance(ledger=subject.name, proof=proof)
                if (signed_in := self._open(account, origin, entrance)) is not None:
                    attempt.settle()
                    return signed_in
                account = self._challenged(given)
        raise _too_many()

    def refresh(self, refresh_token: str, origin: Origin) -> SignIn:
        """A fresh access token, and the successor of the refresh token; raises Unauthenticated.

        A token that returns after its time ends its session, and its owner is told: somebody else may hold it too.
        """
        token = RefreshToken.parse(refresh_token)
        for _ in range(_ATTEMPTS):
            found = self.store.find_session(token.user_id, token.session_id)
            if found is None or not found.session.is_in_force(found.standing, self.clock.now(), self.idle):
                raise Unauthenticated("The session has ended. Sign in again.")
            before = found.session
            try:
                after = present(before, token, self.clock.now())
            except TokenSpent as error:
                told = {"consumer": before.user_id, "session": before.id}
                _log.warning("a spent refresh token came back", extra=told)
                notice = self.writer.write(MailKind.TOKEN_REUSED, found.user.email)
                event = self.recorder.event(
                    AuditAction.TOKEN_REUSED,
                    acting.stranger(origin),
                    outcome=Outcome.REFUSED,
                    subject_id=before.user_id,
                    target=Target(TargetType.SESSION, before.id),
                )
                self.store.end_session(before.user_id, before.id, notice, event)
                raise Unauthenticated(
                    "This refresh token was used before; its session has ended. Sign in again.", reason="TOKEN_REUSED"
                ) from error
            if after == before or self.store.step_session(before, after):
                return self.sign_ins.answer(found.user, before, token.successor(before.salt))
        raise ServiceUnavailable("The session is being refreshed by others. Try again.")

    def logout(self, caller: Caller) -> None:
        """Ends the caller's session; a credential has none and is refused."""
        require(caller, Action.END_SESSION)
        if caller.consumer_id is not None and caller.session_id is not None:
            target = Target(TargetType.SESSION, caller.session_id)
            event = self.recorder.event(
                AuditAction.SIGNED_OUT, acting.caller(caller), subject_id=caller.consumer_id, target=target
            )
            self.store.end_session(caller.consumer_id, caller.session_id, None, event)

    def _known_by_its_address(self, account: Account, origin: Origin, entrance: Entrance) -> Entrance:
        """The entrance, with what an address adds that was not seen before; the first one of all is no news."""
        here = place(account.user.id, origin.address)
        if here in account.places:
            return entrance
        words = {"address": origin.address, "device": origin.device}
        notice = self.writer.write(MailKind.NEW_ADDRESS, account.user.email, words=words) if account.places else None
        return replace(entrance, new_place=here, notice=notice)

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

    def _open(self, account: Account, origin: Origin, entrance: Entrance) -> SignIn | None:
        """None where something has changed, which has to be looked at again."""
        try:
            if account.sessions >= MOST_SESSIONS:
                event = self.recorder.event(
                    AuditAction.SESSIONS_PRUNED, acting.stranger(origin), subject_id=account.user.id
                )
                self.store.prune_sessions(account, self.clock.now(), self.idle, event)
                return None
            entrance = self._known_by_its_address(account, origin, entrance)
            proved_at = None if entrance.proof is None else self.clock.now()
            session, token = self.sign_ins.begin(account.user.id, account.generation, origin, proved_at=proved_at)
            event = self.recorder.event(
                AuditAction.SIGNED_IN,
                acting.person(account.user, session.id, origin),
                subject_id=account.user.id,
                target=Target(TargetType.SESSION, session.id),
                after={"device": origin.device, "email": account.user.email},
            )
            self.store.open_session(account, session, entrance, event)
        except Stale:
            return None
        return self.sign_ins.answer(account.user, session, token)


def _wrong() -> Unauthenticated:
    return Unauthenticated("The email or the password is wrong.", reason="WRONG_CREDENTIALS")


def _too_many() -> ServiceUnavailable:
    return ServiceUnavailable("Too many sign-ins to this account at once. Try again.")
