"""Whatever is changed about a consumer counts on the very next request, by a function that remembers how it was."""

import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role
from gatehouse.plans.model import QuotaPeriod
from gatehouse.storage.usage import DynamoUsage
from gatehouse.usage.service import Usages
from tests.contracts import callers
from tests.contracts.callers import OF_CREDENTIALS, Grounds
from tests.stores import Store
from tests.unit.fakes import START, StoppedClock, the_settings

MINUTE = START.replace(minute=1)


@pytest.fixture
def grounds(store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT="10", THROTTLE_LIMIT_MODERATOR="100"))


def left(remaining: int, limit: int) -> Allowance:
    return Allowance(limit=limit, remaining=remaining, resets_at=MINUTE)


@pytest.mark.parametrize("kind", OF_CREDENTIALS)
def test_another_plan_and_no_plan_any_more_start_afresh(grounds: Grounds, kind: str) -> None:
    shown, function = OF_CREDENTIALS[kind](grounds), grounds.function()
    shown.call(function)
    plans = [
        grounds.give_plan(rate_limit=20 + number, quota_limit=9, quota_period=QuotaPeriod.DAY) for number in range(2)
    ]
    midnight = START.replace(day=2, hour=0)
    for plan_id in plans:
        grounds.plans.assign(grounds.admin, grounds.user_id, plan_id)
        told = [shown.call(function) for _ in range(2)]
        assert {one.plan_id for one in told} == {plan_id}
        assert [one.allowance for one in told] == [
            Allowance(limit=9, remaining=remaining, resets_at=midnight) for remaining in (8, 7)
        ]
    grounds.plans.assign(grounds.admin, grounds.user_id, None)
    told = [shown.call(function) for _ in range(2)]
    assert [(one.plan_id, one.allowance) for one in told] == [(None, left(9, 10)), (None, left(8, 10))]


@pytest.mark.parametrize("kind", callers.EVERY)
def test_another_role_counts_with_its_limit_in_the_window_that_has_begun(grounds: Grounds, kind: str) -> None:
    shown, function = callers.EVERY[kind](grounds), grounds.function()
    before = shown.call(function).allowance.remaining
    for number, (role, limit) in enumerate(((Role.MODERATOR, 100), (Role.USER, 10)), start=1):
        grounds.consumers.update(grounds.admin, grounds.user_id, {"role": role})
        told = shown.call(function)
        assert told.allowance == left(limit - 10 + before - number, limit)
        assert told.caller.role is (role if kind == "session" else Role.USER)


@pytest.mark.parametrize("kind", OF_CREDENTIALS)
def test_other_scopes_count(grounds: Grounds, kind: str) -> None:
    shown, function = OF_CREDENTIALS[kind](grounds, scopes=["users:read", "usage:read"]), grounds.function()
    assert shown.call(function).caller.scopes == {"users:read", "usage:read"}
    for scopes in (["users:read"], []):
        grounds.credentials.update(grounds.owner, shown.credential_id, {"scopes": scopes})
        assert shown.call(function).caller.scopes == frozenset(scopes)


def test_a_reset_gives_back_every_limit_and_leaves_the_day_s_usage(grounds: Grounds) -> None:
    grounds.give_plan(rate_limit=2, burst_limit=2, quota_limit=2, quota_period=QuotaPeriod.MONTH)
    shown, person, function = callers.made_key(grounds), callers.session(grounds), grounds.function()
    usage = Usages(DynamoUsage(), grounds.clock, Recorder(grounds.clock), function.throttle, self_service=True)
    for _ in range(2):
        told = [shown.call(function).allowance for _ in range(3)]
        assert [one.is_spent for one in told] == [False, False, True]
        assert person.call(function).allowance == left(9, 10)
        [day] = usage.reset(grounds.admin, grounds.user_id).days
    assert (day.sessions, day.requests) == (2, 6)
