"""What a caller is told of its allowance."""

from datetime import timedelta

import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.admission.telling import extension, headers, reset_seconds, retry_after
from tests.unit.fakes import START

SECONDS = int(START.timestamp())


def ending_in(seconds: float) -> Allowance:
    return Allowance(limit=25, remaining=3, resets_at=START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("ends", "reset", "wait"),
    [(60, 60, 60), (59.001, 60, 60), (0.001, 1, 1), (0, 0, 1), (-5, -5, 1), (86_399.5, 86_400, 86_400)],
)
def test_times_are_whole_seconds_rounded_up_and_the_wait_is_one_at_least(ends: float, reset: int, wait: int) -> None:
    told = ending_in(ends)
    assert (reset_seconds(told), retry_after(told, START)) == (SECONDS + reset, wait)
    assert headers(told) == {
        "X-RateLimit-Limit": "25",
        "X-RateLimit-Remaining": "3",
        "X-RateLimit-Reset": str(SECONDS + reset),
    }
    assert extension(told) == {"limit": 25, "remaining": 3, "reset": SECONDS + reset}
