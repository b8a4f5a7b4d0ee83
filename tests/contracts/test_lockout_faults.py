"""Lockout on a store that refuses, hangs or answers into the void: no answer is wrong, nobody is held up for long."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest

from gatehouse.accounts.ledger import Bounds, Ledger, Rules
from gatehouse.accounts.lockout import Lockout, NotBegun, account
from gatehouse.accounts.two_factor import TwoFactor
from gatehouse.audit.recording import Recorder
from gatehouse.errors import ServiceUnavailable
from gatehouse.permissions import Caller
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.two_factor import DynamoTwoFactor
from tests.contracts.faults import (
    Fault,
    PatientTime,
    broken_behind,
    cancelled,
    faults,
    lost,
    none,
    refused,
    silent,
    unreachable,
    wordless,
)
from tests.contracts.made_up import a_session, keep_account
from tests.stores import Store
from tests.unit.factors import app_code
from tests.unit.fakes import HOME, PASSWORD_HASH, START, StoppedClock, a_user
from tests.unit.post import the_writer

RULES = Rules(per_address=5, in_all=8, first_lock=timedelta(minutes=15))
JOHN = account("john")
NOT_NOW = {"throttled": refused("ThrottlingException"), "crossed": refused("TransactionConflictException")}
WITHOUT_EFFECT = {"broken": refused("InternalServerError", 500), "wordless": wordless, "silent": silent}
WITH_EFFECT = {"lost": lost, "broken behind the write": broken_behind}
UNKNOWN = {**WITHOUT_EFFECT, **WITH_EFFECT, "unreachable": unreachable}


def named(cases: dict[str, Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", cases.values(), ids=cases.keys())


# The first of two writes is refused by its condition, so that it can have no effect.
at_each_of_two = pytest.mark.parametrize(
    ("at", "fault"), [*((0, fault) for fault in WITHOUT_EFFECT.values()), *((1, fault) for fault in UNKNOWN.values())]
)


class Door:
    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.lockout = Lockout(DynamoLockouts(), RULES)

    def lets_in(self, *, is_right: bool = True, address: str = HOME) -> bool:
        with self.lockout.attempt(JOHN, address, self.clock.now()) as attempt:
            is_in = attempt.take(is_right=is_right)
            if is_in:
                attempt.forgive()
        return is_in

    @property
    def ledger(self) -> Ledger:
        try:
            nothing_is_within = Bounds(flying=-9, failed=0, failed_here=0, began_at=0, failed_here_at=0)
            DynamoLockouts().begin(JOHN.name, HOME, nothing_is_within, 0)
        except NotBegun as refusal:
            return refusal.ledger
        raise AssertionError


@pytest.fixture
def door(dynoxide_store: Store, clock: StoppedClock) -> Door:
    return Door(clock)


@named(NOT_NOW)
@pytest.mark.parametrize("is_right", [True, False])
def test_a_store_that_is_busy_for_a_moment_is_asked_again(
    door: Door, patient_time: PatientTime, fault: Fault, is_right: bool
) -> None:
    with faults("UpdateItem", [fault, fault, none, fault, fault]) as asked:
        assert door.lets_in(is_right=is_right) is is_right
    assert (len(asked), door.ledger.flying, door.ledger.failed) == (6, 0, int(not is_right))


@named(UNKNOWN)
@pytest.mark.parametrize("is_right", [True, False])
def test_where_it_is_not_known_whether_it_was_counted_nothing_is_tried(
    door: Door, fault: Fault, is_right: bool
) -> None:
    with faults("UpdateItem", [fault]) as asked, pytest.raises(ServiceUnavailable):
        door.lets_in(is_right=is_right)
    assert len(asked) == 1
    assert door.lets_in()


@named(UNKNOWN)
@pytest.mark.parametrize("is_right", [True, False])
def test_what_was_decided_is_answered_whatever_becomes_of_the_count(door: Door, fault: Fault, is_right: bool) -> None:
    for _ in range(3):
        door.lets_in(is_right=False)
    with faults("UpdateItem", [none, fault]) as asked:
        assert door.lets_in(is_right=is_right) is is_right
    assert len(asked) == 2
    assert door.ledger.failed in ({0, 3} if is_right else {3, 4})
    assert door.lets_in()


@named(UNKNOWN)
def test_a_store_that_falls_silent_time_and_again_holds_nobody_up_for_more_than_a_minute(
    door: Door, fault: Fault
) -> None:
    for _ in range(32):
        with faults("UpdateItem", [fault]), pytest.raises(ServiceUnavailable):
            door.lets_in()
    assert door.lets_in() is (fault not in WITH_EFFECT.values())
    door.clock.advance(seconds=60)
    assert door.lets_in()


@at_each_of_two
def test_the_turn_after_a_lock_may_break_off_anywhere(door: Door, fault: Fault, at: int) -> None:
    for _ in range(5):
        door.lets_in(is_right=False)
    door.clock.advance(minutes=15)
    with faults("UpdateItem", [*[none] * at, fault]), pytest.raises(ServiceUnavailable):
        door.lets_in()
    assert door.lets_in()
    assert door.ledger.places == {}


@at_each_of_two
def test_what_asks_for_a_reset_is_kept_for_good_or_counted_by_the_next(
    dynoxide_store: Store, door: Door, fault: Fault, at: int
) -> None:
    for number in range(7):
        door.lets_in(is_right=False, address=f"192.0.2.{number}")
    with faults("UpdateItem", [none, *[none] * at, fault]):
        assert not door.lets_in(is_right=False)
    door.lets_in(is_right=False)
    door.lets_in(is_right=False)
    item = dynoxide_store.item(f"TRY#{JOHN.name}", "T")
    assert item is not None
    assert (int(item["failed"]["N"]) >= 8, "expires" in item) == (True, False)
    door.clock.advance(days=100)
    assert not door.lets_in()


class Home:
    """A user who is signed in and is shown a secret."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.keep = DynamoTwoFactor()
        lockout = Lockout(DynamoLockouts(), RULES)
        self.two_factor = TwoFactor(
            store=self.keep,
            clock=clock,
            lockout=lockout,
            writer=the_writer(clock),
            recorder=Recorder(clock),
            issuer="Gatehouse",
            draw=str,
        )
        user = a_user("john")
        session = a_session(user)
        keep_account(user, session, PASSWORD_HASH)
        self.caller = Caller(consumer_id=user.id, session_id=session.id)
        self.secret = base64.b32decode(self.two_factor.enable(self.caller).secret)

    def confirm(self) -> tuple[str, ...]:
        return self.two_factor.confirm(self.caller, HOME, app_code(self.secret, self.clock.now()))

    def disable(self) -> None:
        self.two_factor.disable(self.caller, HOME, app_code(self.secret, self.clock.now()))

    def is_on(self) -> bool:
        holder = self.keep.find_holder(self.caller.consumer_id or "", None)
        assert holder is not None
        return holder.factor.is_on


