"""A REST API as it is deployed: its stage, its routes, and how it words its own answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.gateway.intrinsics import ACCOUNT_ID
from local.gateway.messages import HttpRequest

_DEFAULT_ACCEPT = "application/json"


@dataclass(frozen=True)
class Route:
    """A method of the API, the function that answers it, the function that is asked first, if any, and whether that has
    to name a key of a usage plan.
    """

    method: str
    path: str
    function: str
    authorizer: str | None
    needs_key: bool = False


@dataclass(frozen=True)
class GatewayResponse:
    """How API Gateway words an answer of its own; None stands for its default."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API with its one stage. Routes stand under method and path, gateway responses under their type.

    Bodies of the binary media types travel as base64.
    """

    id: str
    stage: str
    region: str
    routes: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    binary_media_types: frozenset[str] = frozenset()

    def is_binary(self, header: str | None) -> bool:
        """Whether the first media type in a header is one of the API's binary ones."""
        media_type = (header or _DEFAULT_ACCEPT).split(",")[0].split(";")[0].strip().lower()
        return media_type in self.binary_media_types or "*/*" in self.binary_media_types

    def method_arn(self, request: HttpRequest) -> str:
        """The ARN that an authorizer's policy is about."""
        path = request.path.removeprefix("/")
        return f"arn:aws:execute-api:{self.region}:{ACCOUNT_ID}:{self.id}/{self.stage}/{request.method}/{path}"
