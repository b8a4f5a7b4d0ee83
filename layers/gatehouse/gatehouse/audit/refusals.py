"""Bounded refusals: of what is refused again and again only the first few are kept, and then how many more there were.

Counted are the refusals of one action, to one party, in one hour. A party is who acted, where that is known, else the
address alone, whoever it is about: so nobody uses up the places of others, and a try costs the same whether there is
such an account or not.
"""

import hashlib
import logging
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gatehouse.audit.acting import ITSELF, Who
from gatehouse.audit.model import (
    ActorKind,
    AuditAction,
    AuditEvent,
    Erased,
    Outcome,
    Personal,
    Private,
)
from gatehouse.audit.recording import Recorder
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import lowest_id

KEPT_AN_HOUR = 50
"""As many as an address may fail before it is shut out: nobody hides an attack on somebody behind others."""

_log = logging.getLogger(__name__)

_HOUR = 3_600_000
_ENTROPY = (1 << 62) - 1


class PartyKind(StrEnum):
    """What a party is known by."""

    ACTOR = "actor"
    ADDRESS = "address"


@dataclass(frozen=True)
class Party:
    """Whose refusals are counted together; `id` is a consumer's, or an address."""

    kind: PartyKind
    id: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often an action was refused to a party in an hour; hours are counted from the epoch."""

    party: Party
    action: AuditAction
    hour: int
    refused: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether the latest of them is."""
        return self.refused <= KEPT_AN_HOUR

    @property
    def left_out(self) -> int:
        return max(self.refused - KEPT_AN_HOUR, 0)


class RefusalStore(Protocol):
    """Where refusals are counted and kept. A counter lasts for a while longer than its hour.

    Whoever sees that it is gone tells `left_out` of it.
    """

    def count_refusal(self, tally: Tally) -> Tally:
        """The tally with one more than was counted of its party, action and hour; raises ServiceUnavailable."""

    def keep_event(self, event: AuditEvent) -> None:
        """Keeps the event, once: where there is one of its id, that is left as it is."""


@dataclass(frozen=True)
class Refusals:
    """Tells of refusals, as far as they are kept."""

    store: RefusalStore

    def tell(self, event: AuditEvent) -> None:
        """Counts the refusal, and keeps it as one of the first of its hour.

        Where the store does not answer, the log has it: who is refused is told that, and not to try again.
        """
        try:
            if self.store.count_refusal(first_tally(event)).is_kept:
                self.store.keep_event(event)
        except ServiceUnavailable as error:
            told = {"event_id": event.id, "action": event.action.value, "subject_id": event.subject_id}
            _log.error("a refusal was not kept", exc_info=error, extra=told)


def first_tally(event: AuditEvent) -> Tally:
    """What a refusal is counted with, before it is; raises ValueError for what was not refused."""
    if event.outcome is not Outcome.REFUSED:
        raise ValueError("Only refusals are counted.")
    return Tally(party=_party(event), action=event.action, hour=milliseconds(event.at) // _HOUR)


def left_out(tally: Tally, recorder: Recorder) -> AuditEvent | None:
    """The one event of an hour that is over, about what was left out of it; None where nothing was.

    It has the same id whenever it is made: a store that refuses an id it has keeps it once.
    """
    if not tally.left_out:
        return None
    ends = from_milliseconds((tally.hour + 1) * _HOUR)
    is_known = tally.party.kind is PartyKind.ACTOR
    made = recorder.event(
        AuditAction.REFUSALS_LEFT_OUT,
        ITSELF if is_known else Who(kind=ActorKind.ANONYMOUS, address=tally.party.id),
        outcome=Outcome.REFUSED,
        subject_id=tally.party.id if is_known else None,
        after={"action": tally.action.value, "hour": tally.hour, "leftOut": tally.left_out},
    )
    return replace(made, id=_id_of(tally, ends), at=ends)


def _party(event: AuditEvent) -> Party:
    if event.actor.consumer_id is not None:
        return Party(PartyKind.ACTOR, event.actor.consumer_id)
    return Party(PartyKind.ADDRESS, _text(event.actor.address))


def _text(address: Private | None) -> str:
    match address:
        case Personal(str(text)):
            return text
        case Personal() | Erased() | None:
            return "unknown"


def _id_of(tally: Tally, at: datetime) -> str:
    told = f"{tally.party.kind} {tally.party.id} {tally.action} {tally.hour}"
    entropy = int.from_bytes(hashlib.sha256(told.encode()).digest()) & _ENTROPY
    return str(uuid.UUID(int=uuid.UUID(lowest_id(milliseconds(at))).int | entropy))
