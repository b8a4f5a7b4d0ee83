"""How fast API Gateway's control plane is called."""

from gatehouse.wall.pace import CALLS_PER_SECOND, Pace


class Time:
    """Stands still but for what is slept, and what a call takes."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def test_the_first_call_waits_for_nothing() -> None:
    time = Time()
    Pace(4, time.monotonic, time.sleep).wait()

    assert time.slept == []


def test_calls_that_come_at_once_are_kept_apart() -> None:
    time = Time()
    pace = Pace(4, time.monotonic, time.sleep)
    for _ in range(4):
        pace.wait()

    assert time.slept == [0.25, 0.25, 0.25]


def test_what_a_call_takes_is_not_waited_for_again() -> None:
    time = Time()
    pace = Pace(4, time.monotonic, time.sleep)
    pace.wait()
    time.now += 0.2
    pace.wait()
    time.now += 10
    pace.wait()

    assert time.slept == [0.05]


def test_no_more_than_five_keys_are_made_a_second_since_each_is_looked_up_first() -> None:
    assert CALLS_PER_SECOND / 2 < 5
