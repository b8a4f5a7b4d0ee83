"""The account of the local gateway: its keys are those that the table says are there, after a new start as well."""

import pytest

from gatehouse import wiring
from gatehouse.wall.model import own_key
from local.gateway.control_plane import ControlPlane
from local.gateway.environment import load_template
from local.gateway.following import account
from local.gateway.queues import LocalQueue
from tests.contracts.walls import a_consumer
from tests.stores import Store
from tests.unit.fakes import StoppedClock, the_settings


def test_a_key_on_record_is_there_again_after_a_start(
    dynoxide_store: Store, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "_installed_following", None)
    template = load_template({})
    settings = the_settings(
        TABLE_NAME=dynoxide_store.settings.table_name,
        DYNAMODB_ENDPOINT=dynoxide_store.settings.dynamodb_endpoint or "",
        GATEWAY_TIERS=template.functions["StreamFunction"].environment["GATEWAY_TIERS"],
    )
    ann, bob = a_consumer("ann"), a_consumer("bob")

    def plans(plane: ControlPlane) -> list[str | None]:
        stage = (template.api.id, template.api.stage)
        found = [plane.in_force(own_key(settings.gateway_key_seed, user.id), stage) for user in (ann, bob)]
        return [None if each is None else each[1].id for each in found]

    plane = account(settings, template, clock, LocalQueue())
    wiring.following().wall.provision(ann.id)
    assert plans(plane) == [None, None]
    clock.advance(minutes=10)
    assert plans(plane) == ["Tier1", None]
    assert plans(account(settings, template, clock, LocalQueue())) == ["Tier1", None]
