"""Usage read, set back and explained, on a store in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from gatehouse.admission.meters import Allowance, Count, Meter
from gatehouse.audit.recording import Recorder
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import BadRequest, Forbidden, NotFound
from gatehouse.ids import new_id
from gatehouse.permissions import Action
from gatehouse.plans.model import QuotaPeriod, UsagePlan
from gatehouse.usage.explanation import AccessRule
from gatehouse.usage.model import CredentialUsage, Usage, UsageDay
from gatehouse.usage.service import Usages
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, signed_in, the_throttle
from tests.unit.plan_stores import MemoryUsage, a_plan

TODAY = date(2026, 3, 1)
FULL_MINUTE = START + timedelta(minutes=1)
MIDNIGHT = START + timedelta(hours=12)


@pytest.fixture
def usage(store: MemoryStore, clock: StoppedClock) -> Usages:
    return Usages(MemoryUsage(store), clock, Recorder(clock), the_throttle(), self_service=True)


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


@pytest.fixture
def admin(store: MemoryStore) -> User:
    return store.add(a_user("root", role=Role.ADMIN))


@pytest.fixture
def moderator(store: MemoryStore) -> User:
    return store.add(a_user("mod", role=Role.MODERATOR))


def _key(store: MemoryStore, owner: User, number: int = 1) -> Credential:
    key = Credential(
        id=new_id(START),
        consumer_id=owner.id,
        type=CredentialType.KEY_AUTH,
        key_id=f"key-{number}",
        number=number,
        role=owner.role,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    store.credentials[key.id] = key
    return key


def _plan(store: MemoryStore, owner: User) -> UsagePlan:
    plan = a_plan(rate_limit=50, window_seconds=30, burst_limit=5, quota_limit=99, quota_period=QuotaPeriod.DAY)
    store.plans[plan.id] = plan
    gate = store.gates.gates[owner.id]
    store.gates.gates[owner.id] = replace(gate, standing=replace(gate.standing, plan_id=plan.id))
    return plan


def _used(store: MemoryStore, owner: User, day: date | None = None, **usage: int) -> None:
    """Puts it at the gate: counters in the middle of their time, and the requests of the day."""
    gate = store.gates.gates[owner.id]
    ends = {
        Meter.SESSIONS: START + timedelta(seconds=40),
        Meter.WINDOW: START + timedelta(seconds=20),
        Meter.BURST: START + timedelta(milliseconds=500),
        Meter.QUOTA: MIDNIGHT,
    }
    store.gates.gates[owner.id] = replace(
        gate,
        counts={meter: Count(milliseconds(moment), 4) for meter, moment in ends.items()},
        day=None if day is None else (day - date(1970, 1, 1)).days,
        usage={name.removeprefix("n"): count for name, count in usage.items()},
    )


def _left(limit: int, remaining: int, seconds: float) -> Allowance:
    return Allowance(limit=limit, remaining=remaining, resets_at=START + timedelta(seconds=seconds))


def test_nothing_used_and_no_plan(usage: Usages, user: User) -> None:
    assert usage.of(signed_in(user), user.id, None, None) == Usage(
        user_id=user.id, plan=None, sessions=_left(10, 10, 60), credentials=_left(10, 10, 60), quota=None, days=()
    )


def test_the_limits_are_those_of_the_role_and_for_credentials_of_the_plan(
    usage: Usages, store: MemoryStore, admin: User
) -> None:
    plan = _plan(store, admin)
    _used(store, admin)
    told = usage.of(signed_in(admin), admin.id, None, None)

    assert told == Usage(
        user_id=admin.id,
        plan=plan,
        sessions=_left(1_000, 996, 40),
        credentials=_left(50, 46, 20),
        quota=_left(99, 95, 12 * 3600),
        days=(),
    )


def test_days_are_told_by_credential_the_latest_first(usage: Usages, store: MemoryStore, user: User) -> None:
    one, three = _key(store, user, 1), _key(store, user, 3)
    _key(store, store.add(a_user("other")), 2)
    _used(store, user, TODAY, s=2, n1=3, n3=4)
    yesterday, long_ago = TODAY - timedelta(days=1), TODAY - timedelta(days=30)
    store.usage_days |= {
        (user.id, yesterday): {"1": 1, "2": 5},
        (user.id, long_ago): {"s": 9},
        ("another", yesterday): {"s": 9},
    }
    told = usage.of(signed_in(user), user.id, None, None).days

    assert told == (
        UsageDay(
            day=TODAY,
            requests=9,
            sessions=2,
            credentials=(
                CredentialUsage(credential_id=three.id, key_id="key-3", requests=4),
                CredentialUsage(credential_id=one.id, key_id="key-1", requests=3),
            ),
        ),
        UsageDay(
            day=yesterday,
            requests=6,
            sessions=0,
            credentials=(
                CredentialUsage(requests=5),
                CredentialUsage(credential_id=one.id, key_id="key-1", requests=1),
            ),
        ),
    )
    assert [d.day for d in usage.of(signed_in(user), user.id, long_ago, long_ago).days] == [long_ago]


def test_the_gates_own_day_is_told_also_when_nobody_has_called_since(
    usage: Usages, store: MemoryStore, user: User, clock: StoppedClock
) -> None:
    _used(store, user, TODAY, s=2)
    clock.advance(days=3)

    [day] = usage.of(signed_in(user), user.id, None, None).days
    assert (day.day, day.requests) == (TODAY, 2)
    assert usage.of(signed_in(user), user.id, TODAY + timedelta(days=1), None).days == ()


def test_a_reset_starts_every_counter_afresh_and_keeps_the_days(
    usage: Usages, store: MemoryStore, admin: User, user: User
) -> None:
    _used(store, user, TODAY, s=2)
    before = usage.of(signed_in(admin), user.id, None, None)
    after = usage.reset(signed_in(admin), user.id)

    assert after == replace(before, sessions=_left(10, 10, 60), credentials=_left(10, 10, 60))
    assert usage.of(signed_in(admin), user.id, None, None) == after
    assert after.days[0].requests == 2


def test_too_many_days_are_refused(usage: Usages, user: User) -> None:
    with pytest.raises(BadRequest) as refusal:
        usage.of(signed_in(user), user.id, TODAY - timedelta(days=92), None)

    assert refusal.value.field == "from"


def test_a_moderator_reads_the_usage_of_users_only_and_resets_none(
    usage: Usages, moderator: User, user: User, admin: User
) -> None:
    caller = signed_in(moderator)
    usage.of(caller, user.id, None, None)
    usage.of(caller, moderator.id, None, None)
    usage.explain(caller, user.id, None, "me", Action.READ_USER)
    for call in (
        lambda: usage.of(caller, admin.id, None, None),
        lambda: usage.explain(caller, admin.id, None, "me", Action.READ_USER),
        lambda: usage.reset(caller, user.id),
        lambda: usage.reset(caller, moderator.id),
    ):
        with pytest.raises(Forbidden):
            call()


def test_a_user_knows_of_no_other_and_nobody_of_what_is_not_there(
    usage: Usages, store: MemoryStore, user: User, admin: User
) -> None:
    other = store.add(a_user("other"))
    for caller, id in ((user, other.id), (user, new_id(START)), (admin, new_id(START)), (admin, "x")):
        for call in (
            lambda c, i: usage.of(signed_in(c), i, None, None),
            lambda c, i: usage.explain(signed_in(c), i, None, "me", Action.READ_USER),
        ):
            with pytest.raises(NotFound) as refusal:
                call(caller, id)
            assert refusal.value.message == "There is no such user."
    with pytest.raises(NotFound):
        usage.reset(signed_in(admin), new_id(START))


def test_who_is_deleted_meanwhile_is_not_found(usage: Usages, store: MemoryStore, user: User, admin: User) -> None:
    del store.gates.gates[user.id]
    for call in (
        lambda: usage.of(signed_in(admin), user.id, None, None),
        lambda: usage.reset(signed_in(admin), user.id),
        lambda: usage.explain(signed_in(admin), user.id, None, "me", Action.READ_USER),
    ):
        with pytest.raises(NotFound):
            call()


def test_an_explanation_holds_a_session_to_the_role_and_a_credential_to_the_plan(
    usage: Usages, store: MemoryStore, user: User
) -> None:
    key = _key(store, user)
    plan = _plan(store, user)
    store.plans[plan.id] = replace(plan, allowed_fields=("me",))
    caller = signed_in(user)

    def told(credential_id: str | None, operation: str) -> tuple[AccessRule, int | None]:
        explanation = usage.explain(caller, user.id, credential_id, operation, Action.READ_USER)
        return explanation.rule, explanation.limit

    assert told(None, "user") == (AccessRule.QUOTA, 10)
    assert told(key.id.upper(), "me") == (AccessRule.QUOTA, 50)
    assert told(key.id, "user") == (AccessRule.PLAN, None)


def test_an_explanation_spends_nothing_and_writes_nothing(usage: Usages, store: MemoryStore, user: User) -> None:
    key = _key(store, user)
    before: Mapping[str, object] = dict(store.gates.gates)
    for _ in range(20):
        assert usage.explain(signed_in(user), user.id, key.id, "me", Action.READ_USER).remaining == 10

    assert store.gates.gates == before
    assert set(store.calls) == {"find_user"}


def test_a_credential_of_somebody_else_is_not_found(usage: Usages, store: MemoryStore, user: User, admin: User) -> None:
    others = _key(store, admin)
    for id in (others.id, new_id(START), "x", ""):
        with pytest.raises(NotFound) as refusal:
            usage.explain(signed_in(admin), user.id, id, "me", Action.READ_USER)
        assert refusal.value.message == "There is no such credential."
