"""The tables that the tests run on: opened for the house and emptied again, dumped, and what a call cost there."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import batched
from threading import Lock
from typing import Any

import botocore.session

from gatehouse.audit.model import AuditEvent
from gatehouse.settings import Settings
from gatehouse.storage import keys
from gatehouse.storage.audit import event_of
from gatehouse.storage.schema import Record
from gatehouse.storage.table import connect, counting_client, open_table
from local.gateway.store import create_table
from local.gateway.template import Table

type Item = dict[str, dict[str, Any]]


class Store:
    """A table, connected as the house connects, at an endpoint or, without one, wherever AWS is mocked."""

    def __init__(self, table: Table, endpoint: str | None, name: str = "contracts") -> None:
        environment = {"TABLE_NAME": name, "AWS_REGION": "us-east-1", "DYNAMODB_ENDPOINT": endpoint or ""}
        self.settings = Settings.from_environment(environment)
        self._client: Any = botocore.session.get_session().create_client("dynamodb", "us-east-1", endpoint_url=endpoint)
        self._table = table if endpoint is None else _without_stream(table)
        with connection_kept():
            connect(self.settings)
            self._connection = _connection()

    @contextmanager
    def opened(self, *, made: bool = False) -> Iterator["Store"]:
        """The store as the one that the house is connected to; its table, unless it is `made` already, is made anew.

        A connection takes as long as 30 tests, so that each store has one, which is put in its place for a while.
        """
        name = self.settings.table_name
        if not made:
            create_table(self._client, self._table, name)
        try:
            with connection_kept():
                _set_connection(self._connection)
                yield self
        finally:
            if not made:
                self._client.delete_table(TableName=name)

    def items(self) -> list[Item]:
        """Everything in the table, in the order of its keys."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.settings.table_name, ConsistentRead=True)
        return sorted((item for page in pages for item in page["Items"]), key=_key)

    def events(self) -> list[AuditEvent]:
        """What happened, as the table tells it, the oldest first."""
        return [event_of(item) for item in self.items() if item["SK"]["S"] == keys.EVENT]

    def stored_keys(self) -> list[tuple[str, str]]:
        """The keys of everything in the table, in their order."""
        return [_key(item) for item in self.items()]

    def item(self, partition: str, sort: str) -> Item | None:
        """One item as it lies in the table."""
        key = {"PK": {"S": partition}, "SK": {"S": sort}}
        answer = self._client.get_item(TableName=self.settings.table_name, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def put_back(self, items: list[Item], instead: list[Item]) -> None:
        """Makes the table hold these items as they are, instead of those that are in it."""
        wanted, present = ({_key(item): item for item in some} for some in (items, instead))
        requests: list[Any] = [
            {"DeleteRequest": {"Key": {"PK": {"S": partition}, "SK": {"S": sort}}}}
            for partition, sort in present.keys() - wanted.keys()
        ]
        requests += [{"PutRequest": {"Item": item}} for key, item in wanted.items() if present.get(key) != item]
        for batch in batched(requests, 25, strict=False):
            self._client.batch_write_item(RequestItems={self.settings.table_name: list(batch)})

    def set_number(self, partition: str, sort: str, attribute: str, value: int) -> None:
        """Puts a number where the house would need a hundred calls."""
        self._client.update_item(
            TableName=self.settings.table_name,
            Key={"PK": {"S": partition}, "SK": {"S": sort}},
            UpdateExpression="SET #number = :value",
            ExpressionAttributeNames={"#number": attribute},
            ExpressionAttributeValues={":value": {"N": str(value)}},
        )


@contextmanager
def connection_kept() -> Iterator[None]:
    """Whatever the house is connected to in the block, afterwards it is connected as it was."""
    before = _connection()
    try:
        yield
    finally:
        _set_connection(before)


@dataclass(frozen=True)
class Cost:
    """What the house asked of the store: calls by operation, and the capacity units they consumed."""

    calls: Mapping[str, int]
    units: float


def cost_of(operation: Callable[[], object]) -> Cost:
    """What one operation of the house costs."""
    calls: Counter[str] = Counter()
    units: list[float] = []
    lock = Lock()

    def note_call(model: Any, **_more: Any) -> None:
        with lock:
            calls[model.name] += 1

    def ask_for_units(params: dict[str, Any], **_more: Any) -> None:
        params.setdefault("ReturnConsumedCapacity", "TOTAL")

    def note_units(parsed: Mapping[str, Any], **_more: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units.extend(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))

    heard = {
        "before-call.dynamodb": note_call,
        "before-parameter-build.dynamodb": ask_for_units,
        "after-call.dynamodb": note_units,
    }
    with ExitStack() as stack:
        for client in clients():
            for event, listener in heard.items():
                client.meta.events.register(event, listener)
                stack.callback(client.meta.events.unregister, event, listener)
        operation()
    return Cost(dict(calls), sum(units))


def clients() -> tuple[Any, Any]:
    """All clients of the house: PynamoDB's, and the one for updates that count."""
    return open_table().connection.client, counting_client()


def _without_stream(table: Table) -> Table:
    """The table for dynoxide: with a stream, each of its writes takes longer than the one before."""
    return replace(table, arguments={name: a for name, a in table.arguments.items() if name != "StreamSpecification"})


def _connection() -> tuple[dict[str, Any], Any, Any]:
    settings = {name: value for name, value in vars(Record.Meta).items() if not name.startswith("__")}
    return settings, Record._connection, Record.counting_client


def _set_connection(connection: tuple[dict[str, Any], Any, Any]) -> None:
    settings, Record._connection, Record.counting_client = connection
    for name, value in settings.items():
        setattr(Record.Meta, name, value)


def _key(item: Item) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]
