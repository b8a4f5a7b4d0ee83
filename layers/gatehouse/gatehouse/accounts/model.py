"""An account with its password's hash, a session, and what a sign-in answers with."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gatehouse.accounts.factors import Factor, Proof
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Standing, User

if TYPE_CHECKING:  # the gate knows sessions, and no mails
    from gatehouse.mail.model import Mail


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user as signing in sees it. `sessions` never is below the number of live sessions of this `generation`.

    `places` stand for the addresses that they have signed in from.
    """

    user: User
    password_hash: str | None = field(repr=False)
    sessions: int
    generation: int
    factor: Factor = field(default_factory=Factor)
    places: frozenset[bytes] = frozenset()

    @property
    def state(self) -> str:
        """What a link is bound to: it is void once the email has changed, or something has ended all sessions."""
        return f"{self.generation} {unique_form(self.user.email)}"


@dataclass(frozen=True)
class Origin:
    """Where a request comes from: its address as the gate counts it, its device in our own words, and which it is."""

    address: str
    device: str
    correlation_id: str | None = field(default=None, compare=False)


def place(user_id: str, address: str) -> bytes:
    """What is remembered of an address that somebody has signed in from: enough to know it again."""
    return hashlib.sha256(f"{user_id} {address}".encode()).digest()[:8]


@dataclass(frozen=True)
class SpentToken:
    """A refresh token whose successor is in use already, and until when it is good all the same."""

    digest: bytes = field(repr=False)
    good_until: datetime


@dataclass(frozen=True, kw_only=True)
class Session:
    """A person signed in, and where its chain of refresh tokens stands.

    Tokens are numbered from 1. `used` is the highest number that was ever presented, `next_digest` belongs to the one
    after it. `spent` has the ones before it that are in their grace, the latest first. `proved_at` is when it last saw
    a code of a second factor, `used_at` when it was last used, to the hour.
    """

    id: str
    user_id: str
    generation: int
    origin: Origin
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    salt: bytes = field(repr=False)
    used: int
    next_digest: bytes = field(repr=False)
    used_digest: bytes | None = field(default=None, repr=False)
    spent: tuple[SpentToken, ...] = ()
    proved_at: datetime | None = None

    def ends_at(self, idle: timedelta) -> datetime:
        """When it ends at the latest, and before that where it is not used for so long."""
        return min(self.expires_at, self.used_at + idle)

    def is_in_force(self, standing: Standing, now: datetime, idle: timedelta) -> bool:
        """Whether the session still counts at `now`, with its owner's standing."""
        return standing.is_active and self.generation == standing.generation and now < self.ends_at(idle)


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """What is written beside the session when somebody comes in.

    Failures are cleared at the `ledger`, a code is used up, an address is remembered, and its owner told of it.
    """

    ledger: str
    proof: Proof | None = None
    new_hash: str | None = field(default=None, repr=False)
    new_place: bytes | None = None
    notice: "Mail | None" = None


@dataclass(frozen=True, kw_only=True)
class KeptSession:
    """A session with what decides whether it still counts."""

    session: Session
    standing: Standing
    user: User


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What a person who signed in keeps. `expires_in` is the access token's life in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    user: User
    password_change_due: bool = False
