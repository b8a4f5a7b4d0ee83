"""Lockout on a store that is right about concurrency: what is tried at once, and what is locked after it."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from gatehouse.accounts.ledger import AT_ONCE, Bounds, Consequence, Ledger, Rules
from gatehouse.accounts.lockout import Attempt, Lockout, NotBegun, Subject, account, no_account
from gatehouse.storage.lockout import DynamoLockouts, forgive
from gatehouse.storage.transactions import Transaction
from tests.contracts.made_up import at_once
from tests.lockout_machine import LockoutMachine
from tests.stores import Store, cost_of
from tests.unit.fakes import HASHER, HOME, PASSWORD, PASSWORD_HASH, StoppedClock

pytestmark = pytest.mark.long

RULES = Rules(per_address=5, in_all=100, first_lock=timedelta(minutes=15))
JOHN = account("john")
ELSEWHERE = "198.51.100.7"
WRONG = "WrongPass123!"


class Function:
    """A function that signs people in, and has seen nothing yet."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.lockout = Lockout(DynamoLockouts(), RULES)

    def sign_in(
        self, password: str = PASSWORD, address: str = HOME, subject: Subject = JOHN, *, together: bool = False
    ) -> Attempt:
        with self.lockout.attempt(subject, address, self.clock.now()) as attempt:
            if attempt.take(is_right=HASHER.matches(password, PASSWORD_HASH)):
                if together:
                    transaction = Transaction()
                    forgive(transaction, subject.name, address, self.clock.now())
                    transaction.commit()
                    attempt.settle()
                else:
                    attempt.forgive()
        return attempt


@pytest.fixture
def functions(dynoxide_store: Store, clock: StoppedClock) -> Sequence[Function]:
    return [Function(clock) for _ in range(4)]


def is_in(attempt: Attempt) -> bool:
    return attempt.outcome.name in ("FORGIVEN", "SETTLED")


def ledger_of(subject: Subject = JOHN) -> Ledger:
    nothing_is_within = Bounds(flying=-9, failed=0, failed_here=0, began_at=0, failed_here_at=0)
    with pytest.raises(NotBegun) as refusal:
        DynamoLockouts().begin(subject.name, HOME, nothing_is_within, 0)
    return refusal.value.ledger


@pytest.mark.parametrize("_round", range(5))
def test_40_wrong_passwords_at_once_are_counted_as_what_they_are(functions: Sequence[Function], _round: int) -> None:
    attempts = at_once([partial(functions[n % 4].sign_in, WRONG) for n in range(40)])
    tried = [attempt for attempt in attempts if attempt.refused is None]
    assert RULES.per_address <= len(tried) < RULES.per_address + AT_ONCE
    ledger = ledger_of()
    assert (ledger.flying, ledger.failed, ledger.places[HOME].failed) == (0, len(tried), len(tried))
    assert Counter(attempt.consequence for attempt in attempts)[Consequence.LOCKED] == 1
    assert not is_in(functions[0].sign_in())
    assert is_in(functions[0].sign_in(address=ELSEWHERE))
    functions[0].clock.advance(minutes=15)
    assert is_in(functions[0].sign_in())


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("before", [0, 4])
def test_ten_right_ones_at_once_all_come_in(functions: Sequence[Function], before: int, together: bool) -> None:
    for _ in range(before):
        functions[0].sign_in(WRONG)
    attempts = at_once([partial(functions[n % 4].sign_in, together=together) for n in range(10)])
    assert list(map(is_in, attempts)) == [True] * 10
    ledger = ledger_of()
    assert (ledger.flying, ledger.failed, ledger.places) == (0, 0, {})


def test_right_ones_come_in_beside_wrong_ones_from_elsewhere(functions: Sequence[Function]) -> None:
    wrong = [partial(functions[n % 4].sign_in, WRONG, f"192.0.2.{n + 10}") for n in range(16)]
    right = [partial(functions[n % 4].sign_in, together=n % 2 == 0) for n in range(10)]
    attempts = at_once([*wrong, *right])
    assert list(map(is_in, attempts)) == [False] * 16 + [True] * 10
    ledger = ledger_of()
    assert (ledger.flying, ledger.failed, len(ledger.places)) == (0, 16, 16)


def test_wrong_ones_at_once_when_a_lock_has_ended_are_a_round_of_their_own(functions: Sequence[Function]) -> None:
    for _ in range(5):
        functions[0].sign_in(WRONG)
    functions[0].clock.advance(minutes=15)
    attempts = at_once([partial(functions[n % 4].sign_in, WRONG) for n in range(20)])
    tried = sum(attempt.refused is None for attempt in attempts)
    here = ledger_of().places[HOME]
    assert (here.failed, here.locks, ledger_of().flying) == (tried, 1, 0)
    assert 5 <= tried <= 20
    functions[0].clock.advance(minutes=29, seconds=59)
    assert not is_in(functions[0].sign_in())
    functions[0].clock.advance(seconds=1)
    assert is_in(functions[0].sign_in())


def test_wrong_ones_at_once_from_many_addresses_ask_for_a_reset_at_100_and_not_before(
    functions: Sequence[Function],
) -> None:
    for number in range(24):
        for _ in range(4):
            functions[0].sign_in(WRONG, f"192.0.2.{number + 10}")
    assert is_in(functions[0].sign_in())
    attempts = at_once([partial(functions[n % 4].sign_in, WRONG, f"203.0.113.{n}") for n in range(24)])
    tried = sum(attempt.refused is None for attempt in attempts)
    assert ledger_of().failed == 96 + tried
    assert Counter(attempt.consequence for attempt in attempts)[Consequence.NEEDS_RESET] == 1
    functions[0].clock.advance(days=100)
    assert not is_in(functions[0].sign_in())
    functions[0].lockout.unlock("john", None)
    assert is_in(functions[0].sign_in())


SUBJECTS = {"an account": JOHN, "no account": no_account("nobody@example.com")}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_a_wrong_one_costs_two_writes_whether_it_is_tried_or_refused(
    functions: Sequence[Function], subject: Subject
) -> None:
    costs = [cost_of(partial(functions[0].sign_in, WRONG, subject=subject)) for _ in range(8)]
    assert [cost.calls for cost in costs] == [{"UpdateItem": 2}] * 8


def test_a_right_one_costs_one_write_beside_what_it_is_written_together_with(functions: Sequence[Function]) -> None:
    costs = [cost_of(partial(functions[0].sign_in, together=True)) for _ in range(3)]
    assert [cost.calls for cost in costs] == [{"UpdateItem": 1, "TransactWriteItems": 1}] * 3


def test_attempts_are_taken_refused_and_counted_as_the_model_says(dynoxide_store: Store) -> None:
    class OnTheTable(LockoutMachine):
        @staticmethod
        def make_store() -> DynamoLockouts:
            keep = DynamoLockouts()
            keep.forget(account(OnTheTable.user_id).name)
            return keep

    few = settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(OnTheTable, settings=few)
