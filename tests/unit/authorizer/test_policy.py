"""What API Gateway is told: a policy for the stage, flat text without a secret, and a key to count under."""

import json
from datetime import timedelta

import pytest

from authorizer.policy import allow
from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.consumers.model import Role
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.fakes import START

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev"
SCOPED = frozenset({"users:read", "credentials:write"})
PERSON = Caller(consumer_id="u", role=Role.ADMIN, session_id="s", generation=4)
PROGRAM = Caller(consumer_id="u", role=Role.USER, credential_id="k", credential_number=7, scopes=SCOPED)
LEFT = Allowance(limit=25, remaining=24, resets_at=START + timedelta(seconds=59, milliseconds=1))
SPENT = Allowance(limit=25, remaining=0, resets_at=START + timedelta(seconds=59, milliseconds=1), is_spent=True)
RESET = str(int(START.timestamp()) + 60)
ALLOWED = {"limit": "25", "remaining": "24", "reset": RESET, "verdict": "allow"}


def admitted(caller: Caller, allowance: Allowance = LEFT, plan_id: str | None = None) -> Admitted:
    return Admitted(caller=caller, allowance=allowance, gateway_key="the-key", plan_id=plan_id)


@pytest.mark.parametrize(
    ("caller", "principal", "context"),
    [
        (ANONYMOUS, "anonymous", {"kind": "anonymous"}),
        (
            Caller(refused_because="TOKEN_EXPIRED"),
            "anonymous",
            {"kind": "anonymous", "reason": "TOKEN_EXPIRED"},
        ),
        (
            PERSON,
            "u",
            {"kind": "session", "consumerId": "u", "role": "ADMIN", "sessionId": "s", "generation": "4"},
        ),
        (
            PROGRAM,
            "u",
            {
                "kind": "credential",
                "consumerId": "u",
                "role": "USER",
                "credentialId": "k",
                "credentialNumber": "7",
                "scopes": "credentials:write users:read",
            },
        ),
        (
            Caller(consumer_id="u", credential_id="k", credential_number=1, scopes=frozenset()),
            "u",
            {
                "kind": "credential",
                "consumerId": "u",
                "role": "USER",
                "credentialId": "k",
                "credentialNumber": "1",
                "scopes": "",
            },
        ),
        (
            Caller(consumer_id="u", credential_id="k", credential_number=1, scopes=None),
            "u",
            {
                "kind": "credential",
                "consumerId": "u",
                "role": "USER",
                "credentialId": "k",
                "credentialNumber": "1",
                "scopes": "*",
            },
        ),
    ],
    ids=["anonymous", "too old", "session", "scopes", "empty scopes", "absent scopes"],
)
def test_the_answer_tells_who_is_calling_and_what_remains(
    caller: Caller, principal: str, context: dict[str, str]
) -> None:
    assert allow(f"{STAGE}/POST/graphql", admitted(caller), START) == {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*/*"}],
        },
        "context": context | ALLOWED,
        "usageIdentifierKey": "the-key",
    }


def test_the_plan_that_was_counted_against_is_told() -> None:
    context = allow(f"{STAGE}/POST/graphql", admitted(PROGRAM, plan_id="gold"), START)["context"]

    assert context["plan"] == "gold"


@pytest.mark.parametrize(("waited", "retry_after"), [(0.0, "60"), (0.001, "59"), (58.0, "2"), (59.0, "1"), (70.0, "1")])
def test_who_is_over_the_limit_is_let_in_with_that_verdict_and_the_seconds_to_wait(
    waited: float, retry_after: str
) -> None:
    answer = allow(f"{STAGE}/POST/graphql", admitted(PROGRAM, SPENT), START + timedelta(seconds=waited))
    told = ("limit", "remaining", "reset", "verdict", "retryAfter")

    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert [answer["context"][name] for name in told] == ["25", "0", RESET, "limited", retry_after]


@pytest.mark.parametrize("path", ["", "/graphql", "/a/b/c", "/graphql/*"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_policy_is_for_the_whole_stage_whatever_was_asked_for(method: str, path: str) -> None:
    [statement] = allow(f"{STAGE}/{method}{path}", admitted(PERSON), START)["policyDocument"]["Statement"]

    assert statement["Resource"] == f"{STAGE}/*/*"


@pytest.mark.parametrize("caller", [ANONYMOUS, PERSON, PROGRAM])
@pytest.mark.parametrize("allowance", [LEFT, SPENT], ids=["allowed", "limited"])
def test_the_context_is_flat_text(caller: Caller, allowance: Allowance) -> None:
    context = allow(f"{STAGE}/GET/", admitted(caller, allowance, "gold"), START)["context"]

    assert all(type(value) is str for value in context.values())
    assert json.loads(json.dumps(context)) == context


def test_the_key_is_told_to_api_gateway_alone() -> None:
    answer = allow(f"{STAGE}/GET/", admitted(PROGRAM), START)

    assert "the-key" not in json.dumps(answer["context"])
    assert "the-key" not in repr(admitted(PROGRAM))
