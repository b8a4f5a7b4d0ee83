"""Tampering on the table: whatever is done to any item of the sealed log is found, and where it was done."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from gatehouse.audit.chain import Sealing
from gatehouse.audit.findings import Finding, Part, Tampering
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.storage import keys
from gatehouse.storage.seals import DynamoChain
from tests.contracts.audits import ALL_SORTS, keep, told
from tests.stores import Item, Store
from tests.unit.audit.logs import EVERY
from tests.unit.fakes import START, StoppedClock

CHANGED, DROPPED, INSERTED, SWAPPED = Tampering
EVENTS = [*ALL_SORTS, told(7, action=ALL_SORTS[1].action), told(8), told(9)]
INDEXED = {"subjectId", "actorId", "actionShard", "auditShard"}
IDS = [event.id for event in EVENTS]


class Log:
    """A log of nine events on the table, of which copies are tampered with."""

    def __init__(self, store: Store) -> None:
        self.store = store
        keep(*EVENTS)
        Sealing(DynamoChain(), StoppedClock(), EVERY).seal(EVENTS)
        self.items = store.items()

    def found(self, instead: dict[int, Item | None], *more: Item) -> list[Finding]:
        """What is found where some items are others, or none, and more are there."""
        items = [instead.get(place, item) for place, item in enumerate(self.items)]
        self.store.put_back([item for item in (*items, *more) if item is not None], self.store.items())
        return list(self.verdict().findings)

    def verdict(self) -> Verdict:
        return Verification(DynamoChain(), EVERY).run(START + timedelta(days=2))

    def one(self, part: Part, number: int) -> Item:
        return next(item for item in self.items if where(item) == (part, number))


@pytest.fixture
def log(dynoxide_store: Store) -> Log:
    return Log(dynoxide_store)


def where(item: Item) -> tuple[Part, int]:
    """What the item is, and of which number."""
    partition, sort = item["PK"]["S"], item["SK"]["S"]
    if partition.startswith("EV#"):
        return Part.EVENT if sort == keys.EVENT else Part.MARK, IDS.index(keys.event_id(partition)) + 1
    if partition == keys.HEAD:
        return Part.HEAD, 0
    return Part.CHECKPOINT if partition == keys.CHECKPOINTS else Part.SEAL, int(sort)


def told_of(tampering: Tampering, item: Item, other: Item | None = None) -> Finding:
    """What is to be found when it was done to the item."""
    part, number = where(item)
    event_id = IDS[number - 1] if part in (Part.EVENT, Part.MARK) else None
    return Finding(tampering, part, number, event_id, None if other is None else where(other)[1])


def others(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Other values in the place of one: of its type, and of another."""
    if "N" in value:
        yield from ({"N": str(int(value["N"]) + by)} for by in (1, -1))
        yield {"S": value["N"]}
    else:
        yield from ({"S": text} for text in (value["S"] + " ", value["S"][:-1] + "~"))
        yield {"B": value["S"].encode()}


def changes(item: Item) -> Iterator[Item]:
    """The item with an attribute changed, removed, or added."""
    own = [name for name in item if name not in ("PK", "SK")]
    for name in own:
        # Of what is an index's key, the store lets nobody change the type.
        yield from (item | {name: other} for other in others(item[name]) if name not in INDEXED or "S" in other)
        yield {kept: value for kept, value in item.items() if kept != name}
    yield item | {"more": {"BOOL": True}}


def in_place_of(item: Item, other: Item) -> Item:
    """The other's attributes under the item's key."""
    return other | {"PK": item["PK"], "SK": item["SK"]}


def test_nothing_is_found_where_nothing_was_done(log: Log) -> None:
    assert log.verdict() == Verdict(first=1, last=len(EVENTS))
    assert {where(item)[0] for item in log.items} == set(Part)


@pytest.mark.long
def test_a_change_of_any_attribute_of_an_item_is_found(log: Log) -> None:
    for place, item in enumerate(log.items):
        part, number = where(item)
        if part in (Part.EVENT, Part.SEAL) and number not in (1, 2, 3, 4, 9):
            continue  # those have whatever an event can tell; and are the first, at a checkpoint, and the last
        for changed in changes(item):
            found = log.found({place: changed})
            if where(item)[0] is Part.HEAD:
                assert [(finding.tampering, finding.part) for finding in found] == [(CHANGED, Part.HEAD)], changed
            else:
                assert found == [told_of(CHANGED, item)], changed


