"""What every store speaks of, whatever it keeps: a page of a list, and a decision that came too late."""

from collections.abc import Sequence
from dataclasses import dataclass


class Stale(Exception):
    """What was decided on has changed meanwhile; nothing was written."""


@dataclass(frozen=True)
class Page[T]:
    """A page of a list: each entry with its position, and where the next page goes on (None: this is the last).

    A filtered page may have fewer entries than were asked for, and still go on.
    """

    entries: Sequence[tuple[str, T]]
    next_position: str | None
