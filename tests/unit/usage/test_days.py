"""Days of usage: which are asked for, and what each of them held."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from gatehouse.errors import BadRequest
from gatehouse.usage import days
from gatehouse.usage.model import CredentialName, CredentialUsage, UsageDay
from tests.unit.fakes import START

TODAY = date(2026, 3, 1)


def _day(number: int) -> date:
    return TODAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (None, None, (_day(-29), TODAY)),
        (_day(-5), None, (_day(-5), TODAY)),
        (TODAY, None, (TODAY, TODAY)),
        (None, _day(-10), (_day(-39), _day(-10))),
        (_day(-91), TODAY, (_day(-91), TODAY)),
        (_day(1), _day(5), (_day(1), _day(5))),
        (None, date.min, (date.min, date.min)),
        (None, date.max, (date.max - timedelta(days=29), date.max)),
    ],
)
def test_thirty_days_up_to_the_last_are_told_where_nothing_else_is_said(
    first: date | None, last: date | None, told: tuple[date, date]
) -> None:
    assert days.asked_for(first, last, START) == told


def test_today_is_the_day_in_utc() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).astimezone(timezone(timedelta(hours=5)))

    assert days.asked_for(None, None, late)[1] == TODAY


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (_day(-92), None, "Usage is told for at most 92 days at once."),
        (date.min, date.max, "Usage is told for at most 92 days at once."),
        (_day(1), None, "from must not be later than to."),
        (TODAY, _day(-1), "from must not be later than to."),
    ],
)
def test_too_many_days_and_days_that_end_before_they_begin_are_refused(
    first: date, last: date | None, message: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        days.asked_for(first, last, START)

    assert (refusal.value.field, refusal.value.message) == ("from", message)


def test_a_day_is_found_by_its_number() -> None:
    assert days.day_of(0) == date(1970, 1, 1)
    assert days.day_of(int(START.timestamp()) // 86_400) == TODAY


def test_a_day_tells_sessions_credentials_and_what_was_deleted_together() -> None:
    names = {"1": CredentialName(credential_id="c1", key_id="k1"), "4": CredentialName(credential_id="c4", key_id="k4")}

    assert days.told(TODAY, {"s": 5, "1": 2, "2": 3, "3": 4, "4": 20}, names) == UsageDay(
        day=TODAY,
        requests=34,
        sessions=5,
        credentials=(
            CredentialUsage(credential_id="c4", key_id="k4", requests=20),
            CredentialUsage(requests=7),
            CredentialUsage(credential_id="c1", key_id="k1", requests=2),
        ),
    )


def test_a_day_of_sessions_alone_has_no_credentials() -> None:
    assert days.told(TODAY, {"s": 5}, {}) == UsageDay(day=TODAY, requests=5, sessions=5, credentials=())
