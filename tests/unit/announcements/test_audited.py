"""What an audit event announces: whole events compared, each with the cause that makes it the same when told again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehouse.announcements.audited import announced
from gatehouse.announcements.model import (
    KINDS,
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
    QuotaNearlySpent,
    RegisteredBy,
    RoleChanged,
    TokenReuse,
)
from gatehouse.audit.model import SYSTEM, Actor, ActorKind, AuditAction, AuditEvent, Outcome, Target, TargetType
from gatehouse.consumers.model import DeactivatedBy, Role

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=7)
CONSUMER, ADMIN, TARGET = "consumer", "admin", "target"
ENVELOPE: dict[str, Any] = {"cause": "event", "consumer_id": CONSUMER, "at": AT, "correlation_id": "r-1"}


ROOT = Actor(kind=ActorKind.PERSON, consumer_id=ADMIN, role=Role.ADMIN)


def an_event(action: str, **more: Any) -> AuditEvent:
    """An audit event, of an ADMIN's on a consumer where nothing else is said."""
    known: dict[str, Any] = {
        "id": "event",
        "at": AT,
        "action": action,
        "outcome": Outcome.SUCCESS,
        "actor": ROOT,
        "subject_id": CONSUMER,
        "target": Target(TargetType.CREDENTIAL, TARGET),
        "correlation_id": "r-1",
    }
    return AuditEvent(**(known | more))


OFF: dict[str, Any] = {"before": {"isActive": True}, "after": {"isActive": False}}
ON: dict[str, Any] = {"before": {"isActive": False}, "after": {"isActive": True}}
ANNOUNCED: list[tuple[AuditEvent, list[Announcement]]] = [
    (an_event("USER_REGISTERED"), [ConsumerRegistered(**ENVELOPE, registered_by=RegisteredBy.OWNER)]),
    (an_event("USER_CREATED"), [ConsumerRegistered(**ENVELOPE, registered_by=RegisteredBy.ADMIN)]),
    (an_event("USER_DELETED"), [ConsumerDeleted(**ENVELOPE)]),
    (
        an_event("ACCOUNT_WARNED", actor=SYSTEM, after={"lastActiveAt": "2026-03-08T12:00:00.000Z"}),
        [ConsumerDormant(**ENVELOPE, last_active_at=LATER)],
    ),
    (an_event("ACCOUNT_WARNED", actor=SYSTEM), [ConsumerDormant(**ENVELOPE, last_active_at=None)]),
    (
        an_event("ACCOUNT_DEACTIVATED", actor=SYSTEM, **OFF),
        [ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.SWEEP)],
    ),
    (an_event("ACCOUNT_ANONYMISED", actor=SYSTEM), [ConsumerAnonymised(**ENVELOPE)]),
    (an_event("ACCOUNT_LOCKED", actor=SYSTEM, outcome=Outcome.REFUSED), [ConsumerLocked(**ENVELOPE)]),
    (an_event("TOKEN_REUSED", actor=SYSTEM, outcome=Outcome.REFUSED), [TokenReuse(**ENVELOPE, session_id=TARGET)]),
    (an_event("CREDENTIAL_CREATED"), [CredentialIssued(**ENVELOPE, credential_id=TARGET)]),
    (an_event("CREDENTIAL_ROTATED"), [CredentialRotated(**ENVELOPE, credential_id=TARGET)]),
    (
        an_event("CREDENTIAL_EXPIRING", actor=SYSTEM, after={"expiresAt": "2026-03-08T12:00:00.000Z"}),
        [CredentialExpiring(**ENVELOPE, credential_id=TARGET, expires_at=LATER)],
    ),
    (an_event("CREDENTIAL_DELETED"), [CredentialEnded(**ENVELOPE, credential_id=TARGET, ending=Ending.DELETED)]),
    (an_event("INVITATION_ACCEPTED"), [ConsumerRegistered(**ENVELOPE, registered_by=RegisteredBy.OWNER)]),
    (
        an_event("CREDENTIAL_UPDATED", **OFF),
        [CredentialEnded(**ENVELOPE, credential_id=TARGET, ending=Ending.DISABLED)],
    ),
    (an_event("USER_UPDATED", **OFF), [ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.ADMIN)]),
    (
        an_event("USER_UPDATED", **OFF, actor=Actor(kind=ActorKind.PERSON, consumer_id="other", role=Role.MODERATOR)),
        [ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.MODERATOR)],
    ),
    (
        an_event("USER_UPDATED", **OFF, actor=Actor(kind=ActorKind.PERSON, consumer_id=CONSUMER, role=Role.ADMIN)),
        [ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.OWNER)],
    ),
    (
        an_event("USER_UPDATED", before={"isActive": True}, after={"isActive": False, "deactivatedBy": "MODERATOR"}),
        [ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.MODERATOR)],
    ),
    (an_event("USER_UPDATED", **ON), [ConsumerReactivated(**ENVELOPE)]),
    (an_event("PASSWORD_RESET", **ON, actor=SYSTEM), [ConsumerReactivated(**ENVELOPE)]),
    (
        an_event("USER_UPDATED", before={"role": "USER"}, after={"role": "ADMIN"}),
        [RoleChanged(**ENVELOPE, before=Role.USER, after=Role.ADMIN)],
    ),
    (
        an_event(
            "USER_UPDATED",
            before={"isActive": True, "role": "ADMIN"},
            after={"isActive": False, "role": "USER"},
        ),
        [
            ConsumerDeactivated(**ENVELOPE, deactivated_by=DeactivatedBy.ADMIN),
            RoleChanged(**ENVELOPE, before=Role.ADMIN, after=Role.USER),
        ],
    ),
]


