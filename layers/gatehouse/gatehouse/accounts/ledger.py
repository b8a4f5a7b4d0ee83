"""What is counted at an account that somebody tries to get into, and what follows from it: pure decisions.

Moments are in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from gatehouse.clock import from_milliseconds, milliseconds

AT_ONCE = 32
"""How many may be tried at one account at once."""

LONGEST_LOCK = timedelta(hours=24)
WINDOW = timedelta(hours=24)
"""From the first of the failures that ask for a reset together."""

REMEMBERED = timedelta(hours=48)
"""How long an address is held its failures and its locks, from its latest failure on; longer than any lock."""

OUT_OF_REACH = 1_000_000_000
"""More failures than there will be."""

_STRANDED = timedelta(minutes=1)
_A_MOMENT = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """An address at an account: its failures since its last lock ended, and how many of its locks have ended."""

    failed: int
    locks: int
    failed_at: int


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What is counted at an account.

    `flying` are being tried, the latest since `flew_at`. `failed` counts the failures since `began_at`, but for those
    that were forgiven; what has led to a lock that has ended cannot be.
    """

    flying: int = 0
    flew_at: int = 0
    began_at: int | None = None
    failed: int = 0
    places: Mapping[str, Place]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What must hold when something is tried; a count has to be below its bound, a moment above it."""

    flying: int
    failed: int
    failed_here: int
    began_at: int
    failed_here_at: int


class Refused(Exception):
    """Nothing may be tried before `until`; None: not before somebody forgets what is counted."""

    def __init__(self, until: datetime | None) -> None:
        super().__init__()
        self.until = until


class Consequence(Enum):
    """What a failure leads to that the owner of the account wants to know."""

    LOCKED = "the address is locked"
    NEEDS_RESET = "the account is locked until its password is reset"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How many failures lock: `per_address` for `first_lock` and twice as long each time, `in_all` until a reset."""

    per_address: int = OUT_OF_REACH
    in_all: int = OUT_OF_REACH
    first_lock: timedelta

    def bounds(self, now: datetime) -> Bounds:
        """What must hold for something to be tried at `now`, unless the ledger has to be turned first."""
        return Bounds(
            flying=AT_ONCE,
            failed=self.in_all,
            failed_here=self.per_address,
            began_at=milliseconds(now - WINDOW),
            failed_here_at=milliseconds(now - REMEMBERED),
        )

    def turned(self, ledger: Ledger, address: str, now: datetime) -> Ledger:
        """The ledger without what has had its time, and with one more being tried; raises Refused."""
        if ledger.failed >= self.in_all:
            raise Refused(None)
        present, flying = milliseconds(now), ledger.flying
        if flying >= AT_ONCE:
            if ledger.flew_at > milliseconds(now - _STRANDED):
                raise Refused(now + _A_MOMENT)
            flying = 0  # the functions that tried them died before they could settle it
        remembered = milliseconds(now - REMEMBERED)
        places = {at: place for at, place in ledger.places.items() if place.failed_at > remembered}
        here = places.get(address)
        if here is not None and (end := self.lock_end(here)) is not None:
            if present < end:
                raise Refused(from_milliseconds(end))
            places[address] = replace(here, failed=0, locks=here.locks + 1)
        is_over = ledger.began_at is not None and ledger.began_at <= milliseconds(now - WINDOW)
        return Ledger(
            flying=flying + 1,
            flew_at=present,
            began_at=None if is_over else ledger.began_at,
            failed=0 if is_over else ledger.failed,
            places=places,
        )

    def lock_end(self, place: Place) -> int | None:
        """When the lock of an address ends, or ended; None where it has none."""
        if place.failed < self.per_address:
            return None
        first, longest = self.first_lock // _MILLISECOND, LONGEST_LOCK // _MILLISECOND
        return place.failed_at + min(first << min(place.locks, 32), longest)

    def consequence(self, ledger: Ledger, address: str) -> Consequence | None:
        """What the failure leads to that made the ledger as it is; each is led to by one failure alone."""
        if ledger.failed == self.in_all:
            return Consequence.NEEDS_RESET
        here = ledger.places.get(address)
        return Consequence.LOCKED if here is not None and here.failed == self.per_address else None
