"""Ledgers of failures: what is written when, and what holds it back; in memory and in the table."""

from collections.abc import Callable
from typing import Any

import pytest

from gatehouse.accounts.ledger import Bounds, Ledger, Place
from gatehouse.accounts.lockout import LockoutStore, NotBegun
from gatehouse.clock import milliseconds
from gatehouse.storage.lockout import DynamoLockouts, forget, forgive
from gatehouse.storage.transactions import Transaction
from tests.stores import Store, cost_of
from tests.unit.fakes import HOME, START
from tests.unit.lockouts import NOTHING, MemoryLockouts

NOW = milliseconds(START)
ELSEWHERE = "2001:db8:0:1::/64"
JOHN = "account/john"
BOUNDS = Bounds(flying=3, failed=6, failed_here=2, began_at=NOW - 100, failed_here_at=NOW - 200)
HOURS = 3_600_000


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def keep(request: pytest.FixtureRequest) -> LockoutStore:
    if request.param == "memory":
        return MemoryLockouts()
    request.getfixturevalue(f"{request.param}_store")
    return DynamoLockouts()


def ledger_of(keep: LockoutStore, subject: str = JOHN) -> Ledger:
    """What is kept; with bounds that nothing is within, the store tells all that it has."""
    try:
        keep.begin(subject, HOME, Bounds(flying=-9, failed=0, failed_here=0, began_at=0, failed_here_at=0), NOW)
    except NotBegun as refusal:
        return refusal.ledger
    keep.forget(subject)  # there was nothing, which is within all bounds
    return NOTHING


def begin(keep: LockoutStore, address: str = HOME, now: int = NOW, **bounds: int) -> None:
    keep.begin(JOHN, address, Bounds(**{**vars(BOUNDS), **bounds}), now)


def fail(keep: LockoutStore, address: str = HOME, now: int = NOW, lasts_from: int | None = None) -> Ledger | None:
    begin(keep, address, flying=99, failed=999, failed_here=99)
    return keep.fail(JOHN, address, now, lasts_from)


def refuse(keep: LockoutStore, address: str = HOME, **bounds: int) -> Ledger:
    with pytest.raises(NotBegun) as refusal:
        begin(keep, address, **bounds)
    return refusal.value.ledger


def place(failed: int, locks: int = 0, failed_at: int = NOW) -> Place:
    return Place(failed=failed, locks=locks, failed_at=failed_at)


def test_what_is_tried_is_counted_up_to_the_bound(keep: LockoutStore) -> None:
    for number in range(3):
        begin(keep, (HOME, ELSEWHERE, "unknown")[number], NOW + number)
    assert refuse(keep) == Ledger(flying=3, flew_at=NOW + 2, places={}) == ledger_of(keep)


def test_subjects_have_ledgers_of_their_own(keep: LockoutStore) -> None:
    fail(keep)
    keep.begin("account/jane", HOME, BOUNDS, NOW)
    assert ledger_of(keep, "account/jane") == Ledger(flying=1, flew_at=NOW, places={})


def test_failures_count_at_the_account_and_at_their_address(keep: LockoutStore) -> None:
    fail(keep, HOME, NOW)
    fail(keep, ELSEWHERE, NOW + 5)
    told = fail(keep, ELSEWHERE, NOW + 7)
    places = {HOME: place(1), ELSEWHERE: place(2, 0, NOW + 7)}
    assert told == Ledger(flying=0, flew_at=NOW, began_at=NOW, failed=3, places=places) == ledger_of(keep)


def test_as_many_failures_as_the_bound_hold_their_address_back_and_no_other(keep: LockoutStore) -> None:
    fail(keep)
    begin(keep)
    keep.fail(JOHN, HOME, NOW, None)
    assert refuse(keep).places == {HOME: place(2)}
    begin(keep, ELSEWHERE)


def test_failures_of_long_ago_want_a_turn(keep: LockoutStore) -> None:
    fail(keep, HOME, NOW - 200)
    refuse(keep, HOME, began_at=NOW - 999)
    begin(keep, HOME, began_at=NOW - 999, failed_here_at=NOW - 201)
    refuse(keep, ELSEWHERE, began_at=NOW - 200)


