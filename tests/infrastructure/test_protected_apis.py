"""APIs of the operator's own: which of them may ask the authorizer, and that the example of one is sound."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint
from samtranslator.yaml_helper import yaml_parse

from local.gateway.intrinsics import Evaluator, read
from tests.infrastructure.conftest import ROOT, Document


@pytest.fixture(scope="module")
def example(translate: Callable[[Document], Document]) -> Document:
    """The example as CloudFormation gets it."""
    source = copy.deepcopy(yaml_parse((ROOT / "examples/orders/template.yaml").read_text()))
    del source["Resources"]["OrdersFunction"]["Properties"]["CodeUri"]
    source["Globals"]["Function"] = {}
    return translate(source)


def _permitted(protected_apis: str) -> list[str]:
    """The sources that may call the authorizer."""
    document = read(ROOT / "template.yaml")
    evaluator = Evaluator(document, {"ProtectedApis": protected_apis}, "eu-west-1")
    permissions = [
        evaluator.value(resource["Properties"])
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and evaluator.condition(resource["Condition"])
        and "AuthorizerFunction" in json.dumps(resource["Properties"]["FunctionName"])
    ]
    authorizer = "arn:aws:lambda:eu-west-1:123456789012:function:AuthorizerFunction"
    assert all(permission["FunctionName"] == authorizer for permission in permissions)
    assert all(permission["Principal"] == "apigateway.amazonaws.com" for permission in permissions)
    return [permission["SourceArn"] for permission in permissions]


@pytest.mark.parametrize("ids", [[], ["abcde12345"], ["a1", "b2"], ["a1", "b2", "c3", "d4", "e5"]])
def test_the_apis_that_are_named_and_no_others_may_ask_the_authorizer(ids: list[str]) -> None:
    assert _permitted(",".join(ids)) == [
        f"arn:aws:execute-api:eu-west-1:123456789012:{name}/authorizers/*" for name in ids
    ]


def test_the_example_is_without_fault(example: Document) -> None:
    assert [f"{match.rule.id} {match.message}" for match in lint(json.dumps(example, indent=1))] == []


def test_the_example_asks_gatehouses_authorizer_about_every_request(example: Document) -> None:
    body: dict[str, Any] = example["Resources"]["OrdersApi"]["Properties"]["Body"]
    gate = body["components"]["securitySchemes"]["Gate"]["x-amazon-apigateway-authorizer"]

    assert gate["type"] == "request"
    assert gate["authorizerResultTtlInSeconds"] == 0
    assert "identitySource" not in gate
    assert "AuthorizerFunctionArn" in json.dumps(gate["authorizerUri"])
    assert {
        (method, path): operation["security"]
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    } == {("get", "/orders"): [{"Gate": []}], ("post", "/orders"): [{"Gate": []}]}


def test_the_example_leaves_it_to_gatehouse_who_may_ask(example: Document) -> None:
    permitted = [
        each["Properties"]["FunctionName"]
        for each in example["Resources"].values()
        if each["Type"] == "AWS::Lambda::Permission"
    ]

    assert permitted == [{"Ref": "OrdersFunction"}] * 2


def test_the_example_refuses_in_the_words_of_gatehouse(example: Document, deployed: Document) -> None:
    ours, gatehouses = (
        document["Resources"][name]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
        for document, name in ((example, "OrdersApi"), (deployed, "Api"))
    )

    assert ours.keys() >= {"UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"}
    for kind, answer in ours.items():
        assert (answer["statusCode"], answer["responseTemplates"]) == (
            gatehouses[kind]["statusCode"],
            gatehouses[kind]["responseTemplates"],
        ), kind
        plain = {
            name: value
            for name, value in gatehouses[kind]["responseParameters"].items()
            if "Access-Control" not in name
        }
        assert answer.get("responseParameters", {}) == plain, kind
