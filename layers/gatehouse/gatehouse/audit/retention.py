"""Retention: old events are dropped with their seals, from checkpoint to checkpoint, and the rest still verifies.

First the chain is made to begin behind a checkpoint, then what lies before is dropped, the seals last. So a run that is
killed leaves seals behind the chain's start, by which the next one knows what is left to drop.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from gatehouse.audit.chain import CHECKPOINT_EVERY, Head, Position, Seal
from gatehouse.audit.findings import SealedLog
from gatehouse.clock import from_milliseconds

SECONDS_FOR_A_BATCH = 10
"""A run does nothing more when it has less time left."""

_AT_ONCE = 100


class AgeingLog(SealedLog, Protocol):
    """A sealed log of which what is old may be dropped. All of this may be repeated, and by several at once."""

    def begin_behind(self, start: Position) -> None:
        """Makes the chain begin behind the position; nothing where it begins there or later, or ends before."""

    def drop(self, seals: Mapping[int, Seal]) -> None:
        """Drops the events that have these seals, then their marks, then what is kept under the seals' numbers."""

    def drop_checkpoints(self, numbers: Iterable[int]) -> None:
        """Drops the checkpoints of these numbers."""


@dataclass(frozen=True, kw_only=True)
class RetentionReport:
    """How many events a run dropped, behind which number the chain begins now, and whether there is more to drop.

    It is stuck where the next checkpoint is not as it was sealed: what was tampered with is kept, to be looked into.
    """

    dropped: int
    start: int
    is_done: bool
    is_stuck: bool = False


@dataclass(frozen=True)
class Retention:
    """Drops what is old of the log of one deployment. What has no seal is never dropped."""

    log: AgeingLog
    every: int = CHECKPOINT_EVERY

    def run(self, now: datetime, days: int, seconds_left: Callable[[], float]) -> RetentionReport:
        """Drops what was sealed more than so many days ago, up to a checkpoint, while there is time.

        Raises ChainBroken where the head cannot be read, and ServiceUnavailable.
        """
        dropped, before = 0, None
        while True:
            head = self.log.find_head() or Head()
            start = head.start.number
            for some in batched(self._left_behind(start).items(), _AT_ONCE, strict=False):
                if seconds_left() < SECONDS_FOR_A_BATCH:
                    return RetentionReport(dropped=dropped, start=start, is_done=False)
                self.log.drop(dict(some))
                dropped += len(some)
            self.log.drop_checkpoints(self.log.checkpoints(1, start - 1))
            due = start + self.every
            seal = self._as_sealed(due) if due <= head.last.number else None
            if due > head.last.number or (seal and from_milliseconds(seal.sealed_at) >= now - timedelta(days=days)):
                return RetentionReport(dropped=dropped, start=start, is_done=True)
            if seal is None or start == before:
                return RetentionReport(dropped=dropped, start=start, is_done=False, is_stuck=True)
            before = start
            self.log.begin_behind(seal.position)

    def _left_behind(self, start: int) -> Mapping[int, Seal]:
        """What is kept still of the seals up to the start; earlier ones were dropped before the start came there."""
        return self.log.seals(max(start - self.every, 0) + 1, start)

    def _as_sealed(self, number: int) -> Seal | None:
        """The seal at a checkpoint; None where one of both is not as it was."""
        seal = self.log.seals(number, number).get(number)
        checkpoint = self.log.checkpoints(number, number).get(number)
        return seal if seal is not None and seal.is_whole(number) and checkpoint == seal.position else None
