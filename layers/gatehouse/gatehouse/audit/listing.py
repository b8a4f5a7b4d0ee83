"""Lists of events: which are asked for, and where they come from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatehouse.audit.model import AuditAction, AuditEvent, Outcome
from gatehouse.persistence import Page


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """Which events; None asks for all. They are of `after` or later, and of earlier than `before`.

    One of subject, actor and action is looked up, in this order; the rest is looked at after reading, so that a page
    may be short.
    """

    subject_id: str | None = None
    actor_id: str | None = None
    action: AuditAction | None = None
    outcome: Outcome | None = None
    after: datetime | None = None
    before: datetime | None = None

    def admits(self, event: AuditEvent) -> bool:
        """Whether the event belongs in the list."""
        return (
            self.subject_id in (None, event.subject_id)
            and self.actor_id in (None, event.actor.consumer_id)
            and self.action in (None, event.action)
            and self.outcome in (None, event.outcome)
            and (self.after is None or event.at >= self.after)
            and (self.before is None or event.at < self.before)
        )


class AuditEvents(Protocol):
    """The events that are kept."""

    def page_events(self, query: EventQuery, first: int, after: str | None) -> Page[AuditEvent]:
        """At most `first` events behind the position, newest first; what it looks at is bounded, whatever it finds."""

    def find_event(self, event_id: str) -> AuditEvent | None:
        """The event; None where there is none."""
