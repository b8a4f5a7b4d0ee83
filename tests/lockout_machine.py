"""Lockout against a model that says in plain words what is promised; for any store of ledgers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from gatehouse.accounts.ledger import AT_ONCE, Consequence, Rules
from gatehouse.accounts.lockout import Attempt, Lockout, LockoutStore, account
from tests.unit.fakes import StoppedClock

RULES = Rules(per_address=2, in_all=9, first_lock=timedelta(minutes=15))
"""So that few steps lead to every lock there is."""

ADDRESSES = ("192.0.2.1", "198.51.100.7", "2001:db8::/64")
DAY = timedelta(hours=24)


@dataclass
class Here:
    """What the model remembers of an address: failures since the last lock ended, and how many locks have."""

    failures: int = 0
    locks: int = 0
    failed_at: datetime | None = None

    def lock_ends(self) -> datetime | None:
        if self.failed_at is None or self.failures < RULES.per_address:
            return None
        return self.failed_at + min(RULES.first_lock * 2**self.locks, DAY)


@dataclass
class Model:
    """The account as promised."""

    here: dict[str, Here] = field(default_factory=lambda: {address: Here() for address in ADDRESSES})
    failures: int = 0
    since: datetime | None = None
    in_flight: int = 0
    begun_at: datetime | None = None

    def begin(self, address: str, now: datetime) -> bool:
        """Whether something may be tried."""
        here = self.here[address]
        if here.failed_at is not None and now - here.failed_at >= 2 * DAY:
            here = self.here[address] = Here()
        if self.failures >= RULES.in_all:
            return False
        if self.in_flight >= AT_ONCE and self.begun_at is not None:
            if now - self.begun_at < timedelta(minutes=1):
                return False
            self.in_flight = 0
        if (end := here.lock_ends()) is not None:
            if now < end:
                return False
            here.failures, here.locks = 0, here.locks + 1
        if self.since is not None and now - self.since >= DAY:
            self.failures, self.since = 0, None
        self.in_flight += 1
        self.begun_at = now
        return True

    def fail(self, address: str, began: datetime) -> Consequence | None:
        """Counts a failure; what it leads to."""
        self.in_flight -= 1
        here = self.here[address]
        here.failures += 1
        here.failed_at = began
        self.failures += 1
        self.since = self.since or began
        if self.failures == RULES.in_all:
            return Consequence.NEEDS_RESET
        return Consequence.LOCKED if here.failures == RULES.per_address else None

    def forgive(self, address: str) -> None:
        self.in_flight -= 1
        self.failures -= self.here[address].failures
        self.here[address] = Here()


@dataclass
class Flight:
    """An attempt that is under way."""

    address: str
    began: datetime
    context: AbstractContextManager[Attempt]
    attempt: Attempt
    may: bool


class LockoutMachine(RuleBasedStateMachine):
    """Attempts from three addresses that overlap as they like, over weeks."""

    make_store: Callable[[], LockoutStore]
    user_id = "0198c3a0-0000-7000-8000-000000000001"

    def __init__(self) -> None:
        super().__init__()
        self.clock = StoppedClock()
        self.lockout = Lockout(type(self).make_store(), RULES)
        self.model = Model()
        self.flights: list[Flight] = []

    @rule(address=st.sampled_from(ADDRESSES))
    def begin(self, address: str) -> None:
        self._begin(address)

    @rule(address=st.sampled_from(ADDRESSES), times=st.integers(1, 4))
    def fail(self, address: str, times: int) -> None:
        for _ in range(times):
            self._finish(self._begin(address), "wrong")

    @rule(address=st.sampled_from(ADDRESSES))
    def sign_in(self, address: str) -> None:
        self._finish(self._begin(address), "forgiven")

    @rule()
    def crowd(self) -> None:
        for number in range(AT_ONCE):
            self._begin(ADDRESSES[number % 3])

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), how=st.sampled_from(["wrong", "wrong", "right", "forgiven", "breaks off", "dies"]))
    def land(self, data: st.DataObject, how: str) -> None:
        self._finish(self.flights.pop(data.draw(st.integers(0, len(self.flights) - 1))), how)

    @precondition(lambda self: self.flights)
    @rule(how=st.sampled_from(["right", "dies"]))
    def land_all(self, how: str) -> None:
        while self.flights:
            self._finish(self.flights.pop(), how)

    @rule(by=st.timedeltas(timedelta(0), timedelta(seconds=2)))
    def hesitate(self, by: timedelta) -> None:
        self.clock.moment += timedelta(milliseconds=by // timedelta(milliseconds=1))

    @precondition(lambda self: not self.flights)
    @rule(
        by=st.one_of(
            st.sampled_from([timedelta(minutes=1), timedelta(minutes=15), DAY, 2 * DAY]),
            st.timedeltas(timedelta(milliseconds=1), timedelta(hours=30)),
        ),
        just_before=st.booleans(),
    )
    def wait(self, by: timedelta, just_before: bool) -> None:
        whole = timedelta(milliseconds=by // timedelta(milliseconds=1))
        self.clock.moment += whole - timedelta(milliseconds=int(just_before))

    @precondition(lambda self: not self.flights)
    @rule(address=st.sampled_from(ADDRESSES), just_before=st.booleans())
    def wait_for_the_lock(self, address: str, just_before: bool) -> None:
        end = self.model.here[address].lock_ends()
        if end is not None and end > self.clock.now():
            self.clock.moment = end - timedelta(milliseconds=int(just_before))

    @precondition(lambda self: not self.flights)
    @rule()
    def unlock(self) -> None:
        self.lockout.unlock(self.user_id, None)
        self.model = Model()

    def teardown(self) -> None:
        for flight in self.flights:
            _die(flight)

    def _begin(self, address: str) -> Flight:
        now = self.clock.now()
        context = self.lockout.attempt(account(self.user_id), address, now)
        flight = Flight(address, now, context, context.__enter__(), self.model.begin(address, now))
        self.flights.append(flight)
        return flight

    def _finish(self, flight: Flight, how: str) -> None:
        if flight in self.flights:
            self.flights.remove(flight)
        if how == "dies":
            _die(flight)
            return
        error: BaseException | None = None
        if how == "breaks off":
            error = ZeroDivisionError()
        else:
            assert flight.attempt.take(is_right=how != "wrong") is (flight.may and how != "wrong")
        if how == "forgiven" and flight.may:
            flight.attempt.forgive()
        assert not flight.context.__exit__(error and type(error), error, None)
        expected = None
        if flight.may and how == "wrong":
            expected = self.model.fail(flight.address, flight.began)
        elif flight.may and how == "forgiven":
            self.model.forgive(flight.address)
        elif flight.may:
            self.model.in_flight -= 1
        assert flight.attempt.consequence is expected


def _die(flight: Flight) -> None:
    """Ends it as a function ends that is killed: nothing more is written."""
    flight.attempt.settle()
    flight.attempt.refused = None
    flight.context.__exit__(None, None, None)