def test_as_many_failures_in_all_hold_everybody_back(keep: LockoutStore) -> None:
    for number in range(6):
        fail(keep, f"192.0.2.{number}")
    assert refuse(keep, ELSEWHERE).failed == 6


def test_what_is_forgiven_leaves_the_address_and_the_sum_and_nothing_else(keep: LockoutStore) -> None:
    fail(keep, ELSEWHERE)
    fail(keep)
    fail(keep)
    begin(keep, failed_here=9)
    keep.forgive(JOHN, HOME)
    assert ledger_of(keep) == Ledger(flying=0, flew_at=NOW, began_at=NOW, failed=1, places={ELSEWHERE: place(1)})


def test_where_there_were_no_failures_there_is_nothing_to_forgive(keep: LockoutStore) -> None:
    begin(keep)
    keep.forgive(JOHN, HOME)
    assert ledger_of(keep) == Ledger(flying=0, flew_at=NOW, places={})


def test_what_is_released_is_tried_no_more(keep: LockoutStore) -> None:
    fail(keep)
    begin(keep)
    keep.release(JOHN)
    assert ledger_of(keep) == Ledger(flying=0, flew_at=NOW, began_at=NOW, failed=1, places={HOME: place(1)})


def test_a_turn_writes_what_it_was_told(keep: LockoutStore) -> None:
    for address in (HOME, ELSEWHERE, "unknown"):
        fail(keep, address)
    before = ledger_of(keep)
    after = Ledger(flying=1, flew_at=NOW + 9, places={HOME: place(0, 1), ELSEWHERE: place(1)})
    keep.turn(JOHN, HOME, before, after)
    assert ledger_of(keep) == after


def test_a_turn_may_leave_everything_behind(keep: LockoutStore) -> None:
    fail(keep)
    after = Ledger(flying=1, flew_at=NOW + 9, places={})
    keep.turn(JOHN, HOME, ledger_of(keep), after)
    assert ledger_of(keep) == after


def test_a_turn_may_begin_what_is_gone(keep: LockoutStore) -> None:
    keep.turn(JOHN, HOME, NOTHING, Ledger(flying=1, flew_at=NOW, places={}))
    assert ledger_of(keep) == Ledger(flying=1, flew_at=NOW, places={})


@pytest.mark.parametrize(
    "meanwhile",
    [
        begin,
        lambda keep: fail(keep, ELSEWHERE),
        lambda keep: fail(keep, HOME, NOW + 1),
        lambda keep: keep.release(JOHN),
        lambda keep: (begin(keep, now=NOW + 1), keep.release(JOHN)),
        lambda keep: keep.forget(JOHN),
    ],
)
def test_a_turn_of_what_has_changed_is_refused(keep: LockoutStore, meanwhile: Callable[[LockoutStore], Any]) -> None:
    fail(keep)
    begin(keep)
    before = ledger_of(keep)
    meanwhile(keep)
    held = ledger_of(keep)
    with pytest.raises(NotBegun) as refusal:
        keep.turn(JOHN, HOME, before, Ledger(flying=2, flew_at=NOW + 1, places={}))
    assert refusal.value.ledger == held == ledger_of(keep)


def test_what_was_forgotten_is_gone_and_nothing_of_before_comes_back(keep: LockoutStore) -> None:
    fail(keep)
    begin(keep)
    keep.forget(JOHN)
    keep.forget(JOHN)
    assert keep.fail(JOHN, HOME, NOW, 6) is None
    keep.release(JOHN)
    keep.forgive(JOHN, HOME)
    keep.note_refusal(JOHN)
    assert ledger_of(keep) == NOTHING


def test_many_addresses_fit_and_can_be_left_behind_at_once(keep: LockoutStore) -> None:
    for number in range(100):
        fail(keep, f"2001:db8:0:{number:x}::/64")
    before = ledger_of(keep)
    assert len(before.places) == 100
    keep.turn(JOHN, HOME, before, Ledger(flying=1, flew_at=NOW, places={}))
    assert ledger_of(keep) == Ledger(flying=1, flew_at=NOW, places={})


