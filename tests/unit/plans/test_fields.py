"""The rules of a usage plan's fields, and the spelling under which its name is unique."""

from typing import Any

import pytest

from gatehouse.errors import BadRequest
from gatehouse.plans import fields
from gatehouse.plans.model import QuotaPeriod
from tests.unit.plan_stores import a_plan

DAY = QuotaPeriod.DAY


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "x"},
        {"name": "Ünïcode 計画 " * 9},
        {"rate_limit": 1},
        {"rate_limit": 500, "window_seconds": 1},
        {"rate_limit": 30_000, "window_seconds": 60},
        {"rate_limit": 43_200_000, "window_seconds": 86_400},
        {"burst_limit": 1},
        {"burst_limit": 500},
        {"quota_limit": 1, "quota_period": DAY},
        {"quota_limit": 2**31 - 1, "quota_period": QuotaPeriod.MONTH},
        {"max_depth": 1, "max_cost": 1, "meters_cost": True},
    ],
    ids=str,
)
def test_a_plan_within_its_rules_is_taken_as_it_is(changes: dict[str, Any]) -> None:
    plan = a_plan(**changes)

    assert fields.checked(plan) is plan


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": ""}, "name", "name must not be empty."),
        ({"name": "x" * 101}, "name", "name has at most 100 characters."),
        ({"name": "a\nb"}, "name", "name has a character that cannot be printed."),
        ({"window_seconds": 0}, "windowSeconds", "windowSeconds is a number from 1 to 86400."),
        ({"window_seconds": 86_401}, "windowSeconds", "windowSeconds is a number from 1 to 86400."),
        ({"rate_limit": 0}, "rateLimit",
         "rateLimit is a number from 1 to 30000: at most 500 requests a second."),
        ({"rate_limit": 30_001}, "rateLimit",
         "rateLimit is a number from 1 to 30000: at most 500 requests a second."),
        ({"rate_limit": 501, "window_seconds": 1}, "rateLimit",
         "rateLimit is a number from 1 to 500: at most 500 requests a second."),
        ({"burst_limit": 0}, "burstLimit", "burstLimit is a number from 1 to 500."),
        ({"burst_limit": 501}, "burstLimit", "burstLimit is a number from 1 to 500."),
        ({"quota_limit": 5}, "quotaPeriod", "quotaLimit and quotaPeriod go together."),
        ({"quota_period": DAY}, "quotaLimit", "quotaLimit and quotaPeriod go together."),
        ({"quota_limit": 0, "quota_period": DAY}, "quotaLimit", "quotaLimit is at least 1."),
        ({"max_depth": 0}, "maxDepth", "maxDepth is at least 1."),
        ({"max_cost": -1}, "maxCost", "maxCost is at least 1."),
    ],
    ids=str,
)  # fmt: skip
def test_a_plan_that_breaks_a_rule_is_refused_by_the_field(changes: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        fields.checked(a_plan(**changes))

    assert (refusal.value.field, refusal.value.message) == (field, message)


def test_allowed_fields_are_kept_once_each_and_in_their_order() -> None:
    assert fields.allowed_fields(["users", "me", "users", "_x1"]) == ("users", "me", "_x1")
    assert fields.allowed_fields([]) == ()
    assert fields.allowed_fields(None) is None
    assert len(fields.allowed_fields(f"f{number}" for number in range(100)) or ()) == 100


@pytest.mark.parametrize(
    "names", [[""], ["1a"], ["a b"], ["me\n"], ["mé"], ["x"] * 3 + ["-"], [f"f{n}" for n in range(101)]]
)
def test_what_can_be_no_root_fields_are_refused(names: list[str]) -> None:
    with pytest.raises(BadRequest) as refusal:
        fields.allowed_fields(names)

    assert refusal.value.field == "allowedFields"


def test_names_that_differ_by_case_or_by_how_an_accent_is_written_are_one() -> None:
    assert fields.unique_form("Gold") == fields.unique_form("gOLD") == "gold"
    assert fields.unique_form("Straße") == fields.unique_form("STRASSE")
    assert fields.unique_form("Cafe\u0301") == fields.unique_form("Caf\u00e9")
    assert fields.unique_form("Gold") != fields.unique_form("Gold ")


def test_the_longest_name_still_fits_a_key() -> None:
    for letter in ("\u0390", "\U0001d160", "\ufdfa", "\U0001f600"):
        assert len(fields.unique_form(letter * 100).encode()) < 2_000
