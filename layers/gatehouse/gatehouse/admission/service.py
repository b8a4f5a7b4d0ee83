"""The gate: from what a request carries to who is calling, or a refusal.

Every answer is read from the store with strong consistency: what was ended counts on the next request.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts.model import Session
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.accounts.tokens import SessionTokens, TokenExpired
from gatehouse.admission.model import KeyClaim, StoredKey
from gatehouse.clock import Clock
from gatehouse.consumers.model import Standing
from gatehouse.credentials.keys import ApiKey, secret_matches
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.permissions import Caller

USED_AT_MOST_EVERY = timedelta(hours=1)
"""How coarse a credential's `lastUsedAt` is."""

_log = logging.getLogger(__name__)


class AdmissionStore(Protocol):
    """What the gate asks: standing together with a session or a key."""

    def standing_with_session(self, user_id: str, session_id: str) -> tuple[Standing | None, Session | None]: ...

    def find_key_claim(self, key_id: str) -> KeyClaim | None: ...

    def standing_with_key(self, claim: KeyClaim) -> tuple[Standing | None, StoredKey | None]: ...

    def note_use(self, claim: KeyClaim, now: datetime) -> None:
        """Writes down that the credential was used, unless it is gone."""


@dataclass(frozen=True)
class Admission:
    """Each method answers for one kind of credential, and raises Unauthenticated or ServiceUnavailable."""

    store: AdmissionStore
    clock: Clock
    hasher: PasswordHasher
    tokens: SessionTokens

    def by_session(self, token: str) -> Caller:
        """The person whose access token it is; nobody, with a reason, where its only fault is its age."""
        now = self.clock.now()
        try:
            claims = self.tokens.verify(token, now)
        except TokenExpired:
            return Caller(refused_because="TOKEN_EXPIRED")
        standing, session = self.store.standing_with_session(claims.user_id, claims.session_id)
        if standing is None or session is None or not session.is_in_force(standing, now):
            raise Unauthenticated("The session has ended.")
        return Caller(consumer_id=standing.consumer_id, role=standing.role, session_id=session.id)

    def by_key(self, text: str) -> Caller:
        """The program whose API key it is, with the lower of its owner's role now and at the key's making."""
        key = ApiKey.parse(text)
        claim = self.store.find_key_claim(key.key_id)
        standing, stored = (None, None) if claim is None else self.store.standing_with_key(claim)
        now = self.clock.now()
        if (
            claim is None
            or standing is None
            or stored is None
            or not secret_matches(key.secret, stored.secret_hash, self.hasher)
        ):
            raise Unauthenticated("The API key is not valid.")
        credential = stored.credential
        if not standing.is_active or not credential.is_in_force(now):
            raise Unauthenticated("The API key has ended.")
        if credential.last_used_at is None or now - credential.last_used_at >= USED_AT_MOST_EVERY:
            self._note_use(claim, now)
        return Caller(
            consumer_id=standing.consumer_id,
            role=standing.role.lower_of(credential.role),
            credential_id=credential.id,
            scopes=None if credential.scopes is None else frozenset(credential.scopes),
        )

    def _note_use(self, claim: KeyClaim, now: datetime) -> None:
        try:
            self.store.note_use(claim, now)
        except ServiceUnavailable:
            # Worth a line in the log, not a refusal: the next call writes it.
            _log.warning("lastUsedAt was not written", extra={"credential_id": claim.credential_id})
