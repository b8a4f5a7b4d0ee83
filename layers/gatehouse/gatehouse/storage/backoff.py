"""How long to wait before a write that had no effect is tried again."""

import random
import time
from collections.abc import Iterator


def pauses(patience: float) -> Iterator[float]:
    """Waits in seconds, with full jitter below a ceiling that doubles from 10 ms, for `patience` seconds in all."""
    ends = time.monotonic() + patience
    ceiling = 0.01
    while time.monotonic() < ends:
        yield random.uniform(0, ceiling)  # noqa: S311 - jitter, no secret
        ceiling = min(2 * ceiling, 0.2)
