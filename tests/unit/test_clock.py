"""Moments in whole milliseconds, there and back."""

from datetime import timedelta

from gatehouse.clock import SystemClock, from_milliseconds, milliseconds
from tests.unit.fakes import START


def test_a_moment_goes_to_milliseconds_and_back() -> None:
    for moment in (START, START + timedelta(milliseconds=1), START.replace(year=1960, microsecond=999_000)):
        assert from_milliseconds(milliseconds(moment)) == moment


def test_the_machines_own_time_comes_in_whole_milliseconds_of_utc() -> None:
    now = SystemClock().now()

    assert (now.microsecond % 1000, now.utcoffset()) == (0, timedelta())
