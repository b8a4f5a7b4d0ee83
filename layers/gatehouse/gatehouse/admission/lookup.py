"""Whose a session, a key or a token is: remembered by this function, or read at first sight.

What is read is bound to the epoch of its owner's gate, which was read no later.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts.model import Session
from gatehouse.admission.memory import KnownCredential, KnownSession, Memory
from gatehouse.admission.model import Gate, KeyClaim, StoredCredential
from gatehouse.admission.secrets import Secrets
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated
from gatehouse.lately import Lately
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, Claims, TokenKind

_TYPE_OF_TOKEN = {CREDENTIAL.typ: CredentialType.JWT, CLIENT_ACCESS.typ: CredentialType.OAUTH2}

type Seen = tuple[KnownCredential, int]
"""A credential and the version of its secret that was presented."""


class AdmissionStore(Protocol):
    """What the gate reads at first sight. A gate is never newer than what is told with it."""

    def find_gate_and_session(self, user_id: str, session_id: str) -> tuple[Gate | None, Session | None]: ...

    def find_claim(self, key_id: str) -> KeyClaim | None: ...

    def find_gate_and_credential(self, claim: KeyClaim | None) -> tuple[Gate | None, StoredCredential | None]:
        """The credential of a claim; takes as long where there is none."""

    def find_gate_and_token(self, claim: KeyClaim, token_id: str) -> tuple[Gate | None, StoredCredential | None, bool]:
        """The credential of a token, and whether that token was revoked."""


WRONG_SECRET = "WRONG_SECRET"  # noqa: S105 - the name of a reason
"""Why somebody is refused who sent a secret that could have been right."""


@dataclass(frozen=True)
class Lookup:
    """Finds what was presented; `recall` asks the memory, `look_up` the store.

    A session that is not used for `idle` has ended.
    """

    store: AdmissionStore
    secrets: Secrets
    memory: Memory
    idle: timedelta

    def recall_session(self, claims: Claims) -> KnownSession | None:
        """The session of an access token, where it is remembered."""
        return self.memory.sessions.find(_session_of(claims))

    def look_up_session(self, claims: Claims, now: datetime) -> KnownSession:
        """The session of an access token; raises Unauthenticated."""
        name = _session_of(claims)
        self.memory.sessions.forget(name)
        gate, session = self.store.find_gate_and_session(claims.subject, claims.own["sid"])
        if gate is None or session is None or not session.is_in_force(gate.standing, now, self.idle):
            raise Unauthenticated("The session has ended.")
        known = KnownSession(gate.standing, session.ends_at(self.idle), session.used_at, session.proved_at is not None)
        self.memory.gates.keep(claims.subject, gate)
        self.memory.sessions.keep(name, known)
        return known

    def recall_key(self, kind: CredentialType, key: ApiKey, now: datetime) -> Seen | None:
        """The credential of a key, where it is remembered and its secret can be told without a cost."""
        known = self.memory.credentials.find(key.key_id)
        if known is None or not _counts(known.stored, kind, now):
            return None
        version = self.secrets.recognise(key, known.stored, now)
        return None if version is None else (known, version)

    def look_up_key(self, kind: CredentialType, key: ApiKey, address: str, now: datetime) -> Seen:
        """The credential of a key; raises Unauthenticated, or TooManyTries."""
        # A claim that was remembered would spare a read, and the time of a wrong guess tell that the key id is known.
        gate, stored = self.store.find_gate_and_credential(self.store.find_claim(key.key_id))
        if stored is None or not stored.credential.is_in_force(now):
            self.memory.credentials.forget(key.key_id)
        if stored is not None and stored.credential.type is not kind:
            stored = None
        version = self.secrets.verify(key, stored, address, now)
        if version is None or stored is None:
            raise Unauthenticated("The key is not valid.", reason=WRONG_SECRET)
        if not _counts(stored, kind, now):
            raise Unauthenticated("The key has ended.")
        return self._known(self.memory.credentials, key.key_id, gate, stored), version

    def recall_token(self, kind: TokenKind, claims: Claims, now: datetime) -> Seen | None:
        """The credential of a token, where it is remembered."""
        known, version = self.memory.tokens.find(_token_of(claims)), claims.own["ver"]
        if known is None or not _counts(known.stored, _TYPE_OF_TOKEN[kind.typ], now):
            return None
        return (known, version) if known.stored.credential.takes_version(version, now) else None

    def look_up_token(self, kind: TokenKind, claims: Claims, now: datetime) -> Seen:
        """The credential of a token; raises Unauthenticated."""
        name = _token_of(claims)
        self.memory.tokens.forget(name)
        claim = KeyClaim(consumer_id=claims.subject, credential_id=claims.own["cid"])
        gate, stored, is_revoked = self.store.find_gate_and_token(claim, claims.token_id)
        version = claims.own["ver"]
        if (
            stored is None
            or is_revoked
            or not _counts(stored, _TYPE_OF_TOKEN[kind.typ], now)
            or not stored.credential.takes_version(version, now)
        ):
            raise Unauthenticated("The token has ended.")
        return self._known(self.memory.tokens, name, gate, stored), version

    def _known(
        self, remembered: Lately[KnownCredential], name: str, gate: Gate | None, stored: StoredCredential
    ) -> KnownCredential:
        """What to remember under the name; raises Unauthenticated where the owner may not come in."""
        remembered.forget(name)
        if gate is None or not gate.standing.is_active:
            raise Unauthenticated("The account is not active.")
        known = KnownCredential(gate.standing, stored)
        self.memory.gates.keep(gate.standing.consumer_id, gate)
        remembered.keep(name, known)
        return known


# What is remembered is named by all that it was found with: a token never gets what another one's claims have found.
def _session_of(claims: Claims) -> str:
    return f"{claims.subject} {claims.own['sid']}"


def _token_of(claims: Claims) -> str:
    return f"{claims.subject} {claims.own['cid']} {claims.token_id}"


def _counts(stored: StoredCredential, kind: CredentialType, now: datetime) -> bool:
    return stored.credential.type is kind and stored.credential.is_in_force(now)
