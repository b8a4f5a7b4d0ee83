"""Keys to sign with, for tests of whatever signs."""

from collections.abc import Mapping

from gatehouse.clock import SystemClock
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing


def a_ring(current: str, keys: Mapping[str, bytes]) -> KeyRing:
    """A ring of these very keys."""
    return KeyRing(lambda: SigningKeys(current, keys), SystemClock())
