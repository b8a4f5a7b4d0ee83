"""The gate against a model, on the store in memory."""

from functools import partial

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from gatehouse.clock import Clock
from gatehouse.settings import Settings
from tests.gate_machine import GateMachine, World
from tests.unit.fakes import MemoryStore, StoppedClock, the_admission, the_house
from tests.unit.plan_stores import MemoryPlans


def a_world(clock: StoppedClock, late: Clock, chosen: Settings) -> World:
    store = MemoryStore()
    house = the_house(store, clock, chosen)
    find_plan = MemoryPlans(store).find_plan
    return World(
        functions=[the_admission(store, store.gates, store.lockouts, at, chosen, find_plan) for at in (clock, late)],
        people=house.people,
        consumers=house.consumers,
        credentials=house.credentials,
        plans=house.plans,
        usage=house.usage,
        find_gate=store.gates.gates.get,
    )


def test_two_functions_answer_and_count_as_the_model_does() -> None:
    run_state_machine_as_test(
        partial(GateMachine, a_world), settings=settings(max_examples=100, stateful_step_count=40, deadline=None)
    )
