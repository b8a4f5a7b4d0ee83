"""Plans as a function remembers them: read once a minute, forgotten by the minute and beyond a thousand."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gatehouse.errors import ServiceUnavailable
from gatehouse.plans import memory
from gatehouse.plans.memory import RememberedPlans
from gatehouse.plans.model import UsagePlan
from tests.unit.fakes import StoppedClock
from tests.unit.plan_stores import a_plan


class Plans:
    """What is kept, and how often each was read; `is_down` lets no read through."""

    def __init__(self, *plans: UsagePlan) -> None:
        self.kept = {plan.id: plan for plan in plans}
        self.reads: Counter[str] = Counter()
        self.is_down = False

    def find(self, plan_id: str) -> UsagePlan | None:
        self.reads[plan_id] += 1
        if self.is_down:
            raise ServiceUnavailable("The store did not answer. Try again.")
        return self.kept.get(plan_id)


def test_a_plan_is_read_once_a_minute(clock: StoppedClock) -> None:
    gold = a_plan("gold")
    plans = Plans(gold)
    remembered = RememberedPlans(plans.find, clock)

    for seconds in (0, 0, 59.999):
        clock.advance(seconds=seconds)
        assert remembered.find(gold.id) == gold
    assert plans.reads == {gold.id: 1}
    clock.advance(milliseconds=1)
    remembered.find(gold.id)
    assert plans.reads == {gold.id: 2}


def test_an_edit_counts_after_a_minute_at_the_latest(clock: StoppedClock) -> None:
    gold = a_plan("gold")
    plans = Plans(gold)
    remembered = RememberedPlans(plans.find, clock)
    remembered.find(gold.id)
    plans.kept[gold.id] = slower = replace(gold, rate_limit=1)

    assert remembered.find(gold.id) == gold
    clock.advance(seconds=60)
    assert remembered.find(gold.id) == slower


def test_that_there_is_no_such_plan_is_remembered_as_well(clock: StoppedClock) -> None:
    plans = Plans()
    remembered = RememberedPlans(plans.find, clock)

    assert [remembered.find("gone") for _ in range(3)] == [None] * 3
    assert plans.reads == {"gone": 1}


def test_a_clock_that_was_set_back_does_not_make_it_remember_longer(clock: StoppedClock) -> None:
    gold = a_plan("gold")
    plans = Plans(gold)
    remembered = RememberedPlans(plans.find, clock)
    remembered.find(gold.id)
    clock.advance(days=-1)
    remembered.find(gold.id)

    assert plans.reads == {gold.id: 2}


def test_a_store_that_does_not_answer_is_told_and_not_remembered(clock: StoppedClock) -> None:
    gold = a_plan("gold")
    plans = Plans(gold)
    remembered = RememberedPlans(plans.find, clock)
    remembered.find(gold.id)
    clock.advance(seconds=60)
    plans.is_down = True
    with pytest.raises(ServiceUnavailable):
        remembered.find(gold.id)
    plans.is_down = False

    assert remembered.find(gold.id) == gold


def test_no_more_than_a_thousand_are_remembered_and_the_first_read_goes_first(
    clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MOST_REMEMBERED", 3)
    some = [a_plan(f"plan {number}") for number in range(4)]
    plans = Plans(*some)
    remembered = RememberedPlans(plans.find, clock)
    for plan in some:
        remembered.find(plan.id)
    for plan in reversed(some):
        remembered.find(plan.id)

    assert [plans.reads[plan.id] for plan in some] == [2, 1, 1, 1]


def test_threads_that_ask_at_once_all_get_the_plan(clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_REMEMBERED", 2)
    some = [a_plan(f"plan {number}") for number in range(5)]
    remembered = RememberedPlans(Plans(*some).find, clock)
    wanted = some * 200
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(remembered.find, (plan.id for plan in wanted))) == wanted
