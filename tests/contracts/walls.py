"""A made-up deployment: its table, its control plane, and the wall between; and who is in it."""

import math
from dataclasses import dataclass
from typing import Any

from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.ids import new_id
from gatehouse.outside.gateway_keys import ApiGatewayKeys
from gatehouse.plans.model import UsagePlan
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.wall import DynamoWall
from gatehouse.wall.model import TIERS, own_key
from gatehouse.wall.pace import Pace
from gatehouse.wall.service import Wall
from local.gateway.control_plane import ControlPlane, Plan
from tests.contracts.made_up import a_credential, changed
from tests.unit.fakes import START, StoppedClock, a_user, the_throttle

SEED = "5" * 32
STAGE = ("api", "dev")
PLANS = {tier: f"plan{tier}" for tier in TIERS}
USERS_TIER, MODERATORS_TIER = 1, 4


@dataclass
class World:
    """A deployment: its table, its control plane, and the wall between."""

    clock: StoppedClock
    plane: ControlPlane
    store: Any
    wall: Wall

    def keys(self) -> dict[str, tuple[list[str], bool]]:
        """The plans of each key of the deployment, by name, and whether it works by now."""
        position: dict[str, str] = {}
        told: dict[str, tuple[list[str], bool]] = {}
        while True:
            page = self.plane.get_api_keys(limit=500, **position)
            for item in page["items"]:
                plans = [plan["id"] for plan in self.plane.get_usage_plans(keyId=item["id"])["items"]]
                assert item["name"] not in told, "two keys of one name"
                consumer = item["name"].removeprefix(f"{SEED}-")
                told[consumer] = (plans, self.plane.in_force(own_key(SEED, consumer), STAGE) is not None)
            if "position" not in page:
                return told
            position = {"position": page["position"]}

    def on_record(self, consumer: User) -> int | None:
        """The tier of the key that the gate may use, which then is in that tier."""
        holder = DynamoWall().find_holder(consumer.id)
        if holder is None or holder.own_key is None:
            return None
        plans, _ = self.keys()[consumer.id]
        assert plans == [PLANS[holder.own_key.tier]]
        return holder.own_key.tier


def a_world(clock: StoppedClock, **options: Any) -> World:
    plans = [Plan(id=name, name=name, stages=frozenset({STAGE}), rate=tier) for tier, name in PLANS.items()]
    plane = ControlPlane(clock, plans, **options)
    return world_of(clock, plane, plane, DynamoWall())


def world_of(clock: StoppedClock, plane: ControlPlane, client: Any, store: Any) -> World:
    def sleep(seconds: float) -> None:
        clock.advance(milliseconds=math.ceil(seconds * 1000))

    pace = Pace(monotonic=lambda: clock.now().timestamp(), sleep=sleep)
    keys = ApiGatewayKeys("us-east-1", PLANS, {"gatehouse": SEED}, pace.wait, client)
    wall = Wall(store=store, keys=keys, clock=clock, seed=SEED, throttle=the_throttle(), sleep=sleep)
    return World(clock, plane, store, wall)


def a_consumer(name: str = "john", credentials: int = 1, **changes: Any) -> User:
    """Somebody with so many credentials."""
    user = a_user(name, **changes)
    DynamoConsumers().create_user(user, None)
    for _ in range(credentials):
        add_credential(user)
    return user


def add_credential(user: User) -> Credential:
    return DynamoCredentials().create_credential(a_credential(user, new_id(START)), "hash")


def change(user: User, **changes: Any) -> User:
    after = changed(user, **changes)
    DynamoConsumers().update_user(user, after, None)
    return after


def assign(user: User, rate_limit: int, window_seconds: int) -> User:
    plan = UsagePlan(
        id=new_id(START),
        name=f"plan of {rate_limit}",
        rate_limit=rate_limit,
        window_seconds=window_seconds,
        created_at=START,
        updated_at=START,
    )
    DynamoPlanChanges().create_plan(plan)
    after = changed(user, plan_id=plan.id)
    DynamoPlanChanges().assign_plan(user, after)
    return after


def many_consumers(count: int) -> list[User]:
    """So many consumers with a credential each, as far as the wall looks."""
    return [a_consumer(f"user-{number}") for number in range(count)]
