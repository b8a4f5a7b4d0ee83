"""What stands before every password and every code at sign-in: both are counted before they are tried."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import Attempt, Lockout, LockoutStore, Subject
from gatehouse.errors import RateLimitExceeded

_NEVER = 1_000_000_000


@dataclass(frozen=True)
class Addresses:
    """Addresses that try too many accounts: `most` failures in one of the windows that time is cut into.

    Each window has a ledger of its own, which nobody has to turn: that would be a write more at every sign-in.
    """

    store: LockoutStore
    most: int
    window: timedelta

    @contextmanager
    def attempt(self, address: str, now: datetime) -> Iterator[Attempt]:
        """One thing to be tried from there; raises RateLimitExceeded before it is."""
        rules = Rules(per_address=_NEVER, in_all=self.most, first_lock=self.window)
        subject = Subject(f"address/{address}/{int(now.timestamp()) // int(self.window.total_seconds())}", lasts=False)
        with Lockout(self.store, rules).attempt(subject, address, now) as attempt:
            if attempt.refused is not None:
                raise RateLimitExceeded("Too many wrong passwords or codes from here. Try again later.")
            yield attempt


@dataclass(frozen=True)
class Guard:
    """Lockout of accounts, and of addresses that try too many of them."""

    lockout: Lockout
    addresses: Addresses

    @contextmanager
    def attempt(self, subject: Subject, address: str, now: datetime) -> Iterator[Attempt]:
        """As of the lockout; raises RateLimitExceeded for an address, whatever it tries."""
        with (
            self.addresses.attempt(address, now) as at_address,
            self.lockout.attempt(subject, address, now) as attempt,
        ):
            try:
                yield attempt
            finally:
                at_address.take(is_right=not attempt.is_wrong)
