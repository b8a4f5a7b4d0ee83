"""Many calls at once on several functions and processes: never more than the limit, and exactly as many."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from gatehouse.admission.meters import Allowance, Meter
from gatehouse.clock import milliseconds
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import ServiceUnavailable
from gatehouse.plans.model import QuotaPeriod
from gatehouse.plans.service import PlanFields
from gatehouse.storage.usage import DynamoUsage
from tests.contracts import callers
from tests.contracts.callers import CHOSEN_SECRET, OF_CREDENTIALS, Call, Grounds, calls_with, is_let_in
from tests.contracts.made_up import at_once
from tests.stores import Store
from tests.unit.fakes import HOME, StoppedClock, the_settings

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
LIMIT = 25


@pytest.fixture
def grounds(dynoxide_store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT=str(LIMIT)))


def assert_exactly(limit: int, told: Sequence[Allowance]) -> None:
    """As many as the limit came in, each was told another rest, and all others that there is none."""
    let_in = [allowance.remaining for allowance in told if not allowance.is_spent]
    assert sorted(let_in, reverse=True) == list(range(limit - 1, -1, -1))
    assert {allowance.remaining for allowance in told if allowance.is_spent} == {0}
    assert {allowance.limit for allowance in told} == {limit}


def assert_session_gets_in(grounds: Grounds) -> None:
    assert is_let_in(callers.session(grounds).call, grounds.function())


@pytest.mark.parametrize("functions", [1, 4])
def test_of_80_calls_at_once_over_two_keys_25_come_in_and_the_session_as_well(grounds: Grounds, functions: int) -> None:
    keys, at = [callers.made_key(grounds) for _ in range(2)], [grounds.function() for _ in range(functions)]
    calls = [partial(keys[n % 2].call, at[n // 2 % functions]) for n in range(80)]
    assert_exactly(LIMIT, [admitted.allowance for admitted in at_once(calls)])
    assert_session_gets_in(grounds)


def test_of_80_calls_at_once_from_four_processes_25_come_in_and_the_session_as_well(
    dynoxide_store: Store, grounds: Grounds
) -> None:
    keys = [grounds.make(CredentialType.KEY_AUTH)[1] for _ in range(2)]
    told = {
        "settings": {
            "TABLE_NAME": dynoxide_store.settings.table_name,
            "DYNAMODB_ENDPOINT": dynoxide_store.settings.dynamodb_endpoint,
            "THROTTLE_LIMIT": str(LIMIT),
        },
        "now": grounds.clock.now().isoformat(),
        "keys": keys,
        "times": 10,
    }
    with ExitStack() as stack:
        processes = [stack.enter_context(_process()) for _ in range(4)]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert [len(answer) for answer in answers] == [20] * 4
    let_in = [remaining for answer in answers for remaining, is_spent in answer if not is_spent]
    assert sorted(let_in, reverse=True) == list(range(LIMIT - 1, -1, -1))
    assert_session_gets_in(grounds)


def _process() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.gate_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ({"rate_limit": 60, "burst_limit": 7}, 7),
        ({"rate_limit": 60, "quota_limit": 12, "quota_period": QuotaPeriod.DAY}, 12),
        ({"rate_limit": 9, "burst_limit": 30, "quota_limit": 100, "quota_period": QuotaPeriod.MONTH}, 9),
    ],
    ids=["burst", "quota", "all"],
)
def test_of_many_calls_at_once_as_many_come_in_as_the_tightest_limit_of_the_plan_lets(
    grounds: Grounds, limits: dict[str, object], most: int
) -> None:
    grounds.give_plan(**limits)
    shown, functions = callers.made_key(grounds), [grounds.function() for _ in range(4)]
    answers = at_once([partial(shown.call, functions[n % 4]) for n in range(40)])
    assert sum(not admitted.allowance.is_spent for admitted in answers) == most


def test_of_many_calls_at_once_from_one_address_as_many_come_in_as_the_limit_lets(grounds: Grounds) -> None:
    functions = [grounds.function() for _ in range(4)]
    answers = at_once([partial(functions[n % 4].anonymous, HOME) for n in range(50)])
    assert_exactly(30, [admitted.allowance for admitted in answers])


def test_every_call_is_counted_once_by_its_credential(dynoxide_store: Store, clock: StoppedClock) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000"))
    shown, functions = [make(grounds) for make in callers.EVERY.values()], [grounds.function() for _ in range(4)]
    before = usage_of(dynoxide_store, grounds)
    at_once([partial(one.call, functions[n % 4]) for n in range(8) for one in shown])
    after = usage_of(dynoxide_store, grounds)
    after.subtract(before)
    assert after == Counter({"s": 8, **{str(number): 8 for number in range(1, len(OF_CREDENTIALS) + 1)}})


def usage_of(store: Store, grounds: Grounds) -> Counter[str]:
    item = store.item(f"G#{grounds.user_id}", "G")
    assert item is not None
    usage = item.get("usage", {"M": {}})["M"]
    return Counter({user: int(requests["N"]) for user, requests in usage.items()})


def test_a_charge_that_races_another_plan_leaves_no_counter_of_the_old_plan_under_the_new(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000000"))
    old, new = (
        grounds.plans.create(grounds.admin, limits)
        for limits in (
            PlanFields(
                name="old", rate_limit=400, window_seconds=86_400, quota_limit=10**6, quota_period=QuotaPeriod.MONTH
            ),
            PlanFields(name="new", rate_limit=300, window_seconds=60),
        )
    )
    key, functions = callers.made_key(grounds), [grounds.function() for _ in range(4)]
    outcomes: Counter[str] = Counter()
    for _ in range(20):
        grounds.plans.assign(grounds.admin, grounds.user_id, old.id)
        program = key.call(functions[0]).caller
        charges = [partial(functions[n % 4].charge, program, old, 2) for n in range(8)]
        assign = partial(grounds.plans.assign, grounds.admin, grounds.user_id, new.id)
        answers = at_once([*charges[:4], assign, *charges[4:], *[partial(key.call, each) for each in functions]])
        outcomes.update(type(answer).__name__ for answer in answers)
        assert not [answer for answer in answers if isinstance(answer, Exception) and not is_refused(answer)]
        assert key.call(functions[0]).allowance.resets_at == clock.now() + timedelta(seconds=60)
        gate = DynamoUsage().find_gate(grounds.user_id)
        assert gate is not None
        assert gate.standing.plan_id == new.id
        assert [(meter, count.ends) for meter, count in gate.counts.items()] == [
            (Meter.WINDOW, milliseconds(clock.now() + timedelta(seconds=60)))
        ]
    assert outcomes["ServiceUnavailable"] > 0  # so that the race was run
    assert outcomes["Allowance"] > 0


def is_refused(answer: object) -> bool:
    return isinstance(answer, ServiceUnavailable)


@pytest.mark.parametrize("kind", OF_CREDENTIALS)
def test_in_an_overlap_not_one_call_is_refused_with_the_old_secret_nor_with_the_new(
    dynoxide_store: Store, clock: StoppedClock, kind: str
) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000000"))
    old = OF_CREDENTIALS[kind](grounds)
    newest: list[Call] = [old.call]
    is_over = Event()

    def call_on(number: int) -> list[bool]:
        function = grounds.function()
        let_in: list[bool] = []
        while not is_over.is_set() or len(let_in) < 3:
            let_in.append(is_let_in(old.call if number % 2 else newest[-1], function))
        return let_in

    with ThreadPoolExecutor(8) as threads:
        calling = [threads.submit(call_on, number) for number in range(8)]
        try:
            issued = grounds.credentials.rotate(grounds.owner, old.credential_id, 3_600)
            assert issued.secret is not None
            assert issued.secret != CHOSEN_SECRET
            told = issued.secret
            newest.append(calls_with(grounds, issued.credential, told))
            clock.advance(seconds=61)
            assert is_let_in(newest[-1], grounds.function())
        finally:
            is_over.set()
        outcomes = [each.result() for each in calling]
    assert all(all(let_in) for let_in in outcomes)
