"""The way out: what was passed on lately is not passed on again, and what was not taken is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from gatehouse.announcements.model import Announcement, ConsumerDeleted
from gatehouse.announcements.telling import NoAnnouncer, Once
from gatehouse.errors import ServiceUnavailable

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = (ConsumerDeleted(cause=cause, consumer_id="c", at=AT) for cause in ("e1", "e2"))


@dataclass
class Bus:
    """Takes note of each call; refuses as many of the next as it is told to."""

    calls: list[Sequence[Announcement]] = field(default_factory=list)
    down: int = 0

    def announce(self, announcements: Sequence[Announcement]) -> None:
        if self.down > 0:
            self.down -= 1
            raise ServiceUnavailable("The event bus did not answer.")
        self.calls.append(list(announcements))


def test_what_was_passed_on_is_not_passed_on_again() -> None:
    bus = Bus()
    once = Once(bus)
    for announcements in ([FIRST], [FIRST, SECOND], [SECOND]):
        once.announce(announcements)

    assert [each for call in bus.calls for each in call] == [FIRST, SECOND]


def test_what_was_not_taken_is_passed_on_when_it_comes_again() -> None:
    bus = Bus(down=1)
    once = Once(bus)
    with pytest.raises(ServiceUnavailable):
        once.announce([FIRST])
    once.announce([FIRST])

    assert bus.calls == [[FIRST]]


def test_without_a_bus_nothing_is_told() -> None:
    NoAnnouncer().announce([FIRST])