@pytest.fixture
def home(dynoxide_store: Store, clock: StoppedClock) -> Home:
    return Home(clock)


def prove(home: Home) -> None:
    home.confirm()


def turn_off(home: Home) -> None:
    home.disable()


CROSSED = [cancelled("TransactionConflict", "None", "None")] * 3


@pytest.mark.parametrize("act", [prove, turn_off])
def test_a_code_that_meets_other_writers_counts_all_the_same(
    home: Home, patient_time: PatientTime, act: Callable[[Home], None]
) -> None:
    with faults("TransactWriteItems", CROSSED):
        home.confirm()
    home.clock.advance(minutes=1)
    with faults("TransactWriteItems", CROSSED):
        act(home)
    assert home.is_on() is (act is prove)


@named(UNKNOWN)
def test_a_code_whose_use_is_not_known_of_works_again_or_has_worked(
    home: Home, patient_time: PatientTime, fault: Fault
) -> None:
    with faults("TransactWriteItems", [fault] * 9), pytest.raises(ServiceUnavailable):
        home.confirm()
    had_worked = home.is_on()
    assert had_worked is (fault in WITH_EFFECT.values())
    home.clock.advance(seconds=30)
    assert len(home.confirm()) == (0 if had_worked else 10)
    assert home.is_on()
    again = home.two_factor.enable(home.caller)
    code = app_code(base64.b32decode(again.secret), START + timedelta(seconds=30))
    assert len(home.two_factor.confirm(home.caller, HOME, code)) == 10
