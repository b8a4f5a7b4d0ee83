"""The event bus on EventBridge: what it is given, and that what it refuses is given again, and nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from gatehouse.announcements.model import Announcement, ConsumerReactivated
from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.event_bus import EventBridgeBus

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAKEN = {"EventId": "1"}
THROTTLED = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}


def some(count: int) -> list[Announcement]:
    return [ConsumerReactivated(cause=str(number), consumer_id=f"consumer-{number}", at=AT) for number in range(count)]


class Events:
    """EventBridge: `answers` are what it says of each entry, call by call, and then it takes everything."""

    def __init__(self, *answers: list[dict[str, str]] | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[list[str]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as EventBridge names it
        self.calls.append([json.loads(entry["Detail"])["consumerId"] for entry in Entries])
        answer = self._answers.pop(0) if self._answers else [TAKEN] * len(Entries)
        if isinstance(answer, Exception):
            raise answer
        return {"FailedEntryCount": sum("ErrorCode" in told for told in answer), "Entries": answer}


def a_bus(client: Any, wait: Callable[[float], None] = lambda _: None) -> EventBridgeBus:
    return EventBridgeBus("us-east-1", "gatehouse-events", client, wait)


def test_an_entry_is_what_rules_match_on() -> None:
    given: list[Any] = []

    class Client:
        def put_events(self, **arguments: Any) -> dict[str, Any]:
            given.append(arguments)
            return {"FailedEntryCount": 0, "Entries": [TAKEN]}

    [announcement] = some(1)
    a_bus(Client()).announce([announcement])

    assert given == [
        {
            "Entries": [
                {
                    "EventBusName": "gatehouse-events",
                    "Source": "gatehouse",
                    "DetailType": "ConsumerReactivated",
                    "Time": AT,
                    "Detail": json.dumps(announcement.detail(), separators=(",", ":")),
                }
            ]
        }
    ]


@mock_aws
def test_what_is_announced_is_what_eventbridge_takes() -> None:
    client: Any = botocore.session.get_session().create_client("events", region_name="us-east-1")
    client.create_event_bus(Name="gatehouse-events")
    sent: list[str] = []
    client.meta.events.register("before-call.events", lambda params, **_: sent.append(params["body"].decode()))
    answers: list[Any] = []
    client.meta.events.register("after-call.events", lambda parsed, **_: answers.append(parsed))
    [announcement] = some(1)
    a_bus(client).announce([announcement])

    [entry] = json.loads(sent[0])["Entries"]
    assert (entry["Time"], json.loads(entry["Detail"])) == (int(AT.timestamp()), announcement.detail())
    assert answers[0]["FailedEntryCount"] == 0


def test_nothing_is_asked_where_there_is_nothing_to_tell() -> None:
    events = Events()
    a_bus(events).announce([])

    assert events.calls == []


def test_more_than_ten_are_told_in_several_calls() -> None:
    events = Events()
    a_bus(events).announce(some(23))

    assert [len(call) for call in events.calls] == [10, 10, 3]


def test_only_what_was_refused_is_told_again() -> None:
    events, waited = Events([TAKEN, THROTTLED, TAKEN, THROTTLED], [THROTTLED, TAKEN]), list[float]()
    a_bus(events, waited.append).announce(some(4))

    assert events.calls == [
        ["consumer-0", "consumer-1", "consumer-2", "consumer-3"],
        ["consumer-1", "consumer-3"],
        ["consumer-1"],
    ]
    assert waited == [0.1, 0.5]


def test_what_is_refused_each_time_is_a_passing_fault_that_quotes_no_event() -> None:
    events = Events([TAKEN, THROTTLED], [THROTTLED], [THROTTLED])
    with pytest.raises(ServiceUnavailable) as refusal:
        a_bus(events).announce(some(2))

    assert refusal.value.message == "The event bus did not take 1 events: ThrottlingException."
    assert len(events.calls) == 3


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "InternalException", "Message": "sorry"}}, "PutEvents"),
        ReadTimeoutError(endpoint_url="https://events"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_bus_that_does_not_answer_is_a_passing_fault(fault: Exception) -> None:
    with pytest.raises(ServiceUnavailable) as refusal:
        a_bus(Events(fault)).announce(some(1))
    assert refusal.value.__cause__ is fault


def test_a_client_is_made_at_the_first_call_and_gives_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Session(Events):
        def create_client(self, service: str, *, region_name: str, config: Any) -> "Session":
            made.append((service, region_name, config.connect_timeout, config.read_timeout))
            return self

    monkeypatch.setattr(botocore.session, "get_session", Session)
    bus = EventBridgeBus("eu-west-1", "gatehouse-events")
    assert made == []
    bus.announce(some(1))
    bus.announce(some(1))
    assert made == [("events", "eu-west-1", 1, 5)]
