"""The items of the chain: seals, checkpoints, the marks at events, and the head."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from gatehouse.audit.chain import ChainBroken, Head, Position, Seal
from gatehouse.storage import keys
from gatehouse.storage.exact import as_written
from gatehouse.storage.schema import Record
from gatehouse.storage.table import Item

NOWHERE = 0
"""The number of what cannot be read; no seal has it."""


class SealRecord(Record):
    """A seal, and the number that it was made for."""

    number = NumberAttribute()
    event_id = UnicodeAttribute(attr_name="event")
    digest = UnicodeAttribute()
    sealed_at = NumberAttribute(attr_name="sealedAt")
    previous = UnicodeAttribute()
    hash = UnicodeAttribute()

    @classmethod
    def key(cls, number: int) -> "SealRecord":
        return cls(keys.seals(number), keys.seal_number(number))

    @classmethod
    def of(cls, seal: Seal) -> "SealRecord":
        return cls(
            keys.seals(seal.number),
            keys.seal_number(seal.number),
            number=seal.number,
            event_id=seal.event_id,
            digest=seal.digest,
            sealed_at=seal.sealed_at,
            previous=seal.previous,
            hash=seal.hash,
        )

    def seal(self) -> Seal:
        return Seal(
            number=int(self.number),
            event_id=self.event_id,
            digest=self.digest,
            sealed_at=int(self.sealed_at),
            previous=self.previous,
            hash=self.hash,
        )


class CheckpointRecord(Record):
    """A position at which the chain may begin."""

    number = NumberAttribute()
    hash = UnicodeAttribute()

    @classmethod
    def key(cls, number: int) -> "CheckpointRecord":
        return cls(keys.CHECKPOINTS, keys.seal_number(number))

    @classmethod
    def of(cls, position: Position) -> "CheckpointRecord":
        return cls(keys.CHECKPOINTS, keys.seal_number(position.number), number=position.number, hash=position.hash)

    def position(self) -> Position:
        return Position(int(self.number), self.hash)


class MarkRecord(Record):
    """That an event has a seal, and which."""

    number = NumberAttribute()

    @classmethod
    def key(cls, event_id: str) -> "MarkRecord":
        return cls(keys.event(event_id), keys.MARK)

    @classmethod
    def of(cls, event_id: str, number: int) -> "MarkRecord":
        return cls(keys.event(event_id), keys.MARK, number=number)


class HeadRecord(Record):
    """Where the chain ends and begins."""

    last = NumberAttribute()
    last_hash = UnicodeAttribute(attr_name="lastHash")
    start = NumberAttribute()
    start_hash = UnicodeAttribute(attr_name="startHash")

    @classmethod
    def key(cls) -> "HeadRecord":
        return cls(keys.HEAD, keys.HEAD_SORT)

    @classmethod
    def of(cls, head: Head) -> "HeadRecord":
        return cls(
            keys.HEAD,
            keys.HEAD_SORT,
            last=head.last.number,
            last_hash=head.last.hash,
            start=head.start.number,
            start_hash=head.start.hash,
        )

    def head(self) -> Head:
        return Head(last=Position(int(self.last), self.last_hash), start=Position(int(self.start), self.start_hash))


def read_seal(item: Item) -> Seal:
    """The seal; one that fits to nothing where the item is none."""
    nothing = Seal(number=NOWHERE, event_id="", digest="", sealed_at=0, previous="")
    return as_written(item, lambda raw: SealRecord.from_raw_data(dict(raw)).seal(), SealRecord.of) or nothing


def read_checkpoint(item: Item) -> Position:
    """The checkpoint; one that fits to nothing where the item is none."""
    found = as_written(item, lambda raw: CheckpointRecord.from_raw_data(dict(raw)).position(), CheckpointRecord.of)
    return found or Position(NOWHERE, "")


def read_mark(item: Item) -> int:
    """The number in a mark."""
    found = as_written(
        item, lambda raw: int(MarkRecord.from_raw_data(dict(raw)).number), lambda number: MarkRecord.of("", number)
    )
    return found or NOWHERE


def read_head(item: Item) -> Head:
    """The head; raises ChainBroken where the item is none."""
    head = as_written(item, lambda raw: HeadRecord.from_raw_data(dict(raw)).head(), HeadRecord.of)
    if head is None:
        raise ChainBroken
    return head
