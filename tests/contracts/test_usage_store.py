"""The port of usage, `usage.service.UsageStore`, on every implementation."""

from datetime import date, timedelta
from functools import partial

import pytest

from gatehouse.admission.gate import Counter, Request
from gatehouse.admission.memory import Memory
from gatehouse.admission.meters import Allowance, Meter, credential_limits, session_limits
from gatehouse.admission.model import Gate
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.persistence import Stale
from gatehouse.plans.model import QuotaPeriod
from gatehouse.storage import keys
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.usage import DynamoUsage, UsageDayRecord
from gatehouse.usage.model import CredentialName
from gatehouse.usage.service import Usages
from tests.contracts.made_up import NOBODY, a_credential, an_admin, at_once, changed
from tests.stores import Store, cost_of
from tests.unit.fakes import START, StoppedClock, a_user, signed_in, the_throttle
from tests.unit.plan_stores import a_plan

CREDENTIALS = DynamoCredentials()
CONSUMERS = DynamoConsumers()
USAGE = DynamoUsage()
TODAY = date(2026, 3, 1)
PLAN = a_plan(rate_limit=25, burst_limit=20, quota_limit=500, quota_period=QuotaPeriod.DAY)
LIMITS = credential_limits(25, 60, PLAN)


@pytest.fixture
def user(store: Store) -> User:
    return kept_user()


def kept_user() -> User:
    user = a_user("john")
    CONSUMERS.create_user(user, None)
    return user


def key_of(owner: User, key_id: str) -> Credential:
    return CREDENTIALS.create_credential(a_credential(owner, key_id), "hash")


def call(owner: User, counter: Counter | None = None, number: int = 1, cost: int = 1) -> Allowance:
    """A request at the gate of the owner, by a function that has seen nothing yet where none is told."""
    known = counter or Counter(DynamoGates(), Memory())
    request = Request(
        consumer_id=owner.id, user=str(number), limits=LIMITS, now=START, cost=cost, note=f"some-credential {number}"
    )
    return known.enter(request, None)[1]


def call_by_session(owner: User) -> None:
    request = Request(consumer_id=owner.id, user="s", limits=session_limits(10, 60), now=START)
    Counter(DynamoGates(), Memory()).enter(request, None)


def gate_of(owner: User) -> Gate:
    gate = USAGE.find_gate(owner.id)
    assert gate is not None
    return gate


def kept_day(owner: User, day: date, **requests: int) -> None:
    told = {name.removeprefix("n"): count for name, count in requests.items()}
    UsageDayRecord(keys.consumer(owner.id), keys.usage_day(day), requests=told, expires=2_000_000_000).save()


def test_the_gate_is_found_with_what_was_counted_there(store: Store, user: User) -> None:
    call(user, number=1)
    call(user, number=2, cost=3)
    call_by_session(user)
    gate = gate_of(user)

    assert {meter: count.used for meter, count in gate.counts.items()} == {
        Meter.SESSIONS: 1,
        Meter.WINDOW: 4,
        Meter.BURST: 4,
        Meter.QUOTA: 4,
    }
    assert (gate.day, gate.usage) == (20513, {"1": 1, "2": 3, "s": 1})
    assert USAGE.find_gate(NOBODY) is None


def test_a_reset_takes_every_counter_and_leaves_all_else(store: Store, user: User) -> None:
    call(user)
    call_by_session(user)
    before = store.item(f"G#{user.id}", "G")
    assert before is not None
    USAGE.reset_gate(user.id)
    after = store.item(f"G#{user.id}", "G")

    counters = {f"{meter}{part}" for meter in Meter for part in ("Ends", "Used")}
    assert after == {name: value for name, value in before.items() if name not in counters}
    gate = gate_of(user)
    assert gate.counts == {}
    USAGE.reset_gate(user.id)
    assert gate_of(user) == gate


def test_a_reset_of_nobody_makes_no_gate(store: Store) -> None:
    before = store.items()

    with pytest.raises(Stale):
        USAGE.reset_gate(NOBODY)
    assert store.items() == before


