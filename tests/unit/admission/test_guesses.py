"""Guesses are counted before they are tried, at the key id and at the address, as passwords and codes are."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from gatehouse.accounts.lockout import account
from gatehouse.admission.guesses import Guesses
from gatehouse.errors import ServiceUnavailable, TooManyTries
from tests.unit.fakes import HOME, START, the_guard, the_guesses, the_settings
from tests.unit.lockouts import MemoryLockouts

ELSEWHERE = "198.51.100.7"
WINDOW = int(START.timestamp()) // 900
NEXT_WINDOW = datetime.fromtimestamp((WINDOW + 1) * 900, START.tzinfo)
ADDRESS, MADE, KEY = f"address/{HOME}/{WINDOW}", f"made/{HOME}/{WINDOW}", f"key/mobile-app/{HOME}"


@pytest.fixture
def lockouts() -> MemoryLockouts:
    return MemoryLockouts()


@pytest.fixture
def guesses(lockouts: MemoryLockouts) -> Guesses:
    return the_guesses(lockouts, the_settings())


def guess(
    guesses: Guesses, *, right: bool = False, key_id: str = "mobile-app", address: str = HOME, at: datetime = START
) -> None:
    with guesses.one(key_id, address, at) as attempt:
        if right:
            attempt.forgive()
        else:
            attempt.take(is_right=False)


def counted(lockouts: MemoryLockouts) -> Mapping[str, tuple[int, int]]:
    """What is being tried at each subject, and what has failed."""
    return {subject: (ledger.flying, ledger.failed) for subject, ledger in lockouts.ledgers.items()}


def test_a_wrong_guess_counts_for_its_address_and_for_its_key_id_there(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    guess(guesses)
    guess(guesses)
    assert counted(lockouts) == {ADDRESS: (0, 2), KEY: (0, 2)}


def test_a_right_one_counts_only_while_it_is_tried_and_forgives_the_key_id(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    guess(guesses)
    with guesses.one("mobile-app", HOME, START) as attempt:
        assert counted(lockouts) == {ADDRESS: (1, 1), KEY: (1, 1)}
        attempt.forgive()
    assert counted(lockouts) == {ADDRESS: (0, 1), KEY: (0, 0)}


def test_one_that_breaks_off_does_not_count(guesses: Guesses, lockouts: MemoryLockouts) -> None:
    with pytest.raises(ZeroDivisionError), guesses.one("mobile-app", HOME, START):
        raise ZeroDivisionError
    assert counted(lockouts) == {ADDRESS: (0, 0), KEY: (0, 0)}


def test_as_many_wrong_ones_as_there_may_be_lock_for_15_minutes_and_then_for_30(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    at = START
    for minutes in (15, 30, 60):
        for _ in range(5):
            guess(guesses, at=at)
        at += timedelta(minutes=minutes)
        with pytest.raises(TooManyTries) as lock:
            guess(guesses, right=True, at=at - timedelta(seconds=1))
        assert (lock.value.until, lock.value.limit) == (at, 5)
    guess(guesses, right=True, at=at)
    assert lockouts.ledger(KEY).places == {}


def test_a_locked_key_costs_its_address_nothing_and_no_other_key_or_address(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    for _ in range(5):
        guess(guesses)
    lockouts.calls.clear()
    for _ in range(60):
        with pytest.raises(TooManyTries):
            guess(guesses)
    assert lockouts.calls == ["begin", "begin", "release"] * 60
    assert counted(lockouts) == {ADDRESS: (0, 5), KEY: (0, 5)}
    guess(guesses, right=True, key_id="another")
    guess(guesses, right=True, address=ELSEWHERE)


def test_failures_from_anywhere_lock_no_key_for_its_owner(guesses: Guesses, lockouts: MemoryLockouts) -> None:
    for number in range(300):
        guess(guesses, address=f"2001:db8:0:{number:x}::/64")
    guess(guesses, right=True)
    assert max(len(ledger.places) for ledger in lockouts.ledgers.values()) == 1


def test_no_more_than_32_are_tried_at_once_from_an_address_and_a_second_later_again(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    with ExitStack() as in_flight:
        for _ in range(32):
            in_flight.enter_context(guesses.one("mobile-app", HOME, START)).forgive()
        with pytest.raises(TooManyTries) as crowd:
            guess(guesses)
        assert crowd.value.until == START + timedelta(seconds=1)
    guess(guesses, right=True, at=START + timedelta(seconds=1))
    assert lockouts.ledger(KEY).flying == 0


def test_an_address_that_fails_at_many_keys_is_refused_until_its_window_ends_and_then_costs_nothing(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    for number in range(50):
        guess(guesses, key_id=f"nobodys-{number}")
    for _ in range(3):
        lockouts.calls.clear()
        with pytest.raises(TooManyTries) as block:
            guess(guesses, right=True)
        assert (block.value.until, block.value.limit) == (NEXT_WINDOW, 50)
    assert lockouts.calls == []
    guess(guesses, right=True, address=ELSEWHERE)
    guess(guesses, right=True, at=NEXT_WINDOW)


def test_an_address_is_counted_for_keys_and_for_sign_ins_alike(guesses: Guesses, lockouts: MemoryLockouts) -> None:
    guard = the_guard(lockouts, the_settings())
    for number in range(25):
        guess(guesses, key_id=f"nobodys-{number}")
        with guard.attempt(account(str(number)), HOME, START) as attempt:
            attempt.take(is_right=False)
    with pytest.raises(TooManyTries):
        guess(guesses, right=True)
    with pytest.raises(TooManyTries), guard.attempt(account("john"), HOME, START):
        pass


def test_wrong_made_secrets_hold_their_address_back_from_no_more_than_themselves(
    guesses: Guesses, lockouts: MemoryLockouts
) -> None:
    for _ in range(50):
        guesses.wrong(HOME, START)
    assert counted(lockouts) == {MADE: (0, 50)}
    for _ in range(2):
        lockouts.calls.clear()
        with pytest.raises(TooManyTries) as block:
            guesses.wrong(HOME, START)
        assert block.value.until == NEXT_WINDOW
    assert lockouts.calls == []
    guesses.wrong(HOME, NEXT_WINDOW)
    guess(guesses, right=True)


def test_what_cannot_be_counted_is_not_tried_and_what_was_counted_is_given_back(
    guesses: Guesses, lockouts: MemoryLockouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = lockouts.begin

    def begin_or_fail(subject: str, *told: Any) -> None:
        if subject == KEY:
            raise ServiceUnavailable("The store did not answer. Try again.")
        begin(subject, *told)

    monkeypatch.setattr(lockouts, "begin", begin_or_fail)
    with pytest.raises(ServiceUnavailable):
        guess(guesses)
    assert counted(lockouts) == {ADDRESS: (0, 0)}


def test_a_verdict_that_cannot_be_settled_is_a_verdict_still(
    guesses: Guesses, lockouts: MemoryLockouts, caplog: pytest.LogCaptureFixture
) -> None:
    with guesses.one("mobile-app", HOME, START) as attempt:
        lockouts.down = 2
        attempt.forgive()
    assert counted(lockouts) == {ADDRESS: (1, 0), KEY: (1, 0)}
    assert caplog.messages == ["an attempt was not settled"] * 2
