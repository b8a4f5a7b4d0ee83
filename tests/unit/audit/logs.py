"""A sealed log in memory, which a test may tamper with, and events to seal."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gatehouse.audit.chain import Head, Overtaken, Position, Seal, Sealing
from gatehouse.audit.findings import Filed, Finding, Kept
from gatehouse.audit.model import Actor, ActorKind, AuditAction, AuditEvent, Personal
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.clock import from_milliseconds
from gatehouse.consumers.model import Role
from gatehouse.ids import lowest_id
from tests.unit.fakes import START, StoppedClock

EVERY = 4
PERSON = lowest_id(1)
ADMIN = lowest_id(2)
_EPOCH_DIGITS = 12


def an_event(number: int, **changes: Any) -> AuditEvent:
    """An ADMIN renames the person; each second another event."""
    at = START + timedelta(seconds=number)
    salts = [bytes([number % 256, part]) * 16 for part in range(3)]
    event = AuditEvent(
        id=lowest_id(int(at.timestamp() * 1000)),
        at=at,
        action=AuditAction.USER_UPDATED,
        actor=Actor(
            kind=ActorKind.PERSON,
            consumer_id=ADMIN,
            role=Role.ADMIN,
            session_id="s",
            address=Personal("192.0.2.1", salts[0]),
        ),
        subject_id=PERSON,
        before={"username": Personal("jane", salts[1]), "isActive": True},
        after={"username": Personal("joan", salts[2]), "isActive": False},
        correlation_id=f"c{number}",
    )
    return replace(event, **changes)


class MemoryLog:
    """The chain and the events, each item under its key; `before_append` and `after_append` happen once."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.kept_seals: dict[int, Seal] = {}
        self.kept_checkpoints: dict[int, Position] = {}
        self.kept_events: dict[str, AuditEvent] = {}
        self.numbers: dict[str, int] = {}
        self.before_append: list[Any] = []
        self.after_append: list[Any] = []

    def write(self, *events: AuditEvent) -> None:
        self.kept_events |= {event.id: event for event in events}

    def find_head(self) -> Head | None:
        return self.head

    def sealed(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(event_ids) & self.numbers.keys()

    def append(self, last: Position, seals: Sequence[Seal], checkpoints: Sequence[Position]) -> None:
        if self.before_append:
            self.before_append.pop()()
        head = self.head or Head()
        taken = any(seal.number in self.kept_seals or seal.event_id in self.numbers for seal in seals)
        if head.last != last or taken:
            raise Overtaken
        self.kept_seals |= {seal.number: seal for seal in seals}
        self.numbers |= {seal.event_id: seal.number for seal in seals}
        self.kept_checkpoints |= {position.number: position for position in checkpoints}
        self.head = replace(head, last=seals[-1].position)
        if self.after_append:
            self.after_append.pop()()

    def seals(self, first: int, last: int) -> Mapping[int, Seal]:
        return {number: seal for number, seal in self.kept_seals.items() if first <= number <= last}

    def checkpoints(self, first: int, last: int) -> Mapping[int, Position]:
        return {number: position for number, position in self.kept_checkpoints.items() if first <= number <= last}

    def events(self, event_ids: Collection[str]) -> Mapping[str, Kept]:
        kept = self.kept_events
        return {name: Kept(kept[name], self.numbers.get(name)) for name in event_ids if name in kept}

    def filed(self, after: datetime | None, until: datetime | None) -> Iterable[Filed]:
        for event_id in sorted(self.kept_events):
            at = from_milliseconds(int(event_id.replace("-", "")[:_EPOCH_DIGITS], 16))
            if (after is None or at > after) and (until is None or at <= until):
                yield Filed(event_id, at, self.numbers.get(event_id))

    def begin_behind(self, start: Position) -> None:
        if self.head is not None and self.head.start.number < start.number <= self.head.last.number:
            self.head = replace(self.head, start=start)

    def drop(self, seals: Mapping[int, Seal]) -> None:
        for number, seal in seals.items():
            self.kept_events.pop(seal.event_id, None)
            self.numbers.pop(seal.event_id, None)
            self.kept_seals.pop(number, None)

    def drop_checkpoints(self, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            self.kept_checkpoints.pop(number, None)

    def drop_up_to(self, number: int) -> None:
        """As retention does: the chain begins behind a checkpoint, and what lies before goes."""
        self.begin_behind(self.kept_checkpoints[number])
        self.drop(self.seals(1, number))


def sealing(log: MemoryLog, clock: StoppedClock | None = None) -> Sealing:
    return Sealing(log, clock or StoppedClock(), EVERY)


def a_log(events: int) -> MemoryLog:
    """A log of so many events, all of them sealed, each a second after it happened."""
    log, clock = MemoryLog(), StoppedClock()
    for number in range(1, events + 1):
        clock.advance(seconds=1)
        log.write(an_event(number))
        sealing(log, clock).seal([an_event(number)])
    return log


def verdict(log: MemoryLog, first: int | None = None, last: int | None = None, **more: Any) -> Verdict:
    """What is found of it two days later."""
    return Verification(log, EVERY).run(START + timedelta(days=2), first, last, **more)


def found(log: MemoryLog, **more: Any) -> tuple[Finding, ...]:
    return verdict(log, **more).findings


def made_fit(seal: Seal, **changes: Any) -> Seal:
    """A changed seal that fits in itself."""
    changed = replace(seal, **changes)
    return replace(changed, hash=changed.right_hash)


def head_of(log: MemoryLog) -> Head:
    assert log.head is not None
    return log.head
