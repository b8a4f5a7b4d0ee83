"""The way out for announcements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gatehouse.announcements.model import Announcement
from gatehouse.lately import Lately


class Announcer(Protocol):
    """Whoever passes announcements on."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Passes them on, each at least once; raises ServiceUnavailable, and may then be asked again for all."""


class NoAnnouncer:
    """Passes nothing on: there is no event bus."""

    def announce(self, announcements: Sequence[Announcement]) -> None:  # noqa: ARG002 - the port's
        return


@dataclass(frozen=True)
class Once:
    """Passes on what it did not pass on lately: the stream tells all again that stands behind a bad change."""

    announcer: Announcer
    passed_on: Lately[bool] = field(default_factory=Lately)

    def announce(self, announcements: Sequence[Announcement]) -> None:
        new = [each for each in announcements if self.passed_on.find(each.id) is None]
        self.announcer.announce(new)
        for each in new:
            self.passed_on.keep(each.id, True)
