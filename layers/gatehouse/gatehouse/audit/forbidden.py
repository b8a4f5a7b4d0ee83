"""What a caller was forbidden is kept for an auditor, a few an hour."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, Outcome
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import Refusals
from gatehouse.permissions import Caller

_MOST_FIELDS = 10


@dataclass(frozen=True)
class ForbiddenCalls:
    """Keeps them."""

    recorder: Recorder
    refusals: Refusals

    def keep(self, caller: Caller, fields: Sequence[str], reasons: Collection[str]) -> None:
        """Keeps that something of these root fields was forbidden the caller."""
        event = self.recorder.event(
            AuditAction.FORBIDDEN,
            acting.caller(caller),
            outcome=Outcome.REFUSED,
            subject_id=caller.consumer_id,
            after={"fields": tuple(fields[:_MOST_FIELDS]), "reason": ", ".join(sorted(reasons)) or None},
        )
        self.refusals.tell(event)
