"""A second factor as it is kept, and what shows that somebody has it."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.accounts import recovery, totp
from gatehouse.consumers.model import User

FRESH = timedelta(minutes=15)
"""How long a code, or a sign-in where there is no second factor, counts for what is sensitive."""


@dataclass(frozen=True)
class StepProof:
    """The code of a step, which must be later than the last one that was used."""

    step: int


@dataclass(frozen=True)
class RecoveryProof:
    """A recovery code, which is used up by it."""

    digest: bytes = field(repr=False)


type Proof = StepProof | RecoveryProof
"""A right code. Whoever acts on it uses it up in the same write."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A user's second factor: none without a secret; `pending` is one that was shown and not confirmed yet.

    `step` is the last one whose code was used, `recovery` has the digests of the recovery codes that were not.
    """

    secret: bytes | None = field(default=None, repr=False)
    pending: bytes | None = field(default=None, repr=False)
    step: int = 0
    recovery: frozenset[bytes] = field(default=frozenset(), repr=False)

    @property
    def is_on(self) -> bool:
        return self.secret is not None

    @property
    def is_known(self) -> bool:
        """Whether anything is kept of one, were it only to be confirmed."""
        return self.secret is not None or self.pending is not None

    def recognise(self, typed: str, now: datetime) -> Proof | None:
        """What a code proves that a person typed, from the app or from paper."""
        if self.secret is None:
            return None
        if (step := totp.matching_step(self.secret, typed, now, after=self.step)) is not None:
            return StepProof(step)
        digest = recovery.digest(typed)
        kept = [digest is not None and hmac.compare_digest(digest, one) for one in self.recovery]
        return RecoveryProof(digest) if digest is not None and any(kept) else None

    def confirm(self, typed: str, now: datetime) -> int | None:
        """The step whose code, of what is pending, a person typed."""
        return None if self.pending is None else totp.matching_step(self.pending, typed, now, after=0)


@dataclass(frozen=True)
class TurningOn:
    """What is kept with a secret that counts from now on: the step its code was of, and digests of recovery codes."""

    step: int
    recovery: frozenset[bytes] = field(repr=False)
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A user with the second factor there is, and when their session began and last saw a code, if it is in force.

    `generation` is that of their sessions now.
    """

    user: User
    factor: Factor
    generation: int = 0
    signed_in_at: datetime | None
    proved_at: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Whether the session has shown lately who it is: by a code, or where there is none by signing in."""
        shown_at = self.proved_at if self.factor.is_on else self.signed_in_at
        return shown_at is not None and now - shown_at <= FRESH
