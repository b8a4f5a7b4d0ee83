"""The gate against a model, on a real store."""

from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.plans.service import Plans
from gatehouse.settings import Settings
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.plans import DynamoPlans
from gatehouse.storage.usage import DynamoUsage
from gatehouse.usage.service import Usages
from tests.contracts.made_up import consumers_on_the_table, credentials_on_the_table, people_on_the_table
from tests.gate_machine import GateMachine, World
from tests.stores import Store
from tests.unit.fakes import StoppedClock, the_admission, the_throttle


def a_world(clock: StoppedClock, late: Clock, chosen: Settings) -> World:
    keep, find_plan = DynamoAdmission(), DynamoPlans().find_plan
    return World(
        functions=[the_admission(keep, DynamoGates(), DynamoLockouts(), at, chosen, find_plan) for at in (clock, late)],
        people=people_on_the_table(clock, chosen),
        consumers=consumers_on_the_table(clock),
        credentials=credentials_on_the_table(clock),
        plans=Plans(DynamoPlanChanges(), clock, Recorder(clock)),
        usage=Usages(DynamoUsage(), clock, Recorder(clock), the_throttle(chosen), self_service=True),
        find_gate=DynamoUsage().find_gate,
    )


def test_two_functions_answer_and_count_as_the_model_does(dynoxide_store: Store) -> None:
    few = settings(max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(partial(GateMachine, a_world), settings=few)
