"""What a change of an item means, by its images before and after: the facts that something follows from."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gatehouse.admission.gate import SESSIONS
from gatehouse.admission.meters import Meter
from gatehouse.admission.model import Gate
from gatehouse.announcements.quota import nearly_spent
from gatehouse.audit.model import AuditAction, Outcome, Personal
from gatehouse.changes import (
    DayEnded,
    Fact,
    Happened,
    KeyAffected,
    MailWritten,
    PersonGone,
    QuotaReached,
    RefusalsEnded,
    SecretUsed,
    SessionUsed,
)
from gatehouse.storage import keys
from gatehouse.storage.audit import event_of
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.refusals import is_tally, tally_of

type Image = Mapping[str, Any]
"""An item as the stream tells it: attribute, type, value."""

_LEAVING = frozenset({AuditAction.USER_DELETED, AuditAction.ACCOUNT_ANONYMISED})


def facts(before: Image | None, after: Image | None, at: datetime) -> Iterator[Fact]:
    """What follows from an item's change; None stands for an item that is not there."""
    sort_key = (after or before or {})["SK"]["S"]
    if sort_key == keys.GATE:
        yield from _of_gate(before, after, at)
    elif sort_key == keys.PROFILE:
        yield from _of_profile(before, after)
    elif sort_key == keys.MAIL and before is None and after is not None:
        yield MailWritten(keys.mail_id(after["PK"]["S"]))
    elif sort_key == keys.EVENT and before is None and after is not None:
        yield from _of_event(after)
    elif before is not None and after is None and is_tally(before):
        yield RefusalsEnded(tally_of(before))


def _of_event(image: Image) -> Iterator[Fact]:
    event = event_of(image)
    yield Happened(event)
    if event.action in _LEAVING and event.outcome is Outcome.SUCCESS and event.subject_id is not None:
        email = event.before.get("email")
        to = str(email.value) if isinstance(email, Personal) else None
        yield PersonGone(event.id, event.subject_id, to)


def _of_gate(before: Image | None, after: Image | None, at: datetime) -> Iterator[Fact]:
    if after is None or "note" not in after:
        return
    now, note = GateRecord.from_raw_data(dict(after)).gate(), after["note"]["S"]
    earlier = None if before is None else GateRecord.from_raw_data(dict(before)).gate()
    owner = now.standing.consumer_id
    yield from _of_quota(earlier, now, at)
    if earlier is not None:
        if (earlier.day, earlier.usage) == (now.day, now.usage):
            return  # the note of an earlier request, which this change has left where it was: each request counts there
        if earlier.day is not None and now.day is not None and earlier.day < now.day:
            yield DayEnded(owner, earlier.day, earlier.usage)
    used, _, version = note.partition(" ")
    if version == SESSIONS:
        yield SessionUsed(owner, used, at)
    elif version:
        yield SecretUsed(owner, used, int(version), at)


def _of_quota(earlier: Gate | None, now: Gate, at: datetime) -> Iterator[Fact]:
    """What is told once of a quota: when it ends and its limit are noted with the request that takes 80 % of it."""
    quota, plan_id = now.counts.get(Meter.QUOTA), now.standing.plan_id
    if now.quota_told is None or quota is None or plan_id is None:
        return
    if earlier is None or earlier.quota_told != now.quota_told:
        _, _, limit = now.quota_told.partition(" ")
        yield QuotaReached(nearly_spent(now.standing.consumer_id, plan_id, quota, int(limit), at))


def _of_profile(before: Image | None, after: Image | None) -> Iterator[Fact]:
    if _key_goes_by(before) != _key_goes_by(after):
        yield KeyAffected(keys.consumer_id((after or before or {})["PK"]["S"]))


def _key_goes_by(image: Image | None) -> tuple[Any, ...]:
    """What decides about a consumer's own key: nothing, where there never was a credential to use it."""
    if image is None:
        return ()
    profile = ProfileRecord.from_raw_data(dict(image))
    return (profile.role, profile.plan_id) if profile.numbered > 0 else ()
