"""A pace: how fast API Gateway's control plane may be called."""

import time
from collections.abc import Callable

CALLS_PER_SECOND = 6
"""All calls together. Before each CreateApiKey goes a look-up, so that at most 3 are made a second, of the 5 allowed.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""


class Pace:
    """Keeps calls apart, of one caller at a time; `monotonic` and `sleep` are in seconds."""

    def __init__(
        self,
        per_second: float = CALLS_PER_SECOND,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._apart = 1 / per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._next = float("-inf")

    def wait(self) -> None:
        """Returns when the next call may be made."""
        early = self._next - self._monotonic()
        if early > 0:
            self._sleep(early)
        self._next = self._monotonic() + self._apart
