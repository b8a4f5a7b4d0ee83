"""API Gateway's usage plans and keys as they are deployed: what `wall.model` counts on is there."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

from cfnlint.api import lint

from gatehouse.audit.chain import AT_ONCE
from gatehouse.settings import Settings
from gatehouse.wall.model import TIERS, anonymous_key, shared_key
from local.gateway.environment import load_template
from tests.infrastructure.conftest import Document

SEED = {"Fn::Join": ["", {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}]}]}


def _of(document: Document, kind: str) -> dict[str, Any]:
    return {name: each for name, each in document["Resources"].items() if each["Type"] == f"AWS::ApiGateway::{kind}"}


def test_each_tier_is_a_plan_that_lets_through_its_rate_and_a_minutes_worth_at_once(deployed: Document) -> None:
    throttles = {name: plan["Properties"].get("Throttle") for name, plan in _of(deployed, "UsagePlan").items()}

    assert throttles == {
        **{f"Tier{tier}": {"RateLimit": tier, "BurstLimit": min(60 * tier, 5000)} for tier in TIERS},
        "SharedPlan": None,
    }


def test_no_plan_has_a_quota_and_all_are_for_the_one_stage(deployed: Document) -> None:
    for plan in _of(deployed, "UsagePlan").values():
        assert "Quota" not in plan["Properties"]
        assert plan["Properties"]["ApiStages"] == [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiStage"}}]


def test_plans_and_keys_are_made_one_after_the_other(deployed: Document) -> None:
    for kind in ("UsagePlan", "UsagePlanKey"):
        made = _of(deployed, kind)
        before = [each["DependsOn"] for each in made.values() if "DependsOn" in each]

        assert len(before) == len(made) - 1
        assert len(set(before)) == len(before)
        assert set(before) < made.keys()


def test_the_keys_that_the_authorizer_may_always_name_are_in_the_plan_without_throttle(deployed: Document) -> None:
    members = [each["Properties"] for each in _of(deployed, "UsagePlanKey").values()]

    assert {each["KeyId"]["Ref"] for each in members} == _of(deployed, "ApiKey").keys() == {"SharedKey", "AnonymousKey"}
    assert {each["UsagePlanId"]["Ref"] for each in members} == {"SharedPlan"}


def test_their_values_are_what_the_authorizer_makes_of_the_seed(deployed: Document) -> None:
    keys = load_template({}).resources("AWS::ApiGateway::ApiKey")
    seed = load_template({}).functions["AuthorizerFunction"].environment["GATEWAY_KEY_SEED"]

    assert {key["Value"] for _, key in keys} == {shared_key(seed), anonymous_key(seed)}
    assert all(key["Enabled"] for _, key in keys)
    for key in _of(deployed, "ApiKey").values():
        assert key["Properties"]["Value"]["Fn::Sub"][1] == {"Seed": SEED}
    assert all(20 <= len(key["Value"]) <= 128 for _, key in load_template({}).resources("AWS::ApiGateway::ApiKey"))


def test_the_stream_function_knows_the_plan_of_every_tier_and_no_other_function_does(deployed: Document) -> None:
    functions = {name: each for name, each in deployed["Resources"].items() if each["Type"] == "AWS::Lambda::Function"}
    told = {
        name: each["Properties"]["Environment"]["Variables"].get("GATEWAY_TIERS") for name, each in functions.items()
    }
    tiers = {"Fn::Sub": ",".join(f"{tier}=${{Tier{tier}}}" for tier in TIERS)}

    assert {name: value for name, value in told.items() if value} == {"StreamFunction": tiers}
    assert deployed["Outputs"]["GatewayTiers"]["Value"] == tiers
    assert deployed["Outputs"]["GatewayKeySeed"]["Value"] == SEED
    assert Settings.from_environment(load_template({}).functions["StreamFunction"].environment).gateway_tiers == {
        tier: f"Tier{tier}" for tier in TIERS
    }


def test_a_function_behind_the_api_that_named_a_plan_would_be_a_cycle(
    source: Document, translate: Callable[[Document], Document]
) -> None:
    circular = copy.deepcopy(source)
    variables = circular["Resources"]["GraphqlApiFunction"]["Properties"].setdefault("Environment", {})
    variables["Variables"] = {"PLAN": {"Ref": "Tier1"}}
    findings = [match.rule.id for match in lint(json.dumps(translate(circular), indent=1))]

    assert "E3004" in findings


def test_only_what_the_stream_function_needs_wakes_it_and_what_it_cannot_do_is_kept(deployed: Document) -> None:
    (mapping,) = [
        each["Properties"]
        for each in deployed["Resources"].values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping" and "FilterCriteria" in each["Properties"]
    ]
    queue = deployed["Resources"]["StreamFailures"]["Properties"]

    assert [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]] == [
        {"dynamodb": {"NewImage": {"note": {"S": [{"exists": True}]}}}},
        {"dynamodb": {"Keys": {"SK": {"S": ["P"]}}}},
        {"eventName": ["INSERT"], "dynamodb": {"Keys": {"SK": {"S": ["M", "E"]}}}},
        {"eventName": ["REMOVE"], "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "R#"}]}}}},
    ]
    assert mapping["BatchSize"] == AT_ONCE
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] > 0
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["StreamFailures", "Arn"]}}}
    assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 86_400}


def test_the_control_planes_rights_reach_keys_tags_and_the_stacks_own_tiers_and_nothing_else(source: Document) -> None:
    statements = [
        statement
        for policy in source["Resources"]["StreamRole"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "apigateway" in json.dumps(statement["Action"])
    ]
    allowed = {
        (action, re.sub(r"\$\{Tier\d+\}", "{tier}", resource["Fn::Sub"]).rpartition("::")[2])
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        for resource in ([statement["Resource"]] if isinstance(statement["Resource"], dict) else statement["Resource"])
    }

    assert allowed == {
        ("apigateway:GET", "/apikeys"),
        ("apigateway:POST", "/apikeys"),
        ("apigateway:PUT", "/tags/*"),
        ("apigateway:DELETE", "/apikeys/*"),
        ("apigateway:GET", "/usageplans"),
        ("apigateway:POST", "/usageplans/{tier}/keys"),
        ("apigateway:DELETE", "/usageplans/{tier}/keys/*"),
    }
