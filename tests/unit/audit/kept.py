"""Events in memory, as the stores of lists, of refusals and of erasure keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gatehouse.audit.listing import EventQuery
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.refusals import Party, Tally
from gatehouse.persistence import Page


@dataclass
class MemoryEvents:
    """The events, each under its id."""

    events: dict[str, AuditEvent] = field(default_factory=dict)

    def find_event(self, event_id: str) -> AuditEvent | None:
        return self.events.get(event_id)

    def page_events(self, query: EventQuery, first: int, after: str | None) -> Page[AuditEvent]:
        behind = [self.events[name] for name in sorted(self.events, reverse=True) if after is None or name < after]
        wanted = [(event.id, event) for event in behind if query.admits(event)]
        return Page(wanted[:first], wanted[first - 1][0] if len(wanted) > first else None)

    def keep_event(self, event: AuditEvent) -> None:
        self.events.setdefault(event.id, event)

    def erase(self, person_id: str) -> int:
        left: Mapping[str, AuditEvent] = {name: event.without(person_id) for name, event in self.events.items()}
        changed = sum(left[name] != event for name, event in self.events.items())
        self.events |= left
        return changed


@dataclass
class MemoryRefusals(MemoryEvents):
    """The events, and what was counted of refusals."""

    counts: dict[tuple[Party, AuditAction, int], int] = field(default_factory=dict)

    def count_refusal(self, tally: Tally) -> Tally:
        key = (tally.party, tally.action, tally.hour)
        self.counts[key] = self.counts.get(key, 0) + 1
        return replace(tally, refused=self.counts[key])

    def tallies(self) -> list[Tally]:
        """What was counted, of each party, action and hour."""
        return [
            Tally(party=party, action=action, hour=hour, refused=count)
            for (party, action, hour), count in self.counts.items()
        ]
