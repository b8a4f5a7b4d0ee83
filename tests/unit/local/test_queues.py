"""SQS's stand-in: each message is handed over until it was taken, and not for ever."""

import logging
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from local.gateway.queues import LocalQueue
from local.gateway.runtime import FunctionFailed


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalQueue]:
    monkeypatch.setattr("local.gateway.queues._SECONDS_BEFORE_A_RETRY", 0.0)
    queue = LocalQueue()
    yield queue
    queue.stop()


class Function:
    """Answers as it is told, then that all went well; `calls` has the records that it got, one a call."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: Queue[dict[str, Any]] = Queue()

    def __call__(self, event: dict[str, Any]) -> Any:
        (record,) = event["Records"]
        answer = self.answers.pop(0) if self.answers else {"batchItemFailures": []}
        self.calls.put(record)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def bodies(self, number: int) -> list[str]:
        return [self.calls.get(timeout=5)["body"] for _ in range(number)]


FAILED = {"batchItemFailures": [{"itemIdentifier": "any"}]}


def test_messages_are_handed_over_in_their_order_also_those_from_before_the_start(queue: LocalQueue) -> None:
    function = Function()
    queue.put("one")
    queue.start(function, 3)
    queue.put("two")

    first, second = (function.calls.get(timeout=5) for _ in range(2))
    assert [first["body"], second["body"]] == ["one", "two"]
    assert first["messageId"] != second["messageId"]


@pytest.mark.parametrize("failure", [FAILED, FunctionFailed("KeyError", "x")], ids=["told", "raised"])
def test_what_was_not_taken_comes_again_as_the_same_message_behind_the_others(queue: LocalQueue, failure: Any) -> None:
    function = Function(failure)
    queue.put("one")
    queue.put("two")
    queue.start(function, 3)

    records = [function.calls.get(timeout=5) for _ in range(3)]
    assert [record["body"] for record in records] == ["one", "two", "one"]
    assert records[0]["messageId"] == records[2]["messageId"]


def test_a_message_that_is_never_taken_is_given_up(queue: LocalQueue, caplog: pytest.LogCaptureFixture) -> None:
    function = Function(FAILED, FAILED, FAILED)
    queue.put("one")
    with caplog.at_level(logging.ERROR):
        queue.start(function, 3)
        assert function.bodies(3) == ["one"] * 3
        queue.put("two")
        assert function.bodies(1) == ["two"]

    assert [record.message for record in caplog.records] == [
        "Given up on a message; AWS would send it to the queue of dead letters."
    ]


def test_a_queue_that_was_stopped_hands_nothing_over(queue: LocalQueue) -> None:
    function = Function()
    queue.put("one")
    queue.stop()
    queue.start(function, 3)
    queue.stop()

    assert function.calls.empty()
