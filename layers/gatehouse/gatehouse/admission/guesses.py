"""Guesses at secrets: counted before a hash is paid for, by source address and by key id and address together.

Only failures lock: what is being tried counts as long as it is tried, so that many guesses at once are no way around,
and is given back when it was right. A secret that Gatehouse made cannot be guessed; of those only failures are counted.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.errors import ServiceUnavailable
from gatehouse.lately import Lately

_AT_ONCE = 32
_ATTEMPTS = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tries:
    """What is counted until `ends`, in milliseconds: failures, and those together with what is being tried."""

    ends: int
    failed: int
    tried: int


@dataclass(frozen=True)
class Budget:
    """At most `failures` in the time until `ends`, and some more being tried at once."""

    failures: int
    ends: int

    @property
    def tries(self) -> int:
        return self.failures + _AT_ONCE


class NotBegun(Exception):
    """The subject's counters are not as expected: they are as told, or there are none."""

    def __init__(self, tries: Tries | None) -> None:
        super().__init__()
        self.tries = tries


class GuessStore(Protocol):
    """Where guesses are counted."""

    def begin(self, subject: str, budget: Budget, now: int, *, anew: bool) -> None:
        """Counts one more being tried, within the budget; `anew` where what was counted has ended. Raises NotBegun."""

    def settle(self, subject: str, *, failed: bool) -> None:
        """Counts one that was being tried as failed, or no more."""


class TooManyGuesses(Exception):
    """Nothing is tried for this address before `until`; `limit` failures are too many."""

    def __init__(self, until: datetime, limit: int) -> None:
        super().__init__()
        self.until = until
        self.limit = limit


class Verdict:
    """Whether a guess turned out to be right; it has not, until somebody says so."""

    is_right = False


@dataclass(frozen=True)
class Guesses:
    """Counts guesses: at most `per_key` failures at a key id from an address, `per_address` in all, in `seconds`."""

    store: GuessStore
    blocked: Lately[datetime]
    per_key: int
    per_address: int
    seconds: int

    def check(self, address: str, now: datetime) -> None:
        """Nothing, where this function does not know the address to be blocked; raises TooManyGuesses."""
        until = self.blocked.find(address)
        if until is not None and now < until:
            raise TooManyGuesses(until, self.per_address)

    @contextmanager
    def one(self, address: str, key_id: str, now: datetime) -> Iterator[Verdict]:
        """The verdict of a guess, to be given within the block; raises TooManyGuesses before anything is tried."""
        begun: list[str] = []
        verdict = Verdict()
        self._begin_at_address(begun, address, now)
        try:
            self._begin(begun, f"key/{key_id}/{address}", self._budget(self.per_key, now), now)
        except (TooManyGuesses, ServiceUnavailable):
            self._settle(begun, failed=False)
            raise
        try:
            yield verdict
        finally:
            self._settle(begun, failed=not verdict.is_right)

    def failed(self, address: str, now: datetime) -> None:
        """Counts a failure that cost no hash; where it is one too many, the address is blocked here from now on."""
        begun: list[str] = []
        with suppress(TooManyGuesses):  # it was refused already, and the next one will not get so far
            self._begin_at_address(begun, address, now)
        self._settle(begun, failed=True)

    def _begin_at_address(self, begun: list[str], address: str, now: datetime) -> None:
        try:
            self._begin(begun, f"address/{address}", self._budget(self.per_address, now), now)
        except TooManyGuesses as error:
            self.blocked.keep(address, error.until)
            raise

    def _budget(self, failures: int, now: datetime) -> Budget:
        return Budget(failures, milliseconds(now + timedelta(seconds=self.seconds)))

    def _begin(self, begun: list[str], subject: str, budget: Budget, now: datetime) -> None:
        anew = False
        for _ in range(_ATTEMPTS):
            try:
                self.store.begin(subject, budget, milliseconds(now), anew=anew)
            except NotBegun as error:
                tries = error.tries
                anew = tries is None or tries.ends <= milliseconds(now)
                if tries is None or anew:
                    continue
                if tries.failed >= budget.failures:
                    raise TooManyGuesses(from_milliseconds(tries.ends), budget.failures) from None
                if tries.tried >= budget.tries:
                    raise TooManyGuesses(now + timedelta(seconds=1), budget.failures) from None
            else:
                begun.append(subject)
                return
        raise ServiceUnavailable("Too many attempts at once. Try again.")

    def _settle(self, begun: Sequence[str], *, failed: bool) -> None:
        for subject in begun:
            try:
                self.store.settle(subject, failed=failed)
            except ServiceUnavailable:
                # It stays among what is being tried, which is bounded too, until its time has passed.
                _log.warning("a guess was not settled")
