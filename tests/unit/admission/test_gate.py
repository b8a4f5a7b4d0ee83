"""How a request is decided again where the gate is not as it was remembered, and that this ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.gate import SESSIONS, Counter, Outdated, Request, address_limit
from gatehouse.admission.memory import Memory
from gatehouse.admission.meters import Allowance, Count, Limit, Meter, session_limits
from gatehouse.admission.model import AddressNotEntered, Gate, NotEntered
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, Standing
from gatehouse.errors import ServiceUnavailable
from gatehouse.plans.model import QuotaPeriod
from tests.unit.fakes import HOME, START
from tests.unit.gates import MemoryGates

NOW = milliseconds(START)
TODAY = NOW // 86_400_000
STANDING = Standing(consumer_id="u", is_active=True, role=Role.USER, epoch=3, generation=0)
REQUEST = Request(consumer_id="u", user=SESSIONS, limits=session_limits(10, 60), now=START)
LIMIT = address_limit(10, 60)


@pytest.fixture
def gates() -> MemoryGates:
    gates = MemoryGates()
    gates.stand(STANDING)
    return gates


@pytest.fixture
def counter(gates: MemoryGates) -> Counter:
    return Counter(gates, Memory())


def at(seconds: float) -> Request:
    return replace(REQUEST, now=START + timedelta(seconds=seconds))


def test_a_first_request_takes_one_write_as_nothing_can_have_been_counted(counter: Counter, gates: MemoryGates) -> None:
    gate, told = counter.enter(REQUEST, 3)
    assert told == Allowance(limit=10, remaining=9, resets_at=START + timedelta(minutes=1))
    assert gate == gates.gates["u"]
    assert gates.calls == ["enter"]


def test_what_others_counted_takes_one_write_more(counter: Counter, gates: MemoryGates) -> None:
    Counter(gates, Memory()).enter(REQUEST, 3)
    gates.calls.clear()
    assert counter.enter(REQUEST, 3)[1].remaining == 8
    assert counter.enter(REQUEST, 3)[1].remaining == 7
    assert gates.calls == ["enter"] * 3


def test_what_others_turned_takes_one_write_more(counter: Counter, gates: MemoryGates) -> None:
    other = Counter(gates, Memory())
    for one in (counter, other):
        one.enter(REQUEST, 3)
    other.enter(at(61), 3)
    gates.calls.clear()
    assert counter.enter(at(62), 3)[1] == Allowance(limit=10, remaining=8, resets_at=START + timedelta(seconds=121))
    assert gates.calls == ["enter"] * 2


def test_a_refusal_takes_one_write_that_is_not_made_and_is_remembered_with_what_it_told(
    counter: Counter, gates: MemoryGates
) -> None:
    for _ in range(10):
        counter.enter(REQUEST, 3)
    before = gates.gates["u"]
    gates.calls.clear()
    for _ in range(2):
        gate, told = counter.enter(REQUEST, 3)
        assert (gate, told.is_spent, told.remaining) == (before, True, 0)
    assert gates.calls == ["enter"] * 2
    assert gates.gates["u"] == before


def test_another_epoch_is_outdated_even_where_the_limit_is_spent(counter: Counter, gates: MemoryGates) -> None:
    for _ in range(10):
        counter.enter(REQUEST, 3)
    for epoch in (2, 4):
        with pytest.raises(Outdated):
            counter.enter(REQUEST, epoch)
    assert counter.enter(REQUEST, None)[1].is_spent


def test_a_gate_that_is_gone_is_outdated_and_forgotten(counter: Counter, gates: MemoryGates) -> None:
    counter.enter(REQUEST, 3)
    del gates.gates["u"]
    for epoch in (3, None):
        with pytest.raises(Outdated):
            counter.enter(REQUEST, epoch)
    assert counter.memory.gates.find("u") is None


def test_the_day_begins_with_its_first_request_and_leaves_a_note_for_the_stream(
    counter: Counter, gates: MemoryGates
) -> None:
    for request in (REQUEST, REQUEST, at(43_199), at(43_200), replace(at(43_200), user="1", note="c 1"), at(86_400)):
        counter.enter(request, 3)
    assert gates.notes == ["-", "-", "c 1"]
    assert (gates.gates["u"].day, gates.gates["u"].usage) == (TODAY + 1, {"s": 2, "1": 1})


def test_a_note_of_its_own_is_kept_where_the_day_begins_as_well(counter: Counter, gates: MemoryGates) -> None:
    counter.enter(replace(REQUEST, note="c 1"), 3)
    assert gates.notes == ["c 1"]


MONTH = Limit(Meter.QUOTA, 10, QuotaPeriod.MONTH)
OF_PLAN = replace(REQUEST, user="1", limits=[MONTH])
TOLD = f"{MONTH.ends(START)} 10"


def test_a_quota_is_told_once_by_the_request_that_takes_80_percent_without_a_write_more(
    counter: Counter, gates: MemoryGates
) -> None:
    told = [counter.enter(OF_PLAN, 3)[0].quota_told for _ in range(10)]

    assert told == [None] * 7 + [TOLD] * 3
    assert gates.notes == ["-", "-"]
    assert gates.calls == ["enter"] * 10


def test_what_others_counted_is_told_by_the_next_request_that_knows(counter: Counter, gates: MemoryGates) -> None:
    other = Counter(gates, Memory())
    for one in (counter, *[other] * 7):
        one.enter(OF_PLAN, 3)
    gates.calls.clear()

    assert counter.enter(OF_PLAN, 3)[0].quota_told == TOLD
    assert other.enter(OF_PLAN, 3)[0].quota_told == TOLD
    assert gates.notes == ["-", "-"]
    assert gates.calls == ["enter"] * 2


def test_a_quota_is_told_beside_the_note_of_a_use(counter: Counter, gates: MemoryGates) -> None:
    for _ in range(7):
        counter.enter(OF_PLAN, 3)

    assert counter.enter(replace(OF_PLAN, note="c 1"), 3)[0].quota_told == TOLD
    assert gates.notes == ["-", "c 1"]


def test_the_next_period_and_another_limit_are_told_again(counter: Counter, gates: MemoryGates) -> None:
    april = START.replace(month=4)
    raised = replace(MONTH, most=20)
    for request in (*[OF_PLAN] * 8, *[replace(OF_PLAN, limits=[raised])] * 8, *[replace(OF_PLAN, now=april)] * 8):
        counter.enter(request, 3)

    assert gates.notes == ["-", "-", "-", "-", "-"]
    assert gates.gates["u"].quota_told == f"{MONTH.ends(april)} 10"


def test_a_quota_that_was_reset_is_not_told_by_a_function_that_remembers_it_nearly_spent(
    counter: Counter, gates: MemoryGates
) -> None:
    for _ in range(7):
        counter.enter(OF_PLAN, 3)
    gates.gates["u"] = replace(gates.gates["u"], counts={}, quota_told=None)
    Counter(gates, Memory()).enter(OF_PLAN, 3)
    gates.calls.clear()
    gate, told = counter.enter(OF_PLAN, 3)

    assert (gate.quota_told, told.remaining) == (None, 8)
    assert gates.calls == ["enter"] * 2


def test_a_clock_that_is_late_neither_turns_the_day_back_nor_the_window(counter: Counter, gates: MemoryGates) -> None:
    late = Counter(gates, Memory())
    counter.enter(at(43_200), 3)
    late.enter(at(43_199.95), 3)
    gate, told = late.enter(at(43_199.95), 3)
    assert (gate.day, gate.usage, told.remaining) == (TODAY + 1, {"s": 3}, 7)
    assert gate.counts == {Meter.SESSIONS: Count(NOW + 43_260_000, 3)}


def test_an_address_is_decided_again_in_the_same_way(counter: Counter, gates: MemoryGates) -> None:
    other = Counter(gates, Memory())
    told = [one.enter_address(HOME, LIMIT, START).remaining for one in (counter, other, counter, other)]
    assert told == [9, 8, 7, 6]
    assert gates.calls == ["enter_address"] * 5
    for _ in range(6):
        counter.enter_address(HOME, LIMIT, START)
    spent = Allowance(limit=10, remaining=0, resets_at=START + timedelta(minutes=1), is_spent=True)
    assert [one.enter_address(HOME, LIMIT, START) for one in (counter, other)] == [spent] * 2


def test_a_gate_that_is_never_as_it_was_told_is_503(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[None] = []

    def never(*_told: Any) -> Gate:
        attempts.append(None)
        raise NotEntered(Gate(standing=STANDING, counts={}))

    def never_an_address(*_told: Any) -> Count:
        attempts.append(None)
        raise AddressNotEntered({})

    monkeypatch.setattr(counter.store, "enter", never)
    monkeypatch.setattr(counter.store, "enter_address", never_an_address)
    with pytest.raises(ServiceUnavailable):
        counter.enter(REQUEST, 3)
    with pytest.raises(ServiceUnavailable):
        counter.enter_address(HOME, LIMIT, START)
    assert len(attempts) == 16
