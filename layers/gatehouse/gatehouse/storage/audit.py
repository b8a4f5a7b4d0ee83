"""Events in the table: written with what they tell, listed by indexes, and changed only to forget somebody."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from gatehouse.audit.listing import EventQuery
from gatehouse.audit.model import AuditAction, AuditEvent, Outcome
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.ids import lowest_id, parse_id
from gatehouse.persistence import Page
from gatehouse.storage import keys
from gatehouse.storage.event_texts import actor_text, read_actor, read_target, read_told, target_text, told_text
from gatehouse.storage.exact import as_written
from gatehouse.storage.ranges import Entry, Range, side_by_side
from gatehouse.storage.schema import Record
from gatehouse.storage.table import Item, broke_its_condition, items_together, store_faults
from gatehouse.storage.transactions import Transaction

_MOST_ROUNDS = 4
"""How many times a page looks for more, where few of what it read are wanted."""

_AT_ONCE = 100


class EventRecord(Record):
    """An event. What it tells stands as JSON, which gives every value back as it was."""

    at = NumberAttribute()
    action = UnicodeAttribute()
    outcome = UnicodeAttribute()
    actor = UnicodeAttribute()
    target = UnicodeAttribute(null=True)
    before = UnicodeAttribute()
    after = UnicodeAttribute()
    correlation_id = UnicodeAttribute(attr_name="correlationId", null=True)
    subject_id = UnicodeAttribute(attr_name="subjectId", null=True)
    actor_id = UnicodeAttribute(attr_name="actorId", null=True)
    action_shard = UnicodeAttribute(attr_name="actionShard")
    audit_shard = UnicodeAttribute(attr_name="auditShard")

    @classmethod
    def key(cls, event_id: str) -> "EventRecord":
        return cls(keys.event(event_id), keys.EVENT)

    @classmethod
    def of(cls, event: AuditEvent) -> "EventRecord":
        return cls(
            keys.event(event.id),
            keys.EVENT,
            at=milliseconds(event.at),
            action=event.action,
            outcome=event.outcome,
            actor=actor_text(event.actor),
            target=None if event.target is None else target_text(event.target),
            before=told_text(event.before),
            after=told_text(event.after),
            correlation_id=event.correlation_id,
            subject_id=event.subject_id,
            actor_id=event.actor.consumer_id,
            action_shard=keys.action_shard(event.action, event.id),
            audit_shard=keys.shard(event.id),
        )

    def event(self) -> AuditEvent:
        """The event; an item that `of` did not make raises any exception."""
        return AuditEvent(
            id=keys.event_id(self.pk),
            at=from_milliseconds(int(self.at)),
            action=AuditAction(self.action),
            outcome=Outcome(self.outcome),
            actor=read_actor(self.actor, self.actor_id),
            subject_id=self.subject_id,
            target=None if self.target is None else read_target(self.target),
            before=read_told(self.before),
            after=read_told(self.after),
            correlation_id=self.correlation_id,
        )


def add_event(transaction: Transaction, event: AuditEvent | None) -> None:
    """Adds the event to the transaction, if there is one; the stream sees to it that it is sealed."""
    if event is not None:
        transaction.put(EventRecord.of(event))


def event_of(image: Mapping[str, Any]) -> AuditEvent:
    """The event that the stream tells of; an item that is none raises any exception."""
    return EventRecord.from_raw_data(dict(image)).event()


def read_event(item: Item) -> AuditEvent | None:
    """The event; None where somebody made something else of the item, which verification tells of."""
    event = as_written(item, event_of, EventRecord.of)
    return event if event is not None and parse_id(event.id) == event.id else None


class DynamoAuditEvents:
    """The events, for who asks for them, and for what writes one with nothing else."""

    def find_event(self, event_id: str) -> AuditEvent | None:
        key = keys.event(event_id), keys.EVENT
        with store_faults():
            item = items_together([key]).get(key)
        return None if item is None else read_event(item)

    def page_events(self, query: EventQuery, first: int, after: str | None) -> Page[AuditEvent]:
        """A round is one query, or 4 where it is by action or of all, and one batch read; there are 4 at most."""
        stretch = _range(query)
        entries: list[tuple[str, AuditEvent]] = []
        position = after
        with store_faults():
            for _ in range(_MOST_ROUNDS):
                found = stretch.entries(first + 1, position)
                events = _read(found[:first], consistent=False)
                entries += [(keys.event(event.id), event) for event in events if query.admits(event)]
                if len(entries) > first or (len(entries) == first and len(found) > first):
                    return Page(entries[:first], entries[first - 1][0])
                if len(found) <= first:
                    return Page(entries, None)
                position = stretch.position(found[first - 1])
        return Page(entries, position)

    def keep_event(self, event: AuditEvent) -> None:
        """Keeps the event, once: where there is one of its id, that is left as it is."""
        with store_faults():
            try:
                EventRecord.of(event).save(EventRecord.pk.does_not_exist())
            except PutError as error:
                if not broke_its_condition(error):
                    raise

    def erase(self, person_id: str, also: Collection[str] = ()) -> int:
        """Takes what tells of this person out of all events about them or by them, and says of how many.

        May be repeated. An event of just now may not be listed yet; `also` are ids of such.
        """
        stretches = (
            Range(keys.AUDIT_BY_SUBJECT, [person_id], "PK", None, None, False),
            Range(keys.AUDIT_BY_ACTOR, [person_id], "PK", None, None, False),
        )
        unlisted = [event for event in map(self.find_event, also) if event is not None]
        with store_faults():
            return sum(
                sum(side_by_side(lambda event: _forget(event, person_id), events))
                for events in chain([unlisted], *map(_all, stretches))
            )


def _range(query: EventQuery) -> Range:
    if query.subject_id is not None:
        index, partitions = keys.AUDIT_BY_SUBJECT, [query.subject_id]
    elif query.actor_id is not None:
        index, partitions = keys.AUDIT_BY_ACTOR, [query.actor_id]
    elif query.action is not None:
        index, partitions = keys.AUDIT_BY_ACTION, keys.action_shards(query.action)
    else:
        index, partitions = keys.AUDIT_ALL, list(keys.SHARDS)
    low = None if query.after is None else keys.event(lowest_id(milliseconds(query.after)))
    high = None if query.before is None else keys.event(lowest_id(milliseconds(query.before) + 1))
    return Range(index, partitions, "PK", low, high, descending=True)


def _read(entries: Sequence[Entry], *, consistent: bool) -> list[AuditEvent]:
    """The events of the entries, as far as they are there still, and can be read."""
    wanted = [(entry["PK"]["S"], entry["SK"]["S"]) for entry in entries]
    items = items_together(wanted, consistent=consistent)
    events = [read_event(items[key]) for key in wanted if key in items]
    return [event for event in events if event is not None]


def _all(stretch: Range) -> Iterator[list[AuditEvent]]:
    position = None
    while found := stretch.entries(_AT_ONCE, position):
        yield _read(found, consistent=True)
        position = stretch.position(found[-1])


def _forget(event: AuditEvent, person_id: str) -> int:
    """Whether there was something to forget, and the event still."""
    left = event.without(person_id)
    changes: list[Action] = []
    if left.actor != event.actor:
        changes.append(EventRecord.actor.set(actor_text(left.actor)))
    if left.before != event.before:
        changes.append(EventRecord.before.set(told_text(left.before)))
    if left.after != event.after:
        changes.append(EventRecord.after.set(told_text(left.after)))
    if not changes:
        return 0
    try:
        EventRecord.key(event.id).update(changes, EventRecord.pk.exists())
    except UpdateError as error:
        if not broke_its_condition(error):
            raise
        return 0
    return 1
