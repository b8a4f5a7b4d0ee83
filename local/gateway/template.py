"""What a template says about its API, its functions and its table, for one set of parameters."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.gateway.api import Api, GatewayResponse, Route
from local.gateway.intrinsics import Evaluator, TemplateError, read

_FUNCTION = "AWS::Serverless::Function"
_INDEX_ARGUMENTS = ("IndexName", "KeySchema", "Projection")
_TABLE_ARGUMENTS = ("AttributeDefinitions", "KeySchema", "BillingMode")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function: its logical id, its ARN, the folder of its code, the dotted name of its handler in there,
    seconds, megabytes, environment.
    """

    name: str
    arn: str
    code: Path
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StreamMapping:
    """What calls a function with changes of the table: those that match a pattern, at most so many at a time, and once
    more so many times where that fails.
    """

    function: str
    patterns: tuple[Mapping[str, Any], ...]
    batch_size: int
    retries: int


@dataclass(frozen=True, kw_only=True)
class QueueMapping:
    """What calls a function with the messages of a queue, each at most so many times."""

    function: str
    receives: int


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What calls a function at its times, and with which event."""

    function: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """The arguments of CreateTable but for the name, and the attribute that holds an item's end of life."""

    arguments: Mapping[str, Any]
    ttl_attribute: str | None


