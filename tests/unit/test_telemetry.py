"""Figures as CloudWatch takes them: lines of its embedded format."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from gatehouse import telemetry
from gatehouse.counts import Counted, Fact

SUM = [["service"]]


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "a-stack")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "gatehouse")
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    monkeypatch.delenv("POWERTOOLS_DEV", raising=False)


def _printed(facts: Iterable[Fact], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines, each without what all have, which is checked."""
    telemetry.counts().add(list(facts))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        about = line.pop("_aws")
        [metrics] = about["CloudWatchMetrics"]
        assert metrics.pop("Namespace") == "a-stack"
        assert line.pop("service") == "gatehouse"
        assert about["Timestamp"] > 0
        line |= {"dimensions": metrics["Dimensions"], "units": {m["Name"]: m["Unit"] for m in metrics["Metrics"]}}
    return lines


def test_facts_of_one_kind_are_one_line_with_their_sums(capsys: pytest.CaptureFixture[str]) -> None:
    facts = [Fact(Counted.SIGN_INS), Fact(Counted.LOCKOUTS), Fact(Counted.SIGN_INS, 2)]

    assert _printed(facts, capsys) == [
        {
            "SignIns": [3.0],
            "Lockouts": [1.0],
            "dimensions": SUM,
            "units": {"SignIns": "Count", "Lockouts": "Count"},
        }
    ]


def test_what_is_told_apart_is_there_by_its_value_and_in_all(capsys: pytest.CaptureFixture[str]) -> None:
    facts = [Fact(Counted.ERRORS, by="FORBIDDEN"), Fact(Counted.ERRORS, by="NOT_FOUND"), Fact(Counted.REFUSED)]
    by_code = {"Errors": [1.0], "dimensions": [*SUM, ["service", "code"]], "units": {"Errors": "Count"}}

    assert _printed(facts, capsys) == [
        {**by_code, "code": "FORBIDDEN"},
        {**by_code, "code": "NOT_FOUND"},
        {"Refused": [1.0], "dimensions": SUM, "units": {"Refused": "Count"}},
    ]


def test_times_are_not_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _printed([Fact(Counted.LATENCY, 25.1, by="me"), Fact(Counted.LATENCY, 3, by="me")], capsys)

    assert [line["Latency"] for line in lines] == [[25.1], [3.0]]
    assert [(line["operation"], line["units"]) for line in lines] == [("me", {"Latency": "Milliseconds"})] * 2


def test_no_number_of_facts_is_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line["Refused"] for line in _printed([Fact(Counted.REFUSED)] * 250, capsys)] == [[250.0]]


def test_nothing_counted_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed([], capsys) == []


def test_figures_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")

    assert _printed([Fact(Counted.REFUSED)], capsys) == []


def test_what_is_not_deployed_counts_under_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    monkeypatch.delenv("POWERTOOLS_SERVICE_NAME")
    telemetry.counts().add([Fact(Counted.REFUSED)])
    line = json.loads(capsys.readouterr().out)

    assert (line["_aws"]["CloudWatchMetrics"][0]["Namespace"], line["service"]) == ("gatehouse", "gatehouse")
