"""Ledgers of failures in a plain dictionary, which hold to the conditions that the table holds to."""

from dataclasses import dataclass, field, replace
from threading import Lock

from gatehouse.accounts.ledger import Bounds, Ledger, Place
from gatehouse.accounts.lockout import NotBegun
from gatehouse.audit.model import AuditEvent
from gatehouse.errors import ServiceUnavailable
from tests.unit.events import KeptEvents

NOTHING = Ledger(places={})


@dataclass
class MemoryLockouts:
    """The store of `accounts.lockout`; `refused` has how often it was told of a refusal, by subject.

    `down` makes that many of the next writes fail without effect.
    """

    ledgers: dict[str, Ledger] = field(default_factory=dict)
    lasting: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    audit: KeptEvents = field(default_factory=KeptEvents)
    down: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def ledger(self, subject: str) -> Ledger:
        """What is counted at the subject."""
        return self.ledgers.get(subject, NOTHING)

    def begin(self, subject: str, address: str, bounds: Bounds, now: int) -> None:
        with self._lock:
            self._called("begin")
            ledger = self.ledger(subject)
            here = ledger.places.get(address)
            holds = subject not in self.ledgers or (
                ledger.flying < bounds.flying
                and (ledger.began_at is None or ledger.began_at > bounds.began_at)
                and ledger.failed < bounds.failed
                and (here is None or (here.failed < bounds.failed_here and here.failed_at > bounds.failed_here_at))
            )
            if not holds:
                raise NotBegun(ledger)
            self.ledgers[subject] = replace(ledger, flying=ledger.flying + 1, flew_at=now)

    def turn(self, subject: str, address: str, before: Ledger, after: Ledger) -> None:
        with self._lock:
            self._called("turn")
            ledger = self.ledger(subject)
            held = (ledger.flying, ledger.flew_at, ledger.failed, ledger.places.get(address))
            if held != (before.flying, before.flew_at, before.failed, before.places.get(address)):
                raise NotBegun(ledger)
            self.ledgers[subject] = after

    def fail(self, subject: str, address: str, now: int, lasts_from: int | None) -> Ledger | None:
        with self._lock:
            self._called("fail")
            if (ledger := self.ledgers.get(subject)) is None:
                return None
            here = ledger.places.get(address, Place(failed=0, locks=0, failed_at=now))
            after = replace(
                ledger,
                flying=ledger.flying - 1,
                began_at=now if ledger.began_at is None else ledger.began_at,
                failed=ledger.failed + 1,
                places={**ledger.places, address: replace(here, failed=here.failed + 1, failed_at=now)},
            )
            if lasts_from is not None and after.failed >= lasts_from:
                self.lasting.add(subject)
            self.ledgers[subject] = after
            return after

    def release(self, subject: str) -> None:
        with self._lock:
            self._called("release")
            if (ledger := self.ledgers.get(subject)) is not None:
                self.ledgers[subject] = replace(ledger, flying=ledger.flying - 1)

    def forgive(self, subject: str, address: str) -> None:
        with self._lock:
            self._called("forgive")
            if (ledger := self.ledgers.get(subject)) is not None:
                here = ledger.places.get(address)
                self.ledgers[subject] = replace(
                    ledger,
                    flying=ledger.flying - 1,
                    failed=ledger.failed - (0 if here is None else here.failed),
                    places={at: place for at, place in ledger.places.items() if at != address},
                )

    def note_refusal(self, subject: str) -> None:
        with self._lock:
            self._called("note_refusal")
            self.refused[subject] = self.refused.get(subject, 0) + 1

    def forget(self, subject: str, event: AuditEvent | None = None) -> None:
        with self._lock:
            self._called("forget")
            self.ledgers.pop(subject, None)
            self.lasting.discard(subject)
            self.audit.add(event)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.down > 0:
            self.down -= 1
            raise ServiceUnavailable("The store is busy. Try again.")
