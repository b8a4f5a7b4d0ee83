"""Guesses at secrets: the lockout's counters stand before each, as they stand before passwords and codes.

A key that is locked for an address is for no other: nobody can reset it by mail, so that failures from anywhere never
lock it for its owner. A secret that Gatehouse made cannot be guessed; of those only failures are counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gatehouse.accounts.guard import Addresses, Guard
from gatehouse.accounts.lockout import Attempt, Subject
from gatehouse.audit.failed_sign_ins import FailedSignIns
from gatehouse.errors import TooManyTries


@dataclass(frozen=True)
class Guesses:
    """`guard` counts guesses at what a person chose, `made` by address what comes with no secret that was made here.

    They are two, so that a program that was left behind by its key keeps nobody who shares its address out of more.
    `failed` keeps for the audit what was wrong.
    """

    guard: Guard
    made: Addresses
    failed: FailedSignIns

    @contextmanager
    def one(self, key_id: str, address: str, now: datetime) -> Iterator[Attempt]:
        """One guess, which has to `take` what came of it in the block; raises TooManyTries before it is tried."""
        # A ledger for each address: so strangers elsewhere take no place of the owner's, and no item grows with them.
        subject = Subject(f"key/{key_id}/{address}", lasts=False)
        with self.guard.attempt(subject, address, now) as attempt:
            if attempt.refused is not None:
                raise TooManyTries(attempt.refused.until or now, self.guard.lockout.rules.per_address)
            yield attempt

    def wrong(self, address: str, now: datetime) -> None:
        """Counts a failure that costs no hash; raises TooManyTries where the address has too many already."""
        with self.made.attempt(address, now) as attempt:
            attempt.take(is_right=False)
