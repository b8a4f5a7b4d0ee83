"""What the authorizer told is what the door reads; what was lost on the way gives no right."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authorizer import policy
from gatehouse.accounts.devices import UNKNOWN
from gatehouse.accounts.model import Origin
from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.consumers.model import Role
from gatehouse.permissions import ANONYMOUS, Caller
from graphql_api.context import RequestContext, from_event
from tests.unit.fakes import HOME, START, MemoryStore, StoppedClock, the_house
from tests.unit.graphql_api.conftest import PLENTY

ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/POST/graphql"
HOUSE = the_house(MemoryStore(), StoppedClock())
SOMEWHERE_AT_HOME = Origin(HOME, UNKNOWN)


def _told(caller: Caller = ANONYMOUS, allowance: Allowance = PLENTY, plan_id: str | None = None) -> dict[str, Any]:
    """What API Gateway passes on of what the authorizer answers, with what it adds."""
    admitted = Admitted(caller=caller, allowance=allowance, gateway_key="a-key", plan_id=plan_id)
    return {**policy.allow(ARN, admitted, START)["context"], "principalId": "x", "integrationLatency": 41}


def _read(told: dict[str, Any]) -> RequestContext:
    return from_event(
        HOUSE, {"requestContext": {"authorizer": told, "requestId": "r-1", "identity": {"sourceIp": HOME}}}
    )


@pytest.mark.parametrize(
    "caller",
    [
        ANONYMOUS,
        Caller(refused_because="TOKEN_EXPIRED"),
        *(Caller(consumer_id="u", role=role, session_id="s", generation=0) for role in Role),
        Caller(consumer_id="u", session_id="s", generation=7, lacks_factor=True),
        Caller(consumer_id="u", credential_id="k", credential_number=1, scopes=None),
        Caller(consumer_id="u", credential_id="k", credential_number=100, scopes=frozenset()),
        Caller(consumer_id="u", credential_id="k", scopes=frozenset({"users:read", "orders:write"})),
    ],
)
def test_every_caller_arrives_as_the_authorizer_found_it(caller: Caller) -> None:
    assert _read(_told(caller)) == RequestContext(HOUSE, caller, "r-1", PLENTY, origin=SOMEWHERE_AT_HOME)


def test_scopes_that_were_lost_on_the_way_are_none_at_all() -> None:
    program = _told(Caller(consumer_id="u", role=Role.ADMIN, credential_id="k", scopes=None))
    assert program.pop("scopes") == "*"

    assert _read(program).caller.scopes == frozenset()


def test_the_plan_arrives_with_the_credential_that_has_it() -> None:
    program = Caller(consumer_id="u", credential_id="k", credential_number=1)

    assert _read(_told(program, plan_id="p-1")) == RequestContext(
        HOUSE, program, "r-1", PLENTY, plan_id="p-1", origin=SOMEWHERE_AT_HOME
    )


def test_a_limit_that_is_used_up_arrives_with_the_time_to_wait() -> None:
    nothing = Allowance(limit=10, remaining=0, resets_at=START + timedelta(seconds=38), is_spent=True)

    assert _read(_told(allowance=nothing)) == RequestContext(
        HOUSE, ANONYMOUS, "r-1", nothing, retry_after=38, origin=SOMEWHERE_AT_HOME
    )


def test_when_the_limit_starts_anew_is_told_in_whole_seconds_and_never_too_early() -> None:
    precise = replace(PLENTY, resets_at=START + timedelta(seconds=59, microseconds=1))

    assert _read(_told(allowance=precise)).allowance == PLENTY


@pytest.mark.parametrize("verdict", ["limited", "", "deny", "ALLOW"])
def test_every_verdict_but_one_is_a_refusal(verdict: str) -> None:
    assert _read({**_told(), "verdict": verdict}).allowance.is_spent


@pytest.mark.parametrize("name", ["limit", "remaining", "reset", "verdict"])
def test_nobody_comes_in_where_a_part_of_the_verdict_was_lost_on_the_way(name: str) -> None:
    told = _told()
    del told[name]

    with pytest.raises(KeyError):
        _read(told)
