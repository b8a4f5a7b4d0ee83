"""API Gateway's control plane in memory: as strict as AWS, in botocore's own words."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from gatehouse.wall.model import TIERS, anonymous_key, shared_key
from local.gateway.control_plane import SETTLES_AFTER, ControlPlane, Plan
from local.gateway.environment import load_template
from local.gateway.wall import control_plane
from tests.unit.fakes import StoppedClock

STAGE, OTHER_STAGE = ("api", "dev"), ("other", "v1")
VALUE = "a-value-of-20-or-more"


def plan(name: str, *stages: tuple[str, str]) -> Plan:
    return Plan(id=name, name=name, stages=frozenset(stages or (STAGE,)))


@pytest.fixture
def plane(clock: StoppedClock) -> ControlPlane:
    return ControlPlane(clock, [plan("gold"), plan("silver"), plan("elsewhere", OTHER_STAGE)])


def make(plane: ControlPlane, value: str = VALUE, name: str = "key", **more: Any) -> str:
    made = plane.create_api_key(**{"name": name, "value": value, "enabled": True, **more})
    return str(made["id"])


def join(plane: ControlPlane, key: str, plan_id: str = "gold", kind: str = "API_KEY") -> None:
    plane.create_usage_plan_key(usagePlanId=plan_id, keyId=key, keyType=kind)


def refused(call: Callable[[], object]) -> str:
    """The code that a call is refused with, which has its own status."""
    with pytest.raises(ClientError) as refusal:
        call()
    response = refusal.value.response
    model = botocore.session.get_session().get_service_model("apigateway")
    shape = model.shape_for_error_code(response["Error"]["Code"])
    assert shape is not None
    assert response["ResponseMetadata"]["HTTPStatusCode"] == shape.metadata["error"]["httpStatusCode"]
    return response["Error"]["Code"]


OPERATIONS = [name for name in vars(ControlPlane) if name.startswith(("create_", "get_", "delete_"))]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_takes_the_arguments_and_gives_the_answer_that_the_service_describes(
    plane: ControlPlane, name: str
) -> None:
    client: Any = botocore.session.get_session().create_client("apigateway", "us-east-1")
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[name])
    taken = set(inspect.signature(getattr(ControlPlane, name)).parameters) - {"self", "plane"}
    key = make(plane)
    join(plane, key)
    arguments = {
        "name": "another",
        "value": "another-value-of-20-or-more",
        "usagePlanId": "elsewhere" if name.startswith("create") else "gold",
        "keyId": key,
        "keyType": "API_KEY",
        "apiKey": key,
    }
    answer = getattr(plane, name)(**{word: value for word, value in arguments.items() if word in taken})

    assert len(OPERATIONS) == 7
    assert taken <= operation.input_shape.members.keys()
    assert operation.input_shape.required_members == [w for w in operation.input_shape.required_members if w in taken]
    assert set(answer or {}) <= set(operation.output_shape.members if operation.output_shape else ())


@pytest.mark.parametrize("value", ["x" * 19, "x" * 129])
def test_a_value_has_20_to_128_characters(plane: ControlPlane, value: str) -> None:
    assert refused(lambda: make(plane, value)) == "BadRequestException"
    make(plane, "x" * 20)
    make(plane, "x" * 128)


def test_a_value_is_there_once_whatever_the_name(plane: ControlPlane) -> None:
    make(plane)

    assert refused(lambda: make(plane, name="another")) == "ConflictException"
    assert len(plane.get_api_keys()["items"]) == 1


def test_a_value_may_come_again_after_its_key_is_gone(plane: ControlPlane) -> None:
    plane.delete_api_key(apiKey=make(plane))
    make(plane)


def test_a_key_is_in_a_plan_once_and_in_one_plan_of_a_stage(plane: ControlPlane) -> None:
    key = make(plane)
    join(plane, key)
    join(plane, key, "elsewhere")

    assert refused(lambda: join(plane, key)) == "ConflictException"
    assert refused(lambda: join(plane, key, "silver")) == "ConflictException"
    assert [each["id"] for each in plane.get_usage_plans(keyId=key)["items"]] == ["elsewhere", "gold"]


def test_what_is_not_there_is_not_found(plane: ControlPlane) -> None:
    key = make(plane)
    calls: list[Callable[[], object]] = [
        lambda: plane.delete_api_key(apiKey="nobody"),
        lambda: join(plane, "nobody"),
        lambda: join(plane, key, "nowhere"),
        lambda: plane.delete_usage_plan_key(usagePlanId="gold", keyId=key),
        lambda: plane.delete_usage_plan_key(usagePlanId="nowhere", keyId=key),
        lambda: plane.get_usage_plan_keys(usagePlanId="nowhere"),
        lambda: plane.get_usage_plans(keyId="nobody"),
    ]

    assert [refused(call) for call in calls] == ["NotFoundException"] * len(calls)
    assert refused(lambda: join(plane, key, kind="USER")) == "BadRequestException"


def test_five_keys_are_made_a_second_and_the_sixth_a_second_later(plane: ControlPlane, clock: StoppedClock) -> None:
    for number in range(5):
        make(plane, f"value-of-a-key-number-{number}")

    assert refused(lambda: make(plane)) == "TooManyRequestsException"
    clock.advance(milliseconds=999)
    assert refused(lambda: make(plane)) == "TooManyRequestsException"
    clock.advance(milliseconds=1)
    make(plane)


def test_an_account_has_so_many_keys_and_no_more(clock: StoppedClock) -> None:
    plane = ControlPlane(clock, [], most_keys=1)
    key = make(plane)

    assert refused(lambda: make(plane, "the value of another key")) == "LimitExceededException"
    plane.delete_api_key(apiKey=key)
    make(plane)


def test_lists_come_in_pages_and_by_the_beginning_of_a_name(clock: StoppedClock) -> None:
    plane = ControlPlane(clock, [plan("gold")], creations_per_second=None)
    for number in range(60):
        join(
            plane,
            make(plane, f"value-of-a-key-number-{number}", name=f"{'even' if number % 2 == 0 else 'odd'}-{number}"),
        )
    first = plane.get_api_keys()
    second = plane.get_api_keys(limit=500, position=first["position"])

    assert (len(first["items"]), len(second["items"]), "position" in second) == (25, 35, False)
    assert {item["id"] for item in first["items"]}.isdisjoint(item["id"] for item in second["items"])
    assert len(plane.get_api_keys(nameQuery="odd-", limit=500)["items"]) == 30
    assert len(plane.get_usage_plan_keys(usagePlanId="gold", limit=59)["items"]) == 59
    assert "value" not in first["items"][0]
    assert refused(lambda: plane.get_api_keys(limit=0)) == "BadRequestException"
    assert refused(lambda: plane.get_api_keys(limit=501)) == "BadRequestException"


def test_a_page_goes_on_where_it_stopped_though_keys_went_meanwhile(clock: StoppedClock) -> None:
    plane = ControlPlane(clock, [], creations_per_second=None)
    keys = [make(plane, f"value-of-a-key-number-{number}") for number in range(4)]
    first = plane.get_api_keys(limit=2)
    plane.delete_api_key(apiKey=keys[1])

    assert [item["id"] for item in plane.get_api_keys(position=first["position"])["items"]] == keys[2:]


def test_a_key_works_only_some_time_after_it_was_made_and_after_it_was_moved(
    plane: ControlPlane, clock: StoppedClock
) -> None:
    key = make(plane)
    join(plane, key)

    assert plane.in_force(VALUE, STAGE) is None
    clock.advance(seconds=SETTLES_AFTER.total_seconds())
    found = plane.in_force(VALUE, STAGE)
    assert found is not None
    assert (found[0].id, found[1].id) == (key, "gold")
    plane.delete_usage_plan_key(usagePlanId="gold", keyId=key)
    join(plane, key, "silver")
    assert plane.in_force(VALUE, STAGE) is None
    clock.advance(seconds=SETTLES_AFTER.total_seconds())
    assert plane.in_force(VALUE, STAGE) is not None


def test_a_key_works_for_the_stages_of_its_plan_while_it_is_enabled_and_there(clock: StoppedClock) -> None:
    plane = ControlPlane(clock, [plan("gold")], settles_after=timedelta())
    key = make(plane)
    join(plane, make(plane, "the value of another key", enabled=False))

    assert plane.in_force(VALUE, STAGE) is None, "in no plan"
    join(plane, key)
    assert plane.in_force(VALUE, STAGE) is not None
    assert plane.in_force(VALUE, OTHER_STAGE) is None
    assert plane.in_force("the value of another key", STAGE) is None, "switched off"
    assert plane.in_force("nobody's", STAGE) is None
    plane.delete_api_key(apiKey=key)
    assert plane.in_force(VALUE, STAGE) is None


def test_what_the_template_makes_works_from_the_start(clock: StoppedClock) -> None:
    template = load_template({})
    plane = control_plane(template, clock)
    seed = template.functions["AuthorizerFunction"].environment["GATEWAY_KEY_SEED"]
    stage = (template.api.id, template.api.stage)

    for value in (shared_key(seed), anonymous_key(seed)):
        found = plane.in_force(value, stage)
        assert found is not None
        assert (found[1].id, found[1].rate, found[1].quota) == ("SharedPlan", None, None)
    plans = {each["id"] for each in plane.get_usage_plans(limit=500)["items"]}
    assert plans == {"SharedPlan", *(f"Tier{tier}" for tier in TIERS)}
