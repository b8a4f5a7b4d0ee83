"""Alarms and the dashboard: they watch figures that there are, and are told where the operator says."""

import json
import re
from typing import Any

import pytest

from gatehouse.counts import Counted
from tests.infrastructure.conftest import Document

SERVICE = {"Name": "service", "Value": "gatehouse"}
ALARMS = {
    *("FailedSignInsAlarm", "PromotionAlarm", "TokenReuseAlarm", "ErrorRateAlarm", "ThrottledWritesAlarm"),
    "ConfigurationChangedAlarm",
    *("AuthorizerLatencyAlarm", "CleanupFailingAlarm", "CleanupMissingAlarm", "StreamBehindAlarm"),
    *("MailFailuresAlarm", "StreamFailuresAlarm", "CleanupFailuresAlarm"),
}


@pytest.fixture(scope="module")
def alarms(deployed: Document) -> dict[str, Any]:
    return {
        name: each["Properties"]
        for name, each in deployed["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture(scope="module")
def dashboard(deployed: Document) -> Document:
    """The dashboard's document; what CloudFormation would put in stands there by its name."""
    body = deployed["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    document: Document = json.loads(re.sub(r"\$\{(?!!)([^}]*)\}", r"<\1>", body))
    return document


def _watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures that an alarm watches, each with namespace, name and dimensions."""
    return [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric] or [alarm]


def _charted(metrics: list[list[Any]]) -> list[list[str]]:
    """Every row of a chart in full: a dot stands for what stood above, three for as much as is left out in front."""
    rows: list[list[str]] = []
    for row in metrics:
        words = [word for word in row if isinstance(word, str)]
        if not words:
            continue
        if words[0] == "...":
            words = rows[-1][: len(rows[-1]) - len(words) + 1] + words[1:]
        rows.append([rows[-1][place] if word == "." else word for place, word in enumerate(words)])
    return rows


def test_what_asks_for_somebody_has_an_alarm_that_is_told(alarms: dict[str, Any]) -> None:
    told = [{"Fn::If": ["TellsAlarms", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]

    assert alarms.keys() == ALARMS
    assert [name for name, alarm in alarms.items() if alarm["AlarmActions"] != told] == []
    assert [name for name, alarm in alarms.items() if not alarm["AlarmDescription"].endswith(".")] == []


def test_every_queue_of_failures_has_an_alarm(deployed: Document, alarms: dict[str, Any]) -> None:
    queues = {name for name, each in deployed["Resources"].items() if each["Type"] == "AWS::SQS::Queue"}
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }

    assert watched == {name for name in queues if name.endswith("Failures")}


def test_a_stream_that_is_more_than_a_quarter_of_an_hour_behind_rings(alarms: dict[str, Any]) -> None:
    behind = alarms["StreamBehindAlarm"]

    assert (behind["Namespace"], behind["MetricName"], behind["Statistic"]) == ("AWS/Lambda", "IteratorAge", "Maximum")
    assert behind["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "StreamFunction"}}]
    assert (behind["ComparisonOperator"], behind["Threshold"]) == ("GreaterThanThreshold", 15 * 60 * 1000)


def test_an_alarm_on_a_figure_of_ours_names_one_that_is_counted(alarms: dict[str, Any]) -> None:
    ours = {
        (each["MetricName"], *(dimension["Name"] for dimension in each["Dimensions"]))
        for alarm in alarms.values()
        for each in _watched(alarm)
        if each["Namespace"] == {"Ref": "AWS::StackName"}
    }

    assert ours == {
        (Counted.FAILED_SIGN_INS, "service"),
        (Counted.PROMOTIONS, "service"),
        (Counted.CONFIGURATION_CHANGES, "service"),
        (Counted.TOKEN_REUSES, "service"),
        (Counted.CLEANUP_RUNS, "service"),
        (Counted.ERRORS, "service", "code"),
    }


def test_figures_are_of_the_stack_and_the_service_that_alarms_watch(source: Document, alarms: dict[str, Any]) -> None:
    variables = source["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Ref": "AWS::StackName"}
    assert variables["POWERTOOLS_SERVICE_NAME"] == SERVICE["Value"]
    for name in ("FailedSignInsAlarm", "PromotionAlarm", "TokenReuseAlarm", "CleanupMissingAlarm"):
        assert alarms[name]["Dimensions"] == [SERVICE]


def test_only_a_cleanup_that_did_not_run_is_told_by_there_being_no_figure(alarms: dict[str, Any]) -> None:
    assert {name for name, alarm in alarms.items() if alarm["TreatMissingData"] != "notBreaching"} == {
        "CleanupMissingAlarm"
    }


def test_the_dashboard_shows_every_alarm(dashboard: Document) -> None:
    [shown] = [widget["properties"]["alarms"] for widget in dashboard["widgets"] if widget["type"] == "alarm"]

    assert set(shown) == {f"<{name}.Arn>" for name in ALARMS}


def test_the_dashboard_charts_every_figure_and_none_that_is_not_counted(dashboard: Document) -> None:
    rows = [
        row
        for widget in dashboard["widgets"]
        if widget["type"] == "metric"
        for row in _charted(widget["properties"]["metrics"])
    ]
    searched = re.findall(r'<AWS::StackName>\\",service,(\w+)} MetricName=\\"(\w+)\\"', json.dumps(dashboard))
    charted = {(row[1], *row[4::2]) for row in rows if row[0] == "<AWS::StackName>"}

    assert {name for name, *_ in charted} | {name for _, name in searched} == {what.value for what in Counted}
    assert {(what.value, what.dimension) for what in Counted if what.dimension} == {
        *((name, dimension) for dimension, name in searched),
        *((name, *dimensions) for name, *dimensions in charted if dimensions),
    }


def test_the_widgets_of_the_dashboard_do_not_overlap(dashboard: Document) -> None:
    taken = [
        (widget["x"] + x, widget["y"] + y)
        for widget in dashboard["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) == 23


def test_api_gateways_access_log_has_the_seeds_fields_and_the_same_correlation_id(deployed: Document) -> None:
    line = json.loads(deployed["Resources"]["ApiStage"]["Properties"]["AccessLogSetting"]["Format"])

    assert line["correlation_id"] == line["requestId"] == "$context.requestId"
    assert {"userId", "method", "endpoint", "credentialId", "remaining"} <= line.keys()
