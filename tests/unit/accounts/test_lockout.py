"""Lockout: who is locked, for how long, what is forgiven, and what it costs either way."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from gatehouse.accounts.ledger import Consequence, Place, Rules
from gatehouse.accounts.lockout import Attempt, Lockout, Subject, account, no_account
from gatehouse.clock import milliseconds
from gatehouse.errors import ServiceUnavailable
from tests.unit.fakes import HOME, START, StoppedClock
from tests.unit.lockouts import NOTHING, MemoryLockouts

RULES = Rules(per_address=5, in_all=100, first_lock=timedelta(minutes=15))
JOHN = account("john")
ELSEWHERE = "198.51.100.7"
MILLISECOND = timedelta(milliseconds=1)


class Door:
    """Somebody who tries to get in, with the one right secret or another."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.store = MemoryLockouts()
        self.lockout = Lockout(self.store, RULES)

    def attempt(self, *, is_right: bool, address: str = HOME, subject: Subject = JOHN) -> tuple[bool, Attempt]:
        with self.lockout.attempt(subject, address, self.clock.now()) as attempt:
            is_in = attempt.take(is_right=is_right)
            if is_in:
                attempt.forgive()
        return is_in, attempt

    def lets_in(self, address: str = HOME, subject: Subject = JOHN) -> bool:
        return self.attempt(is_right=True, address=address, subject=subject)[0]

    def fail(self, times: int = 1, address: str = HOME, subject: Subject = JOHN) -> list[Consequence | None]:
        return [self.attempt(is_right=False, address=address, subject=subject)[1].consequence for _ in range(times)]


@pytest.fixture
def door(clock: StoppedClock) -> Door:
    return Door(clock)


def test_the_fifth_failure_locks_the_account_for_that_address_alone(door: Door) -> None:
    assert door.fail(5) == [None] * 4 + [Consequence.LOCKED]
    assert not door.lets_in()
    assert door.lets_in(ELSEWHERE)
    assert door.lets_in(subject=account("jane"))


def test_a_lock_lasts_15_minutes_from_the_last_failure_and_twice_as_long_each_time_up_to_a_day(door: Door) -> None:
    lasted = []
    for _ in range(9):
        door.fail(4)
        door.clock.advance(minutes=7)
        door.fail()
        locked_at = door.clock.now()
        hours = 0.25 * 2 ** len(lasted)
        door.clock.moment = locked_at + min(timedelta(hours=hours), timedelta(hours=24)) - MILLISECOND
        assert not door.lets_in()
        door.clock.moment += MILLISECOND
        lasted.append((door.clock.now() - locked_at) / timedelta(hours=1))
    assert lasted == [0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]


def test_whoever_may_know_is_told_until_when_nothing_is_tried(door: Door) -> None:
    door.fail(5)
    door.clock.advance(seconds=10)
    _, locked = door.attempt(is_right=True)
    assert locked.refused is not None
    assert locked.refused.until == START + timedelta(minutes=15)
    for number in range(24):
        door.fail(4, f"192.0.2.{number + 10}")
    _, for_good = door.attempt(is_right=True)
    assert for_good.refused is not None
    assert for_good.refused.until is None


def test_what_is_refused_is_no_failure_and_makes_no_lock_longer(door: Door) -> None:
    door.fail(5)
    door.clock.advance(minutes=14)
    before = door.store.ledger(JOHN.name)
    assert door.fail(20) == [None] * 20
    assert not door.lets_in()
    assert (door.store.ledger(JOHN.name), door.store.refused) == (before, {JOHN.name: 21})
    door.clock.advance(minutes=1)
    assert door.lets_in()


def test_signing_in_clears_the_failures_and_the_locks_of_its_address_and_of_no_other(door: Door) -> None:
    door.fail(5)
    door.fail(3, ELSEWHERE)
    door.clock.advance(minutes=15)
    assert door.lets_in()
    assert door.store.ledger(JOHN.name).places == {ELSEWHERE: Place(failed=3, locks=0, failed_at=milliseconds(START))}
    door.fail(5)
    door.clock.advance(minutes=15)
    assert door.lets_in()


def test_what_is_forgiven_asks_for_no_reset_but_what_has_led_to_a_lock_still_does(door: Door) -> None:
    door.fail(3, ELSEWHERE)
    door.fail(5)
    door.clock.advance(minutes=15)
    door.fail(4)
    assert door.store.ledger(JOHN.name).failed == 12
    assert door.lets_in()
    assert door.store.ledger(JOHN.name).failed == 8


def test_a_right_password_that_wants_a_code_beside_it_clears_nothing(door: Door) -> None:
    door.fail(4)
    for _ in range(3):
        with door.lockout.attempt(JOHN, HOME, START) as attempt:
            assert attempt.take(is_right=True)
    assert door.fail() == [Consequence.LOCKED]


def test_what_was_written_together_with_a_sign_in_is_written_once(door: Door) -> None:
    with door.lockout.attempt(JOHN, HOME, START) as attempt:
        assert attempt.take(is_right=True)
        door.store.forgive(JOHN.name, HOME)
        attempt.settle()
    assert door.store.calls == ["begin", "forgive"]
    assert door.store.ledger(JOHN.name).flying == 0


