"""What stands before every password, code and chosen secret: each is counted before it is tried."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import Attempt, Lockout, LockoutStore, Subject
from gatehouse.clock import from_milliseconds
from gatehouse.errors import TooManyTries
from gatehouse.lately import Lately


@dataclass(frozen=True)
class Addresses:
    """Addresses that fail too often: `most` times in one of the windows that time is cut into.

    Each window has a ledger of its own, which nobody has to turn: that would be a write more at every sign-in. `name`
    is of what is counted together; `blocked` spares a function the store where it knows the answer.
    """

    store: LockoutStore
    most: int
    window: timedelta
    name: str = "address"
    blocked: Lately[datetime] = field(default_factory=Lately)

    @contextmanager
    def attempt(self, address: str, now: datetime) -> Iterator[Attempt]:
        """One thing to be tried from there; raises TooManyTries before it is."""
        known = self.blocked.find(address)
        if known is not None and now < known:
            raise TooManyTries(known, self.most)
        seconds = int(self.window.total_seconds())
        number = int(now.timestamp()) // seconds
        subject = Subject(f"{self.name}/{address}/{number}", lasts=False)
        lockout = Lockout(self.store, Rules(in_all=self.most, first_lock=self.window))
        with lockout.attempt(subject, address, now) as attempt:
            if attempt.refused is not None:
                until = attempt.refused.until or from_milliseconds((number + 1) * seconds * 1000)
                self.blocked.keep(address, until)
                raise TooManyTries(until, self.most)
            yield attempt


@dataclass(frozen=True)
class Guard:
    """Lockout, and beside it of addresses that try too much of whatever there is."""

    lockout: Lockout
    addresses: Addresses

    @contextmanager
    def attempt(
        self, subject: Subject, address: str, now: datetime, correlation_id: str | None = None
    ) -> Iterator[Attempt]:
        """As of the lockout; raises TooManyTries for an address, whatever it tries."""
        with (
            self.addresses.attempt(address, now) as at_address,
            self.lockout.attempt(subject, address, now, correlation_id) as attempt,
        ):
            try:
                yield attempt
            finally:
                at_address.take(is_right=not attempt.is_wrong)
