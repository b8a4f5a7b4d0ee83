"""Findings: what is not as it was sealed, and the log it is found in."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gatehouse.audit.chain import Head, Position, Seal
from gatehouse.audit.model import AuditEvent


class Tampering(StrEnum):
    """What was done to something."""

    CHANGED = "CHANGED"
    DROPPED = "DROPPED"
    INSERTED = "INSERTED"
    SWAPPED = "SWAPPED"


class Part(StrEnum):
    """What something was done to."""

    SEAL = "SEAL"
    EVENT = "EVENT"
    CHECKPOINT = "CHECKPOINT"
    HEAD = "HEAD"
    MARK = "MARK"
    """What is noted at an event, so that it is not sealed twice."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed.

    `number` is that of the seal, or of the event's seal; an inserted event has none. What was swapped with `other` is
    told once, at the lower number.
    """

    tampering: Tampering
    part: Part
    number: int | None = None
    event_id: str | None = None
    other: int | None = None


@dataclass(frozen=True)
class Kept:
    """An event as it is kept, None where that is no event any more, and which seal its mark says that it has."""

    event: AuditEvent | None
    number: int | None


@dataclass(frozen=True)
class Filed:
    """An event as the log lists it, and which seal its mark says that it has: a hint, which proves nothing."""

    event_id: str
    at: datetime
    number: int | None


class SealedLog(Protocol):
    """The chain and the events as they are kept now. What is asked for and not there is left out of the answer.

    What is there and cannot be read is answered with what fits to nothing.
    """

    def find_head(self) -> Head | None:
        """Where the chain ends and begins; raises ChainBroken where that cannot be read."""

    def seals(self, first: int, last: int) -> Mapping[int, Seal]:
        """The seals that are kept under these numbers, both included."""

    def checkpoints(self, first: int, last: int) -> Mapping[int, Position]:
        """The checkpoints that are kept under these numbers, both included."""

    def events(self, event_ids: Collection[str]) -> Mapping[str, Kept]:
        """The events that are kept under these ids."""

    def filed(self, after: datetime | None, until: datetime | None) -> Iterable[Filed]:
        """All events of later than `after`, until `until` included, by when their ids say they were."""
