"""What becomes of a consumer that nobody uses: warned, deactivated, anonymised, each after its days. Pure decisions.

All days count from the last activity. Some steps wait for the one before as well, however long the cleanup has not
run: nothing is erased that was not out of use for as long as the settings say, and where they ask for days of notice,
nobody is deactivated who was not told so many days before. Where they ask for none, an account that nobody was warned
of in time is deactivated without a warning. An account moves by one step at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gatehouse.consumers.model import DeactivatedBy, Role, User

FEWEST_DAYS = 2
"""After fewer, a use is not sure to be noted: activity moves once a day, and clocks differ."""

_EXEMPT = frozenset({Role.ADMIN})


class Stage(StrEnum):
    """How far the cleanup has come with a consumer."""

    ACTIVE = "ACTIVE"
    WARNED = "WARNED"
    DEACTIVATED = "DEACTIVATED"
    ANONYMISED = "ANONYMISED"
    """Nothing personal is left of the profile; what belonged to it may not all be gone yet."""


_NEXT: Mapping[Stage, Stage] = {
    Stage.ACTIVE: Stage.WARNED,
    Stage.WARNED: Stage.DEACTIVATED,
    Stage.DEACTIVATED: Stage.ANONYMISED,
    Stage.ANONYMISED: Stage.ANONYMISED,
}


@dataclass(frozen=True, kw_only=True)
class Days:
    """After how many days without activity each step comes; `anonymise` None: never. Raises ValueError."""

    warn: int
    deactivate: int
    anonymise: int | None = None

    def __post_init__(self) -> None:
        if not FEWEST_DAYS <= self.warn < self.deactivate:
            raise ValueError(f"Between {FEWEST_DAYS} and the days to deactivate after are those to warn after.")
        if self.anonymise is not None and self.anonymise <= self.deactivate:
            raise ValueError("Nobody is anonymised who was not deactivated at least a day before.")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The days of each role; a role that is not in `by_role` is left alone. Raises ValueError.

    `notice_days` lie at least between the warning and the deactivation; with 0, nobody waits for a warning.
    """

    by_role: Mapping[Role, Days]
    notice_days: int

    def __post_init__(self) -> None:
        if self.notice_days < 0:
            raise ValueError("A warning does not come afterwards.")
        if not _EXEMPT.isdisjoint(self.by_role):
            raise ValueError("ADMINs are exempt.")


@dataclass(frozen=True, kw_only=True)
class Activity:
    """When a consumer was last active, and since when it is in its stage (None: it is ACTIVE)."""

    active_at: datetime
    stage: Stage = Stage.ACTIVE
    stage_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class _Wait:
    """What must have passed since the last activity, and since the stage began."""

    unused: timedelta
    in_stage: timedelta = timedelta(0)


def last_activity_of_the_due(rules: Rules, role: Role, stage: Stage, now: datetime) -> datetime | None:
    """Who is due was active then or before; None: nobody of that role and stage is due, now or later."""
    wait = _wait(rules, role, stage)
    return None if wait is None else now - wait.unused


def next_stage(rules: Rules, role: Role, activity: Activity, now: datetime) -> Stage | None:
    """The stage that the consumer is to come into now; None: it is not due. ANONYMISED is followed by itself."""
    wait = _wait(rules, role, activity.stage)
    if wait is None or activity.active_at + wait.unused > now:
        return None
    if activity.stage_at is not None and activity.stage_at + wait.in_stage > now:
        return None
    warned = replace(activity, stage=Stage.WARNED, stage_at=now)
    if activity.stage is Stage.ACTIVE and next_stage(rules, role, warned, now) is not None:
        return Stage.DEACTIVATED  # warned now, it would be so at once
    return _NEXT[activity.stage]


def deactivation_after(rules: Rules, role: Role, activity: Activity, warned_at: datetime) -> datetime:
    """What a warning of that moment tells: from when on the consumer is deactivated, if nothing happens."""
    by_days = activity.active_at + timedelta(days=rules.by_role[role].deactivate)
    return max(by_days, warned_at + timedelta(days=rules.notice_days))


def begins_afresh(role: Role, is_active: bool, now: datetime) -> Activity | None:
    """Where a consumer stands that is new, is back, or has changed its role; None: the cleanup leaves it alone."""
    return Activity(active_at=now) if is_active and role not in _EXEMPT else None


def deactivated(user: User, now: datetime) -> User:
    """The user, switched off; the owner may switch it on again by a new password."""
    return replace(
        user, is_active=False, deactivated_by=DeactivatedBy.SWEEP, updated_at=now, revision=user.revision + 1
    )


def anonymised(user: User, now: datetime) -> User:
    """The user with nothing personal left; nobody can have chosen such a name or address."""
    return replace(
        user,
        username=f"~{user.id}",
        email=f"{user.id}@anonymised",
        first_name=None,
        last_name=None,
        plan_id=None,
        email_verified_at=None,
        password_changed_at=None,
        two_factor_enabled=False,
        updated_at=now,
        revision=user.revision + 1,
    )


def _wait(rules: Rules, role: Role, stage: Stage) -> _Wait | None:
    if stage is Stage.ANONYMISED and role not in _EXEMPT:
        return _Wait(unused=timedelta(0))  # what was begun is ended, whatever the rules are by now
    days = rules.by_role.get(role)
    if days is None:
        return None
    if stage is Stage.ACTIVE:
        return _Wait(unused=timedelta(days=days.warn))
    if stage is Stage.WARNED:
        return _Wait(unused=timedelta(days=days.deactivate), in_stage=timedelta(days=rules.notice_days))
    if days.anonymise is None:
        return None
    unused, out_of_use = days.anonymise, days.anonymise - days.deactivate
    return _Wait(unused=timedelta(days=unused), in_stage=timedelta(days=out_of_use))
