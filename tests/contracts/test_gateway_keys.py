"""The provisioner's promise: whatever it is told, however often, and wherever it is cut off, each consumer who ever had
a credential ends with one key of its own in the right plan, and nobody else with any; and the gate never uses a key
that is not there.
"""

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.consumers.model import Role, User
from gatehouse.errors import ServiceUnavailable
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers, find_user
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.wall import DynamoWall
from gatehouse.wall.model import own_key
from gatehouse.wall.service import SETTLES_WITHIN, Outcome
from tests.contracts.made_up import at_once
from tests.contracts.walls import (
    MODERATORS_TIER,
    PLANS,
    SEED,
    USERS_TIER,
    World,
    a_consumer,
    a_world,
    add_credential,
    assign,
    change,
    many_consumers,
    world_of,
)
from tests.stores import Store
from tests.unit.fakes import START, StoppedClock

pytestmark = pytest.mark.long


@pytest.fixture
def world(store: Store, clock: StoppedClock) -> World:
    return a_world(clock)


# What it does


def test_who_gets_a_first_credential_gets_a_key_in_the_tier_of_the_role(world: World) -> None:
    user = a_consumer()

    assert world.wall.provision(user.id) is Outcome.GIVEN
    assert world.keys() == {user.id: ([PLANS[USERS_TIER]], False)}
    assert world.on_record(user) == USERS_TIER


def test_the_gate_uses_a_key_only_after_it_works(world: World) -> None:
    user = a_consumer()
    world.wall.provision(user.id)
    holder = DynamoWall().find_holder(user.id)

    assert holder is not None
    assert holder.own_key is not None
    assert holder.own_key.usable_at == world.clock.now() + SETTLES_WITHIN
    world.clock.moment = holder.own_key.usable_at
    assert world.keys() == {user.id: ([PLANS[USERS_TIER]], True)}


def test_a_plan_decides_the_tier(world: World) -> None:
    user = assign(a_consumer(), 300, 1)

    assert world.wall.provision(user.id) is Outcome.GIVEN
    assert world.keys() == {user.id: (["plan1024"], False)}


def test_who_never_had_a_credential_gets_no_key(world: World) -> None:
    user = a_consumer(credentials=0)

    assert world.wall.provision(user.id) is Outcome.AGREES
    assert world.keys() == {}


def test_who_has_no_credential_any_more_keeps_the_key(world: World) -> None:
    user = a_consumer(credentials=0)
    credential = add_credential(user)
    world.wall.provision(user.id)
    DynamoCredentials().delete_credential(credential)

    assert world.wall.provision(user.id) is Outcome.AGREES
    assert world.keys() == {user.id: ([PLANS[USERS_TIER]], False)}
    assert world.on_record(user) == USERS_TIER


def test_who_is_gone_gives_the_key_back(world: World) -> None:
    user = a_consumer()
    world.wall.provision(user.id)
    DynamoConsumers().delete_user(user)

    assert world.wall.provision(user.id) is Outcome.TAKEN_BACK
    assert world.keys() == {}
    assert world.on_record(user) is None


def test_a_change_of_role_or_plan_moves_the_key_and_the_gate_waits_for_it_anew(world: World) -> None:
    user = a_consumer()
    world.wall.provision(user.id)
    world.clock.advance(minutes=10)
    moderator = change(user, role=Role.MODERATOR)

    assert world.wall.provision(user.id) is Outcome.GIVEN
    assert world.keys() == {user.id: ([PLANS[MODERATORS_TIER]], False)}
    assert world.on_record(moderator) == MODERATORS_TIER
    holder = DynamoWall().find_holder(user.id)
    assert holder is not None
    assert holder.own_key is not None
    assert holder.own_key.usable_at == world.clock.now() + SETTLES_WITHIN


def test_a_gates_epoch_and_counters_are_left_alone_and_its_note_is_not_told_twice(world: World, store: Store) -> None:
    user = a_consumer()
    before = store.item(f"G#{user.id}", "G")
    GateRecord.key(user.id).update([GateRecord.note.set("-")])
    world.wall.provision(user.id)
    after = store.item(f"G#{user.id}", "G")

    assert before is not None
    assert after is not None
    assert after == before | {"keyTier": after["keyTier"], "keyUsableAt": after["keyUsableAt"]}


# Told again, too late, out of order


def test_told_twice_it_asks_nothing_of_api_gateway_the_second_time(world: World) -> None:
    user = a_consumer()
    world.wall.provision(user.id)
    holder = DynamoWall().find_holder(user.id)
    calls = Calls()
    again = world_of(world.clock, world.plane, Interrupted(world.plane, calls), DynamoWall())

    assert again.wall.provision(user.id) is Outcome.AGREES
    assert calls.made == 0
    assert DynamoWall().find_holder(user.id) == holder


