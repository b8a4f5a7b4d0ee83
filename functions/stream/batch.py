"""The changes of one call: each is read, and each fact in it handed to what follows from it."""

from collections.abc import Mapping
from typing import Any

from gatehouse.changes import DayEnded, KeyAffected, MailWritten, SecretUsed, SessionUsed
from gatehouse.wiring import Following
from stream import last_use, mailing, provisioning, records, usage


class Batch:
    """Follows changes; a consumer's key is seen to once, by how things stand after all of the batch has happened."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._keys_seen_to: set[str] = set()

    def follow(self, record: Mapping[str, Any]) -> None:
        """Does what follows from the change in a record; raises whatever keeps it from being done."""
        change = records.read(record)
        for fact in self._following.facts(change.before, change.after, change.at):
            match fact:
                case DayEnded():
                    usage.follow(fact, self._following.usage_days)
                case SecretUsed() | SessionUsed():
                    last_use.follow(fact, self._following.last_uses)
                case MailWritten():
                    mailing.follow(fact, self._following.mails)
                case KeyAffected() if fact.consumer_id not in self._keys_seen_to:
                    provisioning.follow(fact, self._following.wall)
                    self._keys_seen_to.add(fact.consumer_id)
