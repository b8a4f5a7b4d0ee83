"""Lambda's side of a stream: what a function is called with, again and again, and in the end no more."""

import logging
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from gatehouse.clock import SystemClock
from local.gateway.clock import MovableClock
from local.gateway.intrinsics import TemplateError
from local.gateway.patterns import matches
from local.gateway.pump import Pump
from local.gateway.runtime import FunctionFailed
from local.gateway.template import StreamMapping

PATTERN = {"dynamodb": {"Keys": {"SK": {"S": ["P"]}}}}


class Stream:
    """Tells these records once."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)

    def take(self) -> list[dict[str, Any]]:
        taken, self.records = self.records, []
        return taken


class Function:
    """Remembers what it was called with, by sequence number; answers as it is told, then that all went well."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[list[str]] = []
        self.records: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> Any:
        self.records += event["Records"]
        self.calls.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])
        answer = self.answers.pop(0) if self.answers else failed()
        if isinstance(answer, Exception):
            raise answer
        return answer


def record(number: int, sort_key: str = "P", at: float = 1_000.7) -> dict[str, Any]:
    told = {"SequenceNumber": str(number), "Keys": {"SK": {"S": sort_key}}, "ApproximateCreationDateTime": at}
    return {"eventName": "MODIFY", "dynamodb": told}


def failed(*numbers: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.gateway.pump._SECONDS_BEFORE_A_RETRY", 0.0)


def turn(function: Function, *records: dict[str, Any], batch_size: int = 10, retries: int = 3) -> list[list[str]]:
    """The calls of one turn."""
    mapping = StreamMapping(function="F", patterns=(PATTERN,), batch_size=batch_size, retries=retries)
    Pump(Stream(*records), mapping, function, SystemClock()).turn()
    return function.calls


def test_only_what_matches_is_handed_over_in_order_and_in_batches() -> None:
    records = [record(1), record(2, "G"), record(3), record(4), record(5)]

    assert turn(Function(), *records, batch_size=2) == [["1", "3"], ["4", "5"]]
    assert turn(Function(), record(1, "G")) == []


def test_what_failed_is_handed_over_again_with_all_behind_it() -> None:
    assert turn(Function(failed(3), failed(4)), *map(record, (1, 2, 3, 4))) == [["1", "2", "3", "4"], ["3", "4"], ["4"]]


def test_the_first_that_failed_counts_whatever_the_order_of_the_answer() -> None:
    assert turn(Function(failed(3, 2)), *map(record, (1, 2, 3))) == [["1", "2", "3"], ["2", "3"]]


def test_a_number_that_was_not_handed_over_means_that_all_failed() -> None:
    assert turn(Function(failed(9)), *map(record, (1, 2))) == [["1", "2"], ["1", "2"]]


def test_a_batch_that_failed_as_a_whole_is_halved_until_the_bad_one_is_alone() -> None:
    class Choking(Function):
        def __call__(self, event: dict[str, Any]) -> Any:
            answer = super().__call__(event)
            if "3" in self.calls[-1]:
                raise FunctionFailed("KeyError", "3")
            return answer

    calls = turn(Choking(), *map(record, (1, 2, 3, 4)), retries=1)
    assert calls == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["3"], ["4"]]


def test_after_its_retries_a_change_is_given_up_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    function = Function(*[failed(2)] * 10)
    with caplog.at_level(logging.ERROR):
        calls = turn(function, *map(record, (1, 2)), retries=2)

    assert calls == [["1", "2"], ["2"], ["2"]]
    assert caplog.messages == ["Given up on 1 changes; AWS would send them to the queue of failures."]


def test_a_change_is_told_at_the_time_of_the_houses_clock() -> None:
    clock, function = MovableClock(), Function()
    clock.advance(timedelta(days=1))
    mapping = StreamMapping(function="F", patterns=(PATTERN,), batch_size=1, retries=0)
    Pump(Stream(record(1)), mapping, function, clock).turn()

    assert function.records[0]["dynamodb"]["ApproximateCreationDateTime"] == 1_000 + 86_400


def test_it_runs_until_it_is_stopped_and_survives_what_it_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    called = Event()

    class Bad(Stream):
        def take(self) -> list[dict[str, Any]]:
            if self.records:
                self.records = []
                raise RuntimeError("once")
            called.set()
            return []

    mapping = StreamMapping(function="F", patterns=(), batch_size=1, retries=0)
    pump = Pump(Bad(record(1)), mapping, Function(), SystemClock())
    pump.start()
    assert called.wait(5)
    pump.stop()
    assert not pump._thread.is_alive()
    assert caplog.messages == ["The changes of the table could not be handed over."]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ({"dynamodb": {"Keys": {"SK": {"S": ["P"]}}}}, True),
        ({"dynamodb": {"Keys": {"SK": {"S": ["G", "P"]}}}}, True),
        ({"dynamodb": {"Keys": {"SK": {"S": ["G"]}}}}, False),
        ({"dynamodb": {"NewImage": {"note": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"note": {"S": [{"exists": False}]}}}}, False),
        ({"dynamodb": {"OldImage": {"note": {"S": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"NewImage": {"note": [{"exists": True}]}}}, False),
        ({"dynamodb": {"Keys": {"SK": {"S": ["P"]}}, "NewImage": {"note": {"S": ["y"]}}}}, False),
        ({"dynamodb": {"NewImage": {"note": {"S": [{"prefix": "x"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"note": {"S": [{"prefix": "y"}]}}}}, False),
        ({"dynamodb": {"OldImage": {"note": {"S": [{"prefix": ""}]}}}}, False),
        ({}, True),
    ],
    ids=str,
)
def test_a_pattern_looks_at_leaves(pattern: dict[str, Any], matching: bool) -> None:
    told = {"dynamodb": {"Keys": {"SK": {"S": "P"}}, "NewImage": {"note": {"S": "x"}}}}

    assert matches(pattern, told) is matching


def test_a_rule_that_is_not_known_is_told() -> None:
    with pytest.raises(TemplateError, match="does not know the rule"):
        matches({"eventName": [{"anything-but": "I"}]}, {"eventName": "INSERT"})
