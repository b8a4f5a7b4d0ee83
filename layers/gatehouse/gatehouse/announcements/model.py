"""What is announced: a class for each kind of event. Its fields are the event's, and its name is what rules match on.

Whoever listens gets ids and words of ours, never a name, an email or an address: they can ask the API for the rest.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from gatehouse.consumers.model import DeactivatedBy, Role
from gatehouse.text import camel_case

VERSION = 1
"""Of all schemas; it grows when a field goes or changes its meaning, not when one is added."""

_NAMESPACE = uuid.UUID("5f1c4a0e-9d5b-4a57-8f0e-6b1f3c1d7a42")
_NOT_TOLD = frozenset({"cause"})


class RegisteredBy(StrEnum):
    """Who opened an account."""

    OWNER = "OWNER"
    """Openly, by a mailed link, or on an invitation."""
    ADMIN = "ADMIN"


class Ending(StrEnum):
    """How a credential ended."""

    DISABLED = "DISABLED"
    DELETED = "DELETED"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Something that happened to a consumer at a moment.

    `cause` names the change that it follows from. Announcing may be repeated: the same change has the same `id` then.
    `correlation_id` is that of the request, where there was one.
    """

    cause: str
    consumer_id: str
    at: datetime
    correlation_id: str | None = None

    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def id(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self.kind} {self.cause}"))

    def detail(self) -> Mapping[str, str | int | None]:
        """What the event says, by the names that its schema has."""
        return {"id": self.id, "version": VERSION, **dict(self._told())}

    def _told(self) -> Iterator[tuple[str, str | int | None]]:
        for field in fields(self):
            if field.name not in _NOT_TOLD:
                value = getattr(self, field.name)
                yield camel_case(field.name), _text(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, kw_only=True)
class ConsumerRegistered(Announcement):
    registered_by: RegisteredBy


@dataclass(frozen=True, kw_only=True)
class ConsumerDormant(Announcement):
    """Nobody has used it for long; it was warned, and is deactivated next."""

    last_active_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ConsumerDeactivated(Announcement):
    deactivated_by: DeactivatedBy


@dataclass(frozen=True, kw_only=True)
class ConsumerReactivated(Announcement):
    pass


@dataclass(frozen=True, kw_only=True)
class ConsumerAnonymised(Announcement):
    pass


@dataclass(frozen=True, kw_only=True)
class ConsumerDeleted(Announcement):
    pass


@dataclass(frozen=True, kw_only=True)
class ConsumerLocked(Announcement):
    """Too many wrong passwords or codes."""


@dataclass(frozen=True, kw_only=True)
class RoleChanged(Announcement):
    before: Role
    after: Role


@dataclass(frozen=True, kw_only=True)
class TokenReuse(Announcement):
    """A refresh token came back after its time: the session was ended."""

    session_id: str


@dataclass(frozen=True, kw_only=True)
class CredentialIssued(Announcement):
    credential_id: str


@dataclass(frozen=True, kw_only=True)
class CredentialRotated(Announcement):
    credential_id: str


@dataclass(frozen=True, kw_only=True)
class CredentialExpiring(Announcement):
    credential_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class CredentialEnded(Announcement):
    credential_id: str
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class QuotaNearlySpent(Announcement):
    """The credentials of the consumer have used 80 % of the quota of its plan."""

    plan_id: str
    used: int
    limit: int
    resets_at: datetime


KINDS: tuple[type[Announcement], ...] = (
    ConsumerRegistered,
    ConsumerDormant,
    ConsumerDeactivated,
    ConsumerReactivated,
    ConsumerAnonymised,
    ConsumerDeleted,
    ConsumerLocked,
    RoleChanged,
    TokenReuse,
    CredentialIssued,
    CredentialRotated,
    CredentialExpiring,
    CredentialEnded,
    QuotaNearlySpent,
)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
