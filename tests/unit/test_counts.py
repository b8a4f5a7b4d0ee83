"""Facts for figures: of few values, whatever callers send."""

import pytest

from gatehouse.counts import SEVERAL, UNKNOWN, Counted, Fact, operation

KNOWN = {"me", "users", "login"}


@pytest.mark.parametrize(
    ("fields", "counted_as"),
    [
        (["me"], "me"),
        (["me", "users"], SEVERAL),
        ([], UNKNOWN),
        (["nobodys"], UNKNOWN),
        (["me", "nobodys"], UNKNOWN),
    ],
    ids=str,
)
def test_an_operation_is_counted_by_a_known_name_or_with_all_others(fields: list[str], counted_as: str) -> None:
    assert operation(fields, KNOWN) == counted_as


@pytest.mark.parametrize("what", Counted)
def test_a_fact_has_a_value_in_the_dimension_exactly_where_there_is_one(what: Counted) -> None:
    told, lacks = ("value", None) if what.dimension else (None, "value")

    assert Fact(what, by=told).value == 1
    with pytest.raises(ValueError, match=what.value):
        Fact(what, by=lacks)


def test_what_is_told_apart_and_what_is_a_time() -> None:
    assert {what: what.dimension for what in Counted if what.dimension} == {
        Counted.LATENCY: "operation",
        Counted.ERRORS: "code",
        Counted.CLEANED_UP: "outcome",
    }
    assert [what for what in Counted if what.is_time] == [Counted.LATENCY]
