"""Credentials that end soon: each end is told once, a week ahead, whatever happens in between."""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.audit.model import SYSTEM, AuditAction, Target, TargetType
from gatehouse.cleanup.model import Report
from gatehouse.errors import ServiceUnavailable
from tests.unit.endings import MemoryEndings, ending_in, tell
from tests.unit.fakes import START, StoppedClock
from tests.unit.sweeps import Killed

DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=1)
LEFT = st.sampled_from([None, -DAY, MOMENT, 3 * DAY, 7 * DAY, 7 * DAY + MOMENT, 90 * DAY])


def test_an_end_is_told_a_week_ahead_and_once(clock: StoppedClock) -> None:
    store = MemoryEndings()
    key = store.keep(ending_in(1, 90 * DAY))

    told = []
    for day in range(100):
        report = tell(store, clock)
        if report != Report():
            told.append((day, report))
        clock.advance(days=1)

    assert told == [(83, Report(expiring=1))]
    [event] = store.events
    assert (event.action, event.actor, event.at) == (AuditAction.CREDENTIAL_EXPIRING, SYSTEM, START + 83 * DAY)
    assert (event.subject_id, event.target) == (key.consumer_id, Target(TargetType.CREDENTIAL, key.id))
    assert (event.before, event.after) == ({}, {"expiresAt": "2026-05-30T12:00:00.000Z"})


def test_an_end_that_is_moved_is_told_anew_and_one_that_was_told_is_not(clock: StoppedClock) -> None:
    store = MemoryEndings()
    key = store.keep(ending_in(1, 3 * DAY))
    tell(store, clock)
    store.keep(replace(key, label="another"))
    assert tell(store, clock) == Report()

    store.keep(replace(key, expires_at=START + 5 * DAY))
    assert tell(store, clock) == Report(expiring=1)
    assert store.waiting == set()


def test_one_that_is_off_is_told_only_once_it_is_on_again(clock: StoppedClock) -> None:
    store = MemoryEndings()
    key = store.keep(ending_in(1, 3 * DAY))
    store.keep(replace(key, is_active=False))
    assert tell(store, clock) == Report()

    store.keep(key)
    assert tell(store, clock) == Report(expiring=1)


def test_what_has_ended_already_is_not_told_and_not_looked_at_again(clock: StoppedClock) -> None:
    store = MemoryEndings()
    store.keep(ending_in(1, -DAY))

    assert tell(store, clock) == Report()
    assert store.waiting == set()


@given(st.lists(LEFT, min_size=1, max_size=60))
@settings(deadline=None)
def test_a_dry_run_tells_how_many_there_are_and_writes_nothing(lefts: list[timedelta | None]) -> None:
    store, clock = MemoryEndings(), StoppedClock()
    for number, left in enumerate(lefts):
        store.keep(ending_in(number, left))
    waiting = set(store.waiting)
    report = tell(store, clock, dry_run=True)

    assert (store.waiting, store.events) == (waiting, [])
    assert report == replace(tell(store, clock), dry_run=True)
    assert tell(store, clock) == Report()


@given(st.lists(LEFT, min_size=1, max_size=40), st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=3))
@settings(deadline=None)
def test_killed_at_any_call_and_run_again_each_end_is_told_once(
    lefts: list[timedelta | None], kills: list[tuple[int, bool]]
) -> None:
    store, clock = MemoryEndings(), StoppedClock()
    for number, left in enumerate(lefts):
        store.keep(ending_in(number, left))
    for number, took_effect in kills:
        store.calls = []

        def kill(_: str, at: int = number) -> None:
            if len(store.calls) == at:
                raise Killed

        store.before, store.after = (lambda _: None, kill) if took_effect else (kill, lambda _: None)
        with suppress(Killed):
            tell(store, clock)
    store.before = store.after = lambda _: None
    tell(store, clock)

    due = [left for left in lefts if left is not None and timedelta(0) < left <= 7 * DAY]
    assert len(store.events) == len({event.target for event in store.events}) == len(due)


def test_one_that_changes_meanwhile_is_left_to_the_next_run(clock: StoppedClock) -> None:
    store = MemoryEndings()
    key = store.keep(ending_in(1, 3 * DAY))

    def change(name: str) -> None:
        if name == "tell_end":
            store.keep(replace(key, expires_at=START + 4 * DAY))

    store.before = change
    assert tell(store, clock) == Report()
    store.before = lambda _: None
    assert tell(store, clock) == Report(expiring=1)


def test_one_that_fails_keeps_no_other_back_and_is_logged(
    clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryEndings()
    for number in range(3):
        store.keep(ending_in(number, 3 * DAY))
    faults = iter([ServiceUnavailable("The store did not answer.")])

    def fail(name: str) -> None:
        if name == "tell_end" and (fault := next(faults, None)) is not None:
            raise fault

    store.before = fail
    with caplog.at_level(logging.ERROR, "gatehouse.cleanup.expiring"):
        assert tell(store, clock) == Report(expiring=2, failed=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert tell(store, clock) == Report(expiring=1)


def test_without_time_nothing_is_asked(clock: StoppedClock) -> None:
    store = MemoryEndings()
    store.keep(ending_in(1, DAY))

    assert tell(store, clock, seconds=9.9) == Report(went_on=True)
    assert store.calls == []


def test_where_it_is_not_known_what_ends_the_run_fails(clock: StoppedClock) -> None:
    store = MemoryEndings()

    def fail(_: str) -> None:
        raise ServiceUnavailable("The store did not answer.")

    store.before = fail
    with pytest.raises(ServiceUnavailable):
        tell(store, clock)
