"""What an authorizer's answer means."""

from typing import Any

import pytest

from local.gateway.authorizer import decide
from local.gateway.responses import Refusal

ARN = "arn:aws:execute-api:us-east-1:123456789012:local/dev/POST/graphql"


def statement(effect: str, resource: Any = ARN, action: Any = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def answer(*statements: Any, **others: Any) -> dict[str, Any]:
    return {"principalId": "someone", "policyDocument": {"Statement": list(statements)}, **others}


@pytest.mark.parametrize(
    "allowing",
    [
        statement("Allow"),
        statement("Allow", "*"),
        statement("Allow", "arn:aws:execute-api:us-east-1:123456789012:local/dev/*/*"),
        statement("Allow", "arn:aws:execute-api:*:123456789012:loca?/dev/POST/graphql"),
        statement("Allow", ["arn:elsewhere", ARN]),
        statement("Allow", action="*"),
        statement("Allow", action=["s3:Get*", "Execute-API:*"]),
    ],
)
def test_a_statement_that_matches_allows(allowing: dict[str, Any]) -> None:
    assert decide(answer(allowing), ARN) == {"principalId": "someone"}


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [statement("Deny")],
        [statement("Allow"), statement("Deny", "*")],
        [statement("Deny", "*"), statement("Allow")],
        [statement("Allow", ARN.replace("POST", "GET"))],
        [statement("Allow", ARN + "/more")],
        [statement("Allow", "arn:aws:execute-api:us.east.1:[0-9]*")],
        [statement("Allow", action="execute-api:ManageConnections")],
    ],
)
def test_what_is_not_allowed_or_is_denied_is_refused(statements: list[Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        decide(answer(*statements), ARN)
    assert refusal.value.kind == "ACCESS_DENIED"


def test_a_single_statement_needs_no_list() -> None:
    assert decide({"principalId": "p", "policyDocument": {"Statement": statement("Allow")}}, ARN) == {
        "principalId": "p"
    }


def test_the_context_reaches_the_function_as_text() -> None:
    context = {"kind": "session", "count": 3, "share": 0.5, "active": True, "principalId": "not this"}
    assert decide(answer(statement("Allow"), context=context), ARN) == {
        "kind": "session",
        "count": "3",
        "share": "0.5",
        "active": "true",
        "principalId": "someone",
    }


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "Allow",
        {},
        {"principalId": "someone"},
        {"principalId": "someone", "policyDocument": {}},
        {"principalId": "someone", "policyDocument": "Allow"},
        {"policyDocument": {"Statement": [statement("Allow")]}},
        {"principalId": "", "policyDocument": {"Statement": [statement("Allow")]}},
        {"principalId": 7, "policyDocument": {"Statement": [statement("Allow")]}},
        answer("Allow"),
        answer({"Effect": "Allow"}),
        answer(statement("Allow"), context={"nested": {"a": 1}}),
        answer(statement("Allow"), context={"list": ["a"]}),
        answer(statement("Allow"), context={"null": None}),
        answer(statement("Allow"), context="flat"),
    ],
)
def test_a_malformed_answer_is_a_configuration_error(malformed: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        decide(malformed, ARN)
    assert refusal.value.kind == "AUTHORIZER_CONFIGURATION_ERROR"
