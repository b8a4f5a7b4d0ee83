"""What template.yaml says about the API, its functions and the table, for one set of parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.gateway.intrinsics import Evaluator, TemplateError, read

_FUNCTION = "AWS::Serverless::Function"
_INDEX_ARGUMENTS = ("IndexName", "KeySchema", "Projection")
_TABLE_ARGUMENTS = ("AttributeDefinitions", "KeySchema", "BillingMode")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function: its logical id, the dotted name of its handler, seconds, megabytes, environment."""

    name: str
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Route:
    """A method of the API, the function that answers it, and the function that is asked first, if any."""

    method: str
    path: str
    function: str
    authorizer: str | None


@dataclass(frozen=True)
class GatewayResponse:
    """How API Gateway words an answer of its own; None stands for its default."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True)
class Table:
    """The arguments of CreateTable but for the name, and the attribute that holds an item's end of life."""

    arguments: Mapping[str, Any]
    ttl_attribute: str | None


class Template:
    """Answers questions about one template; what the local gateway cannot stand in for raises TemplateError."""

    def __init__(self, document: dict[str, Any], parameters: Mapping[str, str], region: str) -> None:
        self._document = document
        self._evaluator = Evaluator(document, parameters, region)
        self.region = region

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str], region: str = "us-east-1") -> "Template":
        """The template in a file, its parameters set as given and to their defaults otherwise."""
        return cls(read(path), parameters, region)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """The functions by their logical id."""
        return {name: self._function(name, properties) for name, properties in self._resources(_FUNCTION)}

    @cached_property
    def routes(self) -> Mapping[tuple[str, str], Route]:
        """The API's routes by method and path; no path has parameters."""
        routes = {}
        for name, properties in self._resources(_FUNCTION):
            for event in properties.get("Events", {}).values():
                if event["Type"] == "Api":
                    route = self._route(name, event["Properties"])
                    routes[route.method, route.path] = route
        return routes

    @cached_property
    def gateway_responses(self) -> Mapping[str, GatewayResponse]:
        """What the API says of its own answers, by response type."""
        return {kind: _gateway_response(kind, given) for kind, given in self._api.get("GatewayResponses", {}).items()}

    @cached_property
    def binary_media_types(self) -> frozenset[str]:
        """The media types whose bodies travel as base64; SAM's `~1` is a slash."""
        return frozenset(name.replace("~1", "/").lower() for name in self._api.get("BinaryMediaTypes", []))

    @property
    def stage(self) -> str:
        """The name of the API's stage."""
        return str(self._api["StageName"])

    @cached_property
    def table(self) -> Table:
        """The one table; backups, encryption and protection are left to AWS, where they mean something."""
        properties = self._one("AWS::DynamoDB::Table")
        arguments = {name: properties[name] for name in _TABLE_ARGUMENTS if name in properties}
        arguments["GlobalSecondaryIndexes"] = [
            {name: index[name] for name in _INDEX_ARGUMENTS} for index in properties["GlobalSecondaryIndexes"]
        ]
        if "StreamSpecification" in properties:
            arguments["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        ttl = properties.get("TimeToLiveSpecification", {})
        return Table(arguments, ttl.get("AttributeName") if ttl.get("Enabled") else None)

    @cached_property
    def _api(self) -> dict[str, Any]:
        return self._one("AWS::Serverless::Api")

    @cached_property
    def _authorizers(self) -> Mapping[str, str]:
        """The functions that authorize, by the name of their authorizer."""
        return {
            name: self._authorizer(name, given)
            for name, given in self._api.get("Auth", {}).get("Authorizers", {}).items()
        }

    def _one(self, kind: str) -> dict[str, Any]:
        found = [properties for _, properties in self._resources(kind)]
        if len(found) != 1:
            raise TemplateError(f"The local gateway needs one {kind}, and there are {len(found)}.")
        return found[0]

    def _resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The resources of a kind whose condition holds, with SAM's Globals merged in."""
        shared = self._document.get("Globals", {}).get(kind.rsplit("::", 1)[1], {}) if "Serverless" in kind else {}
        for name, resource in self._document["Resources"].items():
            exists = "Condition" not in resource or self._evaluator.condition(resource["Condition"])
            if resource["Type"] == kind and exists:
                yield name, self._evaluator.value(_merged(shared, resource.get("Properties", {})))

    def _function(self, name: str, properties: dict[str, Any]) -> Function:
        variables = properties.get("Environment", {}).get("Variables", {})
        return Function(
            name=name,
            handler=properties["Handler"],
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            environment={key: str(value) for key, value in variables.items()},
        )

    def _route(self, function: str, event: dict[str, Any]) -> Route:
        method, path = event["Method"].upper(), event["Path"]
        if method == "ANY" or "{" in path:
            raise TemplateError(f"{method} {path}: the local gateway serves named methods on plain paths only.")
        auth = self._api.get("Auth", {})
        chosen = event.get("Auth", {}).get("Authorizer")
        if chosen is None and (method != "OPTIONS" or auth.get("AddDefaultAuthorizerToCorsPreflight", True)):
            chosen = auth.get("DefaultAuthorizer")
        if chosen is None or chosen == "NONE":
            return Route(method, path, function, None)
        if chosen not in self._authorizers:
            raise TemplateError(f"{method} {path}: there is no authorizer {chosen}.")
        return Route(method, path, function, self._authorizers[chosen])

    def _authorizer(self, name: str, given: dict[str, Any]) -> str:
        identity = given.get("Identity", {})
        if given.get("FunctionPayloadType") != "REQUEST" or identity != {"ReauthorizeEvery": 0}:
            raise TemplateError(f"{name}: the local gateway knows REQUEST authorizers without sources or caching only.")
        function = str(given["FunctionArn"]).rsplit(":", 1)[1]
        if function not in self.functions:
            raise TemplateError(f"{name}: there is no function {function}.")
        return function


def _merged(shared: Any, own: Any) -> Any:
    """SAM's Globals under a resource's own properties: mappings merge, lists are joined, all else is replaced."""
    if isinstance(shared, dict) and isinstance(own, dict):
        return shared | {key: _merged(shared[key], value) if key in shared else value for key, value in own.items()}
    if isinstance(shared, list) and isinstance(own, list):
        return shared + own
    return own


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
