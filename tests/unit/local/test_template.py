"""What the gateway reads from template.yaml."""

from pathlib import Path

import pytest

from local.gateway.api import Api, GatewayResponse, Route
from local.gateway.environment import ROOT
from local.gateway.intrinsics import TemplateError
from local.gateway.template import Function, QueueMapping, Schedule, StreamMapping, Table, Template


def test_routes_have_the_default_authorizer_unless_they_say_otherwise(template: Template) -> None:
    assert template.api.routes == {
        ("POST", "/echo"): Route("POST", "/echo", "EchoFunction", "GateFunction"),
        ("GET", "/open"): Route("GET", "/open", "EchoFunction", None),
    }


def test_functions_have_the_globals_under_their_own_properties(template: Template, tmp_path: Path) -> None:
    assert template.functions == {
        "EchoFunction": Function(
            name="EchoFunction",
            arn="arn:aws:lambda:us-east-1:123456789012:function:EchoFunction",
            code=tmp_path / "source",
            handler="echo.handler.handler",
            timeout=2.0,
            memory=128,
            environment={"STAGE": "dev", "TABLE_NAME": "Table", "OWN": "1"},
        ),
        "GateFunction": Function(
            name="GateFunction",
            arn="arn:aws:lambda:us-east-1:123456789012:function:GateFunction",
            code=tmp_path,
            handler="gate.handler.handler",
            timeout=5.0,
            memory=512,
            environment={"STAGE": "dev", "TABLE_NAME": "Table"},
        ),
    }


def test_the_api_has_its_id_its_stage_and_its_binary_media_types(template: Template) -> None:
    assert template.api == Api(
        id="Api",
        stage="dev",
        region="us-east-1",
        routes=template.api.routes,
        gateway_responses=template.api.gateway_responses,
        binary_media_types=frozenset({"image/png"}),
    )


def test_gateway_responses_follow_the_parameters(template_path: Path) -> None:
    body = '{"code":"UNAUTHENTICATED","id":"$context.requestId"}'
    closed, opened = (("WWW-Authenticate", "Bearer"),), (("Access-Control-Allow-Origin", "*"),)
    for origins, headers in (("", closed), ("https://a.example", closed + opened)):
        template = Template.load(template_path, {"AllowedOrigins": origins})
        assert template.api.gateway_responses["UNAUTHORIZED"] == GatewayResponse(401, headers, body)


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
        print(template.api, template.table)