@pytest.mark.parametrize(("event", "expected"), ANNOUNCED, ids=lambda value: getattr(value, "action", None))
def test_what_happened_is_announced(event: AuditEvent, expected: list[Announcement]) -> None:
    assert list(announced(event)) == expected


def test_every_kind_but_what_no_audit_event_tells_of_is_announced_here() -> None:
    kinds = {type(announcement) for _, expected in ANNOUNCED for announcement in expected}

    assert kinds == set(KINDS) - {QuotaNearlySpent}


@pytest.mark.parametrize(
    "event",
    [
        an_event("SIGNED_IN"),
        an_event("PASSWORD_RESET"),
        an_event("PASSWORD_RESET", before={"isActive": True}, after={"isActive": True}),
        an_event("USER_UPDATED", before={"firstName": "Jo"}, after={"firstName": "John"}),
        an_event("USER_UPDATED", before={"role": "USER", "isActive": True}, after={"role": "USER", "isActive": True}),
        an_event("CREDENTIAL_UPDATED", **ON),
        an_event("CREDENTIAL_UPDATED", before={"role": "USER"}, after={"role": "ADMIN"}),
        an_event("FORBIDDEN", outcome=Outcome.REFUSED),
        an_event("USER_DELETED", outcome=Outcome.REFUSED),
        an_event("USER_UPDATED", **OFF, outcome=Outcome.REFUSED),
        an_event("CONFIGURATION_CHANGED", subject_id=None, target=None),
        an_event("ACCOUNT_LOCKED", subject_id=None),
    ],
    ids=lambda event: event.action,
)
def test_most_events_announce_nothing(event: AuditEvent) -> None:
    assert announced(event) == ()


@pytest.mark.parametrize(
    "event",
    [
        replace(an_event("CREDENTIAL_ROTATED"), target=None),
        an_event("CREDENTIAL_EXPIRING"),
        an_event("CREDENTIAL_EXPIRING", after={"expiresAt": "soon"}),
        an_event("USER_UPDATED", before={"role": "USER"}, after={"role": "KING"}),
    ],
    ids=lambda event: event.action,
)
def test_an_event_that_lacks_what_its_action_has_is_an_error(event: AuditEvent) -> None:
    with pytest.raises(ValueError, match=r"."):
        announced(event)


def test_what_is_announced_by_its_action_is_an_action_of_the_audit() -> None:
    assert {str(event.action) for event, _ in ANNOUNCED} <= {*AuditAction, "CREDENTIAL_EXPIRING"}
