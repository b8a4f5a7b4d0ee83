"""A small API of its own, so that the gateway is tested without the house it is for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatehouse.clock import Clock
from local.gateway.gateway import Gateway
from local.gateway.messages import HttpRequest
from local.gateway.template import Template

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  AllowedOrigins: {Type: String, Default: ""}
Conditions:
  AllowsOrigins: !Not [!Equals [!Ref AllowedOrigins, ""]]
Globals:
  Function:
    Timeout: 5
    Environment:
      Variables: {STAGE: !Ref Stage, TABLE_NAME: !Ref Table}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      BinaryMediaTypes: [image~1png]
      Auth:
        DefaultAuthorizer: Gate
        Authorizers:
          Gate:
            FunctionArn: !GetAtt GateFunction.Arn
            FunctionPayloadType: REQUEST
            Identity: {ReauthorizeEvery: 0}
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 401
          ResponseParameters:
            Headers:
              WWW-Authenticate: "'Bearer'"
              Access-Control-Allow-Origin: !If [AllowsOrigins, "'*'", !Ref AWS::NoValue]
          ResponseTemplates:
            application/json: '{"code":"UNAUTHENTICATED","id":"$context.requestId"}'
        DEFAULT_5XX:
          StatusCode: 500
          ResponseTemplates:
            application/json: '{"code":"$context.error.responseType"}'
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: echo.handler.handler
      CodeUri: source
      Timeout: 2
      Environment:
        Variables: {OWN: "1"}
      Events:
        Post: {Type: Api, Properties: {Path: /echo, Method: post, RestApiId: !Ref Api}}
        Open: {Type: Api, Properties: {Path: /open, Method: get, RestApiId: !Ref Api, Auth: {Authorizer: NONE}}}
        Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
  GateFunction:
    Type: AWS::Serverless::Function
    Properties: {Handler: gate.handler.handler, MemorySize: 512}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      StreamSpecification: {StreamViewType: KEYS_ONLY}
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: index
          KeySchema: [{AttributeName: PK, KeyType: HASH}]
          Projection: {ProjectionType: KEYS_ONLY}
          ContributorInsightsSpecification: {Enabled: true}
"""

BESIDE = """
Parameters:
  AuthorizerFunctionArn: {Type: String}
Resources:
  OtherApi:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: Gate
        Authorizers:
          Gate:
            FunctionArn: !Ref AuthorizerFunctionArn
            FunctionPayloadType: REQUEST
            Identity: {ReauthorizeEvery: 0}
      GatewayResponses:
        UNAUTHORIZED: {StatusCode: 418}
  OtherFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: other.handler.handler
      Events:
        Get: {Type: Api, Properties: {Path: /things, Method: get, RestApiId: !Ref OtherApi}}
        Root: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref OtherApi}}
"""

type Handler = Callable[[dict[str, Any], Any], Any]


def allow(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """An authorizer that lets everyone in."""
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {"principalId": "someone", "policyDocument": {"Statement": [statement]}, "context": {"kind": "session"}}


def answer(_: dict[str, Any], __: Any) -> dict[str, Any]:
    """A function that is content with everything."""
    return {"statusCode": 200, "body": "fine"}


@pytest.fixture
def template_path(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


@pytest.fixture
def template(template_path: Path) -> Template:
    return Template.load(template_path, {})


@pytest.fixture
def beside(tmp_path: Path, template: Template) -> Template:
    """Another API, which asks the authorizer of the template above."""
    path = tmp_path / "beside.yaml"
    path.write_text(BESIDE, encoding="utf-8")
    return Template.load(path, {"AuthorizerFunctionArn": template.functions["GateFunction"].arn})


@pytest.fixture
def make_gateway(template: Template) -> Iterator[Callable[..., Gateway]]:
    """Makes a gateway of the template above, with an authorizer and a function of the test's choice."""
    made: list[Gateway] = []

    def make(function: Handler = answer, gate: Handler = allow, clock: Clock | None = None) -> Gateway:
        made.append(Gateway(template, {"EchoFunction": function, "GateFunction": gate}, clock))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.fixture
def post() -> HttpRequest:
    """A request as a client sends it."""
    return HttpRequest(
        method="POST",
        path="/echo",
        query="a=1&a=2&b=%C3%A9+x&empty=",
        headers=(
            ("Host", "localhost:3000"),
            ("User-Agent", "curl/8"),
            ("content-type", "application/json"),
            ("X-Several", "one"),
            ("x-several", "two"),
            ("Connection", "keep-alive"),
            ("x-forwarded-for", "10.1.1.1"),
            ("X-Forwarded-Proto", "gopher"),
        ),
        body=b'{"caf\xc3\xa9": true}',
    )