def test_a_resource_whose_condition_does_not_hold_is_not_there(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8")
    own = "Type: AWS::Serverless::Function\n    Condition: AllowsOrigins\n    Properties:\n      Handler: echo"
    template_path.write_text(
        text.replace("Type: AWS::Serverless::Function\n    Properties:\n      Handler: echo", own), encoding="utf-8"
    )
    assert set(Template.load(template_path, {}).functions) == {"GateFunction"}
    assert set(Template.load(template_path, {"AllowedOrigins": "x"}).functions) == {"EchoFunction", "GateFunction"}


def test_methods_need_a_key_where_the_api_or_they_themselves_say_so(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8")
    needing = "      ApiKeySourceType: AUTHORIZER\n      Auth:\n        ApiKeyRequired: true\n"
    event = "Preflight: {Type: Api, Properties: {Path: /echo, Method: options, RestApiId: !Ref Api}}\n        Post:"
    for preflight, needs_key in (("", True), ("        AddApiKeyRequiredToCorsPreflight: false\n", False)):
        changed = text.replace("      Auth:\n", needing + preflight, 1).replace("Post:", event, 1)
        changed = changed.replace("{Authorizer: NONE}", "{Authorizer: NONE, ApiKeyRequired: false}")
        template_path.write_text(changed, encoding="utf-8")
        routes = Template.load(template_path, {}).api.routes
        assert {name: route.needs_key for name, route in routes.items()} == {
            ("POST", "/echo"): True,
            ("OPTIONS", "/echo"): needs_key,
            ("GET", "/open"): False,
        }


MAPPING = """
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            BatchSize: 7
            MaximumRetryAttempts: 3
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"PK": {"S": ["a"]}}}}'}]}
"""


def test_what_is_called_with_changes_says_with_which_and_how_often_again(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8").replace("      Events:\n", "      Events:" + MAPPING, 1)
    template_path.write_text(text, encoding="utf-8")
    pattern = {"dynamodb": {"Keys": {"PK": {"S": ["a"]}}}}
    assert Template.load(template_path, {}).stream_mappings == [
        StreamMapping(function="EchoFunction", patterns=(pattern,), batch_size=7, retries=3)
    ]


@pytest.mark.parametrize("left_out", ["            MaximumRetryAttempts: 3\n", "[ReportBatchItemFailures]"])
def test_a_mapping_that_would_be_tried_for_ever_or_tells_no_failures_is_refused(
    template_path: Path, left_out: str
) -> None:
    mapping = MAPPING.replace(left_out, "[]" if left_out.startswith("[") else "")
    text = template_path.read_text(encoding="utf-8").replace("      Events:\n", "      Events:" + mapping, 1)
    template_path.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match="functions that report failures, and not for ever"):
        print(Template.load(template_path, {}).stream_mappings)


QUEUE = """
        Messages:
          Type: SQS
          Properties:
            Queue: !GetAtt Messages.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
"""
REDRIVE = "{maxReceiveCount: 4, deadLetterTargetArn: x}"


def with_a_queue(path: Path, mapping: str, redrive: str) -> Template:
    text = path.read_text(encoding="utf-8").replace("      Events:\n", "      Events:" + mapping, 1)
    queue = f"\n  Messages: {{Type: AWS::SQS::Queue, Properties: {{RedrivePolicy: {redrive}}}}}\n"
    path.write_text(text.rstrip() + queue, encoding="utf-8")
    return Template.load(path, {})


def test_what_is_called_with_a_queues_messages_says_how_often(template_path: Path) -> None:
    template = with_a_queue(template_path, QUEUE, REDRIVE)

    assert template.queue_mappings == [QueueMapping(function="EchoFunction", receives=4)]
    assert template.stream_mappings == []


@pytest.mark.parametrize(
    ("mapping", "redrive"), [(QUEUE, "{}"), (QUEUE.replace("[ReportBatchItemFailures]", "[]"), REDRIVE)]
)
def test_a_queue_that_would_be_read_for_ever_or_tells_no_failures_is_refused(
    template_path: Path, mapping: str, redrive: str
) -> None:
    with pytest.raises(TemplateError, match="functions that report failures, and not for ever"):
        print(with_a_queue(template_path, mapping, redrive).queue_mappings)


SCHEDULE = """
        Hourly:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 hour), Input: '{"dryRun": false}'}
"""


def test_what_is_called_at_its_times_says_with_which_event(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8").replace("      Events:\n", "      Events:" + SCHEDULE, 1)
    template_path.write_text(text, encoding="utf-8")

    assert Template.load(template_path, {}).schedules == [
        Schedule(function="EchoFunction", event={"dryRun": False}),
        Schedule(function="EchoFunction", event={}),
    ]


def test_the_projects_own_template_is_one_the_gateway_stands_in_for() -> None:
    template = Template.load(ROOT / "template.yaml", {})
    assert {(method, path): bool(route.authorizer) for (method, path), route in template.api.routes.items()} == {
        ("POST", "/graphql"): True,
        ("GET", "/graphql"): True,
        ("OPTIONS", "/graphql"): False,
        ("GET", "/health"): False,
        ("POST", "/oauth/token"): False,
        ("POST", "/oauth/introspect"): False,
        ("POST", "/oauth/revoke"): False,
    }
    assert template.table.ttl_attribute == "expires"
    assert "UNAUTHORIZED" in template.api.gateway_responses
