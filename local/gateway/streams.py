"""Where the changes of the table are read: the stream of a store at an endpoint, or moto's in this process."""

import base64
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.settings import Settings
from local.gateway import moto_guard
from local.gateway.intrinsics import ACCOUNT_ID

_log = logging.getLogger(__name__)


class Stream(Protocol):
    """The changes of one table."""

    def take(self) -> list[dict[str, Any]]:
        """The records since the last call, in order, as Lambda hands them over; at first all that there are."""


class MotoStream:
    """The stream of a table that moto has in this process."""

    def __init__(self, settings: Settings) -> None:
        self._region = settings.region
        self._table = settings.table_name
        self._arn = f"arn:aws:dynamodb:{settings.region}:{ACCOUNT_ID}:table/{settings.table_name}/stream/local"

    def take(self) -> list[dict[str, Any]]:
        return [_told(record, self._arn) for record in moto_guard.take_changes(self._region, self._table)]


class EndpointStream:
    """The stream of a table at an endpoint. `client` is botocore's for streams."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._iterators: dict[str, str] = {}
        self._ended: set[str] = set()
        self._is_complete = False
        self._fails = False

    def take(self) -> list[dict[str, Any]]:
        try:
            records = self._read()
        except (BotoCoreError, ClientError) as error:
            if not self._fails:
                _log.warning("The table's stream cannot be read just now: %s", error)
            self._fails = True
            self._iterators.clear()  # they may have expired; what was read before is read again, and may be
            self._is_complete = False
            return []
        self._fails = False
        return records

    def _read(self) -> list[dict[str, Any]]:
        if not self._is_complete:
            self._open()
        records = []
        for shard, iterator in list(self._iterators.items()):
            answer = self._client.get_records(ShardIterator=iterator)
            records += [_told(record, self._arn) for record in answer["Records"]]
            if answer.get("NextShardIterator"):
                self._iterators[shard] = answer["NextShardIterator"]
            else:
                del self._iterators[shard]
                self._ended.add(shard)
                self._is_complete = False  # others go on where this one has ended
        return records

    def _open(self) -> None:
        for shard in self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]:
            shard_id = shard["ShardId"]
            if shard_id not in self._ended | self._iterators.keys():
                self._iterators[shard_id] = self._client.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
        self._is_complete = bool(self._iterators)


def open_stream(settings: Settings) -> Stream | None:
    """The stream of the settings' table; None, with a line in the log, where the store has none."""
    if settings.dynamodb_endpoint is None:
        return MotoStream(settings)
    try:
        table = _client("dynamodb", settings).describe_table(TableName=settings.table_name)["Table"]
        if arn := table.get("LatestStreamArn"):
            client = _client("dynamodbstreams", settings)
            client.describe_stream(StreamArn=arn)
            return EndpointStream(client, arn)
    except (BotoCoreError, ClientError) as error:
        _log.warning("The store tells of no changes, so that nothing follows from them: %s", error)
        return None
    _log.warning("The table has no stream, so that nothing follows from its changes.")
    return None


def _client(service: str, settings: Settings) -> Any:
    # Some emulators' ids are shorter than AWS's, which botocore would not let pass.
    config = Config(parameter_validation=False)
    session = botocore.session.get_session()
    return session.create_client(service, settings.region, endpoint_url=settings.dynamodb_endpoint, config=config)


def _told(record: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The record as JSON, with what Lambda adds: times as seconds, bytes as base64."""
    told: dict[str, Any] = _as_json({**record, "eventVersion": "1.1", "eventSourceARN": arn})
    return told


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_json(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp() if hasattr(value, "timestamp") else value
