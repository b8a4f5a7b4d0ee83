"""Why a call would be let in or refused: each rule in its turn, and that the first one to refuse decides."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.meters import Count, Meter, credential_limits, session_limits
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.permissions import SCOPES, Action
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.usage.explanation import AccessExplanation, AccessRule, Call, explain
from tests.unit.fakes import START, a_user
from tests.unit.plan_stores import a_plan

STANDING, ROLE, SCOPE, PLAN, QUOTA = AccessRule
USER = a_user()
IN_A_MINUTE = START + timedelta(minutes=1)


def _credential(owner: User = USER, **changes: Any) -> Credential:
    known = Credential(
        id="c",
        consumer_id=owner.id,
        type=CredentialType.KEY_AUTH,
        key_id="k",
        number=1,
        role=owner.role,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    return replace(known, **changes)


def _explained(
    user: User = USER,
    credential: Credential | None = None,
    action: Action | None = Action.READ_USER,
    plan: UsagePlan | None = None,
    counts: Mapping[Meter, Count] | None = None,
) -> AccessExplanation:
    limits = session_limits(10, 60) if credential is None else credential_limits(10, 60, plan)
    call = Call(user=user, credential=credential, operation="user", action=action)
    return explain(call, plan, counts or {}, limits, START)


def _refused(rule: AccessRule, reason: str) -> AccessExplanation:
    return AccessExplanation(is_allowed=False, rule=rule, reason=reason)


def _used(meter: Meter, used: int, ends: timedelta = timedelta(minutes=1)) -> dict[Meter, Count]:
    return {meter: Count(ends=milliseconds(START + ends), used=used)}


@pytest.mark.parametrize("credential", [None, _credential()], ids=["session", "credential"])
def test_a_call_that_every_rule_allows_tells_what_remains(credential: Credential | None) -> None:
    assert _explained(credential=credential) == AccessExplanation(
        is_allowed=True,
        rule=QUOTA,
        reason="Every rule allows it.",
        limit=10,
        remaining=10,
        resets_at=IN_A_MINUTE,
    )


@pytest.mark.parametrize(
    ("user", "credential", "reason"),
    [
        (a_user(is_active=False), None, "The account is switched off."),
        (a_user(is_active=False), _credential(is_active=False), "The account is switched off."),
        (USER, _credential(is_active=False), "The credential is switched off."),
        (USER, _credential(expires_at=START), "The credential has expired."),
        (USER, _credential(is_active=False, expires_at=START), "The credential is switched off."),
    ],
)
def test_what_is_not_in_force_is_refused_by_standing(user: User, credential: Credential | None, reason: str) -> None:
    assert _explained(user, credential) == _refused(STANDING, reason)


def test_the_lower_of_the_two_roles_decides() -> None:
    admin = a_user("root", role=Role.ADMIN)

    assert _explained(USER, action=Action.LIST_USERS) == _refused(ROLE, "The role USER does not allow this.")
    assert _explained(admin, action=Action.LIST_PLANS).is_allowed
    made_as_a_moderator = _credential(admin, role=Role.MODERATOR)
    assert _explained(admin, made_as_a_moderator, Action.LIST_PLANS) == _refused(
        ROLE, "The role MODERATOR does not allow this."
    )
    demoted = replace(admin, role=Role.USER)
    assert _explained(demoted, _credential(admin), Action.LIST_USERS).rule is ROLE


@pytest.mark.parametrize(
    ("scopes", "action", "reason"),
    [
        ((), Action.READ_USER, "The credential does not have the scope users:read."),
        (("usage:read",), Action.READ_CREDENTIALS, "The credential does not have the scope credentials:read."),
        (None, Action.CREATE_CREDENTIAL, "The credential does not have the scope credentials:write."),
        (("users:read",), Action.END_SESSION, "Only a person who is signed in may do this."),
        (("users:read",), Action.READ_USER, None),
        (("credentials:write",), Action.CREATE_CREDENTIAL, None),
        ((), None, None),
    ],
)
def test_scopes_decide_as_they_do_for_the_call_itself(
    scopes: tuple[str, ...] | None, action: Action | None, reason: str | None
) -> None:
    told = _explained(credential=_credential(scopes=scopes), action=action)

    assert (told.is_allowed, told.rule) == ((True, QUOTA) if reason is None else (False, SCOPE))
    assert reason in (None, told.reason)


@pytest.mark.parametrize("action", Action)
def test_a_session_is_never_refused_by_scope(action: Action) -> None:
    assert _explained(a_user("root", role=Role.ADMIN), action=action).rule is QUOTA


@pytest.mark.parametrize("action", Action)
def test_every_action_has_an_explanation_for_a_credential_without_scopes(action: Action) -> None:
    admin = a_user("root", role=Role.ADMIN)
    told = _explained(admin, _credential(admin), action)

    assert told.is_allowed is (SCOPES[action] not in (None, "credentials:write", "system:write"))


def test_the_plans_fields_decide_about_credentials() -> None:
    assert _explained(credential=_credential(), plan=a_plan(allowed_fields=("me",))) == _refused(
        PLAN, "The usage plan does not allow user."
    )
    assert _explained(credential=_credential(), plan=a_plan(allowed_fields=())).rule is PLAN
    assert _explained(credential=_credential(), plan=a_plan(allowed_fields=("user",))).is_allowed
    assert _explained(credential=_credential(), plan=a_plan(allowed_fields=None)).is_allowed


@pytest.mark.parametrize(
    ("credential", "counts", "limit", "ends"),
    [
        (None, _used(Meter.SESSIONS, 10), 10, timedelta(minutes=1)),
        (_credential(), _used(Meter.WINDOW, 8), 8, timedelta(minutes=1)),
        (_credential(), _used(Meter.BURST, 3, timedelta(milliseconds=700)), 3, timedelta(milliseconds=700)),
        (_credential(), _used(Meter.QUOTA, 99, timedelta(hours=12)), 99, timedelta(hours=12)),
    ],
    ids=["sessions", "window", "burst", "quota"],
)
def test_what_is_used_up_is_refused_by_quota_until_it_starts_anew(
    credential: Credential | None, counts: dict[Meter, Count], limit: int, ends: timedelta
) -> None:
    plan = a_plan(rate_limit=8, burst_limit=3, quota_limit=99, quota_period=QuotaPeriod.DAY)

    assert _explained(credential=credential, plan=plan, counts=counts) == AccessExplanation(
        is_allowed=False,
        rule=QUOTA,
        reason=f"All {limit} requests are used.",
        limit=limit,
        remaining=0,
        resets_at=START + ends,
    )


def test_what_others_have_used_up_is_no_matter() -> None:
    assert _explained(counts=_used(Meter.WINDOW, 1_000)).is_allowed
    assert _explained(credential=_credential(), counts=_used(Meter.SESSIONS, 1_000)).is_allowed
    assert _explained(counts=_used(Meter.SESSIONS, 1_000, timedelta())).is_allowed


def test_the_first_rule_that_refuses_decides() -> None:
    inactive = a_user(is_active=False)
    worst: dict[str, Any] = {
        "user": inactive,
        "credential": _credential(scopes=()),
        "action": Action.LIST_USERS,
        "plan": a_plan(allowed_fields=(), rate_limit=1),
        "counts": _used(Meter.WINDOW, 1),
    }
    told = [_explained(**worst)]
    for name, better in (
        ("user", USER),
        ("action", Action.READ_USER),
        ("credential", _credential()),
        ("plan", a_plan(rate_limit=1)),
        ("counts", {}),
    ):
        worst[name] = better
        told.append(_explained(**worst))

    assert [(e.rule, e.is_allowed) for e in told] == [
        (STANDING, False),
        (ROLE, False),
        (SCOPE, False),
        (PLAN, False),
        (QUOTA, False),
        (QUOTA, True),
    ]
