"""What may have happened to the table that something else follows from: facts, as the stream tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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


type Fact = DayEnded | SecretUsed | SessionUsed | KeyAffected | MailWritten


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
