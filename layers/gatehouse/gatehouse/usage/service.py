"""What may happen to usage: it is read, set back, and a call that nobody makes is explained by it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gatehouse.admission.gate import OTHERS, SESSIONS
from gatehouse.admission.meters import Allowance, Limit, Meter, Throttle, allowance, credential_limits, session_limits
from gatehouse.admission.model import Gate
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.errors import NotFound
from gatehouse.ids import parse_id
from gatehouse.permissions import Action, Caller, require, require_on
from gatehouse.persistence import Stale
from gatehouse.plans.model import UsagePlan
from gatehouse.usage import days
from gatehouse.usage.explanation import AccessExplanation, Call, explain
from gatehouse.usage.model import CredentialName, Usage, UsageDay

type Requests = Mapping[str, int]
"""How often there was a call, by the credentials' numbers; sessions are told by a word."""


class UsageStore(Protocol):
    """Where usage lies: what is counted now at the gate, what was before beside its consumer."""

    def find_user(self, user_id: str) -> User | None: ...

    def find_credential(self, credential_id: str) -> Credential | None: ...

    def find_plan(self, plan_id: str) -> UsagePlan | None: ...

    def find_gate(self, user_id: str) -> Gate | None: ...

    def find_days(self, user_id: str, first: date, last: date) -> Mapping[date, Requests]: ...

    def find_names(self, user_id: str, numbers: Collection[str]) -> Mapping[str, CredentialName]:
        """The credentials of these numbers; those that are gone are left out."""

    def reset_gate(self, user_id: str, event: AuditEvent) -> None:
        """Nothing is used any more, but for the day's requests; raises Stale where there is no gate."""


@dataclass(frozen=True)
class Usages:
    """The use cases. Every one of them takes the caller first and raises what `permissions` raises."""

    store: UsageStore
    clock: Clock
    recorder: Recorder
    throttle: Callable[[], Throttle]
    self_service: bool

    def of(self, caller: Caller, user_id: str, first: date | None, last: date | None) -> Usage:
        """What the user has used, and on which days; 30 days up to now where none are told."""
        user = self._target(caller, user_id, Action.READ_USAGE)
        now = self.clock.now()
        between = days.asked_for(first, last, now)
        return self._usage(user, self._gate(user), between, now)

    def reset(self, caller: Caller, user_id: str) -> Usage:
        """The user's usage, every counter at nothing; what was asked for on which day stays."""
        user = self._target(caller, user_id, Action.RESET_USAGE)
        event = self.recorder.event(AuditAction.USAGE_RESET, acting.caller(caller), subject_id=user.id)
        try:
            self.store.reset_gate(user.id, event)
        except Stale as error:
            raise _no_such_user() from error
        now = self.clock.now()
        return self._usage(user, self._gate(user), days.asked_for(None, None, now), now)

    def explain(
        self, caller: Caller, user_id: str, credential_id: str | None, operation: str, action: Action | None
    ) -> AccessExplanation:
        """What would become of the user's call for the root field `operation`, which takes the right to `action`."""
        user = self._target(caller, user_id, Action.EXPLAIN_ACCESS)
        credential = None if credential_id is None else self._credential(user, credential_id)
        gate = self._gate(user)
        plan = None if credential is None else self._plan(gate)
        limits = self._session_limits(user) if credential is None else self._credential_limits(user, plan)
        call = Call(
            user=user,
            credential=credential,
            operation=operation,
            action=action,
            self_service=self.self_service,
        )
        return explain(call, plan, gate.counts, limits, self.clock.now())

    def _usage(self, user: User, gate: Gate, between: tuple[date, date], now: datetime) -> Usage:
        plan = self._plan(gate)
        limits = {limit.meter: limit for limit in (*self._session_limits(user), *self._credential_limits(user, plan))}
        state = {meter: _state(gate, limit, now) for meter, limit in limits.items() if meter is not Meter.BURST}
        return Usage(
            user_id=user.id,
            plan=plan,
            sessions=state[Meter.SESSIONS],
            credentials=state[Meter.WINDOW],
            quota=state.get(Meter.QUOTA),
            days=self._days(gate, *between),
        )

    def _days(self, gate: Gate, first: date, last: date) -> tuple[UsageDay, ...]:
        owner = gate.standing.consumer_id
        by_day = dict(self.store.find_days(owner, first, last))
        if gate.day is not None and first <= (latest := days.day_of(gate.day)) <= last:
            by_day[latest] = gate.usage
        numbers = {number for requests in by_day.values() for number in requests} - {SESSIONS, OTHERS}
        names = self.store.find_names(owner, numbers)
        return tuple(days.told(day, by_day[day], names) for day in sorted(by_day, reverse=True))

    def _session_limits(self, user: User) -> tuple[Limit, ...]:
        throttle = self.throttle()
        return session_limits(throttle.by_role[user.role], throttle.window_seconds)

    def _credential_limits(self, user: User, plan: UsagePlan | None) -> tuple[Limit, ...]:
        throttle = self.throttle()
        return credential_limits(throttle.by_role[user.role], throttle.window_seconds, plan)

    def _plan(self, gate: Gate) -> UsagePlan | None:
        plan_id = gate.standing.plan_id
        return None if plan_id is None else self.store.find_plan(plan_id)

    def _gate(self, user: User) -> Gate:
        gate = self.store.find_gate(user.id)
        if gate is None:
            raise _no_such_user()
        return gate

    def _credential(self, user: User, credential_id: str) -> Credential:
        known = parse_id(credential_id)
        credential = None if known is None else self.store.find_credential(known)
        if credential is None or credential.consumer_id != user.id:
            raise NotFound("There is no such credential.")
        return credential

    def _target(self, caller: Caller, user_id: str, action: Action) -> User:
        require(caller, action)
        known = parse_id(user_id)
        user = None if known is None else self.store.find_user(known)
        if user is None:
            raise _no_such_user()
        require_on(caller, action, user)
        return user


def _state(gate: Gate, limit: Limit, now: datetime) -> Allowance:
    return allowance(gate.counts, (limit,), now)


def _no_such_user() -> NotFound:
    return NotFound("There is no such user.")
