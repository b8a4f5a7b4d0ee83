"""That somebody did not get in is kept for an auditor, a few an hour; of what they typed nothing."""

from dataclasses import dataclass
from typing import Any

from gatehouse.accounts.model import Origin
from gatehouse.audit import acting
from gatehouse.audit.acting import Who
from gatehouse.audit.model import ActorKind, AuditAction, Outcome, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import Refusals
from gatehouse.credentials.model import Credential


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

    def keep_guess(self, address: str, credential: Credential | None, *, has_locked: bool) -> None:
        """Keeps that a secret was wrong, of the credential if there is such, and that it locked it for the address."""
        known = {} if credential is None else _about(credential)
        who = Who(kind=ActorKind.ANONYMOUS, address=address)
        refused = self.recorder.event(
            AuditAction.SIGN_IN_FAILED, who, outcome=Outcome.REFUSED, after={"reason": "WRONG_SECRET"}, **known
        )
        self.refusals.tell(refused)
        if has_locked:
            locked = self.recorder.event(AuditAction.CREDENTIAL_LOCKED, who, outcome=Outcome.REFUSED, **known)
            self.refusals.tell(locked)


def _about(credential: Credential) -> dict[str, Any]:
    return {"subject_id": credential.consumer_id, "target": Target(TargetType.CREDENTIAL, credential.id)}
