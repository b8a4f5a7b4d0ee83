"""The changes of a table, as the local gateway reads them from either kind of store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from gatehouse.settings import Settings
from local.gateway import moto_guard
from local.gateway.intrinsics import ACCOUNT_ID
from local.gateway.store import create_table
from local.gateway.streams import EndpointStream, MotoStream, Stream, open_stream
from local.gateway.template import Table


@dataclass
class Told:
    """A table with a stream, and what reads it."""

    client: Any
    settings: Settings
    stream: Stream

    def put(self, name: str, **attributes: Any) -> None:
        item = {"PK": {"S": name}, "SK": {"S": "-"}, **attributes}
        self.client.put_item(TableName=self.settings.table_name, Item=item)

    def delete(self, name: str) -> None:
        key = {"PK": {"S": name}, "SK": {"S": "-"}}
        self.client.delete_item(TableName=self.settings.table_name, Key=key)


@contextmanager
def opened(table: Table, endpoint: str) -> Iterator[Told]:
    # A name of its own: dynoxide keeps the stream of a table that is gone for the next of its name.
    name = f"told-{uuid4()}"
    settings = Settings.from_environment({"TABLE_NAME": name, "DYNAMODB_ENDPOINT": endpoint})
    client: Any = botocore.session.get_session().create_client("dynamodb", "us-east-1", endpoint_url=endpoint or None)
    create_table(client, table, name)
    try:
        stream = open_stream(settings)
        assert stream is not None
        yield Told(client, settings, stream)
    finally:
        client.delete_table(TableName=name)


@pytest.fixture(params=["moto", "dynoxide"])
def told(request: pytest.FixtureRequest, table: Table) -> Iterator[Told]:
    if request.param == "dynoxide":
        with opened(table, request.getfixturevalue("dynoxide")) as made:
            assert isinstance(made.stream, EndpointStream)
            yield made
        return
    moto_guard.apply()
    with mock_aws(), opened(table, "") as made:
        assert isinstance(made.stream, MotoStream)
        yield made


def names(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(record["eventName"], record["dynamodb"]["Keys"]["PK"]["S"]) for record in records]


def test_changes_are_told_once_in_their_order(told: Told) -> None:
    told.put("a", n={"N": "1"})
    told.put("a", n={"N": "2"})
    told.put("b")

    assert names(told.stream.take()) == [("INSERT", "a"), ("MODIFY", "a"), ("INSERT", "b")]
    assert told.stream.take() == []
    told.delete("a")
    assert names(told.stream.take()) == [("REMOVE", "a")]


def test_a_record_has_lambdas_shape_with_both_images_as_they_were(told: Told) -> None:
    told.put("a", usage={"M": {"1": {"N": "1"}}}, salt={"B": b"salt"})
    told.put("a", usage={"M": {"1": {"N": "2"}}})
    told.put("a", usage={"M": {"1": {"N": "3"}}})
    first, second, third = told.stream.take()

    assert first.keys() == {
        *("eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN"),
    }
    assert f":table/{told.settings.table_name}/stream/" in first["eventSourceARN"]
    assert first["dynamodb"]["NewImage"]["salt"] == {"B": "c2FsdA=="}
    assert second["dynamodb"]["OldImage"]["usage"] == {"M": {"1": {"N": "1"}}}
    assert third["dynamodb"]["OldImage"]["usage"] == {"M": {"1": {"N": "2"}}}
    assert third["dynamodb"]["NewImage"]["usage"] == {"M": {"1": {"N": "3"}}}
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in (first, second, third)]
    assert numbers == sorted(set(numbers))
    assert isinstance(first["dynamodb"]["ApproximateCreationDateTime"], int | float)


def test_moto_keeps_no_record_that_was_taken(table: Table) -> None:
    moto_guard.apply()
    with mock_aws(), opened(table, "") as told:
        told.put("a")
        told.put("b")
        shard = dynamodb_backends[ACCOUNT_ID]["us-east-1"].get_table(told.settings.table_name).stream_shard
        assert shard is not None
        lengths = [len(shard.items)]
        before = told.stream.take()
        lengths += [len(shard.items)]
        told.put("c")
        (after,) = told.stream.take()

    assert lengths == [2, 0]
    assert int(after["dynamodb"]["SequenceNumber"]) == int(before[-1]["dynamodb"]["SequenceNumber"]) + 1


def test_an_endpoint_that_fails_is_told_once_and_read_from_the_start_again(
    dynoxide: str, table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(table, dynoxide) as told:
        told.put("a")
        told.stream.take()
        assert isinstance(told.stream, EndpointStream)
        told.stream._iterators = dict.fromkeys(told.stream._iterators, "spoiled")

        assert told.stream.take() == []
        assert names(told.stream.take()) == [("INSERT", "a")]
    assert len(caplog.messages) == 1


def test_a_table_without_a_stream_is_told_in_one_line(
    dynoxide: str, table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    without = Table({name: a for name, a in table.arguments.items() if name != "StreamSpecification"}, None)
    client: Any = botocore.session.get_session().create_client("dynamodb", "us-east-1", endpoint_url=dynoxide)
    create_table(client, without, "silent")
    settings = Settings.from_environment({"TABLE_NAME": "silent", "DYNAMODB_ENDPOINT": dynoxide})
    try:
        assert open_stream(settings) is None
    finally:
        client.delete_table(TableName="silent")
    assert caplog.messages == ["The table has no stream, so that nothing follows from its changes."]


def test_a_store_that_does_not_answer_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_environment({"TABLE_NAME": "told", "DYNAMODB_ENDPOINT": "http://127.0.0.1:9"})

    assert open_stream(settings) is None
    assert len(caplog.messages) == 1


class Shards:
    """A client for a stream whose shards are read to their ends, one of which goes on in another."""

    def __init__(self) -> None:
        self.records = {"old": ["1", "2"], "beside": ["3"], "new": ["4"]}
        self.known = ["old", "beside"]

    def describe_stream(self, **_: Any) -> dict[str, Any]:
        return {"StreamDescription": {"Shards": [{"ShardId": name} for name in self.known]}}

    def get_shard_iterator(self, *, ShardId: str, **_: Any) -> dict[str, str]:  # noqa: N803 - the API's own name
        return {"ShardIterator": ShardId}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 - the API's own name
        left = self.records[ShardIterator]
        told = [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": left.pop(0)}}] if left else []
        if ShardIterator == "old" and not left:
            self.known = ["old", "beside", "new"]
            return {"Records": told}
        return {"Records": told, "NextShardIterator": ShardIterator}


def test_a_shard_that_ended_is_gone_on_with_in_its_successor() -> None:
    stream = EndpointStream(Shards(), "arn")
    told = [[record["dynamodb"]["SequenceNumber"] for record in stream.take()] for _ in range(4)]

    assert told == [["1", "3"], ["2"], ["4"], []]
