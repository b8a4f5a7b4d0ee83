"""What a function remembers between requests: the gate's own write checks all of it, or it lasts a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gatehouse.admission.meters import Count, Meter
from gatehouse.admission.model import Gate, StoredCredential
from gatehouse.consumers.model import Standing
from gatehouse.lately import Lately


@dataclass(frozen=True)
class KnownSession:
    """A session that is in force at the epoch of the standing until it ends, and when it was last used, to the hour."""

    standing: Standing
    ends_at: datetime
    used_at: datetime
    is_proved: bool
    """It has seen a code of a second factor."""


@dataclass(frozen=True)
class KnownCredential:
    """A credential as it is at the epoch of the standing."""

    standing: Standing
    stored: StoredCredential


@dataclass(frozen=True)
class VerifiedSecret:
    """A chosen secret that was verified: its keyed digest, until when that counts, and for which hash."""

    digest: bytes = field(repr=False)
    until: datetime
    secret_hash: str = field(repr=False)


@dataclass(frozen=True)
class Memory:
    """Everything that one function remembers for the gate."""

    gates: Lately[Gate] = field(default_factory=Lately)
    addresses: Lately[Mapping[Meter, Count]] = field(default_factory=Lately)
    sessions: Lately[KnownSession] = field(default_factory=Lately)
    credentials: Lately[KnownCredential] = field(default_factory=Lately)
    """By key id, which a caller may choose: so a token's id has a memory of its own."""
    tokens: Lately[KnownCredential] = field(default_factory=Lately)
    used: Lately[datetime] = field(default_factory=Lately)
    """When the stream was last asked to write down that a secret or a session was used."""
    verified: Lately[VerifiedSecret] = field(default_factory=Lately)
