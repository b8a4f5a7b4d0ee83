"""What belongs to a consumer beside the profile: looked at by themselves, and removed when they are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatehouse.accounts.one_use import Purpose
from gatehouse.mail.model import MailKind


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits for a consumer: mails to be sent, and links to be used; 100 of each at most."""

    mails: Sequence[tuple[MailKind, datetime]]
    """Of what kind, and when they were written."""
    links: Sequence[tuple[Purpose, datetime]]
    """What for, and until when."""


class BelongingStore(Protocol):
    """Where it lies. Every method that removes may be repeated."""

    def delete_belongings(self, user_id: str) -> None:
        """Removes what lies beside the gate of a consumer who is gone: sessions, credentials, the usage of days."""

    def delete_waiting(self, user_id: str, email: str | None) -> None:
        """Removes the user's links, and mails that wait for the address, or for one that was to be theirs."""

    def find_waiting(self, user_id: str, email: str) -> Waiting:
        """The same, to be told."""
