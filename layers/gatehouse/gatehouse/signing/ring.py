"""The keys as a function remembers them: for half a minute, so that a retired key is soon refused everywhere."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from gatehouse.clock import Clock
from gatehouse.errors import ServiceUnavailable
from gatehouse.signing.keys import InvalidKeySet, SigningKeys

REMEMBERED_FOR = timedelta(seconds=30)
"""How long a retired key may still be taken, and a new one be unknown."""

OUTAGE_SURVIVED = timedelta(minutes=5)
"""How long the keys serve that were read last, where they cannot be read again. After that nobody is let in by a token:
one of them may have been retired, which nobody here would know.
"""

PAUSE = timedelta(seconds=5)
"""How often the keys are read at most, whatever key ids come in, and however often it fails."""


class KeyRing:
    """Signs and verifies with what `read` gives; it may raise ServiceUnavailable or InvalidKeySet. Safe for threads."""

    def __init__(self, read: Callable[[], SigningKeys], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._keys: SigningKeys | None = None
        self._read_at = self._tried_at = clock.now()
        self._fault: Exception | None = None

    def signing(self) -> tuple[str, bytes]:
        """The id and the key to sign with; raises ServiceUnavailable."""
        with self._lock:
            now = self._clock.now()
            keys = self._current(now)
            key_id = keys.signer(now)
            return key_id, keys.keys[key_id]

    def find(self, key_id: str) -> bytes | None:
        """The key of the id, or None. An id that is not known has the keys read again, unless that was just done.

        Raises ServiceUnavailable, also where they could not be read again.
        """
        with self._lock:
            now = self._clock.now()
            keys = self._current(now)
            if key_id not in keys.keys:
                keys = self._refreshed(now)
                if key_id not in keys.keys and self._fault is not None:
                    raise _unavailable() from self._fault
            return keys.keys.get(key_id)

    def every(self) -> tuple[bytes, ...]:
        """All keys, the one to sign with before the others; raises ServiceUnavailable."""
        with self._lock:
            now = self._clock.now()
            keys = self._current(now)
            signer = keys.signer(now)
            return keys.keys[signer], *(key for key_id, key in keys.keys.items() if key_id != signer)

    def _current(self, now: datetime) -> SigningKeys:
        if self._keys is not None and _within(REMEMBERED_FOR, self._read_at, now):
            return self._keys
        return self._refreshed(now)

    def _refreshed(self, now: datetime) -> SigningKeys:
        if self._keys is None or not _within(PAUSE, self._tried_at, now):
            self._tried_at = now
            try:
                self._keys, self._read_at, self._fault = self._read(), now, None
            except (ServiceUnavailable, InvalidKeySet) as fault:
                self._fault = fault
                if self._keys is None:
                    raise
        if not _within(OUTAGE_SURVIVED, self._read_at, now):
            raise _unavailable() from self._fault
        return self._keys


def _within(time: timedelta, start: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - start < time


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable("The signing keys could not be read. Try again.")
