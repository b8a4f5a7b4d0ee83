"""The gate against a model: random calls, moves of the clock, plans, resets, roles and endings, on two functions.

The model is one dictionary of counters, told of one call at a time. Whatever the two functions remember, and have not
seen of one another's writes, they must answer and count as it does.
"""

import calendar
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from gatehouse.admission.meters import MOST_A_SECOND, Allowance, Meter
from gatehouse.admission.model import Admitted, Gate
from gatehouse.admission.service import Admission
from gatehouse.clock import Clock, milliseconds
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Role
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.service import Credentials
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.plans.service import PlanFields, Plans
from gatehouse.settings import Settings
from gatehouse.tokens import SESSION, Claims
from gatehouse.usage.service import Usages
from gatehouse.wiring.people import People
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, START, TOKENS, StoppedClock, the_settings

YEARS = 3_650 * 86_400
SETTINGS = replace(
    the_settings(
        THROTTLE_LIMIT="3",
        THROTTLE_LIMIT_MODERATOR="5",
        THROTTLE_LIMIT_ADMIN="8",
        GUESS_LIMIT="1000",
        GUESS_LIMIT_ADDRESS="100000",
    ),
    refresh_token_ttl=YEARS,
    session_idle_ttl=YEARS,
)
BY_ROLE = {Role.USER: 3, Role.MODERATOR: 5, Role.ADMIN: 8}


@dataclass(frozen=True)
class World:
    """The use cases on one store, and two functions that see it."""

    functions: Sequence[Admission]
    people: People
    consumers: Consumers
    credentials: Credentials
    plans: Plans
    usage: Usages
    find_gate: Callable[[str], Gate | None]


type MakeWorld = Callable[[StoppedClock, Clock, Settings], World]
"""A world whose first function goes by the first clock, as all use cases do, and whose second goes by the other."""


@dataclass
class SlowClock:
    """A clock that is late."""

    clock: Clock
    late: timedelta = timedelta()

    def now(self) -> datetime:
        return self.clock.now() - self.late


@dataclass(frozen=True)
class Rule:
    """A limit as the model knows it: the counter, the most, and when a counter that begins now ends."""

    counter: str
    most: int
    ends: Callable[[datetime], datetime]


@dataclass
class Model:
    """One consumer's gate."""

    counters: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    day: int = -1
    usage: Tally[str] = field(default_factory=Tally)

    def call(self, user: str, rules: Sequence[Rule], now: datetime, cost: int = 1) -> Allowance:
        """What is told of a call, which is counted where it fits everywhere."""
        states = [(rule, *self._state(rule, now)) for rule in rules]
        over = [
            Allowance(limit=rule.most, remaining=max(0, rule.most - used), resets_at=ends, is_spent=True)
            for rule, ends, used in states
            if used + cost > rule.most
        ]
        if over:
            return max(over, key=lambda told: told.resets_at)
        self.counters |= {rule.counter: (ends, used + cost) for rule, ends, used in states}
        self._count_day(user, now, cost)
        told = [
            Allowance(limit=rule.most, remaining=rule.most - used - cost, resets_at=ends)
            for rule, ends, used in states
            if rule.counter != "burst"
        ]
        return min(told, key=lambda told: told.remaining)

    def forget(self, *counters: str) -> None:
        """Starts these counters afresh."""
        for counter in counters:
            self.counters.pop(counter, None)

    def _state(self, rule: Rule, now: datetime) -> tuple[datetime, int]:
        ends, used = self.counters.get(rule.counter, (now, 0))
        return (ends, used) if now < ends else (rule.ends(now), 0)

    def _count_day(self, user: str, now: datetime, cost: int) -> None:
        today = (now - datetime(1970, 1, 1, tzinfo=UTC)).days
        if today > self.day:
            self.day, self.usage = today, Tally()
        self.usage[user] += cost


def after(span: timedelta) -> Callable[[datetime], datetime]:
    """A counter that lasts as long from its first call on."""
    return lambda now: now + span


def _end_of_day(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)


