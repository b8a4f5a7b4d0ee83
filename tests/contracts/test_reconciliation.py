"""Reconciliation's promise: what has drifted is put right, what is left over is told, and deleted only when asked."""

import itertools
from typing import Any

import pytest

from gatehouse.consumers.model import Role
from gatehouse.ids import new_id
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.wall import DynamoWall
from gatehouse.wall.model import own_key
from gatehouse.wall.reconciliation import Orphan, Reconciliation, Repair
from gatehouse.wall.service import Outcome
from local.gateway.control_plane import Refused
from tests.contracts.walls import (
    MODERATORS_TIER,
    PLANS,
    SEED,
    USERS_TIER,
    World,
    a_consumer,
    a_world,
    change,
    many_consumers,
    world_of,
)
from tests.stores import Store
from tests.unit.fakes import START, StoppedClock


@pytest.fixture
def world(store: Store, clock: StoppedClock) -> World:
    return a_world(clock)


def _reconcile(world: World, *, delete_orphans: bool = False) -> list[Repair | Orphan]:
    def sleep(seconds: float) -> None:
        world.clock.advance(seconds=seconds)

    return list(Reconciliation(world.wall, sleep).run(delete_orphans=delete_orphans))


def test_where_all_agrees_nothing_is_done(world: World) -> None:
    people = many_consumers(3)
    for person in people:
        world.wall.provision(person.id)

    assert _reconcile(world, delete_orphans=True) == []


def test_what_has_drifted_is_put_right(world: World) -> None:
    fine, missing, misplaced, unrecorded, outdated, switched_off = people = many_consumers(6)
    for person in people:
        world.wall.provision(person.id)
    ids = {item["name"].removeprefix(f"{SEED}-"): item["id"] for item in world.plane.get_api_keys()["items"]}
    world.plane.delete_api_key(apiKey=ids[missing.id])
    world.plane.delete_usage_plan_key(usagePlanId=PLANS[USERS_TIER], keyId=ids[misplaced.id])
    world.plane.create_usage_plan_key(usagePlanId=PLANS[64], keyId=ids[misplaced.id], keyType="API_KEY")
    DynamoWall().take_off_record(unrecorded.id)
    change(outdated, role=Role.MODERATOR)
    world.plane.delete_api_key(apiKey=ids[switched_off.id])
    world.plane.create_api_key(name=f"{SEED}-{switched_off.id}", value=own_key(SEED, switched_off.id), enabled=False)
    drifted = {missing.id, misplaced.id, unrecorded.id, outdated.id, switched_off.id}

    found = _reconcile(world)
    assert len(found) == len(drifted)
    assert set(found) == {Repair(consumer_id, Outcome.GIVEN) for consumer_id in drifted}
    assert {consumer: plans for consumer, (plans, _) in world.keys().items()} == {
        person.id: [PLANS[MODERATORS_TIER if person is outdated else USERS_TIER]] for person in people
    }
    assert [world.on_record(person) for person in people] == [
        MODERATORS_TIER if person is outdated else USERS_TIER for person in people
    ]
    assert fine.id not in drifted
    assert _reconcile(world) == []


def test_orphans_are_told_and_deleted_only_when_asked(world: World) -> None:
    gone, idle = a_consumer("gone"), a_consumer("idle", credentials=0)
    world.wall.provision(gone.id)
    DynamoConsumers().delete_user(gone)
    DynamoBelongings().delete_belongings(gone.id)
    world.plane.create_api_key(name=f"{SEED}-{idle.id}", value=own_key(SEED, idle.id), enabled=True)
    world.plane.create_api_key(name=f"{SEED}-by-hand", value="made by hand, twenty and more")
    world.plane.create_api_key(name="another's", value="another deployment's key")
    names = {f"{SEED}-{gone.id}", f"{SEED}-{idle.id}", f"{SEED}-by-hand"}

    assert set(_reconcile(world)) == {Orphan(name, is_deleted=False) for name in names}
    assert len(world.plane.get_api_keys()["items"]) == 4
    assert set(_reconcile(world, delete_orphans=True)) == {Orphan(name, is_deleted=True) for name in names}
    assert [item["name"] for item in world.plane.get_api_keys()["items"]] == ["another's"]


def test_it_goes_on_where_api_gateway_is_busy_for_a_while(world: World) -> None:
    people = many_consumers(4)

    class Busy:
        def __init__(self) -> None:
            self.turns = itertools.chain([0, 1, 1], itertools.cycle([0, 0, 0, 1]))

        def __getattr__(self, name: str) -> Any:
            return self.refuse if next(self.turns) else getattr(world.plane, name)

        def refuse(self, **_: Any) -> None:
            raise Refused("TooManyRequestsException", "Too Many Requests", "Any")

    busy = world_of(world.clock, world.plane, Busy(), DynamoWall())

    assert set(_reconcile(busy)) == {Repair(person.id, Outcome.GIVEN) for person in people}
    assert len(world.keys()) == 4


def test_over_five_hundred_keys_are_all_compared(moto_store: Store, clock: StoppedClock) -> None:
    world = a_world(clock, creations_per_second=None)
    kept = a_consumer("kept")
    world.wall.provision(kept.id)
    for number in range(1_050):
        made = world.plane.create_api_key(name=f"{SEED}-{new_id(START)}", value=f"left-over-{number:030}")
        world.plane.create_usage_plan_key(usagePlanId=PLANS[1], keyId=made["id"], keyType="API_KEY")
    late = a_consumer("late")

    found = _reconcile(world)
    assert Repair(late.id, Outcome.GIVEN) in found
    assert sum(isinstance(finding, Orphan) for finding in found) == 1_050
    assert len(found) == 1_051


def test_in_a_full_account_it_asks_for_no_more_keys_after_the_first_refusal(store: Store, clock: StoppedClock) -> None:
    world = a_world(clock, most_keys=2)
    people = many_consumers(5)
    outcomes = [finding.outcome for finding in _reconcile(world) if isinstance(finding, Repair)]

    assert sorted(outcomes) == [Outcome.GIVEN, Outcome.GIVEN, Outcome.NO_ROOM]
    assert sorted(filter(None, map(world.on_record, people))) == [USERS_TIER, USERS_TIER]
