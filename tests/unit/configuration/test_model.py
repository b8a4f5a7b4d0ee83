"""What is in force: the deployment's values, with those in their place that were set over them."""

from dataclasses import fields, replace
from typing import Any

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.configuration.model import NAMES, Effective, Overrides, Values, effective
from gatehouse.configuration.service import ConfigurationFields
from gatehouse.consumers.inactivity import Days, Rules
from gatehouse.consumers.model import Role
from tests.unit.configurations import DEFAULTS
from tests.unit.fakes import START

EVERYTHING: dict[str, Any] = {
    "throttle_limit": 1,
    "throttle_limit_moderator": 2,
    "throttle_limit_admin": 3,
    "throttle_limit_anonymous": 4,
    "registration_mode": Mode.INVITE_ONLY,
    "allowed_email_domains": frozenset({"example.com"}),
    "audit_retention_days": 45,
    "cleanup_notice_days": 6,
    "cleanup_warn_days": 7,
    "cleanup_deactivate_days": 8,
    "cleanup_anonymise_days": 9,
    "cleanup_warn_days_moderator": 10,
    "cleanup_deactivate_days_moderator": 11,
    "cleanup_anonymise_days_moderator": 12,
}


def test_what_can_be_set_has_the_same_names_everywhere() -> None:
    assert list(NAMES) == [field.name for field in fields(Values)] == list(EVERYTHING)
    assert [field.name for field in fields(Overrides)] == [*NAMES, "updated_at", "revision"]
    assert tuple(ConfigurationFields.__annotations__) == NAMES


def test_without_overrides_the_deployment_is_in_force() -> None:
    assert effective(DEFAULTS, Overrides()) == Effective(**{name: getattr(DEFAULTS, name) for name in NAMES})


def test_what_is_set_is_in_force_and_said_to_be_set() -> None:
    assert effective(DEFAULTS, Overrides(**EVERYTHING, updated_at=START, revision=3)) == Effective(
        **EVERYTHING, overridden=NAMES, updated_at=START
    )


def test_a_zero_and_an_empty_list_are_set_as_well() -> None:
    told = effective(
        replace(DEFAULTS, allowed_email_domains=frozenset({"example.com"}), cleanup_anonymise_days=300),
        Overrides(allowed_email_domains=frozenset(), cleanup_anonymise_days=0),
    )

    assert (told.allowed_email_domains, told.cleanup_anonymise_days) == (frozenset(), 0)
    assert told.overridden == ("allowed_email_domains", "cleanup_anonymise_days")


def test_limits_are_told_by_role() -> None:
    assert DEFAULTS.limits == {Role.USER: 10, Role.MODERATOR: 100, Role.ADMIN: 1_000}


def test_the_rules_of_the_cleanup_are_told_by_role_and_admins_have_none() -> None:
    told = replace(DEFAULTS, cleanup_anonymise_days=400, cleanup_deactivate_days_moderator=120)

    assert told.cleanup == Rules(
        by_role={Role.USER: Days(warn=76, deactivate=90, anonymise=400), Role.MODERATOR: Days(warn=76, deactivate=120)},
        notice_days=0,
    )


def test_a_role_whose_consumers_are_never_deactivated_is_left_alone() -> None:
    assert set(replace(DEFAULTS, cleanup_deactivate_days=0).cleanup.by_role) == {Role.MODERATOR}


@pytest.mark.parametrize(
    ("warn", "deactivate", "anonymise", "expected"),
    [
        (100, 90, 0, Days(warn=100, deactivate=101)),
        (76, 90, 30, Days(warn=76, deactivate=90, anonymise=91)),
        (1, 1, 1, Days(warn=2, deactivate=3, anonymise=4)),
    ],
)
def test_days_of_a_new_deployment_that_do_not_fit_never_shorten_anybodys_time(
    warn: int, deactivate: int, anonymise: int, expected: Days
) -> None:
    told = replace(
        DEFAULTS, cleanup_warn_days=warn, cleanup_deactivate_days=deactivate, cleanup_anonymise_days=anonymise
    )

    assert told.cleanup.by_role[Role.USER] == expected
