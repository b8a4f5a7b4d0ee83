"""The rules of the configuration: the settings' own ranges, and a refusal that names the field at fault."""

from dataclasses import replace
from typing import Any

import pytest

from gatehouse.configuration import fields
from gatehouse.configuration.fields import RANGES
from gatehouse.errors import BadRequest
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.text import camel_case
from tests.unit.configurations import DEFAULTS


def _setting(name: str, value: str) -> Any:
    return getattr(Settings.from_environment({"TABLE_NAME": "t", name.upper(): value}), name)


@pytest.mark.parametrize("name", RANGES)
def test_a_number_has_the_range_of_the_setting_of_its_name(name: str) -> None:
    lowest, highest = RANGES[name]

    for value in (lowest, highest):
        assert fields.number(name, value) == value == _setting(name, str(value))
    for value in (lowest - 1, highest + 1):
        with pytest.raises(BadRequest) as refusal:
            fields.number(name, value)
        told = camel_case(name)
        assert (refusal.value.field, refusal.value.message) == (told, f"{told} is a number from {lowest} to {highest}.")
        with pytest.raises(InvalidSetting):
            _setting(name, str(value))


@pytest.mark.parametrize("name", [name for name in vars(DEFAULTS) if name not in ("cleanup", "limits")])
def test_what_a_deployment_says_by_default_is_within_the_ranges(name: str) -> None:
    value = getattr(Settings.from_environment({"TABLE_NAME": "t"}), name)

    assert value == getattr(DEFAULTS, name)
    if name in RANGES:
        assert fields.number(name, value) == value


@pytest.mark.parametrize("word", ["example.com", "Example.COM", "a-b.c", "1.2.3"])
def test_a_domain_is_kept_in_lower_case_as_the_setting_is(word: str) -> None:
    assert fields.domains("allowed_email_domains", [word, word.upper()]) == {word.lower()}
    assert _setting("allowed_email_domains", word) == {word.lower()}


@pytest.mark.parametrize(
    "words", [["com"], ["a@b.c"], [""], ["example.com "], ["exämple.com"], ["a.b" + "c" * 300], ["x.y", "*.z"]]
)
def test_what_is_no_domain_is_refused_and_not_quoted(words: list[str]) -> None:
    with pytest.raises(BadRequest) as refusal:
        fields.domains("allowed_email_domains", words)

    assert refusal.value.field == "allowedEmailDomains"
    assert refusal.value.message == "allowedEmailDomains are at most 100 domains such as example.com."


def test_there_are_at_most_a_hundred_domains() -> None:
    words = [f"d{number}.com" for number in range(101)]

    assert len(fields.domains("allowed_email_domains", words[:100])) == 100
    with pytest.raises(BadRequest):
        fields.domains("allowed_email_domains", words)


@pytest.mark.parametrize("role", ["", "_moderator"])
@pytest.mark.parametrize(
    ("warn", "deactivate", "anonymise", "changed", "at_fault"),
    [
        (90, 90, 0, {"deactivate"}, "deactivate"),
        (91, 90, 0, {"warn"}, "warn"),
        (91, 90, 0, {"warn", "deactivate"}, "deactivate"),
        (76, 90, 90, {"anonymise"}, "anonymise"),
        (76, 90, 80, {"deactivate"}, "deactivate"),
    ],
)
def test_days_that_do_not_fit_are_refused_by_the_field_that_was_changed(
    role: str, warn: int, deactivate: int, anonymise: int, changed: set[str], at_fault: str
) -> None:
    days = {"warn": warn, "deactivate": deactivate, "anonymise": anonymise}
    values = replace(DEFAULTS, **{f"cleanup_{step}_days{role}": value for step, value in days.items()})
    with pytest.raises(BadRequest) as refusal:
        fields.check_days(values, {f"cleanup_{step}_days{role}" for step in changed})

    assert refusal.value.field == camel_case(f"cleanup_{at_fault}_days{role}")


@pytest.mark.parametrize(
    ("warn", "deactivate", "anonymise"), [(89, 90, 91), (89, 90, 0), (3_650, 0, 0), (3_650, 0, 30), (2, 3, 30)]
)
def test_days_that_fit_are_taken_and_zero_is_never(warn: int, deactivate: int, anonymise: int) -> None:
    values = replace(
        DEFAULTS, cleanup_warn_days=warn, cleanup_deactivate_days=deactivate, cleanup_anonymise_days=anonymise
    )
    fields.check_days(values, {"cleanup_warn_days"})


@pytest.mark.parametrize("role", ["", "_moderator"])
def test_nobody_is_anonymised_who_was_here_in_the_last_thirty_days(role: str) -> None:
    name = f"cleanup_anonymise_days{role}"
    values = replace(DEFAULTS, **{f"cleanup_warn_days{role}": 2, f"cleanup_deactivate_days{role}": 3, name: 29})
    with pytest.raises(BadRequest) as refusal:
        fields.check_days(values, {name})
    assert refusal.value.field == camel_case(name)


def test_days_that_nobody_changed_are_not_looked_at() -> None:
    fields.check_days(replace(DEFAULTS, cleanup_warn_days=100), {"throttle_limit", "cleanup_warn_days_moderator"})
