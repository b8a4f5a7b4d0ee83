"""What every resolver gets: who is calling, and what the answer carries beside its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLResolveInfo

from gatehouse.accounts.devices import UNKNOWN, device
from gatehouse.accounts.model import Origin
from gatehouse.admission.addresses import address_of
from gatehouse.admission.meters import Allowance
from gatehouse.clock import from_milliseconds
from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from gatehouse.wiring import Gatehouse

_SOMEWHERE = Origin("unknown", UNKNOWN)


@dataclass
class RequestContext:
    """One request's own. `next` collects, by response alias, where plain lists go on.

    `allowance` is what admission left, and less where the request turns out to cost more than 1; `retry_after` is in
    seconds, where it left nothing.
    """

    gatehouse: Gatehouse
    caller: Caller
    correlation_id: str
    allowance: Allowance
    retry_after: int | None = None
    plan_id: str | None = None
    origin: Origin = _SOMEWHERE
    next: dict[str, str] = field(default_factory=dict)


type Info = GraphQLResolveInfo[RequestContext]
"""What a resolver is told beside its arguments."""


def from_event(gatehouse: Gatehouse, event: Mapping[str, Any]) -> RequestContext:
    """The context of a REST API event that the authorizer let in."""
    request = event["requestContext"]
    told = request["authorizer"]
    origin = _origin(event, gatehouse.settings.trusted_proxies)
    return RequestContext(
        gatehouse,
        _caller(told, origin),
        request["requestId"],
        allowance(told),
        _number(told, "retryAfter"),
        told.get("plan"),
        origin,
    )


def allowance(told: Mapping[str, str]) -> Allowance:
    """What the authorizer says may still be asked for."""
    return Allowance(
        limit=int(told["limit"]),
        remaining=int(told["remaining"]),
        resets_at=datetime.fromtimestamp(int(told["reset"]), UTC),
        is_spent=told["verdict"] != "allow",
    )


def _origin(event: Mapping[str, Any], trusted_proxies: int) -> Origin:
    """Where the request comes from, as the authorizer counts it."""
    headers = {name.lower(): ", ".join(values) for name, values in (event.get("multiValueHeaders") or {}).items()}
    source = event["requestContext"]["identity"]["sourceIp"]
    return Origin(
        address_of(source, headers.get("x-forwarded-for", ""), trusted_proxies),
        device(headers.get("user-agent", "")),
        event["requestContext"]["requestId"],
    )


def _caller(told: Mapping[str, str], origin: Origin) -> Caller:
    if told["kind"] == "anonymous":
        return Caller(refused_because=told.get("reason"), address=origin.address, correlation_id=origin.correlation_id)
    return Caller(
        consumer_id=told["consumerId"],
        role=Role(told["role"]),
        session_id=told.get("sessionId"),
        generation=_number(told, "generation"),
        credential_id=told.get("credentialId"),
        credential_number=_number(told, "credentialNumber"),
        credential_version=_number(told, "credentialVersion"),
        ends_at=None if (ends := _number(told, "endsAt")) is None else from_milliseconds(ends),
        scopes=_scopes(told),
        lacks_factor="lacksFactor" in told,
        address=origin.address,
        correlation_id=origin.correlation_id,
    )


def _number(told: Mapping[str, str], name: str) -> int | None:
    return int(told[name]) if name in told else None


def _scopes(told: Mapping[str, str]) -> frozenset[str] | None:
    if told["kind"] == "session" or told.get("scopes") == "*":
        return None
    return frozenset(told.get("scopes", "").split())