def _end_of_week(now: datetime) -> datetime:
    return datetime.fromisocalendar(*now.isocalendar()[:2], 7).replace(tzinfo=UTC) + timedelta(days=1)


def _end_of_month(now: datetime) -> datetime:
    days = calendar.monthrange(now.year, now.month)[1]
    return datetime(now.year, now.month, days, tzinfo=UTC) + timedelta(days=1)


END_OF = {QuotaPeriod.DAY: _end_of_day, QuotaPeriod.WEEK: _end_of_week, QuotaPeriod.MONTH: _end_of_month}


@st.composite
def limits(draw: st.DrawFn) -> PlanFields:
    """The limits of a plan, tight enough to be met."""
    quota = draw(st.none() | st.tuples(st.integers(1, 12), st.sampled_from(QuotaPeriod)))
    seconds = draw(st.sampled_from((1, 10, 60, 90, 86_400)))
    tight = st.integers(1, 6)
    return {
        "rate_limit": draw(tight if seconds == 1 else tight | st.just(MOST_A_SECOND + 1)),
        "window_seconds": seconds,
        "burst_limit": draw(st.none() | st.integers(1, 3)),
        "quota_limit": None if quota is None else quota[0],
        "quota_period": None if quota is None else quota[1],
    }


MOVES = st.one_of(
    st.integers(1, 5).map(lambda n: timedelta(milliseconds=n)),
    st.sampled_from((1, 999, 1_000, 1_001)).map(lambda n: timedelta(milliseconds=n)),
    st.integers(1, 61).map(lambda n: timedelta(seconds=n)),
    st.integers(1, 90).map(lambda n: timedelta(minutes=n)),
    st.integers(1, 36).map(lambda n: timedelta(hours=n)),
    st.integers(1, 40).map(lambda n: timedelta(days=n)),
)


@dataclass
class Key:
    """A credential of the machine's, and whether it was switched off."""

    credential: Credential
    secret: str
    is_active: bool = True

    def is_in_force(self, now: datetime) -> bool:
        ends = self.credential.expires_at
        return self.is_active and (ends is None or now < ends)


@dataclass
class Login:
    """A session of the machine's."""

    claims: Claims
    has_ended: bool = False


