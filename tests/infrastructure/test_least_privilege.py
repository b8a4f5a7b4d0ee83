"""Each function's role allows exactly what the function asks for: no action more, no resource more."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.gateway.intrinsics import read

ROOT = Path(__file__).parents[2]
INDEX = "${Table.Arn}/index/"
CONTROL_PLANE = "arn:${AWS::Partition}:apigateway:${AWS::Region}::"


@pytest.fixture(scope="module")
def asked() -> dict[str, set[tuple[str, str]]]:
    """What each function asked of AWS in a journey through every operation: IAM actions, each with where."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("recorded_calls.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _source_folders()))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: {tuple(call) for call in calls} for name, calls in json.loads(done.stdout.splitlines()[-1]).items()}


@pytest.mark.parametrize(
    "function",
    [
        *("GraphqlApiFunction", "AuthorizerFunction", "OAuthFunction", "StreamFunction", "MailFunction"),
        "CleanupFunction",
    ],
)
def test_a_role_allows_exactly_the_calls_that_its_function_makes(
    function: str, asked: dict[str, set[tuple[str, str]]]
) -> None:
    assert _allowed(function) == asked[function]


@pytest.mark.parametrize("role", ["GraphqlApiRole", "AuthorizerRole", "OAuthRole", "CleanupRole"])
def test_no_statement_has_a_wildcard(role: str) -> None:
    assert "*" not in json.dumps([each for each in _statements(role) if each["Effect"] == "Allow"])


@pytest.mark.parametrize("role", ["GraphqlApiRole", "AuthorizerRole", "OAuthRole", "MailRole"])
def test_whoever_breaks_into_a_door_cannot_write_the_chain(role: str) -> None:
    (refused,) = [each for each in _statements(role) if each.get("Effect") == "Deny"]

    assert refused["Action"] == [
        f"dynamodb:{name}" for name in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
    ]
    assert refused["Resource"] == {"Fn::GetAtt": ["Table", "Arn"]}
    assert refused["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["SEAL#*"]}}


def test_the_streams_role_has_a_wildcard_only_where_keys_have_no_id_yet() -> None:
    with_wildcard = {name for name in _allowed("StreamFunction") if "*" in "".join(name)}

    assert with_wildcard == {
        ("apigateway:PUT", "/tags/*"),
        ("apigateway:DELETE", "/apikeys/*"),
        ("apigateway:DELETE", "/usageplans/{tier}/keys/*"),
    }


def test_mails_are_sent_from_one_address_only() -> None:
    (send,) = [each for each in _statements("MailRole") if each.get("Sid") == "Send"]

    assert send["Action"] == "ses:SendEmail"
    assert send["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}


def _allowed(function: str) -> set[tuple[str, str]]:
    """The actions on the table and on API Gateway, each with its index or path."""
    resources = read(ROOT / "template.yaml")["Resources"]
    role = resources[function]["Properties"]["Role"]["Fn::GetAtt"]
    allowed = set()
    for statement in _statements(role.split(".")[0] if isinstance(role, str) else role[0]):
        if "Action" not in statement or statement["Effect"] == "Deny":
            continue  # of those without, there is one on a condition, for a service that is not looked at here
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        on = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        allowed |= {
            (action, where)
            for action in actions
            for resource in on
            if action.startswith(("dynamodb:", "apigateway:")) and (where := _where(resource)) is not None
        }
    return allowed


def _where(resource: dict[str, Any]) -> str | None:
    """An index of the table, "" for the table itself, a path of API Gateway's; None for what Lambda itself reads."""
    if "Fn::GetAtt" in resource:
        return "" if resource["Fn::GetAtt"] == ["Table", "Arn"] else None
    text = str(resource["Fn::Sub"])
    if text.startswith(INDEX):
        return text.removeprefix(INDEX)
    return re.sub(r"\$\{Tier\d+\}", "{tier}", text).removeprefix(CONTROL_PLANE)


def _statements(role: str) -> list[dict[str, Any]]:
    policies = read(ROOT / "template.yaml")["Resources"][role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _source_folders() -> list[Path]:
    return [ROOT / "layers/gatehouse", ROOT / "functions", ROOT]
