"""The chain in the table: its seals, what is verified of it, and what is dropped when it is old."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from gatehouse.audit.chain import BEGINNING, Head, Overtaken, Position, Seal
from gatehouse.audit.findings import Filed, Kept
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.ids import lowest_id, moment_of
from gatehouse.storage import keys
from gatehouse.storage.audit import EventRecord, read_event
from gatehouse.storage.ranges import END, Range, side_by_side
from gatehouse.storage.schema import Record
from gatehouse.storage.seal_records import (
    CheckpointRecord,
    HeadRecord,
    MarkRecord,
    SealRecord,
    read_checkpoint,
    read_head,
    read_mark,
    read_seal,
)
from gatehouse.storage.table import Item, broke_its_condition, items_together, open_table, store_faults
from gatehouse.storage.transactions import Transaction

_LISTED_AT_ONCE = 500
_READ_AT_ONCE = 50
"""Events with their marks; a batch read takes 100 items."""

_LONG_AGO = from_milliseconds(0)
"""When something was that stands among the events and has no id of theirs."""


class DynamoChain:
    """The store of `audit.chain`, the log of `audit.findings`, and what `audit.retention` drops of it."""

    def find_head(self) -> Head | None:
        key = keys.HEAD, keys.HEAD_SORT
        with store_faults():
            item = items_together([key]).get(key)
        return None if item is None else read_head(item)

    def sealed(self, event_ids: Sequence[str]) -> frozenset[str]:
        with store_faults():
            found = items_together((keys.event(event_id), keys.MARK) for event_id in event_ids)
        return frozenset(keys.event_id(partition) for partition, _ in found)

    def append(self, last: Position, seals: Sequence[Seal], checkpoints: Sequence[Position]) -> None:
        transaction = Transaction()
        overtaken = Overtaken()
        _move_head(transaction, last, seals[-1].position, overtaken)
        for seal in seals:
            transaction.put(SealRecord.of(seal), SealRecord.pk.does_not_exist(), otherwise=overtaken)
            mark = MarkRecord.of(seal.event_id, seal.number)
            transaction.put(mark, MarkRecord.pk.does_not_exist(), otherwise=overtaken)
        for position in checkpoints:
            transaction.put(CheckpointRecord.of(position))
        transaction.commit()

    def seals(self, first: int, last: int) -> Mapping[int, Seal]:
        together = range(max(first, 1) // keys.SEALS_TOGETHER, last // keys.SEALS_TOGETHER + 1)
        partitions = [keys.seals(part * keys.SEALS_TOGETHER) for part in together] if first <= last else []
        with store_faults():
            answers = side_by_side(lambda partition: list(_numbered(partition, first, last)), partitions)
        return {number: read_seal(item) for answer in answers for number, item in answer}

    def checkpoints(self, first: int, last: int) -> Mapping[int, Position]:
        with store_faults():
            return {number: read_checkpoint(item) for number, item in _numbered(keys.CHECKPOINTS, first, last)}

    def events(self, event_ids: Collection[str]) -> Mapping[str, Kept]:
        with store_faults():
            answers = side_by_side(_events, batched(event_ids, _READ_AT_ONCE, strict=False))
        return {event_id: kept for answer in answers for event_id, kept in answer.items()}

    def filed(self, after: datetime | None, until: datetime | None) -> Iterable[Filed]:
        low = keys.event("" if after is None else lowest_id(milliseconds(after) + 1))
        high = keys.event(END if until is None else lowest_id(milliseconds(until) + 1)[:-1])
        stretch = Range(keys.AUDIT_ALL, keys.SHARDS, "PK", low, high, descending=False)
        position = None
        with store_faults():
            while found := stretch.entries(_LISTED_AT_ONCE, position):
                kept = self.events([keys.event_id(entry["PK"]["S"]) for entry in found])
                yield from (
                    Filed(event_id, moment_of(event_id) or _LONG_AGO, kept[event_id].number)
                    for event_id in sorted(kept)
                )
                position = stretch.position(found[-1])

    def begin_behind(self, start: Position) -> None:
        is_further = (HeadRecord.start < start.number) & (HeadRecord.last >= start.number)
        begins: list[Action] = [HeadRecord.start.set(start.number), HeadRecord.start_hash.set(start.hash)]
        with store_faults():
            try:
                HeadRecord.key().update(begins, is_further)
            except UpdateError as error:
                if not broke_its_condition(error):
                    raise

    def drop(self, seals: Mapping[int, Seal]) -> None:
        with store_faults():
            _delete(EventRecord.key(seal.event_id) for seal in seals.values())
            _delete(MarkRecord.key(seal.event_id) for seal in seals.values())
            _delete(SealRecord.key(number) for number in seals)

    def drop_checkpoints(self, numbers: Iterable[int]) -> None:
        with store_faults():
            _delete(CheckpointRecord.key(number) for number in numbers)


def _move_head(transaction: Transaction, last: Position, new: Position, overtaken: Overtaken) -> None:
    if last == BEGINNING:
        first = HeadRecord.of(Head(last=new))
        transaction.put(first, HeadRecord.pk.does_not_exist(), otherwise=overtaken)
        return
    is_as_read: Condition = (HeadRecord.last == last.number) & (HeadRecord.last_hash == last.hash)
    moves = [HeadRecord.last.set(new.number), HeadRecord.last_hash.set(new.hash)]
    transaction.update(HeadRecord.key(), moves, is_as_read, otherwise=overtaken)


def _numbered(partition: str, first: int, last: int) -> Iterator[tuple[int, Item]]:
    """The items of the partition with these numbers, both included."""
    if first > last:
        return
    between = Path(["SK"]).between(keys.seal_number(max(first, 0)), keys.seal_number(last))
    start: Any = None
    while True:
        answer = open_table().query(
            partition, range_key_condition=between, consistent_read=True, exclusive_start_key=start
        )
        for item in answer["Items"]:
            number = keys.number_of_seal(item["SK"]["S"])
            if number is not None:
                yield number, item
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def _events(event_ids: Iterable[str]) -> dict[str, Kept]:
    together = [(event_id, keys.event(event_id)) for event_id in event_ids]
    items = items_together((partition, sort) for _, partition in together for sort in (keys.EVENT, keys.MARK))
    found = {}
    for event_id, partition in together:
        item, mark = items.get((partition, keys.EVENT)), items.get((partition, keys.MARK))
        if item is not None:
            found[event_id] = Kept(read_event(item), None if mark is None else read_mark(mark))
    return found


def _delete(records: Iterable[Record]) -> None:
    once = {(record.pk, record.sk): record for record in records}
    with Record.batch_write() as batch:
        for record in once.values():
            batch.delete(record)
