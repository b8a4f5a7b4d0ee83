"""Second factors in a plain dictionary, and how an app and a person use them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from gatehouse.accounts import totp
from gatehouse.accounts.factors import Factor, Holder, Proof, RecoveryProof, TurningOn
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import User
from gatehouse.mail.model import Mail
from gatehouse.persistence import Stale
from tests.unit.events import KeptEvents


@dataclass
class MemoryFactors:
    """The store of `accounts.two_factor`; `sessions` has when each began, `proved` when it last saw a code.

    `stale` makes that many of the next writes find that the world has moved on.
    """

    users: dict[str, User] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)
    sessions: dict[str, datetime] = field(default_factory=dict)
    proved: dict[str, datetime] = field(default_factory=dict)
    notices: list[Mail] = field(default_factory=list)
    audit: KeptEvents = field(default_factory=KeptEvents)
    stale: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def factor(self, user_id: str) -> Factor:
        return self.factors.get(user_id, Factor())

    def find_holder(self, user_id: str, session_id: str | None) -> Holder | None:
        if user_id not in self.users:
            return None
        return Holder(
            user=self.users[user_id],
            factor=self.factor(user_id),
            signed_in_at=self.sessions.get(session_id or ""),
            proved_at=self.proved.get(session_id or ""),
        )

    def keep_pending(self, holder: Holder, secret: bytes, event: AuditEvent | None = None) -> None:
        with self._lock:
            now = self._as_before(holder)
            self.factors[holder.user.id] = replace(now, pending=secret)
            self.audit.add(event)

    def turn_on(
        self,
        holder: Holder,
        session_id: str,
        turning_on: TurningOn,
        notice: Mail,
        event: AuditEvent | None = None,
    ) -> None:
        with self._lock:
            if self._as_before(holder).pending != holder.factor.pending or session_id not in self.sessions:
                raise Stale
            self.factors[holder.user.id] = Factor(
                secret=holder.factor.pending, step=turning_on.step, recovery=turning_on.recovery
            )
            self.proved[session_id] = turning_on.now
            self._tell(holder, is_on=True)
            self.notices.append(notice)
            self.audit.add(event)

    def prove(
        self, holder: Holder, session_id: str, proof: Proof, now: datetime, event: AuditEvent | None = None
    ) -> None:
        with self._lock:
            after = self._without(holder, proof)
            if session_id not in self.sessions:
                raise Stale
            self.factors[holder.user.id] = after
            self.proved[session_id] = now
            self.audit.add(event)

    def use_up(self, user: User, factor: Factor, proof: Proof) -> None:
        """What signing in with a code does."""
        with self._lock:
            holder = Holder(user=user, factor=factor, signed_in_at=None, proved_at=None)
            self.factors[user.id] = self._without(holder, proof)

    def turn_off(self, holder: Holder, proof: Proof | None, notice: Mail, event: AuditEvent | None = None) -> None:
        with self._lock:
            if proof is None:
                self._as_before(holder)
            else:
                self._without(holder, proof)
            del self.factors[holder.user.id]
            self._tell(holder, is_on=False)
            self.notices.append(notice)
            self.audit.add(event)

    def _tell(self, holder: Holder, *, is_on: bool) -> None:
        user = self.users[holder.user.id]
        self.users[user.id] = replace(user, two_factor_enabled=is_on)

    def _as_before(self, holder: Holder) -> Factor:
        if self.stale > 0:
            self.stale -= 1
            raise Stale
        factor = self.factor(holder.user.id)
        if holder.user.id not in self.users or factor.secret != holder.factor.secret:
            raise Stale
        return factor

    def _without(self, holder: Holder, proof: Proof) -> Factor:
        factor = self._as_before(holder)
        if isinstance(proof, RecoveryProof):
            if proof.digest not in factor.recovery:
                raise Stale
            return replace(factor, recovery=factor.recovery - {proof.digest})
        if factor.step >= proof.step:
            raise Stale
        return replace(factor, step=proof.step)


def app_code(secret: bytes, now: datetime, steps: int = 0) -> str:
    """What the app shows, so many steps from now."""
    return totp.code_at(secret, totp.step_of(now + timedelta(seconds=30 * steps)))


def wrong_code(secret: bytes, now: datetime) -> str:
    """A code that the app shows at none of the steps that count."""
    right = {app_code(secret, now, steps) for steps in (-1, 0, 1)}
    return next(code for number in range(9) if (code := f"{number:06}") not in right)
