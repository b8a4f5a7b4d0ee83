"""The chain: events sealed in the order in which the table's stream tells of them, each seal bound to the one before.

What is sealed of an event is the digest of its canonical JSON, in which a personal value stands as its own salted
digest: so it is the same before and after somebody is forgotten.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Protocol

from gatehouse.audit.model import AuditEvent, Erased, Personal, Told
from gatehouse.clock import Clock, milliseconds
from gatehouse.errors import ServiceUnavailable

CHECKPOINT_EVERY = 100
"""How many seals there are to a checkpoint; older seals are dropped up to one."""

AT_ONCE = 40
"""How many events are sealed in one transaction, which takes 100 items: two an event, the head, a checkpoint."""

_TRIES = 20
_VERSION = 1


@dataclass(frozen=True)
class Position:
    """How far a chain has come: the number of its last seal, and that seal's hash."""

    number: int
    hash: str


BEGINNING = Position(0, "0" * 64)


@dataclass(frozen=True)
class Head:
    """Where the chain ends, and behind which position it begins, since what was older has been dropped."""

    last: Position = BEGINNING
    start: Position = BEGINNING


@dataclass(frozen=True, kw_only=True)
class Seal:
    """An event's place in the chain; `sealed_at` is in milliseconds, `previous` the hash of the seal before."""

    number: int
    event_id: str
    digest: str
    sealed_at: int
    previous: str
    hash: str = ""

    @property
    def right_hash(self) -> str:
        parts = ["gatehouse seal", self.number, self.event_id, self.digest, self.sealed_at, self.previous]
        return hashlib.sha256(_json(parts)).hexdigest()

    @property
    def position(self) -> Position:
        return Position(self.number, self.hash)

    def is_whole(self, number: int) -> bool:
        """Whether it is one that was made for the number, for all that can be seen in itself."""
        return self.number == number and self.hash == self.right_hash


class Overtaken(Exception):
    """Somebody else moved the head or sealed one of the events; nothing was written."""


class ChainBroken(Exception):
    """The next number is taken, and the head does not know of it: the chain was tampered with and does not go on."""


class ChainStore(Protocol):
    """Where the chain is kept."""

    def find_head(self) -> Head | None:
        """Where it ends now; None before the first seal. Raises ChainBroken where that cannot be read."""

    def sealed(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Those of the events that have a seal now."""

    def append(self, last: Position, seals: Sequence[Seal], checkpoints: Sequence[Position]) -> None:
        """Keeps the seals, notes at each event that it has one, and moves the head from `last`: all, or nothing.

        Raises Overtaken where the head is elsewhere, a number is taken, or an event has a seal; ServiceUnavailable.
        """


def canonical_json(event: AuditEvent) -> bytes:
    """What is sealed of the event: one text for one meaning. The id is left out, since the seal binds it itself."""
    actor = event.actor
    return _json(
        {
            "version": _VERSION,
            "at": milliseconds(event.at),
            "action": event.action,
            "outcome": event.outcome,
            "actor": {
                "kind": actor.kind,
                "consumerId": actor.consumer_id,
                "role": actor.role,
                "sessionId": actor.session_id,
                "credentialId": actor.credential_id,
                "address": _plain(actor.address),
            },
            "subjectId": event.subject_id,
            "target": None if event.target is None else {"type": event.target.type, "id": event.target.id},
            "before": _all_plain(event.before),
            "after": _all_plain(event.after),
            "correlationId": event.correlation_id,
        }
    )


def digest_of(event: AuditEvent) -> str:
    """The digest that the event is sealed with: 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(event)).hexdigest()


def seals_after(last: Position, events: Sequence[AuditEvent], sealed_at: int) -> list[Seal]:
    """The seals of the events, in their order, that follow on `last`."""
    seals = []
    for event in events:
        bare = Seal(
            number=last.number + 1,
            event_id=event.id,
            digest=digest_of(event),
            sealed_at=sealed_at,
            previous=last.hash,
        )
        seals.append(replace(bare, hash=bare.right_hash))
        last = seals[-1].position
    return seals


def checkpoints_of(seals: Sequence[Seal], every: int = CHECKPOINT_EVERY) -> list[Position]:
    """The checkpoints that are due among the seals."""
    return [seal.position for seal in seals if seal.number % every == 0]


@dataclass(frozen=True)
class Sealing:
    """Seals what the stream tells of; an event that it tells of twice, or at two places at once, is sealed once."""

    store: ChainStore
    clock: Clock
    every: int = CHECKPOINT_EVERY

    def seal(self, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        """Those of the events that had no seal yet; when it returns, all have one.

        Raises ChainBroken, and ServiceUnavailable where others are faster for too long.
        """
        once: dict[str, AuditEvent] = {}
        for event in events:
            once.setdefault(event.id, event)
        return [event for some in batched(once.values(), AT_ONCE, strict=False) for event in self._seal(some)]

    def _seal(self, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        seen: tuple[Head, frozenset[str]] | None = None
        for _ in range(_TRIES):
            head = self.store.find_head() or Head()
            done = self.store.sealed([event.id for event in events])
            waiting = [event for event in events if event.id not in done]
            if not waiting:
                return []
            if (head, done) == seen:
                raise ChainBroken
            seals = seals_after(head.last, waiting, milliseconds(self.clock.now()))
            try:
                self.store.append(head.last, seals, checkpoints_of(seals, self.every))
            except Overtaken:
                seen = head, done
            else:
                return waiting
        raise ServiceUnavailable("Others are sealing. Try again.")


def _all_plain(told: Mapping[str, Told]) -> dict[str, object]:
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: Told) -> object:
    """A personal value as an object, which no other value is."""
    return {"digest": value.digest} if isinstance(value, Personal | Erased) else value


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
