"""What a request costs at the gate: one write, and at a function's first sight of a credential its readings."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

import pytest

from gatehouse import tokens
from gatehouse.admission.gate import OTHERS
from gatehouse.admission.model import Entry
from gatehouse.admission.service import Admission
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role
from gatehouse.credentials.keys import make_key_id, make_secret
from gatehouse.credentials.kinds import basic_auth, key_auth
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated
from gatehouse.plans.model import QuotaPeriod
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.usage import DynamoUsage
from gatehouse.tokens import Tokens
from tests.contracts import callers
from tests.contracts.callers import EVERY, OF_CREDENTIALS, Grounds, Pass
from tests.stores import Cost, Store, cost_of
from tests.unit.fakes import HOME, KEY, START, TOKENS, StoppedClock, the_settings
from tests.unit.rings import a_ring

ONE_WRITE = Cost({"UpdateItem": 1}, 1.0)
THE_DAYS_FIRST = Cost({"UpdateItem": 1}, 3.0)
"""One write too; activity moves with it, and so does the gate in the sweep's index: out of one place, into another."""

AT_ONCE = {"TransactGetItems": 1}
FIRST_SIGHT: Mapping[str, Mapping[str, int]] = {
    "session": AT_ONCE,
    "JWT": AT_ONCE,
    "access token": AT_ONCE,
    "made key": {"GetItem": 1, **AT_ONCE},
    "made basic": {"GetItem": 1, **AT_ONCE},
}
CHOSEN = {"chosen key": callers.chosen_key, "chosen basic": callers.chosen_basic}
COUNTED_GUESS = 4
"""Writes: a guess is counted by address, and by key id there, before it is tried; and both are settled."""


@pytest.fixture
def grounds(dynoxide_store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT="40", THROTTLE_LIMIT_ANONYMOUS="40"))


def cost_once_configured(function: Admission, call: Callable[[], object]) -> Cost:
    """What a call costs beside the reading of what is configured: that is one a minute of a function, whoever calls."""
    function.throttle()
    return cost_of(call)


def cost_at(function: Admission, shown: Pass) -> Cost:
    return cost_once_configured(function, lambda: shown.call(function))


def cost_of_refusal(function: Admission, shown: Pass) -> Mapping[str, int]:
    def call() -> None:
        with pytest.raises(Unauthenticated):
            shown.call(function)

    return cost_once_configured(function, call).calls


@pytest.mark.parametrize("kind", EVERY)
def test_a_warm_function_admits_by_one_write_of_one_unit(grounds: Grounds, kind: str) -> None:
    shown, function = EVERY[kind](grounds), grounds.function()
    shown.call(function)
    costs = [cost_at(function, shown) for _ in range(5)]
    grounds.clock.advance(seconds=59)
    assert [*costs, cost_at(function, shown)] == [ONE_WRITE] * 6


@pytest.mark.parametrize("kind", FIRST_SIGHT)
def test_a_call_every_61_seconds_is_one_write_of_one_unit_and_of_three_where_the_day_turns(
    grounds: Grounds, kind: str
) -> None:
    grounds.clock.moment = START.replace(hour=23, minute=57)
    shown, function = EVERY[kind](grounds), grounds.function()
    shown.call(function)
    costs = []
    for _ in range(5):
        grounds.clock.advance(seconds=61)
        costs.append(cost_at(function, shown))
    assert costs == [*[ONE_WRITE] * 2, THE_DAYS_FIRST, *[ONE_WRITE] * 2]


def test_an_admin_s_call_is_one_unit_also_where_the_day_turns(grounds: Grounds) -> None:
    grounds.consumers.update(grounds.admin, grounds.user_id, {"role": Role.ADMIN})
    shown, function = callers.session(grounds), grounds.function()
    shown.call(function)
    grounds.clock.advance(hours=23)
    assert cost_at(function, shown) == ONE_WRITE


def test_a_call_whose_use_is_to_be_written_down_is_one_write(grounds: Grounds) -> None:
    shown, function = callers.long_lived_token(grounds), grounds.function()
    for hours, cost in ((0, ONE_WRITE), (1, ONE_WRITE), (23, THE_DAYS_FIRST), (24 * 40, THE_DAYS_FIRST)):
        shown.call(function)
        grounds.clock.advance(hours=hours)
        assert cost_at(function, shown) == cost


