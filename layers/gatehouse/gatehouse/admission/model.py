"""What the gate looks at: whose key a key id is, and a credential with the hash of its secret."""

from dataclasses import dataclass, field

from gatehouse.credentials.model import Credential


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """Which credential of which consumer a key id belongs to."""

    consumer_id: str
    credential_id: str


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A credential, and the hash that its secret is held against."""

    credential: Credential
    secret_hash: str = field(repr=False)
