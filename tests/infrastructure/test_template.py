"""What is deployed: sound as CloudFormation sees it, and shaped as the contract and the traps of API Gateway ask."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint

from gatehouse.mail.service import CLAIM
from tests.infrastructure.conftest import Document

CODES = {  # of contract section 5, those that fit an answer that no function made
    "BAD_REQUEST",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "RATE_LIMIT_EXCEEDED",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
}


@pytest.fixture(scope="module")
def api(deployed: Document) -> Document:
    body: Document = deployed["Resources"]["Api"]["Properties"]["Body"]
    return body


def _findings(document: Document) -> list[str]:
    return [f"{match.rule.id} {match.message}" for match in lint(json.dumps(document, indent=1))]


def test_cloudformation_gets_a_template_without_fault(deployed: Document) -> None:
    assert _findings(deployed) == []


def test_a_function_that_refers_to_its_own_api_is_found(
    source: Document, translate: Callable[[Document], Document]
) -> None:
    circular = copy.deepcopy(source)
    circular["Globals"]["Function"]["Environment"]["Variables"]["API_ID"] = {"Ref": "Api"}

    assert any(finding.startswith("E3004") for finding in _findings(translate(circular)))


def test_the_authorizer_is_asked_about_every_request_whatever_it_carries(api: Document) -> None:
    authorizer = api["components"]["securitySchemes"]["Gate"]["x-amazon-apigateway-authorizer"]

    assert authorizer["type"] == "request"
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert "identitySource" not in authorizer


def test_only_the_preflight_the_health_check_and_oauths_clients_pass_without_authorizer_and_gateway_key(
    api: Document,
) -> None:
    security = {
        (method, path): operation.get("security")
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    }

    assert security == {
        ("post", "/graphql"): [{"Gate": []}, {"api_key": []}],
        ("get", "/graphql"): [{"Gate": []}, {"api_key": []}],
        ("options", "/graphql"): None,
        ("get", "/health"): [],
        ("post", "/oauth/token"): [],
        ("post", "/oauth/introspect"): [],
        ("post", "/oauth/revoke"): [],
    }


def test_there_is_one_stage_and_it_is_ours(deployed: Document) -> None:
    stages = [each["Properties"] for each in deployed["Resources"].values() if each["Type"] == "AWS::ApiGateway::Stage"]
    deployments = [
        each["Properties"] for each in deployed["Resources"].values() if each["Type"] == "AWS::ApiGateway::Deployment"
    ]

    assert [stage["StageName"] for stage in stages] == [{"Ref": "Stage"}]
    assert ["StageName" in deployment for deployment in deployments] == [False]


def test_api_gateways_own_answers_have_graphqls_shape_and_the_contracts_codes(api: Document) -> None:
    for kind, answer in api["x-amazon-apigateway-gateway-responses"].items():
        body = json.loads(answer["responseTemplates"]["application/json"])
        (error,) = body["errors"]

        assert body.keys() == {"errors"}, kind
        assert error.keys() == {"message", "extensions"}, kind
        assert error["extensions"].keys() == {"code", "statusCode", "correlationId"}, kind
        assert error["extensions"]["code"] in CODES, kind
        assert error["extensions"]["statusCode"] == int(answer["statusCode"]), kind
        assert error["extensions"]["correlationId"] == "$context.requestId", kind
        assert "$" not in error["message"], kind


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("UNAUTHORIZED", 401, "UNAUTHENTICATED"),
        ("ACCESS_DENIED", 403, "FORBIDDEN"),
        ("MISSING_AUTHENTICATION_TOKEN", 404, "NOT_FOUND"),
        ("INVALID_SIGNATURE", 404, "NOT_FOUND"),
        ("REQUEST_TOO_LARGE", 413, "BAD_REQUEST"),
        ("THROTTLED", 429, "RATE_LIMIT_EXCEEDED"),
        ("AUTHORIZER_FAILURE", 503, "SERVICE_UNAVAILABLE"),
        ("AUTHORIZER_CONFIGURATION_ERROR", 503, "SERVICE_UNAVAILABLE"),
        ("INTEGRATION_FAILURE", 503, "SERVICE_UNAVAILABLE"),
        ("INTEGRATION_TIMEOUT", 504, "SERVICE_UNAVAILABLE"),
        ("DEFAULT_4XX", 400, "BAD_REQUEST"),
        ("DEFAULT_5XX", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_what_goes_wrong_outside_the_functions_has_the_code_of_the_contract(
    api: Document, kind: str, status: int, code: str
) -> None:
    answer = api["x-amazon-apigateway-gateway-responses"][kind]
    error = json.loads(answer["responseTemplates"]["application/json"])["errors"][0]

    assert (int(answer["statusCode"]), error["extensions"]["code"]) == (status, code)


def test_a_refused_credential_is_told_which_one_to_bring_and_a_busy_service_when_to_come_back(api: Document) -> None:
    for kind, answer in api["x-amazon-apigateway-gateway-responses"].items():
        headers = {name.rsplit(".", 1)[1] for name in answer["responseParameters"]}

        assert ("WWW-Authenticate" in headers) == (int(answer["statusCode"]) == 401), kind
        assert ("Retry-After" in headers) == (int(answer["statusCode"]) in {429, 503, 504}), kind


def test_pages_may_read_api_gateways_own_answers_only_where_origins_are_allowed(api: Document) -> None:
    for kind, answer in api["x-amazon-apigateway-gateway-responses"].items():
        allowed = answer["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"]

        assert allowed == {"Fn::If": ["AllowsOrigins", "'*'", {"Ref": "AWS::NoValue"}]}, kind


def test_the_access_log_is_json_and_holds_no_credential(deployed: Document) -> None:
    line = json.loads(deployed["Resources"]["ApiStage"]["Properties"]["AccessLogSetting"]["Format"])

    assert {"requestId", "principalId", "kind", "method", "endpoint", "status", "responseLatency", "errorType"} <= set(
        line
    )
    assert all(value.startswith("$context.") for value in line.values())
    assert not any("header" in value.lower() for value in line.values())


def test_no_log_is_kept_for_ever(deployed: Document) -> None:
    functions = [
        each["Properties"] for each in deployed["Resources"].values() if each["Type"] == "AWS::Lambda::Function"
    ]
    groups = {
        name: each["Properties"]
        for name, each in deployed["Resources"].items()
        if each["Type"] == "AWS::Logs::LogGroup"
    }

    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    assert all(function["LoggingConfig"]["LogGroup"]["Ref"] in groups for function in functions)


def test_functions_have_no_rights_but_those_that_the_template_spells_out(deployed: Document) -> None:
    roles = {name: each for name, each in deployed["Resources"].items() if each["Type"] == "AWS::IAM::Role"}
    used = {
        each["Properties"]["Role"]["Fn::GetAtt"][0]
        for each in deployed["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    }

    assert used == {
        *("GraphqlApiRole", "AuthorizerRole", "OAuthRole", "StreamRole", "MailRole", "CleanupRole", "KeyRotationRole"),
    }
    assert all("ManagedPolicyArns" not in roles[name]["Properties"] for name in used)


def test_functions_end_before_api_gateway_gives_up_on_them(deployed: Document) -> None:
    timeouts = {
        name: each["Properties"]["Timeout"]
        for name, each in deployed["Resources"].items()
        if each["Type"] == "AWS::Lambda::Function"
    }

    assert timeouts.keys() == {
        *("GraphqlApiFunction", "AuthorizerFunction", "OAuthFunction", "StreamFunction", "MailFunction"),
        *("CleanupFunction", "KeyRotationFunction"),
    }
    assert timeouts["AuthorizerFunction"] <= 10
    assert timeouts["GraphqlApiFunction"] < 29
    assert timeouts["OAuthFunction"] < 29


def test_the_table_outlives_the_stack_and_can_be_restored(deployed: Document) -> None:
    table: dict[str, Any] = deployed["Resources"]["Table"]

    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["Properties"]["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert "TableName" not in table["Properties"]


def test_a_mail_that_cannot_be_sent_is_tried_again_then_put_aside_and_told(deployed: Document) -> None:
    resources: dict[str, Any] = deployed["Resources"]
    (mapping,) = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
        and "MailQueue" in str(each["Properties"]["EventSourceArn"])
    ]
    queue = resources["MailQueue"]["Properties"]
    alarm = resources["MailFailuresAlarm"]["Properties"]

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["MailFailures", "Arn"]}
    assert queue["VisibilityTimeout"] >= 2 * resources["MailFunction"]["Properties"]["Timeout"]
    assert queue["VisibilityTimeout"] > CLAIM.total_seconds()
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["MailFailures", "QueueName"]}}]


def test_mails_are_not_sent_without_somewhere_for_their_links_to_lead(deployed: Document) -> None:
    rule = deployed["Rules"]["LinksLeadSomewhere"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MailFrom"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AppUrl"}, ""]}]}
