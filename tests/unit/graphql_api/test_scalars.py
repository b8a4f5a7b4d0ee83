"""Moments as ISO 8601 in UTC, to the millisecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ariadne import make_executable_schema
from graphql import GraphQLScalarType

from graphql_api.scalars import date_time

SCHEMA = make_executable_schema("scalar DateTime type Query { a: DateTime }", date_time)
SCALAR = SCHEMA.type_map["DateTime"]
NOON = datetime(2026, 1, 31, 12, 0, 0, 5_000, tzinfo=UTC)


def _parse(value: object) -> object:
    assert isinstance(SCALAR, GraphQLScalarType)
    return SCALAR.parse_value(value)


@pytest.mark.parametrize(
    "moment", [NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), NOON + timedelta(microseconds=999)]
)
def test_a_moment_is_told_in_utc_and_milliseconds(moment: datetime) -> None:
    assert isinstance(SCALAR, GraphQLScalarType)
    assert SCALAR.serialize(moment) == "2026-01-31T12:00:00.005Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00.005Z",
        "2026-01-31T12:00:00.005999Z",
        "2026-01-31T13:00:00.005+01:00",
        "2026-01-31T12:00:00.005+00:00",
    ],
)
def test_a_moment_is_read_in_any_zone(text: str) -> None:
    assert _parse(text) == NOON


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        0,
        1.5,
        True,
        None,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        ["2026-01-31T12:00:00Z"],
        {},
        "9" * 10_000,
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_moment_with_its_zone_is_a_wrong_value(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its text: it is never told
        _parse(value)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"])
def test_the_ends_of_the_calendar_come_back_as_they_were(text: str) -> None:
    assert isinstance(SCALAR, GraphQLScalarType)
    assert _parse(SCALAR.serialize(_parse(text))) == datetime.fromisoformat(text)
