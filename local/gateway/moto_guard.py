"""Makes moto's DynamoDB fit for threads and for tables of some size; three patches, each for a defect that was seen.

1. moto is not atomic: two threads pass one condition (80 conditional increments on a limit of 25 let up to 33 through).
   Here one lock lets one call through at a time.
2. A transaction copies its whole table once for each of its items, and a transaction that fails puts the copy back and
   with it undoes what others wrote meanwhile. Here only the items that a transaction names are copied and put back.
3. moto keeps a list of every item object that ever was, copies included, for a dashboard; a long run grows without end.
   Here items stay off the list.

All three lean on moto's inside, so `apply` refuses to go on where that does not look as it did (moto 5.2).
"""

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import RLock
from typing import Any

from moto import mock_aws
from moto.core.common_models import BaseModel
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler

from local.gateway.environment import StartError
from local.gateway.intrinsics import ACCOUNT_ID

_LOCK = RLock()

# What the patches count on: that moto asks `in` before it copies a table and nowhere else in a transaction, and where
# the items and the stream's records lie.
_EXPECTED: tuple[tuple[type, str, str, int], ...] = (
    (DynamoDBBackend, "transact_write_items", "if table_name and table_name in self.tables:", 1),
    (DynamoDBBackend, "transact_write_items", "self.tables", 4),
    (DynamoDBBackend, "get_table", "if table := self.tables.get(table_name):", 1),
    (Table, "put_item", "self.items[hash_value][range_value] = item", 1),
    (StreamShard, "add", "self.items.append(StreamRecord(", 1),
    (StreamShard, "add", "seq = len(self.items) + self.starting_sequence_number", 1),
    (BaseModel, "__new__", "cls.instances_tracked.append(instance)", 1),
    (DynamoHandler, "call_action", "return super().call_action()", 1),
)


class UnknownMoto(StartError):
    """This version of moto is not the one that the guard was written for."""


class _NeverCopied(dict[str, Table]):
    """moto's tables, none of which it finds when it looks for those to copy; `get` finds them."""

    def __contains__(self, name: object) -> bool:
        return False


def start() -> None:
    """From here on AWS clients made in this process reach moto, guarded, and can reach nothing else."""
    apply()
    mock_aws().start()


def take_changes(region: str, table: str) -> list[dict[str, Any]]:
    """The records of a table's stream since the last call, in order, as the API of streams would tell them.

    They are taken out: moto keeps them for as long as the process lives, and an iterator for each look at them.
    """
    with _LOCK:
        shard = dynamodb_backends[ACCOUNT_ID][region].get_table(table).stream_shard
        if shard is None:
            return []
        taken = [record.to_json() for record in shard.items]
        shard.starting_sequence_number += len(taken)
        shard.items.clear()
    return taken


@functools.cache
def apply() -> None:
    """Patches moto for the rest of the process, once; raises UnknownMoto where it is not as expected."""
    for owner, name, text, times in _EXPECTED:
        if inspect.getsource(getattr(owner, name)).count(text) != times:
            raise UnknownMoto(f"{owner.__name__}.{name} is not as it was: see {__name__}.")
    patches: list[tuple[type, str, Any]] = [
        (DynamoHandler, "call_action", _one_at_a_time(DynamoHandler.call_action)),
        (DynamoDBBackend, "transact_write_items", _undoing_its_own(DynamoDBBackend.transact_write_items)),
        (Item, "__new__", _untracked),
    ]
    for owner, name, patch in patches:
        setattr(owner, name, patch)


def _untracked(kind: type[Item], *_arguments: object, **_keywords: object) -> Item:
    return object.__new__(kind)


def _one_at_a_time(call_action: Callable[[DynamoHandler], Any]) -> Callable[[DynamoHandler], Any]:
    @functools.wraps(call_action)
    def guarded(handler: DynamoHandler) -> Any:
        with _LOCK:
            return call_action(handler)

    return guarded


def _undoing_its_own(
    transact_write_items: Callable[[DynamoDBBackend, list[dict[str, Any]]], None],
) -> Callable[[DynamoDBBackend, list[dict[str, Any]]], None]:
    @functools.wraps(transact_write_items)
    def guarded(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        tables = backend.tables
        with ExitStack() as on_failure:
            for items, key in _named_items(tables, transact_items):
                on_failure.callback(_put_back, items, key, copy.deepcopy(items.get(key)))
            for table in tables.values():
                if table.stream_shard is not None:
                    on_failure.callback(_forget_after, table.stream_shard.items, len(table.stream_shard.items))
            backend.tables = _NeverCopied(tables)
            try:
                transact_write_items(backend, transact_items)
            finally:
                backend.tables = tables
            on_failure.pop_all()

    return guarded


def _named_items(
    tables: dict[str, Table], transact_items: list[dict[str, Any]]
) -> Iterator[tuple[dict[Any, Any], DynamoType]]:
    """Where the items lie that a transaction names, and their keys there; what moto itself refuses is left out."""
    for operations in transact_items:
        for operation in operations.values():
            table = tables.get(operation.get("TableName"))
            key = operation.get("Key") or operation.get("Item") or {}
            if table is None or not key.keys() >= set(table.table_key_attrs):
                continue
            hash_key = DynamoType(key[table.hash_key_attr])
            if table.range_key_attr is None:
                yield table.items, hash_key
            else:
                yield table.items[hash_key], DynamoType(key[table.range_key_attr])


def _put_back(items: dict[Any, Any], key: DynamoType, before: Item | None) -> None:
    if before is None:
        items.pop(key, None)
    else:
        items[key] = before


def _forget_after(records: list[Any], length: int) -> None:
    del records[length:]