@pytest.mark.parametrize("change", ["reset", "plan"])
def test_a_quota_that_was_nearly_spent_is_told_again_after_a_reset_and_with_another_plan(
    store: Store, user: User, change: str
) -> None:
    daily = [limit for limit in LIMITS if limit.meter is Meter.QUOTA]

    def call_for(cost: int) -> str | None:
        request = Request(consumer_id=user.id, user="1", limits=daily, now=START, cost=cost)
        return Counter(DynamoGates(), Memory()).enter(request, None)[0].quota_told

    told = call_for(400)
    assert told == f"{daily[0].ends(START)} 500"
    if change == "reset":
        USAGE.reset_gate(user.id)
    else:
        plans = DynamoPlanChanges()
        plans.create_plan(PLAN)
        plans.assign_plan(user, changed(user, plan_id=PLAN.id))

    assert [call_for(cost) for cost in (399, 1)] == [None, told]


@pytest.mark.parametrize("change", ["reset", "plan"])
def test_a_function_that_knew_the_gate_counts_afresh_after_a_reset_and_another_plan(
    store: Store, user: User, change: str
) -> None:
    counter = Counter(DynamoGates(), Memory())
    for _ in range(20):
        call(user, counter)
    assert call(user, counter).is_spent
    if change == "reset":
        USAGE.reset_gate(user.id)
    else:
        plans = DynamoPlanChanges()
        plans.create_plan(PLAN)
        plans.assign_plan(user, changed(user, plan_id=PLAN.id))

    assert [call(user, counter).remaining for _ in range(3)] == [24, 23, 22]


def test_days_are_found_between_the_first_and_the_last(store: Store, user: User) -> None:
    days = [TODAY + timedelta(days=number) for number in range(-3, 2)]
    for day in days:
        kept_day(user, day, s=day.day, n1=2, n27=1_000_000)
    key_of(user, "a-key")

    assert USAGE.find_days(user.id, days[1], days[3]) == {
        day: {"s": day.day, "1": 2, "27": 1_000_000} for day in days[1:4]
    }
    assert USAGE.find_days(user.id, date.min, days[0]) == {days[0]: {"s": days[0].day, "1": 2, "27": 1_000_000}}
    assert USAGE.find_days(user.id, days[4] + timedelta(days=1), date.max) == {}
    assert USAGE.find_days(NOBODY, date.min, date.max) == {}


def test_credentials_are_found_by_their_numbers_and_those_that_are_gone_are_left_out(store: Store, user: User) -> None:
    one, two, three = (key_of(user, f"key-{number}") for number in range(3))
    CREDENTIALS.delete_credential(two)
    names = {str(key.number): CredentialName(credential_id=key.id, key_id=key.key_id) for key in (one, three)}

    assert (one.number, two.number, three.number) == (1, 2, 3)
    assert USAGE.find_names(user.id, {"1", "2", "3", "99"}) == names
    assert USAGE.find_names(user.id, {"3"}) == {"3": names["3"]}
    assert USAGE.find_names(user.id, set()) == USAGE.find_names(NOBODY, {"1"}) == {}


def test_reading_usage_is_a_few_reads_and_two_queries_whatever_was_used(dynoxide_store: Store) -> None:
    user = kept_user()
    admin = signed_in(an_admin("root", CONSUMERS))
    for number in range(10):
        call(user, number=key_of(user, f"key-{number}").number)
    for number in range(1, 92):
        kept_day(user, TODAY - timedelta(days=number), s=1, n1=1, n10=1, n11=1)
    usage = Usages(USAGE, StoppedClock(), Recorder(StoppedClock()), the_throttle(), self_service=True)
    cost = cost_of(lambda: usage.of(admin, user.id, TODAY - timedelta(days=91), TODAY))
    reset = cost_of(lambda: usage.reset(admin, user.id))
    explained = cost_of(lambda: usage.explain(admin, user.id, None, "me", None))

    assert cost.calls == {"GetItem": 2, "Query": 2}
    assert reset.calls == {"GetItem": 2, "TransactWriteItems": 1, "Query": 2}
    assert explained.calls == {"GetItem": 2}


def test_calls_that_race_resets_are_never_more_than_the_limit_for_each(dynoxide_store: Store) -> None:
    user = kept_user()
    counters = [Counter(DynamoGates(), Memory()) for _ in range(4)]
    calls = [partial(call, user, counters[number % 4]) for number in range(60)]
    answers = at_once([*calls, partial(USAGE.reset_gate, user.id)])
    let_in = [answer for answer in answers[:60] if isinstance(answer, Allowance) and not answer.is_spent]

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert 20 <= len(let_in) <= 40
    assert gate_of(user).usage == {"1": len(let_in)}
