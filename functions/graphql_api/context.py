"""What every resolver gets: who is calling, and what the answer carries beside its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from gatehouse.wiring import Gatehouse


@dataclass(frozen=True)
class RequestContext:
    """One request's own. `next` collects, by response alias, where plain lists go on."""

    gatehouse: Gatehouse
    caller: Caller
    correlation_id: str
    next: dict[str, str] = field(default_factory=dict)


type Info = GraphQLResolveInfo[RequestContext]
"""What a resolver is told beside its arguments."""


def from_event(gatehouse: Gatehouse, event: Mapping[str, Any]) -> RequestContext:
    """The context of a REST API event that the authorizer let in."""
    request = event["requestContext"]
    return RequestContext(gatehouse, _caller(request["authorizer"]), request["requestId"])


def _caller(told: Mapping[str, str]) -> Caller:
    if told["kind"] == "anonymous":
        return Caller(refused_because=told.get("reason"))
    return Caller(
        consumer_id=told["consumerId"],
        role=Role(told["role"]),
        session_id=told.get("sessionId"),
        credential_id=told.get("credentialId"),
        scopes=_scopes(told),
    )


def _scopes(told: Mapping[str, str]) -> frozenset[str] | None:
    if told["kind"] == "session" or told.get("scopes") == "*":
        return None
    return frozenset(told.get("scopes", "").split())
