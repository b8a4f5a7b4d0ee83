"""Two factors: turned on and off by their owner, reset by an ADMIN, asked for again before what is sensitive."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from gatehouse.accounts import recovery, totp
from gatehouse.accounts.factors import Holder, Proof, TurningOn
from gatehouse.accounts.lockout import Attempt, Lockout, account
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.model import User
from gatehouse.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    TwoFactorRequired,
    Unauthenticated,
)
from gatehouse.ids import parse_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer
from gatehouse.permissions import Action, Caller, require, require_on
from gatehouse.persistence import Stale

_ATTEMPTS = 5


class TwoFactorStore(Protocol):
    """Where second factors are kept. What changes one raises Stale where user, factor or session is not as it was."""

    def find_holder(self, user_id: str, session_id: str | None) -> Holder | None:
        """The user, and what is known of the session, which may be gone; None without the user."""

    def keep_pending(self, holder: Holder, secret: bytes, event: AuditEvent) -> None:
        """Keeps a secret that is to be confirmed, in place of any other that is."""

    def turn_on(self, holder: Holder, session_id: str, turning_on: TurningOn, notice: Mail, event: AuditEvent) -> None:
        """Makes the pending secret the one that counts, used up to the step; the session has seen a code now."""

    def prove(self, holder: Holder, session_id: str, proof: Proof, now: datetime, event: AuditEvent) -> None:
        """Uses the code up; the session has seen one now."""

    def turn_off(self, holder: Holder, proof: Proof | None, notice: Mail, event: AuditEvent) -> None:
        """Removes all of it, and uses the code up where it takes one."""


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What an app needs to know, told once: the secret, the same as a URI, and that as a QR code (SVG)."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TwoFactor:
    """The use cases. Apps show the `issuer` beside a code; `draw` makes the SVG of a text.

    A wrong code counts at the account as a wrong password does; each method that takes one raises BadRequest for it,
    and RateLimitExceeded after too many.
    """

    store: TwoFactorStore
    clock: Clock
    lockout: Lockout
    writer: Writer
    recorder: Recorder
    issuer: str
    draw: Callable[[str], str]

    def enable(self, caller: Caller) -> Enrolment:
        """A fresh secret, which counts once it is confirmed; until then all is as it was."""
        user_id, session_id = _session_of(caller)
        secret = totp.make_secret()
        for _ in range(_ATTEMPTS):
            holder = self._holder(user_id, session_id)
            _require_fresh(holder, self.clock.now())
            try:
                self.store.keep_pending(holder, secret, self._event(AuditAction.TWO_FACTOR_BEGUN, caller, holder))
            except Stale:
                continue
            uri = totp.uri(secret, account=holder.user.username, issuer=self.issuer)
            return Enrolment(secret=totp.secret_text(secret), uri=uri, qr=self.draw(uri))
        raise _changing()

    def confirm(self, caller: Caller, address: str, code: str) -> tuple[str, ...]:
        """Ten recovery codes, where the code is of the secret that is pending, which counts from now on.

        A code of what is on already opens what is sensitive to this session for a while, and there are no new ones.
        """
        user_id, session_id = _session_of(caller)
        now = self.clock.now()
        with self.lockout.attempt(account(user_id), address, now, caller.correlation_id) as attempt:
            for _ in range(_ATTEMPTS):
                holder = self._holder(user_id, session_id)
                step, proof = holder.factor.confirm(code, now), holder.factor.recognise(code, now)
                _take(attempt, holder, is_right=step is not None or proof is not None)
                codes: tuple[str, ...] = ()
                try:
                    if step is not None:
                        _require_fresh(holder, now)
                        codes = recovery.make_codes()
                        turning_on = TurningOn(step, recovery.digests(codes), now)
                        notice = self.writer.write(MailKind.TWO_FACTORS_ON, holder.user.email)
                        event = self._event(AuditAction.TWO_FACTOR_ON, caller, holder, is_on=True)
                        self.store.turn_on(holder, session_id, turning_on, notice, event)
                    elif proof is not None:
                        event = self._event(AuditAction.TWO_FACTOR_PROVED, caller, holder)
                        self.store.prove(holder, session_id, proof, now, event)
                except Stale:
                    continue
                attempt.forgive()
                return codes
        raise _changing()

    def disable(self, caller: Caller, address: str, code: str) -> None:
        """Turns it off, by a code of the app or from paper."""
        user_id, session_id = _session_of(caller)
        now = self.clock.now()
        with self.lockout.attempt(account(user_id), address, now, caller.correlation_id) as attempt:
            for _ in range(_ATTEMPTS):
                holder = self._holder(user_id, session_id)
                proof = holder.factor.recognise(code, now)
                _take(attempt, holder, is_right=proof is not None)
                try:
                    notice = self.writer.write(MailKind.TWO_FACTORS_OFF, holder.user.email)
                    event = self._event(AuditAction.TWO_FACTOR_OFF, caller, holder, is_on=False)
                    self.store.turn_off(holder, proof, notice, event)
                except Stale:
                    continue
                attempt.forgive()
                return
        raise _changing()

    def reset(self, caller: Caller, user_id: str) -> User:
        """Turns it off for somebody who has lost it; the user."""
        require(caller, Action.RESET_TWO_FACTOR)
        self.require_fresh(caller)
        known = parse_id(user_id)
        for _ in range(_ATTEMPTS):
            holder = None if known is None else self.store.find_holder(known, None)
            if holder is None:
                raise NotFound("There is no such user.")
            require_on(caller, Action.RESET_TWO_FACTOR, holder.user)
            try:
                if holder.factor.is_known:
                    notice = self.writer.write(MailKind.TWO_FACTORS_RESET, holder.user.email)
                    event = self._event(AuditAction.TWO_FACTOR_RESET, caller, holder, is_on=False)
                    self.store.turn_off(holder, None, notice, event)
            except Stale:
                continue
            return replace(holder.user, two_factor_enabled=False)
        raise _changing()

    def require_fresh(self, caller: Caller) -> None:
        """Nothing, where the caller has no second factor, or the session has lately seen a code of it.

        Raises TwoFactorRequired; for a program too, which can give no code.
        """
        holder = self.store.find_holder(caller.consumer_id or "", caller.session_id)
        if holder is not None and holder.factor.is_on:
            _require_fresh(holder, self.clock.now())

    def _event(self, action: AuditAction, caller: Caller, holder: Holder, *, is_on: bool | None = None) -> AuditEvent:
        """The event; what was on before is as the holder has it."""
        before = holder.factor.is_on
        return self.recorder.event(
            action,
            acting.caller(caller),
            subject_id=holder.user.id,
            before={"twoFactorEnabled": before},
            after={"twoFactorEnabled": before if is_on is None else is_on},
        )

    def _holder(self, user_id: str, session_id: str) -> Holder:
        holder = self.store.find_holder(user_id, session_id)
        if holder is None or holder.signed_in_at is None:
            raise Unauthenticated("The session has ended.")
        return holder


def _session_of(caller: Caller) -> tuple[str, str]:
    require(caller, Action.MANAGE_TWO_FACTOR)
    return caller.consumer_id or "", caller.session_id or ""


def _take(attempt: Attempt, holder: Holder, *, is_right: bool) -> None:
    """Nothing, where the code counts."""
    if attempt.refused is not None:
        raise RateLimitExceeded("Too many wrong codes or passwords from here. Try again later.")
    if not holder.factor.is_known:
        raise Conflict("Two factors are not on; enableTwoFactor begins it.")
    if not attempt.take(is_right=is_right):
        raise BadRequest("The code is wrong, or was used before.", field="code", reason="WRONG_CODE")


def _require_fresh(holder: Holder, now: datetime) -> None:
    if holder.is_fresh(now):
        return
    if holder.factor.is_on:
        raise TwoFactorRequired(
            "This takes a code: give one to confirmTwoFactor, and try again within 15 minutes.", reason="CODE_NEEDED"
        )
    raise Forbidden("This takes a sign-in of the last 15 minutes. Sign in again.", reason="SIGN_IN_AGAIN")


def _changing() -> ServiceUnavailable:
    return ServiceUnavailable("This account is being changed by others. Try again.")
