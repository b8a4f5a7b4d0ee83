"""What is told of the things of the house: every field that was thought about, in plain values, and no secret."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehouse.audit import told
from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import AuditAction
from gatehouse.audit.recording import PERSONAL, PLAIN, Recorder
from gatehouse.configuration.model import Overrides, effective
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, User
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.text import camel_case
from tests.unit.configurations import DEFAULTS
from tests.unit.fakes import START, StoppedClock
from tests.unit.plan_stores import a_plan

NOW = "2026-03-01T12:00:00.000Z"
LATER = START + timedelta(hours=1)
USER = User(
    id="u",
    username="john",
    email="john@example.com",
    first_name="John",
    last_name="Doe",
    role=Role.MODERATOR,
    kind=Kind.PARTNER,
    is_active=False,
    deactivated_by=DeactivatedBy.ADMIN,
    plan_id="p",
    email_verified_at=START,
    password_changed_at=START,
    two_factor_enabled=True,
    created_at=START,
    updated_at=START,
    revision=3,
)
CREDENTIAL = Credential(
    id="c",
    consumer_id="u",
    type=CredentialType.JWT,
    key_id="mobile-app",
    number=2,
    role=Role.USER,
    label="phone",
    scopes=("users:read", "me:read"),
    expires_at=LATER,
    version=2,
    rotation=Rotation(START, LATER, None),
    created_at=START,
    updated_at=START,
)
PLAN = a_plan(
    burst_limit=5,
    quota_limit=1000,
    quota_period=QuotaPeriod.WEEK,
    meters_cost=True,
    max_depth=3,
    max_cost=50,
    allowed_fields=("me",),
)
STANDING = {
    "kind": "PARTNER",
    "role": "MODERATOR",
    "isActive": False,
    "deactivatedBy": "ADMIN",
    "emailVerifiedAt": NOW,
}


def test_a_user_is_told_and_of_one_who_goes_what_tells_of_no_person() -> None:
    assert told.standing(USER) == STANDING
    assert not PERSONAL & STANDING.keys()
    assert told.user(USER) == STANDING | {
        "username": "john",
        "email": "john@example.com",
        "firstName": "John",
        "lastName": "Doe",
        "planId": "p",
    }


def test_a_credential_is_told_and_its_versions_by_themselves() -> None:
    assert told.credential(CREDENTIAL) == {
        "type": "JWT",
        "keyId": "mobile-app",
        "label": "phone",
        "role": "USER",
        "scopes": ("users:read", "me:read"),
        "expiresAt": "2026-03-01T13:00:00.000Z",
        "isActive": True,
    }
    assert told.version(CREDENTIAL) == {
        "version": 2,
        "expiresAt": "2026-03-01T13:00:00.000Z",
        "overlapEndsAt": "2026-03-01T13:00:00.000Z",
    }


def test_a_plan_is_told() -> None:
    assert told.plan(PLAN) == {
        "name": "gold",
        "rateLimit": 100,
        "windowSeconds": 60,
        "burstLimit": 5,
        "quotaLimit": 1000,
        "quotaPeriod": "WEEK",
        "metersCost": True,
        "maxDepth": 3,
        "maxCost": 50,
        "allowedFields": ("me",),
    }


LEFT_OUT: Mapping[type[Any], set[str]] = {
    User: {"id", "passwordChangedAt", "twoFactorEnabled", "createdAt", "updatedAt", "revision"},
    Credential: {"id", "consumerId", "number", "lastUsedAt", "disabledBy", "createdAt", "updatedAt", "revision"},
    UsagePlan: {"id", "consumers", "createdAt", "updatedAt", "revision"},
}
"""What the event has itself, what only moves along with a change, and what other events tell."""


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (User, told.user(USER).keys()),
        (Credential, told.credential(CREDENTIAL).keys() | {"version", "rotation"}),
        (UsagePlan, told.plan(PLAN).keys()),
    ],
    ids=["user", "credential", "plan"],
)
def test_a_field_is_told_or_was_left_out_by_somebody_who_thought_about_it(of: type[Any], names: set[str]) -> None:
    assert {camel_case(field.name) for field in fields(of)} == names | LEFT_OUT[of]


@pytest.mark.parametrize(
    "whole",
    [told.user(USER), told.credential(CREDENTIAL), told.version(CREDENTIAL), told.plan(PLAN)],
    ids=["user", "credential", "version", "plan"],
)
def test_the_recorder_knows_every_name_and_keeps_every_value(whole: told.Fields) -> None:
    event = Recorder(StoppedClock()).event(AuditAction.USER_UPDATED, ITSELF, after=whole)

    assert event.after.keys() == whole.keys()
    assert whole.keys() <= PERSONAL | PLAIN
    for value in whole.values():  # no text that only looks like one, which would come back from the store as another
        parts = value if isinstance(value, tuple) else (value,)
        assert {type(part) for part in parts} <= {str, int, bool, type(None)}


def test_a_configuration_is_told_with_what_is_set_over_the_deployment() -> None:
    overrides = Overrides(throttle_limit=5, allowed_email_domains=frozenset({"b.org", "a.com"}))
    whole = told.configuration(effective(DEFAULTS, overrides))

    assert (whole["throttleLimit"], whole["throttleLimitAdmin"]) == (5, 1_000)
    assert whole["registrationMode"] == "OPEN"
    assert whole["allowedEmailDomains"] == ("a.com", "b.org")
    assert whole["overridden"] == ("throttleLimit", "allowedEmailDomains")


@pytest.mark.parametrize(
    ("moment", "as_told"),
    [
        (None, None),
        (START, NOW),
        (datetime(2026, 3, 1, 12, 0, 0, 999_999, UTC), "2026-03-01T12:00:00.999Z"),
    ],
)
def test_a_moment_is_told_to_the_millisecond(moment: datetime | None, as_told: str | None) -> None:
    assert told.moment(moment) == as_told
