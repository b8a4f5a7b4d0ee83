"""Which seals were made in a time: looked up in the chain itself, of which some may be damaged or missing.

A seal is believed when it was made where the one behind it, or the head, says so: a forged one would lead elsewhere.
What cannot be believed lies within the answer, so that it is looked at.
"""

from collections.abc import Mapping
from datetime import datetime

from gatehouse.audit.chain import ChainBroken, Head, Seal
from gatehouse.audit.findings import SealedLog
from gatehouse.clock import milliseconds

_FARTHEST = 1000


def seals_between(log: SealedLog, since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
    """The first and the last seal to look at for what was sealed in this time, both included; None: wherever it ends.

    Clocks differ a little: so may the ends.
    """
    if since is None and until is None:
        return None, None
    try:
        head = log.find_head()
    except ChainBroken:
        return None, None
    if head is None:
        return None, None
    first = None if since is None else _around(log, head, milliseconds(since))[0] + 1
    last = None if until is None else _around(log, head, milliseconds(until) + 1)[1] - 1
    return first, None if last == head.last.number else last


def _around(log: SealedLog, head: Head, moment: int) -> tuple[int, int]:
    """The last seal that was made before the moment, and the first that was not; else where the chain begins and ends.

    What lies between the two is not to be believed.
    """
    before, behind = head.start.number, head.last.number + 1
    low, high = before + 1, behind
    while low < high:
        middle = (low + high) // 2
        seal = _believed(log, head, middle, high)
        if seal is None:
            high = middle
        elif seal.sealed_at < moment:
            before, low = seal.number, seal.number + 1
        else:
            behind, high = seal.number, middle
    return before, behind


def _believed(log: SealedLog, head: Head, first: int, stop: int) -> Seal | None:
    """The first seal from `first` on, before `stop`, that can be believed; None where it would be far away."""
    width = 1
    while first < stop and width <= _FARTHEST:
        ends = min(first + width, stop)
        seals = log.seals(first, ends)
        for number in range(first, ends):
            seal = seals.get(number)
            if seal is not None and seal.is_whole(number) and seal.hash == _named(head, seals, number):
                return seal
        first, width = ends, width * 10
    return None


def _named(head: Head, seals: Mapping[int, Seal], number: int) -> str | None:
    """The hash that the seal behind the number, or the head, says that it has."""
    if number == head.last.number:
        return head.last.hash
    following = seals.get(number + 1)
    return following.previous if following is not None and following.is_whole(number + 1) else None
