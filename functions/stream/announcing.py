"""Something happened to a consumer: whoever listens on the event bus is told."""

from gatehouse.announcements.audited import announced
from gatehouse.announcements.telling import Announcer
from gatehouse.changes import Happened, QuotaReached


def follow(fact: Happened | QuotaReached, announcer: Announcer) -> None:
    match fact:
        case Happened(event):
            announcer.announce(announced(event))
        case QuotaReached(announcement):
            announcer.announce([announcement])
