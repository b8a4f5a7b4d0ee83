"""What an operator does with the signing keys by command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gatehouse.clock import Clock
from gatehouse.errors import Conflict
from gatehouse.persistence import Stale
from gatehouse.signing.keys import SigningKeys, retired, rotated

_ATTEMPTS = 3


class KeySets(Protocol):
    """Where the key set is kept. Both may raise ServiceUnavailable."""

    def current(self) -> tuple[str, SigningKeys]:
        """The version of the set, and the set."""

    def replace(self, instead_of: str, keys: SigningKeys) -> None:
        """Keeps the set in the place of a version, and ends a rotation that is under way.

        Raises Stale where another version is current by now.
        """


@dataclass(frozen=True)
class KeysByCommand:
    """Changes the key set at once, and loses no change that somebody else makes at the same time."""

    sets: KeySets
    clock: Clock

    def show(self) -> SigningKeys:
        """The set as it is."""
        return self.sets.current()[1]

    def rotate(self) -> SigningKeys:
        """The set with a new key to sign with; raises Conflict where others keep changing it."""
        return self._change(lambda keys: rotated(keys, self.clock.now()))

    def retire(self, key_id: str) -> SigningKeys:
        """The set without the key; raises NotFound, or Conflict where others keep changing it."""
        return self._change(lambda keys: retired(keys, key_id, self.clock.now()))

    def _change(self, change: Callable[[SigningKeys], SigningKeys]) -> SigningKeys:
        for _ in range(_ATTEMPTS):
            version, keys = self.sets.current()
            changed = change(keys)
            try:
                self.sets.replace(version, changed)
            except Stale:
                continue
            return changed
        raise Conflict("Somebody else changes the keys. Try again.")
