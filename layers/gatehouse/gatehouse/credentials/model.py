"""A Credential: what a program signs in with, without its secret."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gatehouse.consumers.model import DeactivatedBy, Role


class CredentialType(StrEnum):
    """How a program proves who it is."""

    KEY_AUTH = "KEY_AUTH"
    BASIC_AUTH = "BASIC_AUTH"
    JWT = "JWT"
    OAUTH2 = "OAUTH2"


@dataclass(frozen=True)
class Rotation:
    """What the last rotation left: when it was, until when the secret before it works, and when that was last used."""

    rotated_at: datetime
    overlap_ends_at: datetime
    previous_last_used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential as its owner may see it.

    `role` is the owner's role when it was made. `scopes` None means the owner's rights (but for what `permissions`
    withholds); an empty tuple means none. `number` tells a consumer's credentials apart in few bytes. `version` counts
    its secrets from 1; `last_used_at` is about the present one.
    """

    id: str
    consumer_id: str
    type: CredentialType
    key_id: str
    number: int
    version: int = 1
    rotation: Rotation | None = None
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

    def last_use_of(self, version: int) -> datetime | None:
        """When the secret of this version, the present one or the one before, was last used; to the hour."""
        if version == self.version:
            return self.last_used_at
        return None if self.rotation is None else self.rotation.previous_last_used_at

    def ends_at(self, version: int, token_ends_at: datetime | None = None) -> datetime | None:
        """When the secret of this version, or a token that was got with it, ends; None where nothing says so."""
        ends = [self.expires_at, token_ends_at]
        if version != self.version and self.rotation is not None:
            ends.append(self.rotation.overlap_ends_at)
        return min((end for end in ends if end is not None), default=None)

    def takes_version(self, version: int, now: datetime) -> bool:
        """Whether the secret of this version counts at `now`: the present one, or the one before it in its overlap."""
        if version == self.version:
            return True
        return version == self.version - 1 and self.rotation is not None and now < self.rotation.overlap_ends_at


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
