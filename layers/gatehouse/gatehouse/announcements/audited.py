"""What an audit event announces. It is written with its change, so that nothing is told that was not done."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gatehouse.announcements.model import (
    Announcement,
    ConsumerAnonymised,
    ConsumerDeactivated,
    ConsumerDeleted,
    ConsumerDormant,
    ConsumerLocked,
    ConsumerReactivated,
    ConsumerRegistered,
    CredentialEnded,
    CredentialExpiring,
    CredentialIssued,
    CredentialRotated,
    Ending,
    RegisteredBy,
    RoleChanged,
    TokenReuse,
)
from gatehouse.audit.model import AuditEvent, Outcome, Told
from gatehouse.consumers.model import DeactivatedBy, Role


def announced(event: AuditEvent) -> tuple[Announcement, ...]:
    """What follows from the event, in the order in which it is to be told; nothing from most.

    Raises KeyError, AttributeError or ValueError where the event lacks what its action always has.
    """
    if event.subject_id is None or (event.outcome is Outcome.REFUSED and event.action not in _REFUSALS):
        return ()
    by_action = _BY_ACTION.get(event.action)
    if by_action is not None:
        return (by_action(event),)
    if event.action == "CREDENTIAL_UPDATED":
        return tuple(_credential_switched_off(event))
    return tuple(_consumer_changed(event))


def _envelope(event: AuditEvent) -> dict[str, Any]:
    return {
        "cause": event.id,
        "consumer_id": event.subject_id,
        "at": event.at,
        "correlation_id": event.correlation_id,
    }


def _target_id(event: AuditEvent) -> str:
    if event.target is None:
        raise ValueError(f"the audit event {event.id} has no target")
    return event.target.id


def _moment(values: Mapping[str, Told], name: str) -> datetime | None:
    text = values.get(name)
    return None if text is None else datetime.fromisoformat(str(text))


def _registered(event: AuditEvent) -> Announcement:
    by = RegisteredBy.ADMIN if event.action == "USER_CREATED" else RegisteredBy.OWNER
    return ConsumerRegistered(**_envelope(event), registered_by=by)


def _expiring(event: AuditEvent) -> Announcement:
    expires_at = _moment(event.after, "expiresAt")
    if expires_at is None:
        raise ValueError(f"the audit event {event.id} does not say when the credential ends")
    return CredentialExpiring(**_envelope(event), credential_id=_target_id(event), expires_at=expires_at)


_BY_ACTION: Mapping[str, Callable[[AuditEvent], Announcement]] = {
    "USER_REGISTERED": _registered,
    "USER_CREATED": _registered,
    "INVITATION_ACCEPTED": _registered,
    "USER_DELETED": lambda event: ConsumerDeleted(**_envelope(event)),
    "ACCOUNT_WARNED": lambda event: ConsumerDormant(
        **_envelope(event), last_active_at=_moment(event.after, "lastActiveAt")
    ),
    "ACCOUNT_DEACTIVATED": lambda event: ConsumerDeactivated(**_envelope(event), deactivated_by=DeactivatedBy.SWEEP),
    "ACCOUNT_ANONYMISED": lambda event: ConsumerAnonymised(**_envelope(event)),
    "ACCOUNT_LOCKED": lambda event: ConsumerLocked(**_envelope(event)),
    "TOKEN_REUSED": lambda event: TokenReuse(**_envelope(event), session_id=_target_id(event)),
    "CREDENTIAL_CREATED": lambda event: CredentialIssued(**_envelope(event), credential_id=_target_id(event)),
    "CREDENTIAL_ROTATED": lambda event: CredentialRotated(**_envelope(event), credential_id=_target_id(event)),
    "CREDENTIAL_EXPIRING": _expiring,
    "CREDENTIAL_DELETED": lambda event: CredentialEnded(
        **_envelope(event), credential_id=_target_id(event), ending=Ending.DELETED
    ),
}


_REFUSALS = frozenset({"ACCOUNT_LOCKED", "TOKEN_REUSED"})


def _credential_switched_off(event: AuditEvent) -> Iterator[Announcement]:
    if _change(event, "isActive") == (True, False):
        yield CredentialEnded(**_envelope(event), credential_id=_target_id(event), ending=Ending.DISABLED)


def _consumer_changed(event: AuditEvent) -> Iterator[Announcement]:
    """Whatever changed it: an update, or a password reset that takes back what the sweep did."""
    match _change(event, "isActive"):
        case (True, False):
            yield ConsumerDeactivated(**_envelope(event), deactivated_by=_deactivated_by(event))
        case (False, True):
            yield ConsumerReactivated(**_envelope(event))
    before, after = _change(event, "role")
    if before is not None and after is not None and before != after:
        yield RoleChanged(**_envelope(event), before=Role(before), after=Role(after))


def _change(event: AuditEvent, name: str) -> tuple[Any, Any]:
    """What it was and what it is; None for what the event does not tell."""
    return event.before.get(name), event.after.get(name)


def _deactivated_by(event: AuditEvent) -> DeactivatedBy:
    told = event.after.get("deactivatedBy")
    if isinstance(told, str):
        return DeactivatedBy(told)
    if event.actor.consumer_id == event.subject_id:
        return DeactivatedBy.OWNER
    return DeactivatedBy(event.actor.role or "")
