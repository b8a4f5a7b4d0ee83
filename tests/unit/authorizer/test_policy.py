"""What API Gateway is told: a policy for the stage, and flat text without a secret."""

import json

import pytest

from authorizer.policy import allow
from gatehouse.consumers.model import Role
from gatehouse.permissions import ANONYMOUS, Caller

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev"
SCOPED = frozenset({"users:read", "credentials:write"})
PERSON = Caller(consumer_id="u", role=Role.ADMIN, session_id="s")
PROGRAM = Caller(consumer_id="u", role=Role.USER, credential_id="k", scopes=SCOPED)


@pytest.mark.parametrize(
    ("caller", "principal", "context"),
    [
        (ANONYMOUS, "anonymous", {"kind": "anonymous"}),
        (
            Caller(refused_because="TOKEN_EXPIRED"),
            "anonymous",
            {"kind": "anonymous", "reason": "TOKEN_EXPIRED"},
        ),
        (PERSON, "u", {"kind": "session", "consumerId": "u", "role": "ADMIN", "sessionId": "s"}),
        (
            PROGRAM,
            "u",
            {
                "kind": "credential",
                "consumerId": "u",
                "role": "USER",
                "credentialId": "k",
                "scopes": "credentials:write users:read",
            },
        ),
        (
            Caller(consumer_id="u", credential_id="k", scopes=frozenset()),
            "u",
            {"kind": "credential", "consumerId": "u", "role": "USER", "credentialId": "k", "scopes": ""},
        ),
        (
            Caller(consumer_id="u", credential_id="k", scopes=None),
            "u",
            {"kind": "credential", "consumerId": "u", "role": "USER", "credentialId": "k", "scopes": "*"},
        ),
    ],
    ids=["anonymous", "too old", "session", "scopes", "empty scopes", "absent scopes"],
)
def test_the_answer_tells_who_is_calling(caller: Caller, principal: str, context: dict[str, str]) -> None:
    assert allow(f"{STAGE}/POST/graphql", caller) == {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*/*"}],
        },
        "context": context,
    }


@pytest.mark.parametrize("path", ["", "/graphql", "/a/b/c", "/graphql/*"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_policy_is_for_the_whole_stage_whatever_was_asked_for(method: str, path: str) -> None:
    [statement] = allow(f"{STAGE}/{method}{path}", PERSON)["policyDocument"]["Statement"]

    assert statement["Resource"] == f"{STAGE}/*/*"


@pytest.mark.parametrize("caller", [ANONYMOUS, PERSON, PROGRAM])
def test_the_context_is_flat_text(caller: Caller) -> None:
    context = allow(f"{STAGE}/GET/", caller)["context"]

    assert all(type(value) is str for value in context.values())
    assert json.loads(json.dumps(context)) == context
