"""The end of a run's time: nothing is begun that might not be ended before it."""

from collections.abc import Callable

_SECONDS_FOR_A_CALL = 10.0


class OutOfTime(Exception):
    """There is no time for another store call."""


def require_time(seconds_left: Callable[[], float]) -> None:
    """Nothing, where there is time for a store call with all its attempts; raises OutOfTime."""
    if seconds_left() < _SECONDS_FOR_A_CALL:
        raise OutOfTime