def test_a_session_s_call_whose_use_is_to_be_written_down_is_one_write(grounds: Grounds) -> None:
    shown, function = callers.session(grounds), grounds.function()
    for hours, cost in ((0, ONE_WRITE), (1, ONE_WRITE), (23, THE_DAYS_FIRST), (24 * 10, THE_DAYS_FIRST)):
        shown.call(function)
        grounds.clock.advance(hours=hours)
        assert cost_at(function, shown) == cost


def test_a_call_that_turns_window_burst_and_quota_is_one_write_and_its_plan_one_reading_a_minute(
    grounds: Grounds,
) -> None:
    grounds.give_plan(rate_limit=20, window_seconds=10, burst_limit=5, quota_limit=900, quota_period=QuotaPeriod.DAY)
    grounds.clock.moment = START.replace(hour=23, minute=59, second=10)
    shown, function = callers.made_key(grounds), grounds.function()
    shown.call(function)
    costs = []
    for seconds in (0, 2, 11, 36, 12):  # the same second, another, another window, the last second, another day
        grounds.clock.advance(seconds=seconds)
        costs.append(cost_at(function, shown))
    assert [cost.calls for cost in costs] == [*[ONE_WRITE.calls] * 4, {"GetItem": 1, **ONE_WRITE.calls}]
    assert costs[:4] == [ONE_WRITE] * 4


def test_a_call_that_tells_of_a_quota_that_is_nearly_spent_is_one_write_of_one_unit(grounds: Grounds) -> None:
    grounds.give_plan(rate_limit=20, quota_limit=5, quota_period=QuotaPeriod.DAY)
    shown, function = callers.made_key(grounds), grounds.function()
    shown.call(function)
    told, costs = [], []
    for _ in range(4):
        costs.append(cost_at(function, shown))
        gate = DynamoUsage().find_gate(grounds.user_id)
        told.append(gate is not None and gate.quota_told is not None)
    assert (told, costs) == ([False, False, True, True], [ONE_WRITE] * 4)


def test_an_anonymous_call_is_one_write_of_one_unit_and_so_is_the_first(grounds: Grounds) -> None:
    function = grounds.function()
    costs = [cost_once_configured(function, lambda: function.anonymous(HOME)) for _ in range(3)]
    grounds.clock.advance(seconds=61)
    costs.append(cost_once_configured(function, lambda: function.anonymous(HOME)))
    assert costs == [ONE_WRITE] * 4


def test_an_expired_session_token_costs_what_an_anonymous_call_costs(grounds: Grounds) -> None:
    token, function = callers.session(grounds).token, grounds.function()
    grounds.clock.advance(hours=24)
    assert cost_once_configured(function, lambda: function.by_session(token, HOME)) == ONE_WRITE


@pytest.mark.parametrize("kind", FIRST_SIGHT)
def test_at_first_sight_a_call_is_its_readings_and_one_write(grounds: Grounds, kind: str) -> None:
    shown = EVERY[kind](grounds)
    for _ in range(2):
        assert cost_at(grounds.function(), shown).calls == {**FIRST_SIGHT[kind], "UpdateItem": 1}


@pytest.mark.parametrize("kind", CHOSEN)
def test_a_chosen_secret_is_read_and_counted_as_a_guess_at_first_sight_and_again_after_a_minute(
    grounds: Grounds, kind: str
) -> None:
    shown, function = EVERY[kind](grounds), grounds.function()
    readings = {"GetItem": 1, **AT_ONCE}
    assert cost_at(function, shown).calls == {**readings, "UpdateItem": 1 + COUNTED_GUESS}
    grounds.clock.advance(seconds=59)
    assert cost_at(function, shown) == ONE_WRITE
    grounds.clock.advance(seconds=1)
    assert cost_at(function, shown).calls == {**readings, "UpdateItem": 1 + COUNTED_GUESS}
    assert cost_at(grounds.function(), shown).calls == {**readings, "UpdateItem": 1 + COUNTED_GUESS}


