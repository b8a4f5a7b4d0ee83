"""A User and its words: role, kind, who switched it off."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a consumer may do, from least to most."""

    USER = "USER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"

    def lower_of(self, other: "Role") -> "Role":
        """The one of the two that may do less."""
        return min(self, other, key=list(Role).index)


class Kind(StrEnum):
    """What sort of consumer calls the API."""

    USER = "USER"
    APPLICATION = "APPLICATION"
    SERVICE = "SERVICE"
    PARTNER = "PARTNER"


class DeactivatedBy(StrEnum):
    """Who switched an account or a credential off: not everybody may take everybody's word back."""

    OWNER = "OWNER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"
    SWEEP = "SWEEP"
    """The cleanup of accounts that nobody uses."""


@dataclass(frozen=True, kw_only=True)
class User:
    """A consumer as anybody may see it who may see it at all: no password, no secret."""

    id: str
    username: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    role: Role = Role.USER
    kind: Kind = Kind.USER
    is_active: bool = True
    deactivated_by: DeactivatedBy | None = None
    plan_id: str | None = None
    email_verified_at: datetime | None = None
    """When somebody last showed that the mailbox is theirs, or an ADMIN said so."""
    password_changed_at: datetime | None = None
    two_factor_enabled: bool = False
    created_at: datetime
    updated_at: datetime
    revision: int = 0
    """Grows with every change, so that a change decided on an older state is not written."""

    @property
    def is_active_admin(self) -> bool:
        return self.is_active and self.role is Role.ADMIN


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the gate knows of a consumer.

    `epoch` grows with every revocation and every change of standing; `generation` grows when all sessions end at once.
    `two_factor` tells whether a person needs a code to sign in.
    """

    consumer_id: str
    is_active: bool
    role: Role
    epoch: int
    generation: int
    plan_id: str | None = None
    two_factor: bool = False