def test_any_item_that_is_dropped_is_found(log: Log) -> None:
    for place, item in enumerate(log.items):
        expected = Finding(DROPPED, Part.HEAD) if where(item)[0] is Part.HEAD else told_of(DROPPED, item)
        assert log.found({place: None}) == [expected]


@pytest.mark.long
def test_any_two_items_of_a_kind_that_are_swapped_are_found(log: Log) -> None:
    for (place, item), (other_place, other) in combinations(enumerate(log.items), 2):
        if where(item)[0] is not where(other)[0]:
            continue
        found = log.found({place: in_place_of(item, other), other_place: in_place_of(other, item)})
        apart = [told_of(CHANGED, item), told_of(CHANGED, other)]
        # Which index partition an event stands in goes by its id, so that one may not even be read as the other.
        is_told_apart = where(item)[0] is Part.EVENT and item["auditShard"] != other["auditShard"]
        assert found == (apart if is_told_apart else [told_of(SWAPPED, item, other)])


def test_any_item_that_is_put_in_the_place_of_another_of_its_kind_is_found(log: Log) -> None:
    for place, item in enumerate(log.items):
        of_its_kind = [other for other in log.items if where(other)[0] is where(item)[0] and other is not item]
        for other in of_its_kind[:2]:
            assert log.found({place: in_place_of(item, other)}) == [told_of(CHANGED, item)]


def test_a_seal_or_a_checkpoint_that_is_inserted_is_found(log: Log) -> None:
    last = len(EVENTS)
    for copied in range(1, last + 1):
        for number in (last + 1, last + EVERY):
            place = {"PK": {"S": keys.seals(number)}, "SK": {"S": keys.seal_number(number)}}
            for inserted in (log.one(Part.SEAL, copied) | place, place):
                assert log.found({}, inserted) == [Finding(INSERTED, Part.SEAL, number)]
    for copied in (4, 8):
        for number in (1, 3, 5, 7, 9, 12):
            place = {"PK": {"S": keys.CHECKPOINTS}, "SK": {"S": keys.seal_number(number)}}
            for inserted in (log.one(Part.CHECKPOINT, copied) | place, place):
                assert log.found({}, inserted) == [Finding(INSERTED, Part.CHECKPOINT, number)]


def test_an_event_that_is_inserted_is_found_and_so_is_one_that_says_it_has_a_seal(log: Log) -> None:
    for number in range(1, len(EVENTS) + 1):
        event_id = IDS[number - 1][:-2] + "f" + IDS[number - 1][-1]
        event = log.one(Part.EVENT, number) | {"PK": {"S": keys.event(event_id)}}
        mark = log.one(Part.MARK, number) | {"PK": {"S": keys.event(event_id)}}
        expected = [Finding(INSERTED, Part.EVENT, event_id=event_id)]
        assert log.found({}, event) == expected
        assert log.found({}, event, mark) == expected
        assert log.found({}, event | {"action": {"S": "NOTHING"}}) == expected
        assert log.found({}, event, mark | {"number": {"S": "?"}}) == expected


def test_a_mark_that_keeps_an_event_from_being_sealed_is_found_at_once(log: Log) -> None:
    late = told(100)
    keep(late)
    mark = {"PK": {"S": keys.event(late.id)}, "SK": {"S": keys.MARK}, "number": {"N": "3"}}
    log.store.put_back([*log.store.items(), mark], log.store.items())
    assert Sealing(DynamoChain(), StoppedClock(), EVERY).seal([late]) == []
    found = Verification(DynamoChain(), EVERY).run(START + timedelta(seconds=101)).findings
    assert found == (Finding(INSERTED, Part.EVENT, event_id=late.id),)


def test_what_is_no_event_at_all_and_stands_among_them_is_found(log: Log) -> None:
    for partition in ("EV#", "EV#0", "EV#~", "EV#" + "f" * 36):
        stray: Item = {"PK": {"S": partition}, "SK": {"S": "E"}, "auditShard": {"S": "0"}}
        assert log.found({}, stray) == [Finding(INSERTED, Part.EVENT, event_id=partition.removeprefix("EV#"))]
