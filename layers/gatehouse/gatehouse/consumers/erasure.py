"""A consumer who is gone is forgotten: all that is theirs is removed, and of events about them the id is left."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from gatehouse.changes import PersonGone
from gatehouse.consumers.belongings import BelongingStore


class EventStore(Protocol):
    """Where events of the audit are."""

    def erase(self, person_id: str, also: Collection[str] = ()) -> int:
        """Takes what tells of this person out of all events about them or by them, and says of how many.

        Events of just now may not be listed yet; `also` are ids of such.
        """


@dataclass(frozen=True)
class Erasure:
    """The port `changes.People`: the deletion itself is one transaction, and this follows it."""

    belongings: BelongingStore
    events: EventStore

    def forget(self, gone: PersonGone) -> None:
        """Leaves nothing that tells of the person, but the id. May be repeated; raises ServiceUnavailable."""
        self.belongings.delete_belongings(gone.consumer_id)
        self.belongings.delete_waiting(gone.consumer_id, gone.email)
        self.events.erase(gone.consumer_id, [gone.event_id])
