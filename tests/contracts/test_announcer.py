"""The port of announcements, `announcements.telling.Announcer`, on every implementation."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from gatehouse.announcements.model import Announcement, ConsumerDeleted
from gatehouse.announcements.telling import Announcer, Once
from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.event_bus import EventBridgeBus

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = [ConsumerDeleted(cause=f"event-{number}", consumer_id="c", at=AT) for number in range(25)]


@dataclass
class EventBridge:
    """EventBridge as botocore's client tells of it: silent to the next calls, or refusing entries of them."""

    arrived: list[str] = field(default_factory=list)
    calls: int = 0
    silent: int = 0
    refusing: int = 0

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the API's own name
        self.calls += 1
        if self.silent > 0:
            self.silent -= 1
            raise EndpointConnectionError(endpoint_url="events")
        told: list[dict[str, str]] = []
        for entry in Entries:
            if self.refusing > 0:
                self.refusing -= 1
                told.append({"ErrorCode": "ThrottlingException"})
            else:
                self.arrived.append(json.loads(entry["Detail"])["id"])
                told.append({"EventId": "e"})
        return {"Entries": told}


@pytest.fixture
def outside() -> EventBridge:
    return EventBridge()


@pytest.fixture(params=["bus", "once"])
def announcer(request: pytest.FixtureRequest, outside: EventBridge) -> Announcer:
    bus = EventBridgeBus("eu-central-1", "events", outside, lambda _seconds: None)
    make: dict[str, Callable[[], Announcer]] = {"bus": lambda: bus, "once": lambda: Once(bus)}
    return make[request.param]()


def ids(announcements: list[ConsumerDeleted]) -> set[str]:
    return {each.id for each in announcements}


def test_all_arrive_each_once(announcer: Announcer, outside: EventBridge) -> None:
    announcer.announce(ALL)

    assert sorted(outside.arrived) == sorted(ids(ALL))


def test_nothing_to_announce_asks_nothing(announcer: Announcer, outside: EventBridge) -> None:
    nothing: list[Announcement] = []
    announcer.announce(nothing)

    assert outside.calls == 0


def test_what_was_refused_in_passing_arrives(announcer: Announcer, outside: EventBridge) -> None:
    outside.refusing = 7
    announcer.announce(ALL)

    assert sorted(outside.arrived) == sorted(ids(ALL))


@pytest.mark.parametrize("fault", ["silent", "refusing"])
def test_what_did_not_arrive_is_a_passing_fault_and_all_arrives_when_all_is_announced_again(
    announcer: Announcer, outside: EventBridge, fault: str
) -> None:
    announcer.announce(ALL[:12])
    setattr(outside, fault, 100 if fault == "refusing" else 1)
    with pytest.raises(ServiceUnavailable):
        announcer.announce(ALL)
    setattr(outside, fault, 0)
    announcer.announce(ALL)

    assert set(outside.arrived) == ids(ALL)
