"""What the gateway reads from template.yaml."""

from pathlib import Path

import pytest

from local.gateway.environment import ROOT
from local.gateway.intrinsics import TemplateError
from local.gateway.template import Function, GatewayResponse, Route, Table, Template


def test_routes_have_the_default_authorizer_unless_they_say_otherwise(template: Template) -> None:
    assert template.routes == {
        ("POST", "/echo"): Route("POST", "/echo", "EchoFunction", "GateFunction"),
        ("GET", "/open"): Route("GET", "/open", "EchoFunction", None),
    }


def test_functions_have_the_globals_under_their_own_properties(template: Template) -> None:
    assert template.functions == {
        "EchoFunction": Function(
            name="EchoFunction",
            handler="echo.handler.handler",
            timeout=2.0,
            memory=128,
            environment={"STAGE": "dev", "TABLE_NAME": "Table", "OWN": "1"},
        ),
        "GateFunction": Function(
            name="GateFunction",
            handler="gate.handler.handler",
            timeout=5.0,
            memory=512,
            environment={"STAGE": "dev", "TABLE_NAME": "Table"},
        ),
    }


def test_the_api_has_its_stage_and_its_binary_media_types(template: Template) -> None:
    assert template.stage == "dev"
    assert template.binary_media_types == {"image/png"}


def test_gateway_responses_follow_the_parameters(template_path: Path) -> None:
    body = '{"code":"UNAUTHENTICATED","id":"$context.requestId"}'
    closed, opened = (("WWW-Authenticate", "Bearer"),), (("Access-Control-Allow-Origin", "*"),)
    for origins, headers in (("", closed), ("https://a.example", closed + opened)):
        template = Template.load(template_path, {"AllowedOrigins": origins})
        assert template.gateway_responses["UNAUTHORIZED"] == GatewayResponse(401, headers, body)


def test_the_table_is_what_create_table_takes(template: Template) -> None:
    key = [{"AttributeName": "PK", "KeyType": "HASH"}]
    index = {"IndexName": "index", "KeySchema": key, "Projection": {"ProjectionType": "KEYS_ONLY"}}
    assert template.table == Table(
        {
            "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
            "KeySchema": key,
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [index],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        },
        ttl_attribute="expires",
    )


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("Path: /echo, Method: post", "Path: /echo, Method: any", "named methods on plain paths only"),
        ("Path: /echo, Method: post", "Path: '/{id}', Method: post", "named methods on plain paths only"),
        ("Identity: {ReauthorizeEvery: 0}", "Identity: {ReauthorizeEvery: 60}", "without sources or caching only"),
        ("Identity: {ReauthorizeEvery: 0}", "Identity: {Headers: [A], ReauthorizeEvery: 0}", "without sources"),
        ("Identity: {ReauthorizeEvery: 0}", "", "without sources or caching only"),
        ("FunctionPayloadType: REQUEST", "FunctionPayloadType: TOKEN", "REQUEST authorizers"),
        ("DefaultAuthorizer: Gate", "DefaultAuthorizer: Wall", "there is no authorizer Wall"),
        ("FunctionArn: !GetAtt GateFunction.Arn", "FunctionArn: arn:elsewhere", "there is no function elsewhere"),
        ("Type: AWS::DynamoDB::Table", "Type: AWS::S3::Bucket", "needs one AWS::DynamoDB::Table, and there are 0"),
        ("\"'Bearer'\"", "method.request.header.X", "headers in single quotes only, and WWW-Authenticate is not"),
    ],
)
def test_what_the_gateway_does_not_stand_in_for_is_refused(
    template_path: Path, before: str, after: str, complaint: str
) -> None:
    text = template_path.read_text(encoding="utf-8")
    assert before in text
    template_path.write_text(text.replace(before, after), encoding="utf-8")
    template = Template.load(template_path, {})
    with pytest.raises(TemplateError, match=complaint):
        print(template.routes, template.table, template.gateway_responses)


def test_a_resource_whose_condition_does_not_hold_is_not_there(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8")
    own = "Type: AWS::Serverless::Function\n    Condition: AllowsOrigins\n    Properties:\n      Handler: echo"
    template_path.write_text(
        text.replace("Type: AWS::Serverless::Function\n    Properties:\n      Handler: echo", own), encoding="utf-8"
    )
    assert set(Template.load(template_path, {}).functions) == {"GateFunction"}
    assert set(Template.load(template_path, {"AllowedOrigins": "x"}).functions) == {"EchoFunction", "GateFunction"}


def test_the_projects_own_template_is_one_the_gateway_stands_in_for() -> None:
    template = Template.load(ROOT / "template.yaml", {})
    assert {(method, path): bool(route.authorizer) for (method, path), route in template.routes.items()} == {
        ("POST", "/graphql"): True,
        ("GET", "/graphql"): True,
        ("OPTIONS", "/graphql"): False,
        ("GET", "/health"): False,
    }
    assert template.table.ttl_attribute == "expires"
    assert "UNAUTHORIZED" in template.gateway_responses