@pytest.mark.parametrize("kind", [*EVERY, "anonymous"])
def test_a_call_over_the_limit_is_one_write_that_is_not_made(grounds: Grounds, kind: str) -> None:
    call = (lambda function: function.anonymous(HOME)) if kind == "anonymous" else EVERY[kind](grounds).call
    function = grounds.function()
    while callers.is_let_in(call, function):
        continue
    assert [cost_of(lambda: call(function)).calls for _ in range(3)] == [{"UpdateItem": 1}] * 3


def test_what_is_configured_is_one_reading_a_minute_of_a_function_whoever_calls(grounds: Grounds) -> None:
    shown, function = [EVERY[kind](grounds) for kind in FIRST_SIGHT], grounds.function()
    calls: list[Callable[[], object]] = [
        *(partial(one.call, function) for one in shown),
        partial(function.anonymous, HOME),
    ]
    for call in calls:
        call()
    for seconds in (60, 61, 1_800):
        grounds.clock.advance(seconds=seconds)
        costs = [cost_of(call).calls for call in (*calls, *calls)]
        assert costs == [{"GetItem": 1, "UpdateItem": 1}, *[{"UpdateItem": 1}] * (2 * len(calls) - 1)]
        grounds.clock.advance(seconds=59)
        assert [cost_of(call).calls for call in calls] == [{"UpdateItem": 1}] * len(calls)


@pytest.mark.parametrize("kind", FIRST_SIGHT)
def test_after_a_change_a_warm_function_looks_again_once(grounds: Grounds, kind: str) -> None:
    shown, function = EVERY[kind](grounds), grounds.function()
    shown.call(function)
    grounds.consumers.update(grounds.admin, grounds.user_id, {"role": Role.MODERATOR})
    assert cost_at(function, shown).calls == {**FIRST_SIGHT[kind], "UpdateItem": 2}
    assert cost_at(function, shown) == ONE_WRITE


@pytest.mark.parametrize("kind", ["JWT", "access token", "session"])
def test_a_token_that_has_ended_is_refused_by_one_reading_once_that_is_known(grounds: Grounds, kind: str) -> None:
    shown, function = EVERY[kind](grounds), grounds.function()
    shown.call(function)
    grounds.consumers.update(grounds.admin, grounds.user_id, {"is_active": False})
    costs = [cost_of_refusal(function, shown) for _ in range(3)]
    assert costs == [{"UpdateItem": 1, **AT_ONCE}, AT_ONCE, AT_ONCE]
    assert cost_of_refusal(grounds.function(), shown) == AT_ONCE


def test_a_made_key_that_has_ended_is_refused_by_its_readings_and_counted(grounds: Grounds) -> None:
    shown, function = callers.made_key(grounds), grounds.function()
    shown.call(function)
    grounds.credentials.delete(grounds.admin, shown.credential_id)
    readings, counted = {"GetItem": 1, **AT_ONCE}, 2  # the address's failures, begun and settled
    costs = [cost_of_refusal(function, shown) for _ in range(3)]
    assert costs == [{**readings, "UpdateItem": 1 + counted}, *[{**readings, "UpdateItem": counted}] * 2]


def test_what_cannot_be_genuine_is_refused_without_a_call(grounds: Grounds) -> None:
    function = grounds.function()
    genuine = {"sid": "s", "cid": "c", "ver": 1}
    forger = Tokens(a_ring("k1", {"k1": b"x" * 32}), "gatehouse")
    elsewhere = Tokens(a_ring("k1", {"k1": KEY}), "another-house")
    ends = START + timedelta(hours=1)
    key_id = make_key_id()

    def refused() -> None:
        for text in ("", "no-dot", "a.b", "a" * 65 + ".secret", f"{key_id}.{'0' * 49}", f"{key_id}.secret-1"):
            with pytest.raises(Unauthenticated):
                function.by_secret(CredentialType.KEY_AUTH, key_auth.parse(text), HOME)
        for text in ("", "!", "YTpi", "bm8tY29sb24="):
            with pytest.raises(Unauthenticated):
                function.by_secret(CredentialType.BASIC_AUTH, basic_auth.parse(text), HOME)
        for kind in (tokens.SESSION, tokens.CREDENTIAL, tokens.CLIENT_ACCESS):
            for maker in (forger, elsewhere):
                _refuses(function, kind, maker.issue(kind, grounds.user_id, genuine, START, ends))
            token = TOKENS.issue(kind, grounds.user_id, genuine, START, ends)
            for text in (token[:-3] + "AAA", token.rpartition(".")[0] + ".", "", "a.b.c"):
                _refuses(function, kind, text)
        for kind in (tokens.CREDENTIAL, tokens.CLIENT_ACCESS):
            _refuses(function, kind, TOKENS.issue(kind, grounds.user_id, genuine, START, START))

    assert cost_of(refused).calls == {}