class Template:
    """Answers questions about one template; what the local gateway cannot stand in for raises TemplateError."""

    def __init__(self, document: dict[str, Any], folder: Path, parameters: Mapping[str, str], region: str) -> None:
        self._document = document
        self._folder = folder
        self._evaluator = Evaluator(document, parameters, region)
        self.region = region

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str], region: str = "us-east-1") -> "Template":
        """The template in a file, its parameters set as given and to their defaults otherwise."""
        return cls(read(path), path.parent, parameters, region)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """The functions by their logical id."""
        return {name: self._function(name, properties) for name, properties in self.resources(_FUNCTION)}

    @cached_property
    def api(self) -> Api:
        """The one API, its id the logical one; no path of its routes has parameters."""
        name, properties = self._one("AWS::Serverless::Api")
        authorizers = {
            authorizer: _authorizer(authorizer, given)
            for authorizer, given in properties.get("Auth", {}).get("Authorizers", {}).items()
        }
        routes = [
            _route(function, event["Properties"], properties.get("Auth", {}), authorizers)
            for function, its_properties in self.resources(_FUNCTION)
            for event in its_properties.get("Events", {}).values()
            if event["Type"] == "Api"
        ]
        if any(route.needs_key for route in routes) and properties.get("ApiKeySourceType") != "AUTHORIZER":
            raise TemplateError(f"{name}: the local gateway knows API keys that an authorizer names only.")
        return Api(
            id=name,
            stage=str(properties["StageName"]),
            region=self.region,
            routes={(route.method, route.path): route for route in routes},
            gateway_responses={
                kind: _gateway_response(kind, given) for kind, given in properties.get("GatewayResponses", {}).items()
            },
            binary_media_types=frozenset(  # SAM's `~1` is a slash
                media_type.replace("~1", "/").lower() for media_type in properties.get("BinaryMediaTypes", [])
            ),
        )

    @cached_property
    def stream_mappings(self) -> Sequence[StreamMapping]:
        """What is called with changes of the table."""
        return [
            _stream_mapping(name, event["Properties"])
            for name, properties in self.resources(_FUNCTION)
            for event in properties.get("Events", {}).values()
            if event["Type"] == "DynamoDB"
        ]

    @cached_property
    def queue_mappings(self) -> Sequence[QueueMapping]:
        """What is called with messages of a queue."""
        queues = dict(self.resources("AWS::SQS::Queue"))
        return [
            _queue_mapping(name, event["Properties"], queues)
            for name, properties in self.resources(_FUNCTION)
            for event in properties.get("Events", {}).values()
            if event["Type"] == "SQS"
        ]

    @cached_property
    def schedules(self) -> Sequence[Schedule]:
        """What is called at its times."""
        return [
            Schedule(function=name, event=json.loads(event["Properties"].get("Input", "{}")))
            for name, properties in self.resources(_FUNCTION)
            for event in properties.get("Events", {}).values()
            if event["Type"] == "ScheduleV2"
        ]

    @cached_property
    def table(self) -> Table:
        """The one table; backups, encryption and protection are left to AWS, where they mean something."""
        _, properties = self._one("AWS::DynamoDB::Table")
        arguments = {name: properties[name] for name in _TABLE_ARGUMENTS if name in properties}
        arguments["GlobalSecondaryIndexes"] = [
            {name: index[name] for name in _INDEX_ARGUMENTS} for index in properties["GlobalSecondaryIndexes"]
        ]
        if "StreamSpecification" in properties:
            arguments["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        ttl = properties.get("TimeToLiveSpecification", {})
        return Table(arguments, ttl.get("AttributeName") if ttl.get("Enabled") else None)

    def _one(self, kind: str) -> tuple[str, dict[str, Any]]:
        found = list(self.resources(kind))
        if len(found) != 1:
            raise TemplateError(f"The local gateway needs one {kind}, and there are {len(found)}.")
        return found[0]

    def resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The resources of a kind whose condition holds, with SAM's Globals merged in."""
        shared = self._document.get("Globals", {}).get(kind.rsplit("::", 1)[1], {}) if "Serverless" in kind else {}
        for name, resource in self._document["Resources"].items():
            if resource["Type"] == kind and self._exists(resource):
                yield name, self._evaluator.value(_merged(shared, resource.get("Properties", {})))

    def _exists(self, resource: dict[str, Any]) -> bool:
        return "Condition" not in resource or self._evaluator.condition(resource["Condition"])

    def _function(self, name: str, properties: dict[str, Any]) -> Function:
        variables = properties.get("Environment", {}).get("Variables", {})
        return Function(
            name=name,
            arn=self._evaluator.value({"Fn::GetAtt": [name, "Arn"]}),
            code=self._folder / properties.get("CodeUri", "."),
            handler=properties["Handler"],
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            environment={key: str(value) for key, value in variables.items()},
        )


def _merged(shared: Any, own: Any) -> Any:
    """SAM's Globals under a resource's own properties: mappings merge, lists are joined, all else is replaced."""
    if isinstance(shared, dict) and isinstance(own, dict):
        return shared | {key: _merged(shared[key], value) if key in shared else value for key, value in own.items()}
    if isinstance(shared, list) and isinstance(own, list):
        return shared + own
    return own


def _route(function: str, event: dict[str, Any], auth: dict[str, Any], authorizers: Mapping[str, str]) -> Route:
    method, path = event["Method"].upper(), event["Path"]
    if method == "ANY" or "{" in path:
        raise TemplateError(f"{method} {path}: the local gateway serves named methods on plain paths only.")
    chosen = event.get("Auth", {}).get("Authorizer")
    if chosen is None and (method != "OPTIONS" or auth.get("AddDefaultAuthorizerToCorsPreflight", True)):
        chosen = auth.get("DefaultAuthorizer")
    needs_key = event.get("Auth", {}).get("ApiKeyRequired")
    if needs_key is None and (method != "OPTIONS" or auth.get("AddApiKeyRequiredToCorsPreflight", True)):
        needs_key = auth.get("ApiKeyRequired")
    if chosen is None or chosen == "NONE":
        return Route(method, path, function, None, bool(needs_key))
    if chosen not in authorizers:
        raise TemplateError(f"{method} {path}: there is no authorizer {chosen}.")
    return Route(method, path, function, authorizers[chosen], bool(needs_key))


def _stream_mapping(function: str, properties: dict[str, Any]) -> StreamMapping:
    if (
        properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
        or "MaximumRetryAttempts" not in properties
    ):
        raise TemplateError(f"{function}: the local gateway calls functions that report failures, and not for ever.")
    return StreamMapping(
        function=function,
        patterns=tuple(json.loads(each["Pattern"]) for each in properties["FilterCriteria"]["Filters"]),
        batch_size=int(properties.get("BatchSize", 100)),
        retries=int(properties["MaximumRetryAttempts"]),
    )


def _queue_mapping(function: str, properties: dict[str, Any], queues: Mapping[str, dict[str, Any]]) -> QueueMapping:
    redrive = queues[properties["Queue"].rsplit(":", 1)[1]].get("RedrivePolicy", {})
    if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"] or "maxReceiveCount" not in redrive:
        raise TemplateError(f"{function}: the local gateway calls functions that report failures, and not for ever.")
    return QueueMapping(function=function, receives=int(redrive["maxReceiveCount"]))


def _authorizer(name: str, given: dict[str, Any]) -> str:
    """The function that authorizes: one of this template, or of another that is served beside it."""
    identity = given.get("Identity", {})
    if given.get("FunctionPayloadType") != "REQUEST" or identity != {"ReauthorizeEvery": 0}:
        raise TemplateError(f"{name}: the local gateway knows REQUEST authorizers without sources or caching only.")
    return str(given["FunctionArn"]).rsplit(":", 1)[1]


def _gateway_response(kind: str, given: dict[str, Any]) -> GatewayResponse:
    headers = given.get("ResponseParameters", {}).get("Headers", {})
    for name, value in headers.items():
        if not (len(value) >= 2 and value[0] == value[-1] == "'"):
            raise TemplateError(f"{kind}: the local gateway knows headers in single quotes only, and {name} is not.")
    return GatewayResponse(
        status=int(given["StatusCode"]) if "StatusCode" in given else None,
        headers=tuple((name, value[1:-1]) for name, value in headers.items()),
        body=given.get("ResponseTemplates", {}).get("application/json"),
    )
