"""The clock of the local gateway, which can be moved forward so that nobody has to wait for something to expire."""

from datetime import datetime, timedelta
from threading import Lock

from gatehouse.clock import SystemClock

FURTHEST = timedelta(days=3653)


class MovableClock:
    """The machine's time plus what it was moved by; safe for threads."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._lock = Lock()

    def now(self) -> datetime:
        return SystemClock().now() + self._ahead

    def advance(self, by: timedelta) -> datetime:
        """The time after the move; raises ValueError for a move back, or one that ends over ten years ahead."""
        if by < timedelta():
            raise ValueError("The clock moves forward only.")
        with self._lock:
            if self._ahead + by > FURTHEST:
                raise ValueError("The clock goes at most ten years ahead.")
            self._ahead += by
            return self.now()
