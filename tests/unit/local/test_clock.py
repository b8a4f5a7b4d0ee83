"""The clock that moves forward."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local.gateway.clock import FURTHEST, MovableClock


def ahead(clock: MovableClock) -> timedelta:
    """How far a clock is ahead, to the minute."""
    return timedelta(minutes=round((clock.now() - datetime.now(UTC)) / timedelta(minutes=1)))


def test_it_is_now_until_it_is_moved() -> None:
    clock = MovableClock()
    assert ahead(clock) == timedelta()
    assert clock.now().tzinfo is UTC
    assert clock.advance(timedelta(hours=2)) <= clock.now()
    assert ahead(clock) == timedelta(hours=2)


def test_no_move_is_lost_under_threads() -> None:
    clock = MovableClock()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(clock.advance, [timedelta(hours=1)] * 200))
    assert ahead(clock) == timedelta(hours=200)


@pytest.mark.parametrize("by", [timedelta(seconds=-1), FURTHEST + timedelta(seconds=1), timedelta.max])
def test_it_goes_neither_back_nor_too_far(by: timedelta) -> None:
    clock = MovableClock()
    with pytest.raises(ValueError, match="The clock"):
        clock.advance(by)
    assert ahead(clock) == timedelta()
