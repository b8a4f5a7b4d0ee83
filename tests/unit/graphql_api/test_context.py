"""What the authorizer told is what the door reads; what was lost on the way gives no right."""

from typing import Any

import pytest

from authorizer import policy
from gatehouse.consumers.model import Role
from gatehouse.permissions import ANONYMOUS, Caller
from graphql_api.context import from_event
from tests.unit.fakes import MemoryStore, StoppedClock, the_house

ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/POST/graphql"
HOUSE = the_house(MemoryStore(), StoppedClock())


def _read(told: dict[str, Any]) -> Caller:
    return from_event(HOUSE, {"requestContext": {"authorizer": told, "requestId": "r"}}).caller


@pytest.mark.parametrize(
    "caller",
    [
        ANONYMOUS,
        Caller(refused_because="TOKEN_EXPIRED"),
        *(Caller(consumer_id="u", role=role, session_id="s") for role in Role),
        Caller(consumer_id="u", credential_id="k", scopes=None),
        Caller(consumer_id="u", credential_id="k", scopes=frozenset()),
        Caller(consumer_id="u", credential_id="k", scopes=frozenset({"users:read", "orders:write"})),
    ],
)
def test_every_caller_arrives_as_the_authorizer_found_it(caller: Caller) -> None:
    told = policy.allow(ARN, caller)["context"]

    assert _read({**told, "principalId": "x", "integrationLatency": 41}) == caller


def test_scopes_that_were_lost_on_the_way_are_none_at_all() -> None:
    program = {"kind": "credential", "consumerId": "u", "role": "ADMIN", "credentialId": "k"}

    assert _read(program).scopes == frozenset()


def test_the_correlation_id_is_the_requests_own() -> None:
    event = {"requestContext": {"authorizer": {"kind": "anonymous"}, "requestId": "r-1"}}

    assert from_event(HOUSE, event).correlation_id == "r-1"
