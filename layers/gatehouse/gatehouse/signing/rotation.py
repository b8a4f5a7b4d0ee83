"""A rotation in the four steps of Secrets Manager; each may be repeated, and may die at any of its calls."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, Protocol

from gatehouse.clock import Clock
from gatehouse.errors import Conflict
from gatehouse.persistence import Stale
from gatehouse.signing.keys import SigningKeys, follows, rotated
from gatehouse.signing.ring import KeyRing
from gatehouse.tokens import SESSION, Tokens


class KeyVersions(Protocol):
    """Versions of the key set, one of them current and at most one pending. All may raise ServiceUnavailable."""

    def current(self) -> tuple[str, SigningKeys]:
        """The current version and its set."""

    def is_pending(self, version: str) -> bool:
        """Whether the version is the one that a rotation is to make."""

    def pending(self, version: str) -> SigningKeys | None:
        """The set of the pending version; None until it has one, and where it is pending no more."""

    def put_pending(self, version: str, keys: SigningKeys) -> None:
        """Gives the version its set, unless it has one: a version never changes."""

    def make_current(self, version: str, instead_of: str) -> None:
        """Makes a version current; raises Stale where another than `instead_of` is so by now."""

    def abandon(self, version: str) -> None:
        """The version is no longer pending, so that the next rotation begins anew."""


@dataclass(frozen=True)
class Rotation:
    """What the rotation function does."""

    versions: KeyVersions
    clock: Clock
    issuer: str

    def step(self, name: str, version: str) -> None:
        """Takes one step for the version that the rotation makes; does nothing where that is current already.

        Raises Conflict where the rotation cannot go on and the next one has to begin anew.
        """
        steps = {
            "createSecret": self._create,
            "setSecret": _set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }
        take = steps[name]
        current, keys = self.versions.current()
        if current == version:
            return
        if not self.versions.is_pending(version):
            raise Conflict("This version is not the pending one: the rotation was abandoned.")
        take(version, current, keys)

    def _create(self, version: str, _current: str, keys: SigningKeys) -> None:
        if self.versions.pending(version) is None:
            self.versions.put_pending(version, rotated(keys, self.clock.now()))
        else:
            self._checked(version, keys)

    def _test(self, version: str, _current: str, keys: SigningKeys) -> None:
        pending = self.versions.pending(version)
        # With the current keys as the pending ones Secrets Manager tries out whether the function can be called.
        self._try(keys if pending == keys else self._checked(version, keys))

    def _finish(self, version: str, current: str, keys: SigningKeys) -> None:
        self._checked(version, keys)
        try:
            self.versions.make_current(version, instead_of=current)
        except Stale:
            self._give_up(version)

    def _checked(self, version: str, keys: SigningKeys) -> SigningKeys:
        """The pending set, which is the current one after a rotation; else a key was retired since it was made."""
        pending = self.versions.pending(version)
        if pending is None or not follows(pending, keys, self.clock.now()):
            self._give_up(version)
        return pending

    def _give_up(self, version: str) -> NoReturn:
        self.versions.abandon(version)
        raise Conflict("The keys were changed during the rotation. It is abandoned; the next one begins anew.")

    def _try(self, keys: SigningKeys) -> None:
        """Raises Unauthenticated where a token signed with one of the keys is not verified with the set."""
        now = self.clock.now()
        for key_id, key in keys.keys.items():
            signer = self._tokens(SigningKeys(key_id, {key_id: key}))
            token = signer.issue(SESSION, "rotation", {"sid": "rotation"}, now, now + timedelta(minutes=1))
            self._tokens(keys).verify(SESSION, token, now)

    def _tokens(self, keys: SigningKeys) -> Tokens:
        return Tokens(KeyRing(lambda: keys, self.clock), self.issuer)


def _set(_version: str, _current: str, _keys: SigningKeys) -> None:
    """Nobody but the readers of the secret has to know the keys."""
