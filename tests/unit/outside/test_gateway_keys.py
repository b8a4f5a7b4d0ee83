"""API Gateway's keys over its control plane: what is asked, in which pace, and what its refusals mean."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.gateway_keys import ApiGatewayKeys
from gatehouse.wall.service import GatewayKey, KeyExists, NoRoom

PLANS = {1: "plan-a", 2: "plan-b"}


class Client:
    """Answers each call with what it is told, and remembers what it was asked, waits among it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def wait(self) -> None:
        self.asked.append("wait")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.asked.append((operation, arguments))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def keys(client: Client) -> ApiGatewayKeys:
    return ApiGatewayKeys("us-east-1", PLANS, {"gatehouse": "seed"}, client.wait, client)


def error(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Any")


def test_a_key_is_made_enabled_with_its_tags() -> None:
    client = Client({"id": "k1", "name": "n", "value": "v", "enabled": True})

    assert keys(client).make("n", "v") == GatewayKey("k1", "n", enabled=True)
    arguments = {"name": "n", "value": "v", "enabled": True, "tags": {"gatehouse": "seed"}}
    assert client.asked == ["wait", ("create_api_key", arguments)]


def test_a_name_is_compared_as_a_whole_on_every_page() -> None:
    others = {"items": [{"id": "k1", "name": "name-2"}], "position": "p"}
    client = Client(others, {"items": [{"id": "k2", "name": "name", "enabled": False}]})

    assert keys(client).find("name") == GatewayKey("k2", "name", enabled=False)
    assert client.asked == [
        "wait",
        ("get_api_keys", {"limit": 500, "nameQuery": "name"}),
        "wait",
        ("get_api_keys", {"limit": 500, "nameQuery": "name", "position": "p"}),
    ]


def test_a_name_that_nobody_has_is_nobodys() -> None:
    assert keys(Client({"items": [{"id": "k1", "name": "name-2"}]})).find("name") is None
    assert keys(Client({})).find("name") is None


def test_keys_are_listed_by_the_beginning_of_their_names() -> None:
    client = Client(
        {"items": [{"id": "k1", "name": "a-1"}, {"id": "k2"}], "position": "p"},
        {"items": [{"id": "k3", "name": "a-2"}]},
    )

    assert [key.id for key in keys(client).named("a-")] == ["k1", "k3"]


def test_tiers_are_told_by_their_plans_and_no_others_plan_is() -> None:
    client = Client({"items": [{"id": "plan-b"}, {"id": "another stack's"}]})

    assert keys(client).tiers_of("k1") == {2}
    assert client.asked[1] == ("get_usage_plans", {"limit": 500, "keyId": "k1"})


def test_members_are_told_by_their_ids() -> None:
    client = Client({"items": [{"id": "k1"}, {"id": "k2"}]})

    assert list(keys(client).members(2)) == ["k1", "k2"]
    assert client.asked[1] == ("get_usage_plan_keys", {"limit": 500, "usagePlanId": "plan-b"})


def test_a_key_joins_and_leaves_the_plan_of_a_tier() -> None:
    client = Client({}, None)
    keys(client).join("k1", 1)
    keys(client).leave("k1", 2)

    assert client.asked == [
        "wait",
        ("create_usage_plan_key", {"usagePlanId": "plan-a", "keyId": "k1", "keyType": "API_KEY"}),
        "wait",
        ("delete_usage_plan_key", {"usagePlanId": "plan-b", "keyId": "k1"}),
    ]


def test_what_is_to_be_taken_away_may_be_gone() -> None:
    keys(Client(error("NotFoundException", 404))).delete("k1")
    keys(Client(error("NotFoundException", 404))).leave("k1", 1)


@pytest.mark.parametrize(("code", "meaning"), [("ConflictException", KeyExists), ("LimitExceededException", NoRoom)])
def test_what_keeps_a_key_from_being_made_has_a_name(code: str, meaning: type[Exception]) -> None:
    with pytest.raises(meaning):
        keys(Client(error(code))).make("n", "v")


EVERY_CALL: list[Callable[[ApiGatewayKeys], object]] = [
    lambda each: each.find("n"),
    lambda each: list(each.named("n")),
    lambda each: list(each.members(1)),
    lambda each: each.tiers_of("k1"),
    lambda each: each.make("n", "v"),
    lambda each: each.delete("k1"),
    lambda each: each.join("k1", 1),
    lambda each: each.leave("k1", 1),
]
PASSING = [
    error("TooManyRequestsException", 429),
    error("ServiceUnavailableException", 503),
    error("500", 500),
    ConnectTimeoutError(endpoint_url="https://apigateway"),
    ReadTimeoutError(endpoint_url="https://apigateway"),
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
@pytest.mark.parametrize("call", EVERY_CALL)
def test_what_may_be_otherwise_next_time_is_a_passing_fault(
    call: Callable[[ApiGatewayKeys], object], fault: Exception
) -> None:
    client = Client(fault)
    with pytest.raises(ServiceUnavailable) as refusal:
        call(keys(client))

    assert refusal.value.__cause__ is fault
    assert len(client.asked) == 2, "tried once"


def test_two_changes_of_the_plans_at_the_same_time_are_a_passing_fault() -> None:
    # "Unable to complete operation due to concurrent modification. Please try again later."
    with pytest.raises(ServiceUnavailable):
        keys(Client(error("ConflictException", 409))).join("k1", 1)


@pytest.mark.parametrize("call", EVERY_CALL)
def test_a_mistake_of_ours_stays_what_it_is(call: Callable[[ApiGatewayKeys], object]) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        call(keys(Client(error("AccessDeniedException", 403))))


def test_a_client_is_made_at_the_first_call_gives_up_soon_and_tries_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Session:
        def create_client(self, service: str, *, region_name: str, config: Any) -> Client:
            made.append((service, region_name, config.connect_timeout, config.read_timeout, config.retries))
            return Client({"items": []}, {"items": []})

    monkeypatch.setattr(botocore.session, "get_session", Session)
    adapter = ApiGatewayKeys("eu-west-1", PLANS, {}, lambda: None)
    assert made == []
    adapter.find("n")
    adapter.find("n")
    assert made == [("apigateway", "eu-west-1", 2, 10, {"total_max_attempts": 1, "mode": "standard"})]
