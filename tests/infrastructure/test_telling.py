"""The event bus: the stream's function alone tells it something, as who it says it is, and operators find it."""

from typing import Any

from gatehouse.outside.event_bus import SOURCE
from tests.infrastructure.conftest import ROOT, Document


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "Action" in statement
    ]


def test_the_streams_function_alone_knows_the_bus(deployed: Document) -> None:
    told = {
        name: each["Properties"]["Environment"]["Variables"].get("EVENT_BUS")
        for name, each in deployed["Resources"].items()
        if each["Type"] == "AWS::Lambda::Function"
    }

    assert {name: bus for name, bus in told.items() if bus is not None} == {"StreamFunction": {"Ref": "Events"}}


def test_nobody_else_may_tell_it_something_and_that_only_under_its_own_name(deployed: Document) -> None:
    may = [
        (name, statement)
        for name, each in deployed["Resources"].items()
        if each["Type"] == "AWS::IAM::Role"
        for statement in _statements(each)
        if "events:" in str(statement["Action"])
    ]

    assert may == [
        (
            "StreamRole",
            {
                "Sid": "Announcements",
                "Effect": "Allow",
                "Action": "events:PutEvents",
                "Resource": {"Fn::GetAtt": ["Events", "Arn"]},
                "Condition": {"StringEquals": {"events:source": SOURCE}},
            },
        )
    ]


def test_operators_find_the_bus_and_what_it_tells(deployed: Document) -> None:
    assert deployed["Outputs"]["EventBusName"]["Value"] == {"Ref": "Events"}
    assert deployed["Resources"]["Events"]["Properties"]["Name"] == {"Fn::Sub": "${AWS::StackName}-events"}
    assert "docs/events.md" in (ROOT / "README.md").read_text()
