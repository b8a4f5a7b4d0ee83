"""What is tried at an account, in one item a ledger: counts of the account, and three attributes for each address.

An address's attributes have it in their names ("f 192.0.2.1": its failures, "l …" its locks that have ended, "a …" the
moment of its latest failure), because one update cannot both make a map and count in it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import batched

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.operand import Path

from gatehouse.accounts.ledger import REMEMBERED, Bounds, Ledger, Place
from gatehouse.accounts.lockout import NotBegun
from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.storage import keys
from gatehouse.storage.audit import add_event
from gatehouse.storage.counting import CountingUpdate, Item, NotWritten
from gatehouse.storage.schema import Record
from gatehouse.storage.transactions import Transaction

_KEPT_SECONDS = (REMEMBERED + timedelta(hours=1)) // timedelta(seconds=1)
_FAILED, _LOCKS, _FAILED_AT = "f ", "l ", "a "
_PLACEHOLDERS = {_FAILED: "#failed", _LOCKS: "#locks", _FAILED_AT: "#moment"}
_DROPPED_AT_ONCE = 40  # an expression has at most 4 KB


class LockoutRecord(Record):
    """A ledger, as transactions write it."""

    flying = NumberAttribute()
    failed = NumberAttribute()
    expires = NumberAttribute()  # seconds: the table's TTL attribute

    @classmethod
    def key(cls, subject: str) -> "LockoutRecord":
        return cls(keys.guesses(subject), keys.GUESSES)


class DynamoLockouts:
    """The store of `accounts.lockout`."""

    def begin(self, subject: str, address: str, bounds: Bounds, now: int) -> None:
        update = _Update(address)
        failed_here, few_here = update.named(_FAILED), update.number(bounds.failed_here)
        lately = f"{update.named(_FAILED_AT)} > {update.number(bounds.failed_here_at)}"
        update.sets += [
            f"flying = {update.or_zero('flying')} + {update.number(1)}",
            f"flew = {update.number(now)}",
            f"expires = if_not_exists(expires, {update.number(_expiry(now))})",
        ]
        update.conditions += [
            f"(attribute_not_exists(flying) OR flying < {update.number(bounds.flying)})",
            f"(attribute_not_exists(began) OR began > {update.number(bounds.began_at)})",
            f"(attribute_not_exists(failed) OR failed < {update.number(bounds.failed)})",
            f"(attribute_not_exists({failed_here}) OR ({failed_here} < {few_here} AND {lately}))",
        ]
        _begin(update, subject)

    def turn(self, subject: str, address: str, before: Ledger, after: Ledger) -> None:
        gone = (place for place in before.places if place not in after.places and place != address)
        for addresses in batched(gone, _DROPPED_AT_ONCE, strict=False):
            update = _turning(address, before)
            update.drop(addresses)
            _begin(update, subject)
        update = _turning(address, before)
        update.sets += [
            f"flying = {update.number(after.flying)}",
            f"flew = {update.number(after.flew_at)}",
            f"failed = {update.number(after.failed)}",
        ]
        if after.began_at is None:
            update.removes.append("began")
        if (here := after.places.get(address)) is not None:
            update.sets.append(f"{update.named(_FAILED)} = {update.number(here.failed)}")
            update.sets.append(f"{update.named(_LOCKS)} = {update.number(here.locks)}")
        elif address in before.places:
            update.drop([address])
        _begin(update, subject)

    def fail(self, subject: str, address: str, now: int, lasts_from: int | None) -> Ledger | None:
        try:
            return _fail(subject, address, now, below=lasts_from)
        except NotWritten as refusal:
            if lasts_from is None or "flying" not in refusal.item:
                return None
        try:
            return _fail(subject, address, now, at_least=lasts_from)
        except NotWritten:
            return None  # forgotten between the two, or others were forgiven

    def release(self, subject: str) -> None:
        update = CountingUpdate()
        update.sets.append(f"flying = flying - {update.number(1)}")
        _write_if_kept(update, subject)

    def forgive(self, subject: str, address: str) -> None:
        update = _Update(address)
        failed_here = update.named(_FAILED)
        update.sets += [
            f"flying = flying - {update.number(1)}",
            f"failed = {update.or_zero('failed')} - {update.or_zero(failed_here)}",
        ]
        update.removes += [failed_here, update.named(_LOCKS), update.named(_FAILED_AT)]
        _write_if_kept(update, subject)

    def note_refusal(self, subject: str) -> None:
        update = CountingUpdate()
        zero, one = update.number(0), update.number(1)
        update.sets.append(f"refused = if_not_exists(refused, {zero}) + {one}")
        _write_if_kept(update, subject)

    def forget(self, subject: str, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        forget(transaction, subject)
        add_event(transaction, event)
        transaction.commit()


def forgive(transaction: Transaction, subject: str, address: str, now: datetime) -> None:
    """Adds to the transaction that one is tried no more, and that its address has no failures.

    No condition of it can break: where the ledger is gone, there is nothing to forgive.
    """
    flying, failed, expires = LockoutRecord.flying, LockoutRecord.failed, LockoutRecord.expires
    failed_here, locks, failed_here_at = (Path([prefix + address]) for prefix in _PLACEHOLDERS)
    transaction.update(
        LockoutRecord.key(subject),
        [
            flying.set((flying | 1) - 1),
            failed.set((failed | 0) - (failed_here | 0)),
            expires.set(expires | _expiry(milliseconds(now))),
            failed_here.remove(),
            locks.remove(),
            failed_here_at.remove(),
        ],
    )


def forget(transaction: Transaction, subject: str) -> None:
    """Adds to the transaction that nothing is counted at the subject any more."""
    transaction.delete(LockoutRecord.key(subject))


class _Update(CountingUpdate):
    """The update of a ledger, at one address of it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._zero = ""

    def named(self, prefix: str) -> str:
        """The placeholder of the address's attribute."""
        self.names[_PLACEHOLDERS[prefix]] = prefix + self._address
        return _PLACEHOLDERS[prefix]

    def or_zero(self, name: str) -> str:
        """What the attribute holds, or nothing."""
        self._zero = self._zero or self.number(0)
        return f"if_not_exists({name}, {self._zero})"

    def expect(self, name: str, value: int) -> None:
        """Makes it a condition that the attribute holds the value; one that is not there counts as 0."""
        holds = f"{name} = {self.number(value)}"
        self.conditions.append(holds if value else f"(attribute_not_exists({name}) OR {holds})")

    def drop(self, addresses: Iterable[str]) -> None:
        """Removes all that is kept of these addresses."""
        for number, address in enumerate(addresses):
            for prefix, placeholder in _PLACEHOLDERS.items():
                self.names[f"{placeholder}{number}"] = prefix + address
                self.removes.append(f"{placeholder}{number}")


