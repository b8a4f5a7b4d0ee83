"""What an event of the audit is in the activity log, and in the figures.

Both are told once for each event, when it is sealed: whatever door or command wrote it, and only what was written. What
is refused too often to be an event each time is counted by the door that answers.
"""

from collections.abc import Mapping
from typing import Any

from gatehouse.audit.model import AuditAction, AuditEvent, Outcome, Personal, Told
from gatehouse.consumers.model import Role
from gatehouse.counts import Counted, Fact
from gatehouse.text import masked

_SEEDS_WORDS: Mapping[AuditAction, str] = {
    AuditAction.SIGNED_IN: "User login",
    AuditAction.SIGN_IN_FAILED: "User login failed",
    AuditAction.SIGNED_OUT: "User logout",
    AuditAction.INVITED: "User invited",
}
"""Where they are others than those of the action's name."""

_COUNTED: Mapping[AuditAction, Counted] = {
    AuditAction.USER_REGISTERED: Counted.REGISTRATIONS,
    AuditAction.SIGNED_IN: Counted.SIGN_INS,
    AuditAction.ACCOUNT_LOCKED: Counted.LOCKOUTS,
    AuditAction.CREDENTIAL_LOCKED: Counted.LOCKOUTS,
    AuditAction.TOKEN_REUSED: Counted.TOKEN_REUSES,
    AuditAction.CREDENTIAL_CREATED: Counted.CREDENTIALS_ISSUED,
    AuditAction.CREDENTIAL_ROTATED: Counted.CREDENTIALS_ISSUED,
    AuditAction.CREDENTIAL_DELETED: Counted.CREDENTIALS_ENDED,
    AuditAction.CONFIGURATION_CHANGED: Counted.CONFIGURATION_CHANGES,
}

_OF_CREDENTIALS = frozenset(
    {AuditAction.CREDENTIAL_CREATED, AuditAction.CREDENTIAL_UPDATED, AuditAction.CREDENTIAL_ROTATED}
)


def message(event: AuditEvent) -> str:
    """The event in the seed's form: `User created: <id>`, with the masked email behind it where the event has one."""
    words = _SEEDS_WORDS.get(event.action, event.action.value.replace("_", " ").capitalize())
    told = " ".join(part for part in (event.subject_id, _masked_email(event)) if part is not None)
    return f"{words}: {told}" if told else words


def fields(event: AuditEvent) -> dict[str, Any]:
    """What the line has beside its message; the correlation id is that of the request, and not of whoever tells it."""
    told = {
        "eventId": event.id,
        "action": event.action.value,
        "outcome": event.outcome.value,
        "userId": event.subject_id,
        "actorId": event.actor.consumer_id,
        "credentialId": event.actor.credential_id,
        "correlation_id": event.correlation_id,
    }
    return {name: value for name, value in told.items() if value is not None}


def facts(event: AuditEvent) -> list[Fact]:
    """What the event adds to the figures."""
    if event.outcome is Outcome.SUCCESS:
        if event.action is AuditAction.CREDENTIAL_UPDATED and event.after.get("isActive") is False:
            return [Fact(Counted.CREDENTIALS_ENDED)]
        if event.action not in _OF_CREDENTIALS and (role := _role(event.after)) is not None:
            return [*_plainly(event), *_given(_role(event.before), role)]
    return _plainly(event)


def _plainly(event: AuditEvent) -> list[Fact]:
    counted = _COUNTED.get(event.action)
    return [] if counted is None else [Fact(counted)]


def _given(before: Role | None, after: Role) -> list[Fact]:
    """What a role counts as. An account that is made as an ADMIN's is watched like one that becomes an ADMIN's."""
    is_promotion = after is not (before or Role.USER).lower_of(after)
    changed = [] if before is None else [Fact(Counted.ROLE_CHANGES)]
    return [*changed, Fact(Counted.PROMOTIONS)] if is_promotion else changed


def _role(told: Mapping[str, Told]) -> Role | None:
    role = told.get("role")
    return Role(role) if isinstance(role, str) else None


def _masked_email(event: AuditEvent) -> str | None:
    match event.after.get("email") or event.before.get("email"):
        case Personal(str(email)):
            return masked(email)
        case _:
            return None
