"""Who is due for which step of the cleanup, by role and days."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.consumers import inactivity
from gatehouse.consumers.inactivity import Activity, Days, Rules, Stage
from gatehouse.consumers.model import DeactivatedBy, Role
from tests.unit.fakes import START, a_user
from tests.unit.sweeps import AT_ONCE, RULES

DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=1)


def after(days: int, stage: Stage = Stage.ACTIVE, in_stage: int | None = None) -> Activity:
    """So many days without activity, so many of them in the stage."""
    return Activity(
        active_at=START - days * DAY, stage=stage, stage_at=None if in_stage is None else START - in_stage * DAY
    )


@pytest.mark.parametrize(
    ("role", "activity", "stage"),
    [
        (Role.USER, after(76), Stage.WARNED),
        (Role.USER, after(90, Stage.WARNED, 14), Stage.DEACTIVATED),
        (Role.USER, after(365, Stage.DEACTIVATED, 275), Stage.ANONYMISED),
        (Role.USER, after(0, Stage.ANONYMISED, 0), Stage.ANONYMISED),
        (Role.MODERATOR, after(150), Stage.WARNED),
        (Role.MODERATOR, after(180, Stage.WARNED, 30), Stage.DEACTIVATED),
    ],
    ids=lambda value: value.stage if isinstance(value, Activity) else value,
)
def test_a_step_is_due_when_its_days_are_over_and_not_a_moment_before(
    role: Role, activity: Activity, stage: Stage
) -> None:
    until = inactivity.last_activity_of_the_due(RULES, role, activity.stage, START)
    later = replace(activity, active_at=activity.active_at + MOMENT)

    assert until == activity.active_at
    assert inactivity.next_stage(RULES, role, activity, START) is stage
    assert inactivity.next_stage(RULES, role, later, START) is None


@pytest.mark.parametrize(
    ("activity", "too_late"),
    [
        (after(500, Stage.WARNED, 7), after(500, Stage.WARNED, 6)),
        (after(900, Stage.DEACTIVATED, 275), after(900, Stage.DEACTIVATED, 274)),
    ],
    ids=["told seven days before", "out of use for as long as the settings say"],
)
def test_a_step_waits_for_the_one_before_however_long_nobody_was_there(activity: Activity, too_late: Activity) -> None:
    assert inactivity.next_stage(RULES, Role.USER, activity, START) is not None
    assert inactivity.next_stage(RULES, Role.USER, too_late, START) is None


def test_without_days_of_notice_who_was_not_warned_in_time_is_deactivated_at_once() -> None:
    def next_stage(days: int, rules: Rules = AT_ONCE) -> Stage | None:
        return inactivity.next_stage(rules, Role.USER, after(days), START)

    assert [next_stage(days) for days in (75, 76, 89, 90, 900)] == [
        *(None, Stage.WARNED, Stage.WARNED, Stage.DEACTIVATED, Stage.DEACTIVATED)
    ]
    assert next_stage(900, replace(AT_ONCE, notice_days=1)) is Stage.WARNED


def test_without_days_of_notice_a_warning_still_comes_in_its_time_and_what_it_tells_comes_true() -> None:
    warned = after(76, Stage.WARNED, 0)
    then = inactivity.deactivation_after(AT_ONCE, Role.USER, after(76), START)

    assert then == START + 14 * DAY
    assert inactivity.next_stage(AT_ONCE, Role.USER, warned, then) is Stage.DEACTIVATED
    assert inactivity.next_stage(AT_ONCE, Role.USER, warned, then - MOMENT) is None


@pytest.mark.parametrize("stage", Stage)
def test_an_admin_is_never_due(stage: Stage) -> None:
    assert inactivity.last_activity_of_the_due(RULES, Role.ADMIN, stage, START) is None
    assert inactivity.next_stage(RULES, Role.ADMIN, after(9_000, stage), START) is None


def test_who_is_not_to_be_anonymised_stays_deactivated() -> None:
    assert inactivity.last_activity_of_the_due(RULES, Role.MODERATOR, Stage.DEACTIVATED, START) is None
    assert inactivity.next_stage(RULES, Role.MODERATOR, after(9_000, Stage.DEACTIVATED, 9_000), START) is None


def test_a_role_without_days_is_left_alone() -> None:
    rules = replace(RULES, by_role={})

    assert inactivity.next_stage(rules, Role.USER, after(9_000), START) is None
    assert inactivity.next_stage(rules, Role.USER, after(9_000, Stage.ANONYMISED, 1), START) is not None


def test_a_warning_tells_the_day_on_which_it_comes_true() -> None:
    in_time, late = after(76), after(500)

    assert inactivity.deactivation_after(RULES, Role.USER, in_time, START) == START + 14 * DAY
    assert inactivity.deactivation_after(RULES, Role.USER, late, START) == START + 7 * DAY
    for activity in (in_time, late):
        warned = replace(activity, stage=Stage.WARNED, stage_at=START)
        then = inactivity.deactivation_after(RULES, Role.USER, activity, START)
        assert inactivity.next_stage(RULES, Role.USER, warned, then) is not None
        assert inactivity.next_stage(RULES, Role.USER, warned, then - MOMENT) is None


def test_who_is_new_or_back_begins_afresh_and_others_are_left_alone() -> None:
    assert inactivity.begins_afresh(Role.USER, True, START) == Activity(active_at=START)
    assert inactivity.begins_afresh(Role.USER, False, START) is None
    assert inactivity.begins_afresh(Role.ADMIN, True, START) is None


def test_a_deactivated_user_is_one_that_its_owner_may_bring_back() -> None:
    john = a_user(revision=4)

    assert inactivity.deactivated(john, START + DAY) == replace(
        john, is_active=False, deactivated_by=DeactivatedBy.SWEEP, updated_at=START + DAY, revision=5
    )


def test_nothing_personal_is_left_of_an_anonymised_user() -> None:
    john = a_user(
        first_name="John",
        last_name="Doe",
        plan_id="plan",
        email_verified_at=START,
        password_changed_at=START,
        is_active=False,
    )

    left = inactivity.anonymised(john, START + DAY)
    assert left == replace(
        a_user(),
        id=john.id,
        username=f"~{john.id}",
        email=f"{john.id}@anonymised",
        is_active=False,
        updated_at=START + DAY,
        revision=1,
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Days(warn=1, deactivate=90),
        lambda: Days(warn=90, deactivate=90),
        lambda: Days(warn=76, deactivate=90, anonymise=90),
        lambda: Rules(by_role={}, notice_days=-1),
        lambda: Rules(by_role={Role.ADMIN: Days(warn=76, deactivate=90)}, notice_days=7),
    ],
    ids=["warned at once", "warned too late", "anonymised too early", "told afterwards", "ADMINs"],
)
def test_days_that_harm_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()