def _turning(address: str, before: Ledger) -> _Update:
    """An update of what is, at this address, as it was before."""
    update = _Update(address)
    update.expect("flying", before.flying)
    update.expect("flew", before.flew_at)
    update.expect("failed", before.failed)
    failed_here = update.named(_FAILED)
    if (here := before.places.get(address)) is None:
        update.conditions.append(f"attribute_not_exists({failed_here})")
    else:
        update.expect(failed_here, here.failed)
        update.expect(update.named(_FAILED_AT), here.failed_at)
    return update


def _begin(update: CountingUpdate, subject: str) -> None:
    try:
        update.write(keys.guesses(subject), keys.GUESSES)
    except NotWritten as refusal:
        raise NotBegun(_ledger(refusal.item)) from None


def _fail(subject: str, address: str, now: int, *, below: int | None = None, at_least: int | None = None) -> Ledger:
    """Counts a failure beside fewer than `below`, or beside no fewer than `at_least`, where it is kept for good."""
    update = _Update(address)
    one, present, failed_here = update.number(1), update.number(now), update.named(_FAILED)
    update.sets += [
        f"flying = flying - {one}",
        f"began = if_not_exists(began, {present})",
        f"failed = {update.or_zero('failed')} + {one}",
        f"{failed_here} = {update.or_zero(failed_here)} + {one}",
        f"{update.named(_FAILED_AT)} = {present}",
    ]
    update.conditions.append("attribute_exists(flying)")
    if below is not None:
        update.conditions.append(f"(attribute_not_exists(failed) OR failed < {update.number(below - 1)})")
    if at_least is not None:
        update.conditions.append(f"failed >= {update.number(at_least - 1)}")
        update.removes.append("expires")
    else:
        update.sets.append(f"expires = {update.number(_expiry(now))}")
    return _ledger(update.write(keys.guesses(subject), keys.GUESSES))


def _write_if_kept(update: CountingUpdate, subject: str) -> None:
    update.conditions.append("attribute_exists(flying)")
    try:
        update.write(keys.guesses(subject), keys.GUESSES)
    except NotWritten:
        return  # TTL, an ADMIN or a reset has removed it meanwhile


def _ledger(item: Item) -> Ledger:
    numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value}
    addresses = [name.removeprefix(_FAILED) for name in numbers if name.startswith(_FAILED)]
    return Ledger(
        flying=numbers.get("flying", 0),
        flew_at=numbers.get("flew", 0),
        began_at=numbers.get("began"),
        failed=numbers.get("failed", 0),
        places={
            address: Place(
                failed=numbers[_FAILED + address],
                locks=numbers.get(_LOCKS + address, 0),
                failed_at=numbers[_FAILED_AT + address],
            )
            for address in addresses
        },
    )


def _expiry(now: int) -> int:
    return now // 1000 + _KEPT_SECONDS
