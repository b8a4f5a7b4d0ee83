"""Transactions: every write says which refusal its broken condition means, and conflicts are tried again."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from gatehouse.errors import ServiceUnavailable
from gatehouse.storage.backoff import pauses
from gatehouse.storage.schema import Record
from gatehouse.storage.table import open_table, store_faults

_PATIENCE_SECONDS = 2.0
_REFUSED = frozenset({"ConditionalCheckFailed"})
_AGAIN = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class Drop(Exception):
    """As `otherwise`: this write may be left out, and is, with all such, where the condition of one does not hold."""


@dataclass(frozen=True)
class _Operation:
    add: Callable[[TransactWrite], None]
    refusal: Exception | None

    @property
    def may_be_dropped(self) -> bool:
        return isinstance(self.refusal, Drop)


@dataclass
class Transaction:
    """All of its writes, or none.

    `otherwise` is raised when that write's condition does not hold; where several do not, the first added wins. A
    write without `otherwise` has no condition that can break; one with `Drop` is left out where one of those does not
    hold. Raises ServiceUnavailable when the store does not answer
    or other transactions keep the items busy for 2 s.
    """

    _order: list[_Operation] = field(default_factory=list)
    _checks: list[_Operation] = field(default_factory=list)
    _deletes: list[_Operation] = field(default_factory=list)
    _puts: list[_Operation] = field(default_factory=list)
    _updates: list[_Operation] = field(default_factory=list)

    def check(self, record: Record, condition: Condition, *, otherwise: Exception) -> "Transaction":
        """Writes nothing; the condition holds when everything else is written."""
        return self._add(
            self._checks,
            lambda write: write.condition_check(type(record), record.pk, record.sk, condition=condition),
            otherwise,
        )

    def put(
        self, record: Record, condition: Condition | None = None, *, otherwise: Exception | None = None
    ) -> "Transaction":
        return self._add(self._puts, lambda write: write.save(record, condition=condition), otherwise)

    def update(
        self,
        record: Record,
        actions: Sequence[Action],
        condition: Condition | None = None,
        *,
        otherwise: Exception | None = None,
    ) -> "Transaction":
        return self._add(
            self._updates, lambda write: write.update(record, list(actions), condition=condition), otherwise
        )

    def delete(
        self, record: Record, condition: Condition | None = None, *, otherwise: Exception | None = None
    ) -> "Transaction":
        return self._add(self._deletes, lambda write: write.delete(record, condition=condition), otherwise)

    def commit(self) -> None:
        """Writes everything, or raises the refusal of the first write whose condition does not hold."""
        for pause in pauses(_PATIENCE_SECONDS):
            codes = self._attempt()
            if codes is None:
                return
            refusal = self._refusal(codes)
            if isinstance(refusal, Drop):
                self._drop()
                if not self._order:
                    return
                continue
            if refusal is not None:
                raise refusal
            time.sleep(pause)
        raise ServiceUnavailable("Too many changes to the same thing at once. Try again.")

    def _attempt(self) -> list[str | None] | None:
        """None when everything was written, else why not, one code a write in the order they were sent."""
        with store_faults():
            try:
                # Each attempt has its own token: with it the SDK's retry of a lost answer is not a second write.
                with TransactWrite(connection=open_table().connection, client_request_token=str(uuid.uuid4())) as write:
                    for operation in self._order:
                        operation.add(write)
            except TransactWriteError as error:
                codes = [reason.code if reason else None for reason in error.cancellation_reasons]
                if not _REFUSED.isdisjoint(codes) or not _AGAIN.isdisjoint(codes):
                    return codes
                raise
        return None

    def _add(
        self, kind: list[_Operation], add: Callable[[TransactWrite], None], refusal: Exception | None
    ) -> "Transaction":
        operation = _Operation(add, refusal)
        kind.append(operation)
        self._order.append(operation)
        return self

    def _refusal(self, codes: list[str | None]) -> Exception | None:
        # PynamoDB sends the writes sorted by kind, and the reasons come back in that order.
        sent = [*self._checks, *self._deletes, *self._puts, *self._updates]
        broken = {id(o) for o, code in zip(sent, codes, strict=False) if code in _REFUSED}
        refused = [o for o in self._order if id(o) in broken]
        return next((o.refusal for o in sorted(refused, key=lambda o: o.may_be_dropped)), None)

    def _drop(self) -> None:
        for operations in (self._order, self._checks, self._deletes, self._puts, self._updates):
            operations[:] = [operation for operation in operations if not operation.may_be_dropped]
