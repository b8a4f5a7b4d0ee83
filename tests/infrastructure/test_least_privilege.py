"""Each function's role allows exactly what the function asks for: no action more, no resource more."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.gateway.intrinsics import read

ROOT = Path(__file__).parents[2]
INDEX = "${Table.Arn}/index/"


@pytest.fixture(scope="module")
def asked() -> dict[str, set[tuple[str, str]]]:
    """What each function asked of DynamoDB in a journey through every operation: IAM actions, each with its index."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("recorded_calls.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _source_folders()))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: {tuple(call) for call in calls} for name, calls in json.loads(done.stdout.splitlines()[-1]).items()}


@pytest.mark.parametrize("function", ["GraphqlApiFunction", "AuthorizerFunction"])
def test_a_role_allows_exactly_the_calls_that_its_function_makes(
    function: str, asked: dict[str, set[tuple[str, str]]]
) -> None:
    assert _allowed_on_the_table(function) == asked[function]


@pytest.mark.parametrize("role", ["GraphqlApiRole", "AuthorizerRole"])
def test_no_statement_has_a_wildcard(role: str) -> None:
    assert "*" not in json.dumps(_statements(role))


def _allowed_on_the_table(function: str) -> set[tuple[str, str]]:
    resources = read(ROOT / "template.yaml")["Resources"]
    role = resources[function]["Properties"]["Role"]["Fn::GetAtt"]
    allowed = set()
    for statement in _statements(role.split(".")[0] if isinstance(role, str) else role[0]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        on = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        allowed |= {
            (action, _index(resource)) for action in actions for resource in on if action.startswith("dynamodb:")
        }
    return allowed


def _index(resource: dict[str, Any]) -> str:
    return str(resource["Fn::Sub"]).removeprefix(INDEX) if "Fn::Sub" in resource else ""


def _statements(role: str) -> list[dict[str, Any]]:
    policies = read(ROOT / "template.yaml")["Resources"][role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _source_folders() -> list[Path]:
    return [ROOT / "layers/gatehouse", ROOT / "functions", ROOT]