def _refuses(function: Admission, kind: tokens.TokenKind, token: str) -> None:
    with pytest.raises(Unauthenticated):
        function.by_session(token, HOME) if kind is tokens.SESSION else function.by_token(kind, token)


def test_a_well_formed_key_that_was_never_made_costs_its_readings_and_is_counted(grounds: Grounds) -> None:
    function, key_id = grounds.function(), make_key_id()
    key = key_auth.parse(f"{key_id}.{make_secret(key_id)}")
    shown = Pass(lambda function: function.by_secret(CredentialType.KEY_AUTH, key, HOME))
    costs = [cost_of_refusal(function, shown) for _ in range(2)]
    assert costs == [{"GetItem": 1, **AT_ONCE, "UpdateItem": 2}] * 2


def test_a_gate_that_75_users_used_on_one_day_with_every_counter_is_under_one_unit(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000000"))
    grounds.give_plan(rate_limit=30_000, burst_limit=500, quota_limit=10**9, quota_period=QuotaPeriod.MONTH)
    for attribute, value in (("keyTier", 1024), ("keyUsableAt", 10**13), ("epoch", 10**6)):
        dynoxide_store.set_number(f"G#{grounds.user_id}", "G", attribute, value)
    shown, function = [callers.session(grounds), callers.made_key(grounds)], grounds.function()
    for one in shown:
        one.call(function)
    dynoxide_store.set_number(f"G#{grounds.user_id}", "G", "qUsed", 8 * 10**8)
    for _ in range(2):
        shown[1].call(function)
    found = DynamoUsage().find_gate(grounds.user_id)
    assert found is not None
    assert found.quota_told is not None
    costs = []
    for credentials in (range(4402, 4475), range(4475, 4800)):
        for number in credentials:
            use_much(grounds.user_id, str(number))
        costs.append([cost_at(function, one) for one in shown])
    assert costs[0] == [ONE_WRITE] * 2
    assert costs[1][0].units > 1  # so that it would be noticed


def test_after_75_credentials_of_a_day_the_next_are_counted_together_until_the_day_turns(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000000"))
    keys, functions = [callers.made_key(grounds) for _ in range(75)], [grounds.function() for _ in range(2)]
    for number, key in enumerate(keys):
        key.call(functions[number % 2])
    for key in keys[1:3]:
        grounds.credentials.delete(grounds.owner, key.credential_id)
    more = [callers.made_key(grounds) for _ in range(2)]
    known = [keys[0], keys[74]]
    for function in functions:
        for shown in (*more, callers.session(grounds), *known):
            shown.call(function)
    assert usage_of(grounds) == {str(number): 1 for number in range(2, 75)} | {"1": 3, "75": 3, OTHERS: 6}
    assert [cost_at(function, shown) for function in functions for shown in (*more, *known)] == [ONE_WRITE] * 8
    clock.advance(days=1)
    for function, shown in zip(functions, more, strict=True):
        shown.call(function)
    assert usage_of(grounds) == {"76": 1, "77": 1}


def usage_of(grounds: Grounds) -> Mapping[str, int]:
    gate = DynamoUsage().find_gate(grounds.user_id)
    assert gate is not None
    return gate.usage


def use_much(user_id: str, user: str) -> None:
    now = milliseconds(START)
    DynamoGates().enter(
        user_id, None, Entry(now=now, steps=(), user=user, cost=432_109, day=now // 86_400_000, turns_day=False)
    )


def test_every_kind_of_credential_has_its_budget_here() -> None:
    assert {*FIRST_SIGHT, *CHOSEN} == {"session", *OF_CREDENTIALS}
