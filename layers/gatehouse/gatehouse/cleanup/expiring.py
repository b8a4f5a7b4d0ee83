"""Credentials that end soon: each end is told once, a week ahead, so that somebody can see to it.

Nothing is written when an end comes near, so that a run has to look. It finds those alone whose end was not told yet,
by an index that they leave with being told. An end that is moved is another, and is told as well.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from gatehouse.audit import told
from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.deadline import OutOfTime, require_time
from gatehouse.cleanup.model import Ending, Report
from gatehouse.clock import Clock
from gatehouse.persistence import Page, Stale

_log = logging.getLogger(__name__)

AHEAD = timedelta(days=7)
"""How long before its end a credential is told of."""

_PAGE = 25


class EndingStore(Protocol):
    """Where it stands which ends are to be told. Raises ServiceUnavailable."""

    def parts(self) -> Sequence[str]:
        """What they are spread over."""

    def page_ending(self, part: str, until: datetime, first: int, after: str | None) -> Page[Ending]:
        """At most `first` that end then or before, the first of them first, each as it is now."""

    def tell_end(self, ending: Ending, event: AuditEvent) -> None:
        """Its end is told, and not again; raises Stale where that was done, or it is off, or ends at another time."""

    def pass_over(self, ending: Ending) -> None:
        """Its end need not be looked at; raises Stale where it is on or off since, or ends at another time."""


class _Outcome(Enum):
    TOLD = auto()
    PASSED_OVER = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Expiring:
    """The use case."""

    store: EndingStore
    clock: Clock
    recorder: Recorder

    def run(self, seconds_left: Callable[[], float], *, dry_run: bool = False) -> Report:
        """How many ends were told, until none was left to tell, or no time; a dry run writes nothing.

        Raises ServiceUnavailable where it is not known what ends.
        """
        now = self.clock.now()
        outcomes: Counter[_Outcome] = Counter()
        went_on = False
        try:
            for ending in self._endings(now, seconds_left):
                outcomes[self._see_to(ending, now, dry_run=dry_run)] += 1
        except OutOfTime:
            went_on = True
        return Report(
            expiring=outcomes[_Outcome.TOLD], failed=outcomes[_Outcome.FAILED], went_on=went_on, dry_run=dry_run
        )

    def _endings(self, now: datetime, seconds_left: Callable[[], float]) -> Iterator[Ending]:
        """What ends soon, for as long as there is time for one more; raises OutOfTime."""
        for part in self.store.parts():
            after = None
            while True:
                require_time(seconds_left)
                page = self.store.page_ending(part, now + AHEAD, _PAGE, after)
                for _, ending in page.entries:
                    require_time(seconds_left)
                    yield ending
                if page.next_position is None:
                    break
                after = page.next_position

    def _see_to(self, ending: Ending, now: datetime, *, dry_run: bool) -> _Outcome:
        outcome = _Outcome.TOLD
        if ending.is_told or not ending.credential.is_in_force(now):
            outcome = _Outcome.PASSED_OVER
        try:
            if not dry_run:
                self._write(ending, outcome)
        except Stale:
            return _Outcome.PASSED_OVER
        except Exception as error:  # noqa: BLE001 - logged; one that cannot be dealt with keeps no other back
            about = {"credential_id": ending.credential.id}
            _log.error("the end of a credential was not told", exc_info=error, extra=about)
            return _Outcome.FAILED
        return outcome

    def _write(self, ending: Ending, outcome: _Outcome) -> None:
        if outcome is _Outcome.PASSED_OVER:
            self.store.pass_over(ending)
            return
        credential = ending.credential
        event = self.recorder.of_credential(
            AuditAction.CREDENTIAL_EXPIRING, ITSELF, credential, after={"expiresAt": told.moment(credential.expires_at)}
        )
        self.store.tell_end(ending, event)
