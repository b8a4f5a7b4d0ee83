"""The activity log: events in the seed's words, without an email that could be read, and what they add to figures."""

from collections.abc import Mapping

import pytest

from gatehouse.audit.activity import facts, fields, message
from gatehouse.audit.model import (
    SALT_BYTES,
    SYSTEM,
    Actor,
    ActorKind,
    AuditAction,
    AuditEvent,
    Outcome,
    Personal,
    Told,
)
from gatehouse.consumers.model import Role
from gatehouse.counts import Counted, Fact
from gatehouse.text import masked
from tests.unit.fakes import START

EMAIL = Personal("john@example.com", bytes(SALT_BYTES))
ADMIN = Actor(kind=ActorKind.PROGRAM, consumer_id="uuid-admin", role=Role.ADMIN, credential_id="uuid-key")


def _event(
    action: AuditAction,
    *,
    before: Mapping[str, Told] | None = None,
    after: Mapping[str, Told] | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    subject_id: str | None = "uuid-123",
) -> AuditEvent:
    return AuditEvent(
        id="event-1",
        at=START,
        action=action,
        outcome=outcome,
        actor=ADMIN,
        subject_id=subject_id,
        before=before or {},
        after=after or {},
        correlation_id="request-1",
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (_event(AuditAction.SIGNED_IN, after={"email": EMAIL}), "User login: uuid-123 j***@example.com"),
        (_event(AuditAction.SIGN_IN_FAILED), "User login failed: uuid-123"),
        (_event(AuditAction.SIGNED_OUT), "User logout: uuid-123"),
        (_event(AuditAction.INVITED), "User invited: uuid-123"),
        (_event(AuditAction.USER_CREATED), "User created: uuid-123"),
        (_event(AuditAction.USER_UPDATED), "User updated: uuid-123"),
        (_event(AuditAction.USER_DELETED, before={"email": EMAIL}), "User deleted: uuid-123 j***@example.com"),
        (_event(AuditAction.USER_DELETED, before={"email": EMAIL.erased}), "User deleted: uuid-123"),
        (_event(AuditAction.PLAN_ASSIGNED), "Plan assigned: uuid-123"),
        (_event(AuditAction.CONFIGURATION_CHANGED, subject_id=None), "Configuration changed"),
    ],
    ids=lambda value: value.action if isinstance(value, AuditEvent) else "",
)
def test_an_event_is_told_in_the_seeds_words(event: AuditEvent, told: str) -> None:
    assert message(event) == told


def test_a_line_says_who_did_it_in_which_request() -> None:
    assert fields(_event(AuditAction.USER_UPDATED)) == {
        "eventId": "event-1",
        "action": "USER_UPDATED",
        "outcome": "SUCCESS",
        "userId": "uuid-123",
        "actorId": "uuid-admin",
        "credentialId": "uuid-key",
        "correlation_id": "request-1",
    }


def test_what_is_not_known_is_not_in_the_line() -> None:
    event = AuditEvent(id="event-1", at=START, action=AuditAction.CLEANUP_DONE, actor=SYSTEM)

    assert fields(event) == {"eventId": "event-1", "action": "CLEANUP_DONE", "outcome": "SUCCESS"}


@pytest.mark.parametrize(
    ("email", "told"),
    [
        ("john@example.com", "j***@example.com"),
        ("j@example.com", "***@example.com"),
        ('"a@b"@example.com', '"***@example.com'),
    ],
)
def test_a_masked_email_tells_at_most_how_it_begins_and_where_it_is(email: str, told: str) -> None:
    assert masked(email) == told


def test_what_there_are_figures_of_is_counted_and_nothing_else() -> None:
    counted = {action: [fact.what for fact in facts(_event(action))] for action in AuditAction}

    assert {action: told for action, told in counted.items() if told} == {
        AuditAction.USER_REGISTERED: [Counted.REGISTRATIONS],
        AuditAction.SIGNED_IN: [Counted.SIGN_INS],
        AuditAction.ACCOUNT_LOCKED: [Counted.LOCKOUTS],
        AuditAction.CREDENTIAL_LOCKED: [Counted.LOCKOUTS],
        AuditAction.TOKEN_REUSED: [Counted.TOKEN_REUSES],
        AuditAction.CREDENTIAL_CREATED: [Counted.CREDENTIALS_ISSUED],
        AuditAction.CREDENTIAL_ROTATED: [Counted.CREDENTIALS_ISSUED],
        AuditAction.CREDENTIAL_DELETED: [Counted.CREDENTIALS_ENDED],
        AuditAction.CONFIGURATION_CHANGED: [Counted.CONFIGURATION_CHANGES],
    }


@pytest.mark.parametrize("action", [AuditAction.ACCOUNT_LOCKED, AuditAction.TOKEN_REUSED])
def test_a_refusal_is_counted_like_what_was_done(action: AuditAction) -> None:
    assert len(facts(_event(action, outcome=Outcome.REFUSED))) == 1


@pytest.mark.parametrize(("is_active", "ended"), [(False, 1), (True, 0), (None, 0)])
def test_a_credential_that_is_switched_off_has_ended(is_active: bool | None, ended: int) -> None:
    event = _event(AuditAction.CREDENTIAL_UPDATED, after={"isActive": is_active})

    assert facts(event) == [Fact(Counted.CREDENTIALS_ENDED)] * ended


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        (Role.USER, Role.MODERATOR, [Counted.ROLE_CHANGES, Counted.PROMOTIONS]),
        (Role.USER, Role.ADMIN, [Counted.ROLE_CHANGES, Counted.PROMOTIONS]),
        (Role.MODERATOR, Role.ADMIN, [Counted.ROLE_CHANGES, Counted.PROMOTIONS]),
        (Role.ADMIN, Role.MODERATOR, [Counted.ROLE_CHANGES]),
        (Role.ADMIN, Role.USER, [Counted.ROLE_CHANGES]),
        (Role.ADMIN, None, []),
        (None, None, []),
    ],
)
def test_any_promotion_is_counted_and_no_demotion_is_one(
    before: Role | None, after: Role | None, counted: list[Counted]
) -> None:
    event = _event(
        AuditAction.USER_UPDATED,
        before={"role": before and before.value},
        after={"role": after and after.value},
    )

    assert facts(event) == [Fact(what) for what in counted]


@pytest.mark.parametrize("action", [AuditAction.USER_CREATED, AuditAction.INVITED])
def test_whoever_begins_with_a_role_is_promoted_too(action: AuditAction) -> None:
    assert facts(_event(action, after={"role": "ADMIN"})) == [Fact(Counted.PROMOTIONS)]
    assert facts(_event(action, after={"role": "USER"})) == []


def test_a_promotion_that_was_refused_and_a_credentials_role_are_none() -> None:
    refused = _event(
        AuditAction.USER_UPDATED, before={"role": "USER"}, after={"role": "ADMIN"}, outcome=Outcome.REFUSED
    )

    assert facts(refused) == []
    assert facts(_event(AuditAction.CREDENTIAL_CREATED, after={"role": "ADMIN"})) == [Fact(Counted.CREDENTIALS_ISSUED)]
