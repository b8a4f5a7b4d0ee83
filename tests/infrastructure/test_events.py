"""The files of events/ are what AWS sends, each for the function of its folder: requests to a REST API, in format 1.0,
changes of a table, messages of a queue, the steps of a rotation, and what a schedule says.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from local.gateway.environment import load_template
from local.gateway.patterns import matches
from tests.infrastructure.conftest import ROOT, Document

ALL = sorted((ROOT / "events").glob("*/*.json"))
CHANGES = [path for path in ALL if path.parent.name == "stream"]
MESSAGES = [path for path in ALL if path.parent.name == "mail"]
STEPS = [path for path in ALL if path.parent.name == "key_rotation"]
RUNS = [path for path in ALL if path.parent.name == "cleanup"]
EVENTS = [path for path in ALL if path not in (*CHANGES, *MESSAGES, *STEPS, *RUNS)]
SHARED = {
    *("resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters"),
    *("multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext"),
}


def _read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def test_every_function_has_events() -> None:
    packages = {function.handler.split(".")[0] for function in load_template({}).functions.values()}

    assert {path.parent.name for path in ALL} == packages


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_event_has_the_shape_that_api_gateway_gives_it(path: Path) -> None:
    event = _read(path)
    own = {"type", "methodArn"} if path.parent.name == "authorizer" else {"body", "isBase64Encoded"}

    assert event.keys() == SHARED | own
    assert event["headers"] == {name: values[-1] for name, values in event["multiValueHeaders"].items()}
    assert event["requestContext"]["resourcePath"] == event["resource"]
    assert event["requestContext"]["path"] == f"/{event['requestContext']['stage']}{event['path']}"
    assert event["requestContext"]["httpMethod"] == event["httpMethod"]


def test_events_are_for_routes_that_there_are() -> None:
    routes = load_template({}).api.routes

    assert {(event["httpMethod"], event["resource"]) for event in map(_read, EVENTS)} == routes.keys()


@pytest.mark.parametrize("path", CHANGES, ids=lambda path: path.stem)
def test_a_batch_of_changes_has_the_shape_that_lambda_gives_it_and_would_wake_the_function(path: Path) -> None:
    event = _read(path)
    (mapping,) = load_template({}).stream_mappings

    assert event.keys() == {"Records"}
    for record in event["Records"]:
        images = {"INSERT": {"NewImage"}, "MODIFY": {"NewImage", "OldImage"}, "REMOVE": {"OldImage"}}
        of_dynamodb = {"ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"}
        is_of_ttl = record.pop("userIdentity", None) is not None
        assert record.keys() == {
            *("eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN"),
        }
        assert is_of_ttl is (record["eventName"] == "REMOVE" and "expires" in record["dynamodb"]["OldImage"])
        assert record["dynamodb"].keys() == of_dynamodb | images[record["eventName"]]
        assert any(matches(pattern, record) for pattern in mapping.patterns)


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_messages_have_the_shape_that_lambda_gives_them(path: Path) -> None:
    event = _read(path)

    assert event.keys() == {"Records"}
    for record in event["Records"]:
        assert record.keys() == {
            *("messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody", "eventSource"),
            *("eventSourceARN", "awsRegion"),
        }


def test_there_is_an_event_for_each_step_of_a_rotation_as_secrets_manager_sends_it() -> None:
    events = [_read(path) for path in STEPS]

    assert {event.pop("Step") for event in events} == {"createSecret", "setSecret", "testSecret", "finishSecret"}
    assert [event.keys() for event in events] == [{"SecretId", "ClientRequestToken", "RotationToken"}] * 4


def test_there_is_a_run_of_the_cleanup_as_the_schedule_asks_for_it_and_a_dry_one(source: Document) -> None:
    (schedule,) = source["Resources"]["CleanupFunction"]["Properties"]["Events"].values()

    assert {path.stem: _read(path) for path in RUNS} == {
        "run": json.loads(schedule["Properties"]["Input"]),
        "dry-run": {"dryRun": True},
    }
