"""A Credential: what a program signs in with, without its secret."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gatehouse.consumers.model import DeactivatedBy, Role


class CredentialType(StrEnum):
    """How a program proves who it is."""

    KEY_AUTH = "KEY_AUTH"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential as its owner may see it.

    `role` is the owner's role when it was made. `scopes` None means the owner's rights (but for what `permissions`
    withholds); an empty tuple means none.
    """

    id: str
    consumer_id: str
    type: CredentialType
    key_id: str
    role: Role
    label: str | None
    scopes: tuple[str, ...] | None
    is_active: bool = True
    disabled_by: DeactivatedBy | None = None
    expires_at: datetime | None
    last_used_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    revision: int = 0

    def is_in_force(self, now: datetime) -> bool:
        """Whether it may still sign in at `now`."""
        return self.is_active and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, kw_only=True)
class CredentialQuery:
    """Which credentials, newest first; None asks for all."""

    consumer_id: str | None = None
    type: CredentialType | None = None
    is_active: bool | None = None

    def admits(self, credential: Credential) -> bool:
        """Whether the credential belongs in the list."""
        return self.type in (None, credential.type) and self.is_active in (None, credential.is_active)


@dataclass(frozen=True, kw_only=True)
class IssuedCredential:
    """A fresh credential and, once, the secret that its client must keep; None where the caller chose it."""

    credential: Credential
    secret: str | None = field(repr=False)
