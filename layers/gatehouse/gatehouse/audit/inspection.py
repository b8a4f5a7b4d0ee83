"""The chain, verified for who asks for it: a part of it in a request, the whole of it by a command."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from gatehouse.audit.chain import Position
from gatehouse.audit.spans import seals_between
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.clock import Clock
from gatehouse.errors import BadRequest
from gatehouse.permissions import Action, Caller, require

MOST_IN_A_REQUEST = 2_000
"""How many seals are looked at in a request, which API Gateway ends after 29 seconds."""

MOST_FILED_IN_A_REQUEST = 10_000


@dataclass(frozen=True)
class Inspection:
    """Verifies the chain of one deployment, as much at once as its verification takes."""

    verification: Verification
    clock: Clock

    def some(
        self, caller: Caller, since: datetime | None, until: datetime | None, continue_from: int | None
    ) -> Verdict:
        """The verdict on what was sealed in this time, or on as much of it as a request gets to.

        `continue_from` is where a verdict says that it goes on. Raises BadRequest.
        """
        require(caller, Action.VERIFY_AUDIT)
        if continue_from is not None and continue_from < 1:
            raise BadRequest("continueFrom is a number from 1 on.", field="continueFrom")
        first, last = self._between(since, until)
        return self.verification.run(self.clock.now(), max(first or 1, continue_from or 1), last)

    def all(
        self, since: datetime | None, until: datetime | None, known: Collection[Position] = ()
    ) -> Iterator[Verdict]:
        """The verdicts on all that was sealed in this time, stretch by stretch; `known` was noted elsewhere.

        Raises BadRequest.
        """
        first, last = self._between(since, until)
        while True:
            verdict = self.verification.run(self.clock.now(), first, last, known)
            yield verdict
            if verdict.goes_on_at is None:
                return
            first = verdict.goes_on_at

    def position(self, verdict: Verdict) -> Position | None:
        """Where the chain was at the verdict's end, to be noted elsewhere; None where there is nothing to note."""
        seal = self.verification.log.seals(verdict.last, verdict.last).get(verdict.last)
        return None if seal is None or not verdict.is_ok else seal.position

    def _between(self, since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
        if since is not None and until is not None and since > until:
            raise BadRequest("from must not be later than to.", field="from")
        return seals_between(self.verification.log, since, until)
