"""Events that the stream gave up on, for an operator who looks at each and has them sealed after all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched

from gatehouse.audit.chain import AT_ONCE, CHECKPOINT_EVERY, Head, Sealing
from gatehouse.audit.findings import SealedLog
from gatehouse.audit.model import AuditEvent

SETTLED = timedelta(minutes=5)
"""How old an event has to be: until then the stream is likely to seal it."""


@dataclass(frozen=True)
class Late:
    """Something among the events that has no mark of a seal.

    `event` is None where it is no event any more. `number` is that of a seal that names it all the same.
    """

    event_id: str
    event: AuditEvent | None
    number: int | None = None

    @property
    def may_be_sealed(self) -> bool:
        """Whether a seal would be its first. Another one would itself be a finding."""
        return self.event is not None and self.number is None


@dataclass(frozen=True)
class LateSealing:
    """Finds what has no seal in the log of one deployment, and seals what may be."""

    log: SealedLog
    sealing: Sealing

    def waiting(self) -> Iterator[Late]:
        """All that waits since before the stream's turn was over, in the order of the ids. Raises ChainBroken."""
        before = self.sealing.clock.now() - SETTLED
        ids = [filed.event_id for filed in self.log.filed(None, None) if filed.number is None and filed.at <= before]
        numbers = self._numbers(ids) if ids else {}
        for some in batched(ids, AT_ONCE, strict=False):
            kept = self.log.events(some)
            for event_id in some:
                if event_id in kept and kept[event_id].number is None:
                    yield Late(event_id, kept[event_id].event, numbers.get(event_id))

    def seal(self, late: Sequence[Late]) -> int:
        """Seals those that may be, in their order, and says how many had none yet.

        May be repeated, also while the stream seals. Raises ChainBroken, and ServiceUnavailable.
        """
        return len(self.sealing.seal([one.event for one in late if one.event is not None and one.may_be_sealed]))

    def _numbers(self, ids: Sequence[str]) -> Mapping[str, int]:
        """The seals of the chain that name any of these, read once and a part at a time."""
        head, wanted = self.log.find_head() or Head(), frozenset(ids)
        return {
            seal.event_id: number
            for first in range(head.start.number + 1, head.last.number + 1, CHECKPOINT_EVERY)
            for number, seal in self.log.seals(first, min(first + CHECKPOINT_EVERY - 1, head.last.number)).items()
            if seal.event_id in wanted
        }
