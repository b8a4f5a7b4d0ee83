"""The store of the sweep on the table: who is found, what a step writes and when it does not, what it costs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from gatehouse.admission.model import Entry
from gatehouse.audit.model import SYSTEM, AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.model import Dormant, Place, Report, Step
from gatehouse.cleanup.service import Sweep, SweepStore
from gatehouse.clock import Clock, milliseconds
from gatehouse.consumers.inactivity import Activity, Rules, Stage
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.storage import keys
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.audit import event_of
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.sweep import DynamoSweep
from tests.contracts.faults import Fault, PatientTime, cancelled, faults, lost, none, refused, silent, unprocessed
from tests.contracts.made_up import entrance, new_session
from tests.stores import Item, Store, clients, cost_of
from tests.unit.fakes import START, StoppedClock, a_user
from tests.unit.sweeps import AT_ONCE, RULES, Killed, PlainNotices

DAY = timedelta(days=1)
LONG_AGO = START - 80 * DAY


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def sweep(store: Store, clock: StoppedClock) -> Sweep:
    return on_the_table(clock)


def on_the_table(clock: Clock, store: SweepStore | None = None, rules: Rules = RULES) -> Sweep:
    """The sweep of the table, or of a store that stands in for it."""
    return Sweep(store or DynamoSweep(), clock, lambda: rules, PlainNotices(clock), Recorder(clock))


def a_consumer(name: str = "john", **changes: Any) -> User:
    """A user that was made long ago, and never seen again."""
    user = replace(a_user(name), **{"created_at": LONG_AGO} | changes)
    DynamoConsumers().create_user(user, "hash")
    return user


def sign_in(user: User, at: datetime = START) -> None:
    """The user opens a session, and does no more."""
    account = DynamoAccounts().find_account_of(user.id)
    assert account is not None
    session = new_session(user, generation=account.generation, age=START - at)[0]
    DynamoAccounts().open_session(account, session, entrance(of=user))


def _dying_at(when: tuple[int, bool] | None, sweep: Sweep) -> int:
    """How many calls of the store a run made; it dies at the one of that number, before it takes effect or after."""
    sent, answered = count(), count()

    def die(counted: Iterator[int], is_after: bool, **_more: object) -> None:
        if (next(counted), is_after) == when:
            raise Killed

    heard = {"before-call.dynamodb": partial(die, sent, False), "after-call.dynamodb": partial(die, answered, True)}
    with ExitStack() as stack:
        for client in clients():
            for event, listener in heard.items():
                client.meta.events.register(event, listener)
                stack.callback(client.meta.events.unregister, event, listener)
        run(sweep)
    return next(answered)


def state_of(store: Store) -> tuple[object, ...]:
    """All that is kept; of mails and events, whose ids are random, how many there are, and what they tell of whom."""
    kept = store.items()
    mails = [item for item in kept if item["PK"]["S"].startswith("MAIL")]
    others = [item for item in kept if not item["PK"]["S"].startswith(("MAIL", "EV#"))]
    return others, len(mails), recorded(store)


def recorded(store: Store) -> list[tuple[str, str]]:
    """What was done to whom, in the order of their ids."""
    return recorded_in(store.items())


def recorded_in(items: Sequence[Item]) -> list[tuple[str, str]]:
    """The same of what was in a table."""
    events = [item for item in items if item["PK"]["S"].startswith("EV#")]
    return sorted((item["subjectId"]["S"], item["action"]["S"]) for item in events)


def a_world(clock: StoppedClock) -> list[User]:
    """People to each of whom something else is due, when this is done."""
    gone = [a_consumer("ann"), a_consumer("bob")]
    sweep = on_the_table(clock)
    run(sweep)
    clock.advance(days=10)
    run(sweep)
    clock.advance(days=255)
    warned = a_consumer("gina", created_at=clock.now() - 80 * DAY)
    run(sweep)
    clock.advance(days=20)
    fresh = a_consumer("fred", created_at=clock.now() - 80 * DAY)
    back = a_consumer("hugo", created_at=clock.now() - 100 * DAY)
    sign_in(back, clock.now() - 50 * DAY)
    return [*gone, warned, fresh, back, a_consumer("ida", created_at=clock.now() - 200 * DAY)]


def narrowed(people: Sequence[User]) -> DynamoSweep:
    """The store, which looks where these people are and nowhere else."""
    parts = sorted({person.id[-1] for person in people})

    class Narrow(DynamoSweep):
        def parts(self) -> Sequence[str]:
            return parts

    return Narrow()


def activity_of(user: User) -> Activity | None:
    return GateRecord.get(keys.gate(user.id), keys.GATE, consistent_read=True).activity()


def run(sweep: Sweep) -> Report:
    return sweep.run(lambda: 900.0)


def found(user: User) -> User:
    now = DynamoConsumers().find_user(user.id)
    assert now is not None
    return now


def test_a_consumer_goes_through_its_stages(sweep: Sweep, store: Store, clock: StoppedClock) -> None:
    john = a_consumer(first_name="John")

    assert run(sweep) == Report(considered=1, warned=1)
    assert activity_of(john) == Activity(active_at=LONG_AGO, stage=Stage.WARNED, stage_at=START)
    assert found(john) == john
    assert recorded(store) == [(john.id, "ACCOUNT_WARNED")]

    clock.advance(days=10)
    assert run(sweep) == Report(considered=1, deactivated=1)
    off = found(john)
    assert (off.is_active, off.deactivated_by, off.revision) == (False, DeactivatedBy.SWEEP, 1)

    clock.advance(days=275)
    assert run(sweep) == Report(considered=1, anonymised=1)
    assert found(john).email == f"{john.id}@anonymised"
    assert activity_of(john) is None
    # The events of it are erased, and the mails deleted, behind the stream.
    text = repr([item for item in store.items() if not item["PK"]["S"].startswith(("MAIL", "TRY", "EV#"))])
    assert not any(word in text for word in ("john", "John", "hash"))
    assert [action for _, action in recorded(store)] == ["ACCOUNT_ANONYMISED", "ACCOUNT_DEACTIVATED", "ACCOUNT_WARNED"]
    assert run(sweep) == Report()


def test_a_step_is_told_with_it_and_by_nobody(store: Store, clock: StoppedClock) -> None:
    john = a_consumer(created_at=START - 100 * DAY)
    run(on_the_table(clock, rules=AT_ONCE))

    [item] = [item for item in store.items() if item["PK"]["S"].startswith("EV#")]
    event = event_of(item)
    assert (event.at, event.actor, event.subject_id, event.target) == (START, SYSTEM, john.id, None)
    assert (event.action, event.before, event.after) == (
        AuditAction.ACCOUNT_DEACTIVATED,
        {"stage": "ACTIVE", "isActive": True, "deactivatedBy": None},
        {
            "stage": "DEACTIVATED",
            "isActive": False,
            "deactivatedBy": "SWEEP",
            "lastActiveAt": "2025-11-21T12:00:00.000Z",
        },
    )


def test_without_notice_who_is_past_all_days_is_deactivated_in_one_step(store: Store, clock: StoppedClock) -> None:
    john = a_consumer(created_at=START - 91 * DAY)

    assert run(on_the_table(clock, rules=AT_ONCE)) == Report(considered=1, deactivated=1)
    assert (found(john).is_active, activity_of(john)) == (
        False,
        Activity(active_at=START - 91 * DAY, stage=Stage.DEACTIVATED, stage_at=START),
    )


def test_whoever_is_not_dormant_is_not_found(sweep: Sweep, store: Store) -> None:
    DynamoConsumers().create_user(a_user("fresh"), "hash")
    a_consumer("admin", role=Role.ADMIN)
    a_consumer("off", is_active=False)

    assert run(sweep) == Report()


def test_pages_go_on_behind_those_that_stay(sweep: Sweep, store: Store, clock: StoppedClock) -> None:
    users = [a_consumer(f"person{number}") for number in range(6)]
    store_of = DynamoSweep()
    seen = []
    for part in keys.SWEEP_PARTS:
        after = None
        while True:
            page = store_of.page_dormant(Place(Role.USER, Stage.ACTIVE, part), START, 1, after)
            seen += [dormant.user.id for _, dormant in page.entries]
            after = page.next_position
            if after is None:
                break

    assert sorted(seen) == sorted(user.id for user in users)


def asks_for_something(user: User, at: datetime = START, *, turns_day: bool = True) -> None:
    """A request, the first of a day unless it is said to be another, of whatever credential."""
    now = milliseconds(at)
    entry = Entry(now=now, steps=(), user="1", cost=1, day=now // 86_400_000, turns_day=turns_day, role=user.role)
    DynamoGates().enter(user.id, 0, entry)


COMES_BACK: dict[str, Callable[[User], object]] = {
    "asks for something": asks_for_something,
    "signs in": sign_in,
    "gets another role": lambda user: DynamoConsumers().update_user(
        user, replace(user, role=Role.MODERATOR, updated_at=START, revision=1), None
    ),
    "is made an ADMIN": lambda user: DynamoConsumers().update_user(
        user, replace(user, role=Role.ADMIN, updated_at=START, revision=1), None
    ),
    "switches off": lambda user: DynamoConsumers().update_user(
        user,
        replace(user, is_active=False, deactivated_by=DeactivatedBy.OWNER, updated_at=START, revision=1),
        None,
    ),
    "is deleted": lambda user: DynamoConsumers().delete_user(user),
    "is changed": lambda user: DynamoConsumers().update_user(user, replace(user, first_name="J", revision=1), None),
}


@pytest.mark.parametrize("way", COMES_BACK)
@pytest.mark.parametrize("stage", [Stage.ACTIVE, Stage.WARNED])
def test_who_has_moved_on_since_it_was_read_is_left_alone(
    store: Store, clock: StoppedClock, way: str, stage: Stage
) -> None:
    john = a_consumer()
    after: list[object] = []

    class Racing(DynamoSweep):
        def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
            COMES_BACK[way](john)
            after.append(store.items())
            super().take_step(step, event)

    if stage is Stage.WARNED:
        run(on_the_table(clock))
        clock.advance(days=10)

    assert run(on_the_table(clock, Racing())) == Report(considered=1, skipped=1)
    assert after == [store.items()]


SWITCHED_ON: Mapping[str, Callable[[User], object]] = {
    "is switched on": lambda user: DynamoConsumers().update_user(
        user, replace(user, is_active=True, deactivated_by=None, updated_at=START, revision=user.revision + 1), None
    ),
    "gets another role": lambda user: DynamoConsumers().update_user(
        user, replace(user, role=Role.MODERATOR, updated_at=START, revision=user.revision + 1), None
    ),
    "is changed": lambda user: DynamoConsumers().update_user(
        user, replace(user, first_name="J", revision=user.revision + 1), None
    ),
    "is deleted": lambda user: DynamoConsumers().delete_user(user),
}


@pytest.mark.parametrize("way", SWITCHED_ON)
def test_who_is_seen_to_just_before_it_would_be_anonymised_is_not(store: Store, clock: StoppedClock, way: str) -> None:
    john = a_consumer(created_at=START - 100 * DAY)
    run(on_the_table(clock, rules=AT_ONCE))
    clock.advance(days=300)
    after: list[object] = []

    class Racing(DynamoSweep):
        def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
            SWITCHED_ON[way](found(john))
            after.append(store.items())
            super().take_step(step, event)

    assert run(on_the_table(clock, Racing(), AT_ONCE)) == Report(considered=1, skipped=1)
    assert after == [store.items()]


def test_only_the_first_request_of_a_day_is_noted_and_an_admin_s_never(store: Store) -> None:
    john, admin = a_consumer(), a_consumer("admin", role=Role.ADMIN)
    for user in (john, admin):
        for hours in (1, 2):
            asks_for_something(user, START + timedelta(hours=hours), turns_day=hours == 1)

    assert activity_of(john) == Activity(active_at=START + timedelta(hours=1))
    assert activity_of(admin) is None


@pytest.mark.parametrize("stage", [Stage.ACTIVE, Stage.WARNED])
def test_who_has_signed_in_and_done_no_more_is_found_once_and_then_by_the_sign_in(
    store: Store, clock: StoppedClock, sweep: Sweep, stage: Stage
) -> None:
    john = a_consumer()
    if stage is Stage.WARNED:
        run(sweep)
    sign_in(john, START + DAY)
    clock.advance(days=10)

    assert sweep.run(lambda: 900.0, dry_run=True) == Report(considered=1, skipped=1, dry_run=True)
    assert run(sweep) == Report(considered=1, skipped=1)
    assert activity_of(john) == Activity(active_at=START + DAY)
    assert run(sweep) == Report()

    clock.advance(days=66)
    assert run(sweep) == Report()
    clock.advance(days=1)
    assert run(sweep) == Report(considered=1, warned=1)


def test_who_signed_in_long_ago_is_due_by_that_day(store: Store, clock: StoppedClock) -> None:
    john = a_consumer(created_at=START - 200 * DAY)
    sign_in(john, START - 80 * DAY)

    assert run(on_the_table(clock, rules=AT_ONCE)) == Report(considered=1, warned=1)
    assert activity_of(john) == Activity(active_at=START - 80 * DAY, stage=Stage.WARNED, stage_at=START)


def test_who_asks_for_something_while_a_sign_in_is_noted_stays_as_active_as_that(
    store: Store, clock: StoppedClock
) -> None:
    john = a_consumer()
    sign_in(john, START - DAY)

    class Racing(DynamoSweep):
        def note_return(self, before: Dormant, after: Dormant) -> None:
            asks_for_something(john)
            super().note_return(before, after)

    assert run(on_the_table(clock, Racing())) == Report(considered=1, skipped=1)
    assert activity_of(john) == Activity(active_at=START)


def test_killed_while_it_clears_the_next_run_ends_it(sweep: Sweep, store: Store, clock: StoppedClock) -> None:
    john = a_consumer()
    run(sweep)
    clock.advance(days=10)
    run(sweep)
    clock.advance(days=275)

    class Dying(DynamoSweep):
        def clear(self, anonymised: Dormant) -> None:
            raise Killed

    with pytest.raises(Killed):
        run(on_the_table(clock, Dying()))
    assert run(sweep) == Report(considered=1, anonymised=1)
    assert activity_of(john) is None


@pytest.mark.parametrize("rules", [RULES, AT_ONCE], ids=["with notice", "without"])
@pytest.mark.long
def test_killed_at_any_call_of_the_store_and_run_again_the_result_is_the_same(
    dynoxide_store: Store, clock: StoppedClock, rules: Rules
) -> None:
    """Each call of one run dies once, before it takes effect and after: the table is in the end as after one run."""
    people = a_world(clock)
    sweep = on_the_table(clock, narrowed(people), rules)
    start = dynoxide_store.items()
    calls = _dying_at(None, sweep)
    wanted = state_of(dynoxide_store)
    assert Counter(action for _, action in set(recorded(dynoxide_store)) - set(recorded_in(start))) == Counter(
        ACCOUNT_ANONYMISED=2,
        ACCOUNT_DEACTIVATED=1 if rules is RULES else 2,
        ACCOUNT_WARNED=2 if rules is RULES else 1,
    )

    for took_effect in (False, True):
        for number in range(calls):
            dynoxide_store.put_back(start, dynoxide_store.items())
            with pytest.raises(Killed):
                _dying_at((number, took_effect), sweep)
            assert run(sweep).failed == 0
            assert state_of(dynoxide_store) == wanted


FAULTS: dict[str, tuple[str, Fault]] = {
    "a transaction's answer is lost": ("TransactWriteItems", lost),
    "a transaction meets no store": ("TransactWriteItems", silent),
    "a transaction meets another": ("TransactWriteItems", cancelled("TransactionConflict", "None", "None", "None")),
    "a write's answer is lost": ("UpdateItem", lost),
    "a write meets a transaction": ("UpdateItem", refused("TransactionConflictException")),
    "a batch is put off": ("BatchWriteItem", unprocessed),
    "a batch's answer is lost": ("BatchWriteItem", lost),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_the_store_does_the_next_run_comes_to_the_same(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime, name: str
) -> None:
    """Each request of the kind fails once, and for as long as the SDK tries; the run itself goes on with the others."""
    operation, fault = FAULTS[name]
    people = a_world(clock)
    sweep = on_the_table(clock, narrowed(people))
    start = dynoxide_store.items()
    with faults(operation, []) as sent:
        run(sweep)
    wanted = state_of(dynoxide_store)

    for times in (1, 3):
        for number in range(len(sent)):
            dynoxide_store.put_back(start, dynoxide_store.items())
            with faults(operation, [*[none] * number, *[fault] * times]):
                report = run(sweep)
            assert not report.went_on
            assert run(sweep).failed == 0
            assert state_of(dynoxide_store) == wanted


def test_two_that_read_the_same_take_one_step(store: Store, clock: StoppedClock) -> None:
    a_consumer()
    inner = on_the_table(clock)
    reports = []

    class Second(DynamoSweep):
        def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
            reports.append(run(inner))
            super().take_step(step, event)

    reports.append(run(on_the_table(clock, Second())))
    assert reports == [Report(considered=1, warned=1), Report(considered=1, skipped=1)]
    assert sum(item["PK"]["S"].startswith("MAIL") for item in store.items()) == 1


def test_back_by_a_change_of_state_begins_afresh(store: Store, sweep: Sweep, clock: StoppedClock) -> None:
    john = a_consumer()
    run(sweep)
    clock.advance(days=10)
    run(sweep)
    off = found(john)
    back = replace(off, is_active=True, deactivated_by=None, updated_at=clock.now(), revision=off.revision + 1)
    DynamoConsumers().update_user(off, back, None)

    assert activity_of(john) == Activity(active_at=clock.now())
    assert run(sweep) == Report()


def test_who_is_not_due_costs_nothing(dynoxide_store: Store, clock: StoppedClock) -> None:
    sweep = on_the_table(clock)
    a_consumer()

    def dry() -> Report:
        return sweep.run(lambda: 900.0, dry_run=True)

    alone = cost_of(dry)
    for number in range(60):
        DynamoConsumers().create_user(a_user(f"fresh{number}"), "hash")

    assert cost_of(dry) == alone
    assert alone.calls["BatchGetItem"] == 1
    assert "Scan" not in alone.calls
