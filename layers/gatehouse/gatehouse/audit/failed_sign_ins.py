"""That somebody did not get in is kept for an auditor, a few an hour; of what they typed nothing."""

from dataclasses import dataclass

from gatehouse.accounts.model import Origin
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, Outcome
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import Refusals


@dataclass(frozen=True)
class FailedSignIns:
    """Keeps them."""

    recorder: Recorder
    refusals: Refusals

    def keep(self, origin: Origin, user_id: str | None, reason: str) -> None:
        """Keeps that somebody did not get into the account, if it is anybody's."""
        event = self.recorder.event(
            AuditAction.SIGN_IN_FAILED,
            acting.stranger(origin),
            outcome=Outcome.REFUSED,
            subject_id=user_id,
            after={"reason": reason},
        )
        self.refusals.tell(event)