@pytest.mark.parametrize("seed", range(12))
def test_changes_told_out_of_order_and_more_than_once_end_in_the_same(world: World, seed: int) -> None:
    people = [a_consumer(name, credentials=0) for name in ("ann", "bob", "cleo")]
    told: list[str] = []
    for person in people * 2:
        add_credential(person)
        told += [person.id]
    change(people[1], role=Role.MODERATOR)
    DynamoConsumers().delete_user(people[2])
    told = [*told, people[1].id, people[2].id] * 2
    random.Random(seed).shuffle(told)  # noqa: S311 - a shuffle that can be repeated
    for consumer_id in told:
        world.wall.provision(consumer_id)

    assert {consumer: plans for consumer, (plans, _) in world.keys().items()} == {
        people[0].id: [PLANS[USERS_TIER]],
        people[1].id: [PLANS[MODERATORS_TIER]],
    }
    assert [world.on_record(person) for person in people] == [USERS_TIER, MODERATORS_TIER, None]


# Cut off


class CutOff(Exception):
    """The function died here."""


@dataclass
class Calls:
    """Counts calls, and cuts off before or after one of them."""

    at: int = 0
    before: bool = True
    made: int = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **keywords: Any) -> Any:
            self.made += 1
            if self.made == self.at and self.before:
                raise CutOff
            answer = call(*arguments, **keywords)
            if self.made == self.at:
                raise CutOff
            return answer

        return counted


class Interrupted:
    """A port whose calls are counted, and cut off."""

    def __init__(self, port: Any, calls: Calls) -> None:
        self._port, self._calls = port, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.around(getattr(self._port, name))


def _fresh(_: World) -> User:
    return a_consumer()


def _promoted(world: World) -> User:
    user = a_consumer()
    world.wall.provision(user.id)
    return change(user, role=Role.MODERATOR)


def _deleted(world: World) -> User:
    user = a_consumer()
    world.wall.provision(user.id)
    DynamoConsumers().delete_user(user)
    return user


def _without_credentials(_: World) -> User:
    user = a_consumer(credentials=0)
    credential = add_credential(user)
    DynamoCredentials().delete_credential(credential)
    return user


def _key_removed_by_hand(world: World) -> User:
    user = a_consumer()
    world.wall.provision(user.id)
    [key] = world.plane.get_api_keys()["items"]
    world.plane.delete_api_key(apiKey=key["id"])
    return user


def _key_switched_off_by_hand(world: World) -> User:
    user = a_consumer()
    world.plane.create_api_key(name=f"{SEED}-{user.id}", value=own_key(SEED, user.id), enabled=False)
    return user


SITUATIONS: Mapping[Callable[[World], User], list[str]] = {
    _fresh: [PLANS[USERS_TIER]],
    _promoted: [PLANS[MODERATORS_TIER]],
    _deleted: [],
    _without_credentials: [PLANS[USERS_TIER]],
    _key_removed_by_hand: [PLANS[USERS_TIER]],
    _key_switched_off_by_hand: [PLANS[USERS_TIER]],
}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_cut_off_at_any_call_and_run_again_it_ends_right_and_the_gate_never_uses_a_missing_key(
    store: Store, clock: StoppedClock, situation: Callable[[World], User], before: bool
) -> None:
    plans_after = [SITUATIONS[situation]] if SITUATIONS[situation] else []
    for at in itertools.count(1):
        world = a_world(clock)
        user = situation(world)
        by_hand = situation is _key_removed_by_hand
        calls = Calls(at, before)
        cut = world_of(clock, world.plane, Interrupted(world.plane, calls), Interrupted(DynamoWall(), calls))
        try:
            (cut.wall.put_right if by_hand else cut.wall.provision)(user.id)
            is_cut = False
        except CutOff:
            is_cut = True
        if not by_hand:
            world.on_record(user)  # asserts that what is on record is there
        (world.wall.put_right if by_hand else world.wall.provision)(user.id)

        assert [plans for plans, _ in world.keys().values()] == plans_after
        assert (world.on_record(user) is None) is (plans_after == [])
        if (left := find_user(user.id)) is not None:
            DynamoConsumers().delete_user(left)
            DynamoBelongings().delete_belongings(user.id)
        if not is_cut:
            assert at > 2
            return


def test_a_key_whose_making_was_not_heard_of_is_found_by_its_name(world: World) -> None:
    user = a_consumer()
    world.plane.create_api_key(name=f"{SEED}-{user.id}", value=own_key(SEED, user.id), enabled=True)

    assert world.wall.provision(user.id) is Outcome.GIVEN
    assert world.keys() == {user.id: ([PLANS[USERS_TIER]], False)}


