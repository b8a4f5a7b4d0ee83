"""What API Gateway does with the key that an authorizer names."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.gateway.control_plane import ControlPlane, Plan
from local.gateway.gateway import Gateway
from local.gateway.intrinsics import TemplateError
from local.gateway.messages import HttpRequest, HttpResponse
from local.gateway.responses import Refusal
from local.gateway.template import Template
from local.gateway.usage_plans import UsagePlans
from tests.unit.fakes import StoppedClock

STAGE = ("Api", "dev")
VALUE = "a-value-of-20-or-more"


def plans(clock: StoppedClock, **limits: Any) -> UsagePlans:
    """A plan with these limits, and a key in it that works."""
    plane = ControlPlane(clock, [Plan(id="plan", name="plan", stages=frozenset({STAGE}), **limits)])
    plane.add_of_stack("key", VALUE, ["plan"])
    plane.add_of_stack("another", f"another-{VALUE}", ["plan"])
    return UsagePlans(plane, clock)


def entered(usage: UsagePlans, value: str | None = VALUE) -> str:
    """`in`, or the type of the refusal."""
    try:
        usage.enter(STAGE, value)
    except Refusal as refusal:
        return refusal.kind
    return "in"


def test_the_function_is_told_the_key(clock: StoppedClock) -> None:
    assert plans(clock).enter(STAGE, VALUE) == {"apiKey": VALUE, "apiKeyId": "key0000001"}


@pytest.mark.parametrize("value", [None, "", "nobody's"])
def test_a_key_that_is_not_known_or_not_named_is_refused(clock: StoppedClock, value: str | None) -> None:
    assert entered(plans(clock), value) == "INVALID_API_KEY"


def test_a_plan_without_limits_lets_everything_through(clock: StoppedClock) -> None:
    usage = plans(clock)

    assert {entered(usage) for _ in range(10_000)} == {"in"}


def test_a_throttle_is_a_bucket_for_each_key_which_is_filled_at_the_plans_rate(clock: StoppedClock) -> None:
    usage = plans(clock, rate=2, burst=3)

    assert [entered(usage) for _ in range(4)] == ["in", "in", "in", "THROTTLED"]
    assert entered(usage, f"another-{VALUE}") == "in"
    clock.advance(milliseconds=499)
    assert entered(usage) == "THROTTLED"
    clock.advance(milliseconds=1)
    assert [entered(usage) for _ in range(2)] == ["in", "THROTTLED"]
    clock.advance(hours=1)
    assert [entered(usage) for _ in range(4)] == ["in", "in", "in", "THROTTLED"]


@pytest.mark.parametrize(
    ("period", "ends"),
    [
        ("DAY", datetime(2026, 3, 2, tzinfo=UTC)),
        ("WEEK", datetime(2026, 3, 8, tzinfo=UTC)),
        ("MONTH", datetime(2026, 4, 1, tzinfo=UTC)),
    ],
)
def test_a_quota_lasts_until_its_period_ends(clock: StoppedClock, period: str, ends: datetime) -> None:
    usage = plans(clock, quota=2, period=period)

    assert [entered(usage) for _ in range(3)] == ["in", "in", "QUOTA_EXCEEDED"]
    clock.moment = ends - timedelta(milliseconds=1)
    assert entered(usage) == "QUOTA_EXCEEDED"
    clock.moment = ends
    assert [entered(usage) for _ in range(3)] == ["in", "in", "QUOTA_EXCEEDED"]


# In the way of a request

WALL = """
  Gold:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      UsagePlanName: gold
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]
      Throttle: {RateLimit: 1, BurstLimit: 2}
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Name: key, Value: a-value-of-20-or-more, Enabled: true}
  Member:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, UsagePlanId: !Ref Gold, KeyType: API_KEY}
"""


@pytest.fixture
def walled(template_path: Path) -> Template:
    """The small API, whose methods ask for a key that the authorizer names."""
    text = template_path.read_text(encoding="utf-8").replace(
        "      Auth:\n", "      ApiKeySourceType: AUTHORIZER\n      Auth:\n        ApiKeyRequired: true\n", 1
    )
    text = text.replace("Auth: {Authorizer: NONE}", "Auth: {Authorizer: NONE, ApiKeyRequired: false}")
    template_path.write_text(text + WALL, encoding="utf-8")
    return Template.load(template_path, {})


@pytest.fixture
def ask(walled: Template, clock: StoppedClock, post: HttpRequest) -> Callable[[str | None], HttpResponse]:
    """The answer to a request for which the authorizer names this key."""
    named: list[str | None] = []

    def allow(event: dict[str, Any], _: Any) -> dict[str, Any]:
        statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
        return {
            "principalId": "someone",
            "policyDocument": {"Statement": [statement]},
            **({} if named[-1] is None else {"usageIdentifierKey": named[-1]}),
        }

    def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps(event["requestContext"])}

    gateway = Gateway(walled, {"EchoFunction": echo, "GateFunction": allow}, clock)

    def answer(value: str | None) -> HttpResponse:
        named.append(value)
        return gateway.handle(post)

    return answer


def test_the_function_sees_the_key_in_the_identity_and_not_in_what_the_authorizer_said(
    ask: Callable[[str | None], HttpResponse],
) -> None:
    context = json.loads(ask(VALUE).body)

    assert (context["identity"]["apiKey"], context["identity"]["apiKeyId"]) == (VALUE, "key0000001")
    assert VALUE not in json.dumps(context["authorizer"])


def test_an_unknown_key_is_403_and_a_plan_that_is_used_up_429(ask: Callable[[str | None], HttpResponse]) -> None:
    assert [ask(value).status for value in (None, "nobody's")] == [403, 403]
    assert [ask(VALUE).status for _ in range(3)] == [200, 200, 429]
    assert json.loads(ask(None).body) == {"message": "Forbidden"}
    assert json.loads(ask(VALUE).body) == {"message": "Too Many Requests"}


def test_a_method_that_asks_for_no_key_needs_none(walled: Template, clock: StoppedClock) -> None:
    def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps(event["requestContext"]["identity"])}

    gateway = Gateway(walled, {"EchoFunction": echo, "GateFunction": echo}, clock)
    answer = gateway.handle(HttpRequest(method="GET", path="/open"))

    assert answer.status == 200
    assert "apiKey" not in json.loads(answer.body)


def test_a_key_that_a_client_would_send_is_not_stood_in_for(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8").replace(
        "      Auth:\n", "      Auth:\n        ApiKeyRequired: true\n", 1
    )
    template_path.write_text(text, encoding="utf-8")

    with pytest.raises(TemplateError, match="API keys that an authorizer names only"):
        print(Template.load(template_path, {}).api)
