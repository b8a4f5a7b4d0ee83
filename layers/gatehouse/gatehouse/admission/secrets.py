"""Whether what a client sent is a credential's secret: cheap where it can be, counted where it could be a guess."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.admission.memory import VerifiedSecret
from gatehouse.admission.model import StoredCredential
from gatehouse.credentials.keys import ApiKey, is_made_key_id, is_made_secret_hash, matches_made_secret
from gatehouse.lately import Lately

if TYPE_CHECKING:
    from gatehouse.accounts.ledger import Consequence
    from gatehouse.admission.guesses import Guesses

REMEMBERED = timedelta(minutes=1)
"""How long a chosen secret that was verified need not be hashed again."""


@dataclass(frozen=True)
class Secrets:
    """Verifies secrets. `digest_key` is made at the start of a function and dies with it.

    `guesses` are asked for at the first one: most functions never see any.
    """

    hasher: PasswordHasher
    guesses: "Callable[[], Guesses]"
    verified: Lately[VerifiedSecret]
    digest_key: bytes

    def recognise(self, key: ApiKey, stored: StoredCredential, now: datetime) -> int | None:
        """The version of the credential's secret that the key has, where that can be told without a hash that costs."""
        for version, secret_hash in _candidates(stored, now):
            if is_made_secret_hash(secret_hash):
                if matches_made_secret(key.secret, secret_hash):
                    return version
            elif self._was_verified(key, version, secret_hash, now):
                return version
        return None

    def verify(self, key: ApiKey, stored: StoredCredential | None, address: str, now: datetime) -> int | None:
        """The version of the credential's secret that the key has, or None where it has none that counts.

        Under a key id that a person chose, a wrong secret costs one hash, whether there is such a credential or not and
        whoever made its secret: so the time tells nothing. Raises TooManyTries.
        """
        if stored is not None and (version := self.recognise(key, stored, now)) is not None:
            return version
        candidates = [] if stored is None else _candidates(stored, now)
        chosen = [(v, secret_hash) for v, secret_hash in candidates if not is_made_secret_hash(secret_hash)]
        if not chosen and is_made_key_id(key.key_id):
            self.guesses().wrong(address, now)
            consequence = None
        else:
            version, consequence = self._guess(key, chosen, address, now)
            if version is not None:
                return version
        credential = None if stored is None else stored.credential
        self.guesses().failed.keep_guess(address, credential, has_locked=consequence is not None)
        return None

    def _guess(
        self, key: ApiKey, chosen: list[tuple[int, str]], address: str, now: datetime
    ) -> "tuple[int | None, Consequence | None]":
        """The version whose secret it is, or None, and what a wrong one has led to."""
        with self.guesses().one(key.key_id, address, now) as attempt:
            if not chosen:
                self.hasher.matches(key.secret, None)
            for version, secret_hash in chosen:
                if self.hasher.matches(key.secret, secret_hash):
                    attempt.forgive()
                    remembered = VerifiedSecret(self._digest(key.secret), now + REMEMBERED, secret_hash)
                    self.verified.keep(_name(key, version), remembered)
                    return version, None
            attempt.take(is_right=False)
        return None, attempt.consequence

    def _was_verified(self, key: ApiKey, version: int, secret_hash: str, now: datetime) -> bool:
        known = self.verified.find(_name(key, version))
        return (
            known is not None
            and now < known.until
            and known.secret_hash == secret_hash
            and hmac.compare_digest(known.digest, self._digest(key.secret))
        )

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self.digest_key, secret.encode(), hashlib.sha256)


def _candidates(stored: StoredCredential | None, now: datetime) -> list[tuple[int, str]]:
    """The versions whose secrets count at `now`, the present one first, with their hashes."""
    if stored is None:
        return []
    credential = stored.credential
    hashes = [(credential.version, stored.secret_hash), (credential.version - 1, stored.previous_hash)]
    return [(v, kept) for v, kept in hashes if kept is not None and credential.takes_version(v, now)]


def _name(key: ApiKey, version: int) -> str:
    return f"{key.key_id} {version}"
