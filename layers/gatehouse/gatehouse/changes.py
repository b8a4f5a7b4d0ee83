"""What may have happened to the table that something else follows from: facts, as the stream tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatehouse.announcements.model import QuotaNearlySpent
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.refusals import Tally


@dataclass(frozen=True)
class DayEnded:
    """A day of a consumer's is over: its requests by the credentials' numbers, those of sessions under a word.

    Days are counted from the epoch.
    """

    consumer_id: str
    day: int
    requests: Mapping[str, int]


@dataclass(frozen=True)
class SecretUsed:
    """A credential was used, with the secret of that version."""

    consumer_id: str
    credential_id: str
    version: int
    at: datetime


@dataclass(frozen=True)
class SessionUsed:
    """A session was used, at some moment of the last hour."""

    consumer_id: str
    session_id: str
    at: datetime


@dataclass(frozen=True)
class KeyAffected:
    """Something changed that a consumer's own gateway key goes by: role, plan, whether there is a credential."""

    consumer_id: str


@dataclass(frozen=True)
class MailWritten:
    """A mail waits to be sent."""

    mail_id: str


@dataclass(frozen=True)
class Happened:
    """There is a new event of the audit."""

    event: AuditEvent


@dataclass(frozen=True)
class PersonGone:
    """A consumer was deleted or anonymised: nothing that tells of the person is to be kept.

    The event that says so has their email until then, by which mails are found that wait for them.
    """

    event_id: str
    consumer_id: str
    email: str | None


@dataclass(frozen=True)
class RefusalsEnded:
    """An hour of refusals is over, and their counter is gone."""

    tally: Tally


@dataclass(frozen=True)
class QuotaReached:
    """A quota is nearly spent, which is told here, as no event of the audit tells it."""

    announcement: QuotaNearlySpent


type Fact = (
    DayEnded
    | SecretUsed
    | SessionUsed
    | KeyAffected
    | MailWritten
    | Happened
    | PersonGone
    | RefusalsEnded
    | QuotaReached
)


class UsageDays(Protocol):
    """Where the days go that are over."""

    def keep_day(self, consumer_id: str, day: int, requests: Mapping[str, int]) -> None:
        """Keeps the day's requests; nothing where the consumer is gone. May be repeated."""


class LastUses(Protocol):
    """Where it is noted when secrets were last used."""

    def note_use(self, consumer_id: str, credential_id: str, version: int, at: datetime) -> None:
        """Notes it at most about once an hour, and never an earlier one. May be repeated."""

    def note_session_use(self, consumer_id: str, session_id: str, at: datetime) -> None:
        """The same of a session."""


class MailQueue(Protocol):
    """Where mails go that wait to be sent."""

    def put(self, mail_id: str) -> None:
        """Queues the mail, to be sent soon. May be repeated."""


class People(Protocol):
    """Whoever is known here."""

    def forget(self, gone: PersonGone) -> None:
        """Leaves nothing that tells of the person, but the id. May be repeated; raises ServiceUnavailable."""


class Events(Protocol):
    """Where events of the audit are kept that no other change is written with."""

    def keep_event(self, event: AuditEvent) -> None:
        """Keeps it where there is none with its id. May be repeated."""
