"""What a function remembers between requests: the gate's own write checks all of it, or it lasts a minute."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from gatehouse.admission.meters import Count, Meter
from gatehouse.admission.model import Gate, StoredCredential
from gatehouse.consumers.model import Standing

_MOST = 10_000


class Lately[T]:
    """The values that were kept or asked for last, by their key; safe for threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._values: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def find(self, key: str) -> T | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def keep(self, key: str, value: T) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._most:
                self._values.popitem(last=False)

    def forget(self, key: str) -> None:
        with self._lock:
            self._values.pop(key, None)


@dataclass(frozen=True)
class KnownSession:
    """A session that is in force at the epoch of the standing, until it expires."""

    standing: Standing
    expires_at: datetime


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
    """When the stream was last asked to write down that a secret was used."""
    verified: Lately[VerifiedSecret] = field(default_factory=Lately)
    blocked: Lately[datetime] = field(default_factory=Lately)
