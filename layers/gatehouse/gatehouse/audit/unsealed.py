"""Events without a seal: they wait for one, or nobody sealed them, because they were inserted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched

from gatehouse.audit.chain import Seal
from gatehouse.audit.findings import Filed, Finding, Part, SealedLog, Tampering
from gatehouse.ids import moment_of

PENDING = timedelta(days=1)
"""How long an event may wait for its seal: as long as the stream keeps what it tells."""

_LATELY = 100
"""How many seals up to a number tell its time: a few that were made late do not matter."""

_TOGETHER = 500
_NEAR = 100


class Unsealed:
    """The events of a stretch's time that have no seal; of the stretch the seals are `kept`, behind `start`.

    It looks at `most` events, None for all; where there are more, it is cut short.
    """

    def __init__(
        self, log: SealedLog, kept: Mapping[int, Seal], start: int, now: datetime, most: int | None = None
    ) -> None:
        self.log, self.kept, self.start, self.now, self.most = log, kept, start, now, most
        self.waiting, self.is_cut_short = 0, False

    def findings(
        self, stretch: range, sealed: Collection[str], trusted: Collection[int], *, is_end: bool
    ) -> Iterator[Finding]:
        """What was inserted in the time of the stretch, or behind it at the chain's end; what waits is counted.

        `sealed` are the events that have a seal there, `trusted` the numbers of the seals that are as they were.
        """
        after, until = self._time_at(stretch.start - 1), None if is_end else self._time_at(stretch.stop - 1)
        if until is None and not is_end:
            return
        for some in batched(self._filed(after, until), _TOGETHER, strict=False):
            claimed = {filed.number for filed in some if filed.number is not None}
            elsewhere = self._seals(sorted(claimed.difference(stretch)))
            for filed in some:
                if filed.event_id in sealed:
                    continue
                if filed.number is None and abs(filed.at - self.now) < PENDING:
                    self.waiting += 1
                elif filed.number in stretch:
                    if filed.number in trusted:  # else the seal is told of as changed or dropped
                        yield _inserted(filed)
                elif not self._is_excused(filed, elsewhere):
                    yield _inserted(filed)

    def _filed(self, after: datetime | None, until: datetime | None) -> Iterator[Filed]:
        for count, filed in enumerate(self.log.filed(after, until)):
            if count == self.most:
                self.is_cut_short = True
                return
            yield filed

    def _time_at(self, number: int) -> datetime | None:
        """When the latest of the events was that were sealed with the number, or not long before it.

        It is the same whatever the stretch: so between stretches side by side no event is left out.
        """
        first = max(number - _LATELY, self.start) + 1
        last = min([number, *(kept - 1 for kept in self.kept)])
        seals = {**self.log.seals(first, last), **self.kept}
        told = (moment_of(seal.event_id) for n, seal in seals.items() if first <= n <= number and seal.is_whole(n))
        return max((moment for moment in told if moment is not None), default=None)

    def _seals(self, numbers: Sequence[int]) -> Mapping[int, Seal]:
        """The seals of these numbers, with those between them where they are near."""
        found: dict[int, Seal] = {}
        begins = 0
        for number, following in zip(numbers, [*numbers[1:], None], strict=False):
            begins = begins or number
            if following is None or following - number > _NEAR:
                found |= self.log.seals(begins, number)
                begins = 0
        return found

    def _is_excused(self, filed: Filed, elsewhere: Mapping[int, Seal]) -> bool:
        """Whether the event has its seal elsewhere, had one that is told of as changed there, or is gone by now.

        Old events are dropped before their seals are.
        """
        if filed.number is None:
            return False
        seal = elsewhere.get(filed.number)
        if seal is not None and (not seal.is_whole(filed.number) or seal.event_id == filed.event_id):
            return True
        return filed.event_id not in self.log.events([filed.event_id])


def _inserted(filed: Filed) -> Finding:
    return Finding(Tampering.INSERTED, Part.EVENT, event_id=filed.event_id)
