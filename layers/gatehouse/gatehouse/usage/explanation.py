"""Why a call would be let in or refused: the rules of gate and door, asked in their order, with nothing spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehouse.admission.meters import Count, Limit, Meter, allowance, spent
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential
from gatehouse.errors import Forbidden
from gatehouse.permissions import SCOPES, Action, Caller, program, require
from gatehouse.plans.model import UsagePlan

_SELF_SERVICE = frozenset(
    {
        *(Action.CREATE_CREDENTIAL, Action.UPDATE_CREDENTIAL, Action.ROTATE_CREDENTIAL),
        *(Action.DISABLE_CREDENTIAL, Action.DELETE_CREDENTIAL),
    }
)


class AccessRule(StrEnum):
    """What can decide about a call; of several that refuse it, the first is told."""

    STANDING = "STANDING"
    ROLE = "ROLE"
    SCOPE = "SCOPE"
    PLAN = "PLAN"
    QUOTA = "QUOTA"


@dataclass(frozen=True, kw_only=True)
class AccessExplanation:
    """Whether the call would be let in, and the rule that decides it: the first that refuses, else the last, QUOTA.

    Limit, what remains of it and when it starts anew are told where QUOTA decides.
    """

    is_allowed: bool
    rule: AccessRule
    reason: str
    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that might be made: by whom, with which credential (None: a session), and for which root field.

    `action` is the right that the field takes; None where anybody may ask for it. `self_service` says whether a USER
    may manage credentials.
    """

    user: User
    credential: Credential | None
    operation: str
    action: Action | None
    self_service: bool = True

    @property
    def caller(self) -> Caller:
        """Who the gate would take it to be."""
        if self.credential is None:
            return Caller(consumer_id=self.user.id, role=self.user.role, session_id="any")
        return program(self.credential, self.user.role, version=self.credential.version)


def explain(
    call: Call, plan: UsagePlan | None, counts: Mapping[Meter, Count], limits: Sequence[Limit], now: datetime
) -> AccessExplanation:
    """The deciding rule; `plan` and `limits` are those that the call is held to."""
    return _by_standing(call, now) or _by_rights(call) or _by_plan(call, plan) or _by_quota(counts, limits, now)


def _by_standing(call: Call, now: datetime) -> AccessExplanation | None:
    if not call.user.is_active:
        return _refused(AccessRule.STANDING, "The account is switched off.")
    if call.credential is None or call.credential.is_in_force(now):
        return None
    fault = "has expired" if call.credential.is_active else "is switched off"
    return _refused(AccessRule.STANDING, f"The credential {fault}.")


def _by_rights(call: Call) -> AccessExplanation | None:
    if call.action is None:
        return None
    try:
        require(call.caller, call.action)
    except Forbidden as error:
        rule = AccessRule(error.reason or AccessRule.ROLE)
        return _refused(rule, _why_not(call.caller, call.action, rule))
    if not call.self_service and call.caller.role is Role.USER and call.action in _SELF_SERVICE:
        return _refused(AccessRule.ROLE, "A USER does not manage credentials here.")
    return None


def _why_not(caller: Caller, action: Action, rule: AccessRule) -> str:
    if rule is AccessRule.ROLE:
        return f"The role {caller.role} does not allow this."
    if (scope := SCOPES[action]) is None:
        return "Only a person who is signed in may do this."
    return f"The credential does not have the scope {scope}."


def _by_plan(call: Call, plan: UsagePlan | None) -> AccessExplanation | None:
    if plan is None or plan.allowed_fields is None or call.operation in plan.allowed_fields:
        return None
    return _refused(AccessRule.PLAN, f"The usage plan does not allow {call.operation}.")


def _by_quota(counts: Mapping[Meter, Count], limits: Sequence[Limit], now: datetime) -> AccessExplanation:
    over = spent(counts, limits, now)
    state = over or allowance(counts, limits, now)
    return AccessExplanation(
        is_allowed=over is None,
        rule=AccessRule.QUOTA,
        reason="Every rule allows it." if over is None else f"All {over.limit} requests are used.",
        limit=state.limit,
        remaining=state.remaining,
        resets_at=state.resets_at,
    )


def _refused(rule: AccessRule, reason: str) -> AccessExplanation:
    return AccessExplanation(is_allowed=False, rule=rule, reason=reason)
