"""Guesses are counted before they are tried: only failures lock, and what is in flight is bounded."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.guesses import Guesses, NotBegun, TooManyGuesses, Tries
from gatehouse.clock import milliseconds
from gatehouse.errors import ServiceUnavailable
from gatehouse.lately import Lately
from tests.unit.fakes import HOME, START
from tests.unit.gates import MemoryGates

ENDS = milliseconds(START + timedelta(minutes=15))
ADDRESS, KEY = f"address/{HOME}", f"key/mobile-app/{HOME}"


@pytest.fixture
def gates() -> MemoryGates:
    return MemoryGates()


@pytest.fixture
def guesses(gates: MemoryGates) -> Guesses:
    return Guesses(gates, Lately(), per_key=5, per_address=50, seconds=900)


def guess(guesses: Guesses, *, right: bool = False) -> None:
    with guesses.one(HOME, "mobile-app", START) as verdict:
        verdict.is_right = right


def test_a_wrong_guess_counts_for_its_address_and_for_its_key_id_there(guesses: Guesses, gates: MemoryGates) -> None:
    guess(guesses)
    guess(guesses)
    assert gates.tries == {ADDRESS: Tries(ENDS, 2, 2), KEY: Tries(ENDS, 2, 2)}


def test_a_right_one_counts_only_while_it_is_tried(guesses: Guesses, gates: MemoryGates) -> None:
    with guesses.one(HOME, "mobile-app", START) as verdict:
        assert gates.tries == {ADDRESS: Tries(ENDS, 0, 1), KEY: Tries(ENDS, 0, 1)}
        verdict.is_right = True
    assert gates.tries == {ADDRESS: Tries(ENDS, 0, 0), KEY: Tries(ENDS, 0, 0)}


def test_one_that_breaks_off_counts_as_wrong(guesses: Guesses, gates: MemoryGates) -> None:
    with pytest.raises(ZeroDivisionError), guesses.one(HOME, "mobile-app", START):
        raise ZeroDivisionError
    assert gates.tries[KEY] == Tries(ENDS, 1, 1)


def test_as_many_wrong_ones_as_there_may_be_lock_until_they_end(guesses: Guesses, gates: MemoryGates) -> None:
    for _ in range(5):
        guess(guesses)
    with pytest.raises(TooManyGuesses) as lock:
        guess(guesses, right=True)
    assert lock.value.until == START + timedelta(minutes=15)
    assert gates.tries == {ADDRESS: Tries(ENDS, 5, 5), KEY: Tries(ENDS, 5, 5)}


def test_no_more_than_32_beside_the_failures_are_tried_at_once_and_a_second_later_again(
    guesses: Guesses, gates: MemoryGates
) -> None:
    with ExitStack() as in_flight:
        for _ in range(37):
            in_flight.enter_context(guesses.one(HOME, "mobile-app", START)).is_right = True
        with pytest.raises(TooManyGuesses) as crowd:
            guess(guesses)
        assert crowd.value.until == START + timedelta(seconds=1)
    guess(guesses, right=True)
    assert gates.tries[KEY] == Tries(ENDS, 0, 0)


def test_failures_that_cost_no_hash_block_the_address_in_this_function(guesses: Guesses, gates: MemoryGates) -> None:
    for _ in range(50):
        guesses.failed(HOME, START)
    guesses.check(HOME, START)
    guesses.failed(HOME, START)
    gates.calls.clear()
    with pytest.raises(TooManyGuesses) as block:
        guesses.check(HOME, START + timedelta(seconds=899))
    assert block.value.until == START + timedelta(minutes=15)
    guesses.check(HOME, START + timedelta(minutes=15))
    guesses.check("198.51.100.7", START)
    assert gates.calls == []
    with pytest.raises(TooManyGuesses):
        guess(guesses)


def test_what_cannot_be_counted_is_not_tried_and_what_was_counted_is_given_back(
    guesses: Guesses, gates: MemoryGates, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = gates.begin

    def begin_or_fail(subject: str, *told: Any, **more: Any) -> None:
        if subject == KEY:
            raise ServiceUnavailable("The store did not answer. Try again.")
        begin(subject, *told, **more)

    monkeypatch.setattr(gates, "begin", begin_or_fail)
    with pytest.raises(ServiceUnavailable):
        guess(guesses)
    assert gates.tries == {ADDRESS: Tries(ENDS, 0, 0)}


def test_a_verdict_that_cannot_be_settled_is_a_verdict_still(
    guesses: Guesses, gates: MemoryGates, caplog: pytest.LogCaptureFixture
) -> None:
    with guesses.one(HOME, "mobile-app", START) as verdict:
        gates.down = 2
        verdict.is_right = True
    assert gates.tries == {ADDRESS: Tries(ENDS, 0, 1), KEY: Tries(ENDS, 0, 1)}
    assert caplog.messages == ["a guess was not settled"] * 2


def test_counters_that_others_always_begin_first_are_503(guesses: Guesses, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_told: Any, **_more: Any) -> None:
        raise NotBegun(None)

    monkeypatch.setattr(guesses.store, "begin", never)
    with pytest.raises(ServiceUnavailable):
        guess(guesses)
