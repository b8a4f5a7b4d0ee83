"""Lockout: wrong passwords, codes and chosen secrets are counted at what they are for, before they are tried.

5 failures from one address lock an account for that address alone, for 15 minutes and for twice as long each time
again; 100 from anywhere within a day ask for a reset. Only failures lock: what is being tried is bounded, not counted.
Whoever is locked out of an account is not told so, and what tells them something else costs the same.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from gatehouse.accounts.ledger import Bounds, Consequence, Ledger, Refused, Rules
from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.errors import ServiceUnavailable

_ATTEMPTS = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subject:
    """What is guessed at. Where it `lasts`, what asks for a reset stays until there is one, and `user_id` is told."""

    name: str
    lasts: bool
    user_id: str | None = None


def account(user_id: str) -> Subject:
    """The account of a user, whatever is tried at it."""
    return Subject(f"account/{user_id}", lasts=True, user_id=user_id)


def no_account(unique_email: str) -> Subject:
    """What is counted where there is no account: whoever makes one with that email begins anew."""
    return Subject(f"unknown/{hashlib.sha256(unique_email.encode()).hexdigest()}", lasts=False)


class NotBegun(Exception):
    """The ledger is not as it should be: it is as told."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger


class LockoutStore(Protocol):
    """Where ledgers are kept, by their subject; each method is one write, `turn` a few where there is much to leave."""

    def begin(self, subject: str, address: str, bounds: Bounds, now: int) -> None:
        """Counts one more as being tried, within the bounds of what there is; raises NotBegun."""

    def turn(self, subject: str, address: str, before: Ledger, after: Ledger) -> None:
        """Turns one into the other, where the counts and this address are as before; raises NotBegun."""

    def fail(self, subject: str, address: str, now: int, lasts_from: int | None) -> Ledger | None:
        """The ledger once one that was being tried has failed; from so many failures on it is kept for good.

        None where it was forgotten meanwhile.
        """

    def release(self, subject: str) -> None:
        """One is being tried no more."""

    def forgive(self, subject: str, address: str) -> None:
        """The same, and the address has neither failures nor locks."""

    def note_refusal(self, subject: str) -> None:
        """Counts one that was refused, whatever it was."""

    def forget(self, subject: str, event: AuditEvent) -> None:
        """Nothing is counted any more."""


class _Outcome(Enum):
    UNDECIDED = auto()
    WRONG = auto()
    RIGHT = auto()
    FORGIVEN = auto()
    SETTLED = auto()


class Attempt:
    """Something that is being tried; or that is `refused`, whatever it is. `consequence` is known when it is over."""

    def __init__(self, refused: Refused | None) -> None:
        self.refused = refused
        self.outcome = _Outcome.UNDECIDED
        self.consequence: Consequence | None = None

    @property
    def is_wrong(self) -> bool:
        return self.outcome is _Outcome.WRONG

    def take(self, *, is_right: bool) -> bool:
        """Whether it counts: it is right, and it is not refused."""
        counts = is_right and self.refused is None
        self.outcome = _Outcome.RIGHT if counts else _Outcome.WRONG
        return counts

    def forgive(self) -> None:
        """Somebody has signed in, or shown that they may: the address has no failures any more."""
        self.outcome = _Outcome.FORGIVEN

    def settle(self) -> None:
        """The same, and it was written together with what it led to."""
        self.outcome = _Outcome.SETTLED


@dataclass(frozen=True)
class Lock:
    """What a failure led to: at whose account, if it is anybody's, and by whom, as far as that is known."""

    consequence: Consequence
    user_id: str | None
    address: str
    correlation_id: str | None


def _tell_nobody(_lock: Lock) -> None:
    return


@dataclass(frozen=True)
class Lockout:
    """Counts what is tried, by the rules; `tell` is called once for each lock."""

    store: LockoutStore
    rules: Rules
    tell: Callable[[Lock], None] = _tell_nobody

    @contextmanager
    def attempt(
        self, subject: Subject, address: str, now: datetime, correlation_id: str | None = None
    ) -> Iterator[Attempt]:
        """One thing to be tried in the block, which has to `take` what came of it.

        Being right forgives nothing yet: a password may want a code beside it, and who knows it could guess at codes
        for ever. What breaks off undecided is not counted. Raises ServiceUnavailable before anything is tried.
        """
        attempt = Attempt(self._begin(subject, address, now))
        try:
            yield attempt
        finally:
            if attempt.refused is None:
                self._settle(attempt, subject, address, now, correlation_id)
            elif attempt.outcome is not _Outcome.UNDECIDED:  # whoever is told of it need not wait as long
                _quietly(lambda: self.store.note_refusal(subject.name))

    def unlock(self, user_id: str, event: AuditEvent) -> None:
        """Whatever was counted at the account is forgotten."""
        self.store.forget(account(user_id).name, event)

    def _begin(self, subject: Subject, address: str, now: datetime) -> Refused | None:
        """Counts one more as being tried, unless it is refused."""
        turn: tuple[Ledger, Ledger] | None = None
        for _ in range(_ATTEMPTS):
            try:
                if turn is None:
                    self.store.begin(subject.name, address, self.rules.bounds(now), milliseconds(now))
                else:
                    self.store.turn(subject.name, address, *turn)
            except NotBegun as not_begun:
                try:
                    after = self.rules.turned(not_begun.ledger, address, now)
                except Refused as refused:
                    return refused
                turn = (not_begun.ledger, after) if turn is None else None
            else:
                return None
        raise ServiceUnavailable("Too many attempts at once. Try again.")

    def _settle(
        self, attempt: Attempt, subject: Subject, address: str, now: datetime, correlation_id: str | None
    ) -> None:
        match attempt.outcome:
            case _Outcome.WRONG:
                _quietly(lambda: self._fail(attempt, subject, address, now, correlation_id))
            case _Outcome.FORGIVEN:
                _quietly(lambda: self.store.forgive(subject.name, address))
            case _Outcome.RIGHT | _Outcome.UNDECIDED:
                _quietly(lambda: self.store.release(subject.name))

    def _fail(
        self, attempt: Attempt, subject: Subject, address: str, now: datetime, correlation_id: str | None
    ) -> None:
        lasts_from = self.rules.in_all if subject.lasts else None
        after = self.store.fail(subject.name, address, milliseconds(now), lasts_from)
        attempt.consequence = None if after is None else self.rules.consequence(after, address)
        if attempt.consequence is not None:
            self.tell(Lock(attempt.consequence, subject.user_id, address, correlation_id))


def _quietly(settle: Callable[[], None]) -> None:
    try:
        settle()
    except ServiceUnavailable:
        # It stays among what is being tried, which is bounded too, until a minute passes without another.
        _log.warning("an attempt was not settled")