def test_a_key_that_is_there_and_not_listed_yet_is_tried_again_later(world: World) -> None:
    class Lagging:
        def __getattr__(self, name: str) -> Any:
            return (lambda **_: {"items": []}) if name == "get_api_keys" else getattr(world.plane, name)

    user = a_consumer()
    world.plane.create_api_key(name=f"{SEED}-{user.id}", value=own_key(SEED, user.id), enabled=True)
    lagging = world_of(world.clock, world.plane, Lagging(), DynamoWall())

    with pytest.raises(ServiceUnavailable):
        lagging.wall.provision(user.id)
    assert world.wall.provision(user.id) is Outcome.GIVEN


def test_what_changes_while_it_works_is_seen_to_before_it_ends(world: World) -> None:
    user = a_consumer()

    class Promoting:
        done = False

        def __getattr__(self, name: str) -> Any:
            if name == "create_usage_plan_key" and not self.done:
                self.done = True
                change(user, role=Role.MODERATOR)
            return getattr(world.plane, name)

    racing = world_of(world.clock, world.plane, Promoting(), DynamoWall())

    assert racing.wall.provision(user.id) is Outcome.GIVEN
    assert world.keys() == {user.id: ([PLANS[MODERATORS_TIER]], False)}
    assert world.on_record(user) == MODERATORS_TIER


def test_who_leaves_while_a_key_is_made_for_them_does_not_keep_it(world: World) -> None:
    user = a_consumer()

    class Leaving:
        def __getattr__(self, name: str) -> Any:
            if name == "create_usage_plan_key":
                DynamoConsumers().delete_user(user)
            return getattr(world.plane, name)

    racing = world_of(world.clock, world.plane, Leaving(), DynamoWall())

    assert racing.wall.provision(user.id) is Outcome.TAKEN_BACK
    assert world.keys() == {}


def test_several_that_are_told_of_it_at_once_make_one_key(world: World) -> None:
    user = a_consumer()
    outcomes = at_once(
        [lambda: world_of(world.clock, world.plane, world.plane, DynamoWall()).wall.provision(user.id)] * 4
    )

    assert Outcome.GIVEN in outcomes
    assert {type(outcome) for outcome in outcomes} <= {Outcome, ServiceUnavailable}
    assert world.wall.provision(user.id) is Outcome.AGREES
    assert {consumer: plans for consumer, (plans, _) in world.keys().items()} == {user.id: [PLANS[USERS_TIER]]}
    assert world.on_record(user) == USERS_TIER


# Many


def test_more_than_five_at_once_are_made_within_the_pace(world: World) -> None:
    people = many_consumers(17)

    assert [world.wall.provision(person.id) for person in people] == [Outcome.GIVEN] * 17
    assert len(world.keys()) == 17
    assert world.clock.now() - START >= timedelta(seconds=17 / 5)


def test_what_api_gateway_refuses_for_its_pace_is_tried_again_later(world: World) -> None:
    user = a_consumer()
    for number in range(5):
        world.plane.create_api_key(name="another stack's", value=f"{number}" * 32)

    with pytest.raises(ServiceUnavailable):
        world.wall.provision(user.id)
    assert world.on_record(user) is None
    world.clock.advance(seconds=1)
    assert world.wall.provision(user.id) is Outcome.GIVEN


def test_in_a_full_account_a_consumer_stays_on_the_shared_key(store: Store, clock: StoppedClock) -> None:
    world = a_world(clock, most_keys=1)
    first, second = a_consumer("first"), a_consumer("second")

    assert world.wall.provision(first.id) is Outcome.GIVEN
    assert world.wall.provision(second.id) is Outcome.NO_ROOM
    assert (world.on_record(first), world.on_record(second)) == (USERS_TIER, None)
    DynamoConsumers().delete_user(first)
    assert world.wall.provision(first.id) is Outcome.TAKEN_BACK
    assert world.wall.provision(second.id) is Outcome.GIVEN


def test_a_key_is_found_among_more_than_a_page_of_others(moto_store: Store, clock: StoppedClock) -> None:
    world = a_world(clock, creations_per_second=None)
    user = a_consumer()
    for number in range(1_050):
        world.plane.create_api_key(name=f"{SEED}-{user.id}-{number}", value=f"another-{number:030}")
    world.plane.create_api_key(name=f"{SEED}-{user.id}", value=own_key(SEED, user.id), enabled=True)

    assert world.wall.provision(user.id) is Outcome.GIVEN
    assert world.on_record(user) == USERS_TIER