def test_100_failures_from_anywhere_within_a_day_lock_everybody_out_until_it_is_unlocked(door: Door) -> None:
    told = [door.fail(4, f"192.0.2.{number}") for number in range(25)]
    assert told == [[None] * 4] * 24 + [[None] * 3 + [Consequence.NEEDS_RESET]]
    assert not door.lets_in(ELSEWHERE)
    door.clock.advance(days=400)
    assert not door.lets_in(ELSEWHERE)
    assert JOHN.name in door.store.lasting
    door.lockout.unlock("john", None)
    assert door.store.ledgers == {}
    assert door.lets_in(ELSEWHERE)


def test_99_failures_of_a_day_lock_nobody_else_out_and_the_next_day_they_are_no_more(door: Door) -> None:
    for number in range(33):
        door.fail(3, f"192.0.2.{number}")
    assert door.store.ledger(JOHN.name).failed == 99
    door.clock.advance(hours=24)
    door.fail(1, ELSEWHERE)
    ledger = door.store.ledger(JOHN.name)
    assert (ledger.failed, ledger.began_at) == (1, milliseconds(door.clock.now()))
    assert door.lets_in()


def test_a_stranger_with_one_address_never_makes_the_account_ask_for_a_reset(door: Door) -> None:
    for _ in range(60 * 24):
        door.fail()
        assert door.store.ledger(JOHN.name).failed < 100
        door.clock.advance(minutes=1)
    assert door.lets_in(ELSEWHERE)


def test_failures_of_an_address_are_forgotten_48_hours_after_the_last(door: Door) -> None:
    door.fail(5)
    door.clock.advance(minutes=15)
    door.fail(4)
    door.clock.moment += timedelta(hours=48)
    assert door.fail(5) == [None] * 4 + [Consequence.LOCKED]
    door.clock.advance(minutes=15)
    assert door.lets_in()


def test_no_more_than_32_are_tried_at_once_and_the_rest_is_no_failure(door: Door) -> None:
    with ExitStack() as under_way:
        attempts = [under_way.enter_context(door.lockout.attempt(JOHN, HOME, START)) for _ in range(40)]
        taken = [attempt.take(is_right=False) for attempt in attempts]
        assert taken == [False] * 40
    assert [attempt.refused is not None for attempt in attempts] == [False] * 32 + [True] * 8
    ledger = door.store.ledger(JOHN.name)
    assert (ledger.flying, ledger.failed, ledger.places[HOME].failed) == (0, 32, 32)
    assert sum(attempt.consequence is Consequence.LOCKED for attempt in attempts) == 1
    assert not door.lets_in()


def test_right_ones_at_once_all_count_and_lock_nobody(door: Door) -> None:
    with ExitStack() as under_way:
        for _ in range(32):
            attempt = under_way.enter_context(door.lockout.attempt(JOHN, HOME, START))
            assert attempt.take(is_right=True)
            attempt.forgive()
    assert door.lets_in()


def test_functions_that_died_while_they_tried_hold_nobody_up_for_more_than_a_minute(door: Door) -> None:
    dead = [door.lockout.attempt(JOHN, HOME, START) for _ in range(32)]
    for attempt in dead:
        attempt.__enter__()
    assert not door.lets_in()
    door.clock.advance(seconds=60)
    assert door.lets_in()


def test_what_breaks_off_before_it_was_decided_is_no_failure(door: Door) -> None:
    with pytest.raises(ZeroDivisionError), door.lockout.attempt(JOHN, HOME, START):
        raise ZeroDivisionError
    assert door.store.calls == ["begin", "release"]
    assert door.store.ledger(JOHN.name).failed == 0


def test_what_breaks_off_after_a_wrong_one_is_a_failure_all_the_same(door: Door) -> None:
    with pytest.raises(ZeroDivisionError), door.lockout.attempt(JOHN, HOME, START) as attempt:
        raise ZeroDivisionError(attempt.take(is_right=False))
    assert door.store.ledger(JOHN.name).failed == 1


def test_where_the_store_does_not_answer_nothing_is_tried(door: Door) -> None:
    door.store.down = 1
    with pytest.raises(ServiceUnavailable), door.lockout.attempt(JOHN, HOME, START):
        raise AssertionError


@pytest.mark.parametrize("is_right", [True, False])
def test_a_store_that_falls_silent_at_the_end_changes_no_answer(door: Door, is_right: bool) -> None:
    with door.lockout.attempt(JOHN, HOME, START) as attempt:
        assert attempt.take(is_right=is_right) is is_right
        door.store.down = 1
    assert door.store.ledger(JOHN.name).flying == 1


def test_a_wrong_one_costs_the_same_writes_whether_it_is_tried_or_refused(door: Door) -> None:
    door.fail(4)
    door.store.calls.clear()
    door.fail(2)
    assert door.store.calls == ["begin", "fail", "begin", "note_refusal"]


def test_an_email_without_an_account_is_locked_alike_and_whoever_gets_it_begins_anew(door: Door) -> None:
    nobody = no_account("jane@example.com")
    assert "jane" not in nobody.name
    assert door.fail(5, subject=nobody) == [None] * 4 + [Consequence.LOCKED]
    assert not door.lets_in(subject=nobody)
    for number in range(24):
        door.fail(4, f"192.0.2.{number + 10}", subject=nobody)
    assert not door.lets_in(ELSEWHERE, subject=nobody)
    assert nobody.name not in door.store.lasting


def test_unlocking_while_something_is_tried_leaves_nothing_behind(door: Door) -> None:
    door.fail(5, ELSEWHERE)
    with door.lockout.attempt(JOHN, HOME, START) as attempt:
        attempt.take(is_right=False)
        door.lockout.unlock("john", None)
    assert (attempt.consequence, door.store.ledger(JOHN.name)) == (None, NOTHING)