class GateMachine(RuleBasedStateMachine):
    """A consumer with sessions and keys, an ADMIN who changes what may be changed, and the model beside them."""

    keys: Bundle[Key] = Bundle("keys")
    logins: Bundle[Login] = Bundle("logins")
    made_plans: Bundle[str] = Bundle("made_plans")

    def __init__(self, make_world: MakeWorld) -> None:
        super().__init__()
        self.clock = StoppedClock()
        self.slow_clock = SlowClock(self.clock)
        self.world = make_world(self.clock, self.slow_clock, SETTINGS)
        name = f"user-{new_id(START)[-12:]}"
        new: NewUser = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        first = self.world.people.registration.register(new, AT_HOME)
        assert first is not None
        self.first = first
        self.user_id = self.first.user.id
        self.admin = Caller(consumer_id=new_id(START), role=Role.ADMIN, session_id=new_id(START))
        self.world.consumers.create(
            self.admin,
            {"username": f"a-{name}", "email": f"a-{name}@example.com", "password": PASSWORD, "role": Role.ADMIN},
        )
        self.role, self.is_active = Role.USER, True
        self.plan: UsagePlan | None = None
        self.plans: dict[str, UsagePlan] = {}
        self.model = Model()
        self.every_login: list[Login] = []

    @initialize(late=st.integers(0, 50))
    def begin_late(self, late: int) -> None:
        self.slow_clock.late = timedelta(milliseconds=late)

    @initialize(target=logins)
    def begin_with_a_session(self) -> Login:
        return self._login(self.first.access_token)

    @initialize(target=keys)
    def begin_with_two_keys(self) -> Any:
        return multiple(self.make_a_key(None), self.make_a_key(None))

    @initialize(target=made_plans, told=limits())
    def begin_with_a_plan(self, told: PlanFields) -> str:
        return self.make_a_plan(told)

    # What the consumer does

    @rule(login=logins, function=st.integers(0, 1), times=st.integers(1, 4))
    def call_with_a_session(self, login: Login, function: int, times: int) -> None:
        now = self._now(function)
        claims = login.claims
        token = TOKENS.issue(SESSION, claims.subject, {"sid": claims.own["sid"]}, now, now + timedelta(hours=1))
        rules = [Rule("sessions", BY_ROLE[self.role], after(timedelta(minutes=1)))]
        for _ in range(times):
            admitted = self._admitted(
                self.is_active and not login.has_ended, lambda: self.world.functions[function].by_session(token, HOME)
            )
            if admitted is not None:
                assert admitted.allowance == self.model.call("s", rules, now)
                assert admitted.caller.role is self.role

    @rule(key=keys, function=st.integers(0, 1), times=st.integers(1, 4))
    def call_with_a_key(self, key: Key, function: int, times: int) -> None:
        now = self._now(function)
        parsed = key_auth.parse(key.secret)
        for _ in range(times):
            admitted = self._admitted(
                self.is_active and key.is_in_force(now),
                lambda: self.world.functions[function].by_secret(CredentialType.KEY_AUTH, parsed, HOME),
            )
            if admitted is not None:
                number = str(key.credential.number)
                assert admitted.allowance == self.model.call(number, self._rules(), now)
                assert admitted.caller.role is self.role.lower_of(key.credential.role)
                assert admitted.plan_id == (None if self.plan is None else self.plan.id)

    @precondition(lambda self: self.plan is not None)
    @rule(key=keys, function=st.integers(0, 1), cost=st.integers(1, 6))
    def charge(self, key: Key, function: int, cost: int) -> None:
        assert self.plan is not None
        rules = [rule for rule in self._rules() if rule.counter != "burst"]
        cost = min(cost, *(rule.most for rule in rules), 6)
        told = self.world.functions[function].charge(self._program(key), self.plan, cost)
        assert told == self.model.call(str(key.credential.number), rules, self._now(function), cost)

    @rule(key=keys, function=st.integers(0, 1), plan_id=made_plans)
    def charge_to_another_plan(self, key: Key, function: int, plan_id: str) -> None:
        if self.plan is None or self.plan.id != plan_id:
            with pytest.raises(ServiceUnavailable):
                self.world.functions[function].charge(self._program(key), self.plans[plan_id], 1)

    @rule(by=MOVES)
    def time_passes(self, by: timedelta) -> None:
        self.clock.moment += by

    # What begins and ends

    @rule(target=logins)
    def sign_in(self) -> Any:
        if not self.is_active:
            with pytest.raises(Unauthenticated):
                self.world.people.accounts.login(self.first.user.email, PASSWORD, AT_HOME)
            return multiple()
        return self._login(self.world.people.accounts.login(self.first.user.email, PASSWORD, AT_HOME).access_token)

    @rule(login=logins)
    def sign_out(self, login: Login) -> None:
        self.world.people.accounts.logout(Caller(consumer_id=self.user_id, session_id=login.claims.own["sid"]))
        login.has_ended = True

    @rule(target=keys, lasts=st.none() | st.integers(1, 3_000_000))
    def make_a_key(self, lasts: int | None) -> Key:
        owner = Caller(consumer_id=self.user_id, role=self.role, session_id=new_id(START))
        expires_at = None if lasts is None else self.clock.now() + timedelta(milliseconds=lasts)
        made = self.world.credentials.create(owner, {"type": CredentialType.KEY_AUTH, "expires_at": expires_at})
        assert made.secret is not None
        return Key(made.credential, made.secret)

    @rule(key=keys)
    def switch_a_key(self, key: Key) -> None:
        self.world.credentials.update(self.admin, key.credential.id, {"is_active": not key.is_active})
        key.is_active = not key.is_active

    @rule(key=consumes(keys), function=st.integers(0, 1))
    def delete_a_key(self, key: Key, function: int) -> None:
        self.world.credentials.delete(self.admin, key.credential.id)
        for at in (function, 1 - function):
            with pytest.raises(Unauthenticated):
                self.world.functions[at].by_secret(CredentialType.KEY_AUTH, key_auth.parse(key.secret), HOME)

    # What an ADMIN changes

    @rule(role=st.sampled_from(Role))
    def change_the_role(self, role: Role) -> None:
        self.world.consumers.update(self.admin, self.user_id, {"role": role})
        self.role = role

    @rule()
    def switch_the_account(self) -> None:
        self.is_active = not self.is_active
        self.world.consumers.update(self.admin, self.user_id, {"is_active": self.is_active})
        for login in self.every_login:
            login.has_ended = True

    @rule(target=made_plans, told=limits())
    def make_a_plan(self, told: PlanFields) -> str:
        plan = self.world.plans.create(self.admin, {**told, "name": f"plan-{new_id(START)}"})
        self.plans[plan.id] = plan
        return plan.id

    @rule(plan_id=made_plans, told=limits())
    def edit_a_plan(self, plan_id: str, told: PlanFields) -> None:
        self.plans[plan_id] = self.world.plans.update(self.admin, plan_id, told)
        if self.plan is not None:
            self.plan = self.plans[self.plan.id]

    @rule(plan_id=st.none() | made_plans)
    def assign_a_plan(self, plan_id: str | None) -> None:
        before = None if self.plan is None else self.plan.id
        self.world.plans.assign(self.admin, self.user_id, plan_id)
        self.plan = None if plan_id is None else self.plans[plan_id]
        if plan_id != before:
            self.model.forget("window", "burst", "quota")

    @rule()
    def reset(self) -> None:
        self.world.usage.reset(self.admin, self.user_id)
        self.model.forget("sessions", "window", "burst", "quota")

    # What always holds

    @invariant()
    def usage_is_exact(self) -> None:
        gate = self.world.find_gate(self.user_id)
        assert gate is not None
        assert (gate.day, dict(gate.usage)) == (
            (None, {}) if self.model.day < 0 else (self.model.day, self.model.usage)
        )
        assert {(milliseconds(ends), used) for ends, used in self.model.counters.values()} == {
            (count.ends, count.used) for count in gate.counts.values()
        }

    @invariant()
    def only_a_quota_that_is_nearly_spent_is_told(self) -> None:
        gate = self.world.find_gate(self.user_id)
        assert gate is not None
        if gate.quota_told is not None:
            ends, most = map(int, gate.quota_told.split())
            quota = gate.counts[Meter.QUOTA]
            assert quota.ends != ends or quota.used * 5 >= most * 4

    def _program(self, key: Key) -> Caller:
        credential = key.credential
        return Caller(consumer_id=self.user_id, credential_id=credential.id, credential_number=credential.number)

    def _now(self, function: int) -> datetime:
        return self.clock.now() - (self.slow_clock.late if function else timedelta())

    def _rules(self) -> list[Rule]:
        plan = self.plan
        if plan is None:
            return [Rule("window", BY_ROLE[self.role], after(timedelta(minutes=1)))]
        rules = [Rule("window", plan.rate_limit, after(timedelta(seconds=plan.window_seconds)))]
        burst = MOST_A_SECOND if plan.burst_limit is None and plan.rate_limit > MOST_A_SECOND else plan.burst_limit
        if burst is not None:
            rules.append(Rule("burst", burst, after(timedelta(seconds=1))))
        if plan.quota_limit is not None and plan.quota_period is not None:
            rules.append(Rule("quota", plan.quota_limit, END_OF[plan.quota_period]))
        return rules

    def _admitted(self, is_in_force: bool, call: Callable[[], Admitted]) -> Admitted | None:
        if is_in_force:
            return call()
        with pytest.raises(Unauthenticated):
            call()
        return None

    def _login(self, token: str) -> Login:
        login = Login(TOKENS.verify(SESSION, token, self.clock.now()))
        self.every_login.append(login)
        return login
