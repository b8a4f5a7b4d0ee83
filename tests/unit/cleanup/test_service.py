"""The sweep: what a run does, tells and leaves, whatever happens in between."""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.cleanup.model import Report
from gatehouse.consumers.inactivity import Activity, Rules, Stage
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import MailKind
from tests.unit.fakes import START, StoppedClock
from tests.unit.sweeps import AT_ONCE, RULES, Kept, Killed, MemorySweep, a_consumer, run, run_two, the_sweep

DAY = timedelta(days=1)
DAYS = st.sampled_from([0, 6, 7, 75, 76, 89, 90, 150, 180, 275, 364, 365, 900]).map(lambda days: days * DAY)
RULE_SETS = st.sampled_from([RULES, AT_ONCE])


@st.composite
def worlds(draw: st.DrawFn) -> MemorySweep:
    """Some consumers of every sort, up to a page and a half of them in one part."""
    store = MemorySweep()
    sort = st.tuples(DAYS, st.sampled_from(Stage), DAYS, st.sampled_from(Role), st.none() | DAYS)
    for number, (unused, stage, in_stage, role, signed_in) in enumerate(draw(st.lists(sort, min_size=1, max_size=12))):
        user, activity = a_consumer(number, unused=unused, stage=stage, in_stage=min(in_stage, unused), role=role)
        store.add(user, activity, "session", "key") if role is not Role.ADMIN else store.add(user, None, "session")
        if signed_in is not None:
            store.sign_in(user.id, START - signed_in)
    for number in range(100, 100 + draw(st.sampled_from([0, 0, 80]))):
        store.add(*a_consumer(number, unused=200 * DAY))
    return store


def steps(report: Report) -> tuple[int, int, int]:
    return report.warned, report.deactivated, report.anonymised


def test_a_consumer_is_warned_deactivated_and_anonymised_each_in_its_time() -> None:
    store, clock = MemorySweep(), StoppedClock()
    john = store.add(*a_consumer(1, unused=timedelta(0)), "session", "key")

    seen = {}
    for day in range(400):
        report = run(store, clock)
        if report != Report():
            seen[day] = report
        clock.advance(days=1)

    assert seen == {
        76: Report(considered=1, warned=1),
        90: Report(considered=1, deactivated=1),
        365: Report(considered=1, anonymised=1),
    }
    assert store.told() == [(john.email, MailKind.ACCOUNT_EXISTS), (john.email, MailKind.ACCOUNT_LOCKED)]
    assert store.mails[0].words == {"day": (START + 90 * DAY).date().isoformat()}
    left = store.kept[john.id]
    assert (left.activity, left.belongings, left.user.username) == (None, frozenset(), f"~{john.id}")


def test_who_comes_back_after_a_warning_begins_afresh() -> None:
    store, clock = MemorySweep(), StoppedClock()
    john = store.add(*a_consumer(1, unused=80 * DAY))
    run(store, clock)
    clock.advance(days=10)
    store.come_back(john.id, clock.now())
    clock.advance(days=75)

    assert run(store, clock) == Report()
    assert store.kept[john.id] == Kept(john, Activity(active_at=START + 10 * DAY))


def test_whoever_is_behind_is_warned_first_and_has_days_to_come_back() -> None:
    store, clock = MemorySweep(), StoppedClock()
    store.add(*a_consumer(1, unused=900 * DAY))

    reports = []
    for _ in range(9):
        reports.append(steps(run(store, clock)))
        clock.advance(days=1)

    assert reports == [(1, 0, 0), *[(0, 0, 0)] * 6, (0, 1, 0), (0, 0, 0)]


def test_who_was_told_too_lately_is_considered_and_skipped() -> None:
    store = MemorySweep()
    store.add(*a_consumer(1, unused=900 * DAY, stage=Stage.WARNED, in_stage=6 * DAY))

    assert run(store) == Report(considered=1, skipped=1)


def test_an_admin_is_not_even_considered() -> None:
    store = MemorySweep()
    store.add(*a_consumer(1, unused=9_000 * DAY, role=Role.ADMIN))

    assert run(store) == Report()


@settings(deadline=None)
@given(worlds(), RULE_SETS)
def test_nobody_takes_two_steps_in_a_run_and_a_second_run_takes_none(store: MemorySweep, rules: Rules) -> None:
    report = run(store, rules=rules)
    after = dict(store.kept)
    assert len({subject for subject, _ in store.recorded()}) == len(store.events)
    assert len(store.told()) == report.warned + report.deactivated

    assert steps(run(store, rules=rules)) == (0, 0, 0)
    assert store.kept == after


@settings(deadline=None)
@given(worlds(), RULE_SETS)
def test_a_dry_run_tells_the_same_and_changes_nothing(store: MemorySweep, rules: Rules) -> None:
    before = store.state()
    told = run(store, rules=rules, dry_run=True)

    assert store.state() == before
    assert set(store.calls) <= {"page_dormant"}
    assert told == replace(run(store, rules=rules), dry_run=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), RULE_SETS, st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=3))
