"""Verifying the chain: whether anything that was sealed was changed, dropped, swapped or inserted since, and where.

Whoever may write everything can make a whole new chain that fits. What they cannot make fit is a position that was
noted outside the table: such positions can be given along. An event that lost its personal values is as it was sealed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from gatehouse.audit.chain import CHECKPOINT_EVERY, ChainBroken, Position
from gatehouse.audit.findings import Finding, Part, SealedLog, Tampering
from gatehouse.audit.stretch import Stretch
from gatehouse.audit.unsealed import PENDING

MOST_AT_ONCE = 10_000
"""How many seals are verified in one go."""

MOST_FINDINGS = 100


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found from seal `first` to seal `last`, 100 findings at most; `waiting` events have no seal yet.

    `goes_on_at` is the seal with which to go on; None where all was looked at, or where that is not possible.
    """

    first: int
    last: int
    findings: tuple[Finding, ...] = ()
    waiting: int = 0
    is_complete: bool = True
    goes_on_at: int | None = None

    @property
    def is_ok(self) -> bool:
        return not self.findings


@dataclass(frozen=True)
class Verification:
    """Verifies the log of one deployment."""

    log: SealedLog
    every: int = CHECKPOINT_EVERY
    most: int = MOST_AT_ONCE
    most_filed: int | None = None
    """How many events are looked at in one go to find those without a seal; None for all."""

    def run(
        self, now: datetime, first: int | None = None, last: int | None = None, known: Collection[Position] = ()
    ) -> Verdict:
        """The verdict on the seals from `first` to `last`, as far as there are any and as one go gets.

        `known` are positions that were noted elsewhere.
        """
        try:
            head = self.log.find_head()
        except ChainBroken:
            return _without_head(Tampering.CHANGED)
        if head is None:
            is_lost = bool(known) or bool(self.log.seals(1, 1)) or any(self.log.filed(None, now - PENDING))
            return _without_head(Tampering.DROPPED) if is_lost else Verdict(first=0, last=0)
        begins = max(first or 1, head.start.number + 1)
        wanted = head.last.number if last is None else min(last, head.last.number)
        ends = max(min(wanted, begins + self.most - 1), begins - 1)
        stretch = Stretch(self.log, head, begins, ends, every=self.every, now=now, most=self.most_filed)
        found = list(islice(stretch.findings(known), MOST_FINDINGS))
        start = (self.log.find_head() or head).start.number if found else head.start.number
        if start > head.start.number:  # meanwhile, older seals were dropped as they should be
            found = [one for one in found if one.number is None or one.number > start]
        is_whole = stretch.last == ends and not stretch.unsealed.is_cut_short
        return Verdict(
            first=begins,
            last=stretch.last,
            findings=tuple(found),
            waiting=stretch.unsealed.waiting,
            is_complete=is_whole and ends >= wanted and len(found) < MOST_FINDINGS,
            goes_on_at=ends + 1 if is_whole and ends < wanted else None,
        )


def _without_head(tampering: Tampering) -> Verdict:
    """What is found where nothing tells where the chain ends."""
    return Verdict(first=0, last=0, findings=(Finding(tampering, Part.HEAD),), is_complete=False)