# What only a table has: its item, TTL, and transactions with others.


def test_an_item_has_no_failure_in_it_and_no_name_but_the_subject_s(store: Store) -> None:
    begin(DynamoLockouts())
    expires = {"N": str(NOW // 1000 + 49 * 3600)}
    key = {"PK": {"S": f"TRY#{JOHN}"}, "SK": {"S": "T"}}
    assert store.items() == [{**key, "flying": {"N": "1"}, "flew": {"N": str(NOW)}, "expires": expires}]


def test_each_failure_keeps_the_item_for_49_hours_more(store: Store) -> None:
    keep = DynamoLockouts()
    fail(keep)
    fail(keep, now=NOW + 30 * HOURS)
    begin(keep, now=NOW + 31 * HOURS, failed_here=9)
    item = store.item(f"TRY#{JOHN}", "T")
    assert item is not None
    assert item["expires"] == {"N": str(NOW // 1000 + 79 * 3600)}


def test_what_asks_for_a_reset_does_not_end_by_ttl_unless_there_is_no_account(store: Store) -> None:
    keep = DynamoLockouts()
    for number in range(7):
        told = fail(keep, lasts_from=6)
        item = store.item(f"TRY#{JOHN}", "T")
        assert item is not None
        assert (told is not None and told.failed, "expires" in item) == (number + 1, number < 5)
    keep.forget(JOHN)
    for _ in range(7):
        fail(keep)
    assert "expires" in (store.item(f"TRY#{JOHN}", "T") or {})


def test_a_transaction_forgives_as_a_write_of_its_own_does(store: Store) -> None:
    keep = DynamoLockouts()
    for subject in (JOHN, "account/jane"):
        for address in (ELSEWHERE, HOME, HOME):
            keep.begin(subject, address, BOUNDS, NOW)
            keep.fail(subject, address, NOW, None)
        keep.begin(subject, ELSEWHERE, BOUNDS, NOW)
    transaction = Transaction()
    forgive(transaction, JOHN, HOME, START)
    transaction.commit()
    keep.forgive("account/jane", HOME)
    johns, janes = (store.item(f"TRY#{subject}", "T") or {} for subject in (JOHN, "account/jane"))
    assert {**johns, "PK": {}} == {**janes, "PK": {}}
    assert ledger_of(keep) == Ledger(flying=0, flew_at=NOW, began_at=NOW, failed=1, places={ELSEWHERE: place(1)})


def test_a_transaction_that_forgives_what_is_gone_comes_through(store: Store) -> None:
    transaction = Transaction()
    forgive(transaction, JOHN, HOME, START)
    transaction.commit()
    assert ledger_of(DynamoLockouts()) == NOTHING


def test_what_a_transaction_leaves_of_a_ledger_that_was_gone_ends_by_ttl(store: Store) -> None:
    transaction = Transaction()
    forgive(transaction, JOHN, HOME, START)
    transaction.commit()
    assert "expires" in (store.item(f"TRY#{JOHN}", "T") or {})


def test_a_transaction_forgets(store: Store) -> None:
    fail(DynamoLockouts())
    transaction = Transaction()
    forget(transaction, JOHN)
    transaction.commit()
    assert store.items() == []


def test_each_step_of_an_attempt_is_one_write_of_one_unit(dynoxide_store: Store) -> None:
    keep = DynamoLockouts()
    fail(keep)
    for step in (
        lambda: begin(keep, ELSEWHERE),
        lambda: keep.fail(JOHN, ELSEWHERE, NOW, 6),
        lambda: begin(keep),
        lambda: keep.release(JOHN),
        lambda: keep.forgive(JOHN, HOME),
        lambda: keep.note_refusal(JOHN),
    ):
        cost = cost_of(step)
        assert (cost.calls, cost.units) == ({"UpdateItem": 1}, 1.0)
