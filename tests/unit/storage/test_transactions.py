"""Which refusal a broken condition means, though the store tells its reasons in an order of its own."""

from itertools import permutations, product

import pytest

from gatehouse.errors import Conflict, Forbidden, GatehouseError, NotFound
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import ProfileRecord, RosterRecord
from gatehouse.storage.transactions import Drop, Transaction

BROKEN = "ConditionalCheckFailed"
REFUSALS: dict[str, GatehouseError] = {
    "check": NotFound("not there"),
    "delete": Forbidden("no"),
    "put": Conflict("taken"),
    "update": NotFound("gone"),
}


def _written(order: tuple[str, ...]) -> Transaction:
    """A transaction of one write of each kind, added in this order."""
    transaction = Transaction()
    for kind in order:
        if kind == "check":
            transaction.check(ProfileRecord.key("u"), ProfileRecord.pk.exists(), otherwise=REFUSALS[kind])
        elif kind == "delete":
            transaction.delete(GateRecord.key("u"), otherwise=REFUSALS[kind])
        elif kind == "put":
            transaction.put(RosterRecord.key(), otherwise=REFUSALS[kind])
        else:
            transaction.update(ProfileRecord.key("u"), [], otherwise=REFUSALS[kind])
    return transaction


@pytest.mark.parametrize("order", list(permutations(REFUSALS)))
def test_of_several_broken_conditions_the_first_that_was_added_is_told(order: tuple[str, ...]) -> None:
    # PynamoDB sends checks, deletes, puts, then updates, and the store's reasons come back in that order.
    for broken in product((True, False), repeat=4):
        codes = [BROKEN if is_broken else None for is_broken in broken]
        of_kind = dict(zip(("check", "delete", "put", "update"), broken, strict=True))
        expected = next((REFUSALS[kind] for kind in order if of_kind[kind]), None)

        assert _written(order)._refusal(codes) is expected


def test_a_conflict_with_another_transaction_is_no_refusal() -> None:
    assert _written(("put", "update", "delete"))._refusal(["TransactionConflict", None, "ThrottlingError"]) is None
    assert _written(("put", "update", "delete"))._refusal(["TransactionConflict", None, BROKEN]) is REFUSALS["update"]


def test_a_write_that_may_be_dropped_is_told_of_where_nothing_else_is_refused() -> None:
    dropped, refused = Drop(), Conflict("taken")
    transaction = Transaction()
    transaction.update(ProfileRecord.key("u"), [], otherwise=dropped)
    transaction.put(RosterRecord.key(), otherwise=refused)

    assert transaction._refusal([BROKEN, BROKEN]) is refused
    assert transaction._refusal([BROKEN, None]) is refused
    assert transaction._refusal([None, BROKEN]) is dropped
    assert transaction._refusal(["TransactionConflict", None]) is None