def test_killed_at_any_call_and_run_again_the_result_is_the_same(
    store: MemorySweep, rules: Rules, kills: list[tuple[int, bool]]
) -> None:
    whole = store.copy()
    run(whole, rules=rules)

    for number, took_effect in kills:
        store.before, store.after, store.calls = lambda _: None, lambda _: None, []

        def kill(_: str, at: int = number) -> None:
            if len(store.calls) == at:
                raise Killed

        if took_effect:
            store.after = kill
        else:
            store.before = kill
        with suppress(Killed):
            run(store, rules=rules)
    store.before, store.after = lambda _: None, lambda _: None
    run(store, rules=rules)

    assert store.state() == whole.state()


_RETURN = st.tuples(st.integers(0, 60), st.integers(0, 11), st.booleans(), st.booleans())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), RULE_SETS, st.lists(_RETURN, min_size=1, max_size=8))
def test_who_comes_back_at_any_moment_is_left_alone(
    store: MemorySweep, rules: Rules, returns: list[tuple[int, int, bool, bool]]
) -> None:
    """By a use, or by a sign-in that nothing follows: from then on no step is taken and nothing told."""
    ids = sorted(store.kept)
    back: dict[str, tuple[User, int]] = {}

    def told(user_id: str) -> int:
        return sum(event.subject_id == user_id for event in store.events)

    def come_back(*, is_before: bool) -> None:
        for number, who, before, signs_in in returns:
            user_id = ids[who % len(ids)]
            if (number, before) != (len(store.calls), is_before):
                continue
            if (store.sign_in if signs_in else store.come_back)(user_id, START):
                back[user_id] = store.kept[user_id].user, told(user_id)

    store.before = lambda _: come_back(is_before=True)
    store.after = lambda _: come_back(is_before=False)
    run(store, rules=rules)

    assert {user_id: (store.kept[user_id].user, told(user_id)) for user_id in back} == back
    assert all(user.is_active for user, _ in back.values())
    store.before = store.after = lambda _: None
    run(store, StoppedClock(START + 75 * DAY), rules=rules)
    assert {user_id: (store.kept[user_id].user, told(user_id)) for user_id in back} == back


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), RULE_SETS, st.lists(st.integers(0, 1), max_size=120))
def test_two_runs_at_once_do_together_what_one_does(store: MemorySweep, rules: Rules, schedule: list[int]) -> None:
    alone = store.copy()
    report = run(alone, rules=rules)

    one, other = run_two(store, StoppedClock(), rules, schedule)

    assert store.state() == alone.state()
    assert tuple(a + b for a, b in zip(steps(one), steps(other), strict=True)) == steps(report)
    assert (one.failed, other.failed) == (0, 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.integers(12, 60))
def test_a_run_ends_in_time_and_the_next_goes_on(store: MemorySweep, seconds: int) -> None:
    whole = store.copy()
    report = run(whole)

    reports = []
    while not reports or (reports[-1].went_on and len(reports) < 200):
        left = [float(seconds)]
        asked: list[float] = []

        def a_while(name: str, left: list[float] = left, asked: list[float] = asked) -> None:
            asked.append(left[0])
            left[0] -= 0.25 if name != "page_dormant" else 0.01

        store.before = a_while
        reports.append(the_sweep(store, StoppedClock()).run(lambda left=left: left[0]))
        assert all(now >= 8 for now in asked)
    store.before = lambda _: None

    assert not reports[-1].went_on
    assert store.state() == whole.state()
    assert tuple(map(sum, zip(*map(steps, reports), strict=True))) == steps(report)


def test_without_time_nothing_is_asked() -> None:
    store = MemorySweep()
    store.add(*a_consumer(1, unused=900 * DAY))

    assert the_sweep(store, StoppedClock()).run(lambda: 9.9) == Report(went_on=True)
    assert store.calls == []


def test_one_that_fails_keeps_no_other_back_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    store = MemorySweep()
    for number in range(3):
        store.add(*a_consumer(2 * number, unused=80 * DAY))
    faults = iter([ServiceUnavailable("The store did not answer.")])

    def fail(name: str) -> None:
        if name == "take_step" and (fault := next(faults, None)) is not None:
            raise fault

    store.before = fail
    with caplog.at_level(logging.ERROR, "gatehouse.cleanup.service"):
        assert run(store) == Report(considered=3, warned=2, failed=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]

    assert run(store) == Report(considered=1, warned=1)


def test_where_it_is_not_known_who_is_due_the_run_fails() -> None:
    store = MemorySweep()

    def fail(_: str) -> None:
        raise ServiceUnavailable("The store did not answer.")

    store.before = fail
    with pytest.raises(ServiceUnavailable):
        run(store)


def test_what_the_sweep_switched_off_says_so() -> None:
    store = MemorySweep()
    john = store.add(*a_consumer(1, unused=90 * DAY, stage=Stage.WARNED, in_stage=14 * DAY))
    run(store)

    left = store.kept[john.id].user
    assert (left.is_active, left.deactivated_by, left.revision) == (False, DeactivatedBy.SWEEP, 1)


def test_a_report_is_told_in_the_words_of_the_contract() -> None:
    report = Report(
        considered=6,
        warned=1,
        deactivated=2,
        anonymised=1,
        skipped=1,
        expiring=3,
        events_dropped=100,
        failed=1,
        went_on=True,
    )

    assert report.as_json() == {
        "considered": 6,
        "warned": 1,
        "deactivated": 2,
        "anonymised": 1,
        "skipped": 1,
        "expiring": 3,
        "eventsDropped": 100,
        "failed": 1,
        "wentOn": True,
        "dryRun": False,
    }
