"""Lockout against its model, on ledgers in memory."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lockout_machine import LockoutMachine
from tests.unit.lockouts import MemoryLockouts


class OnMemory(LockoutMachine):
    make_store = MemoryLockouts


def test_attempts_are_taken_refused_and_counted_as_the_model_says() -> None:
    run_state_machine_as_test(OnMemory, settings=settings(max_examples=300, stateful_step_count=60, deadline=None))
