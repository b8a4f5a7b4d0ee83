"""The rotation of the signing keys as it is deployed: who may call the function, what that may do, and when it runs."""

import json
import subprocess
import sys
from typing import Any

import pytest

from gatehouse.clock import SystemClock
from gatehouse.outside.key_versions import SecretVersions
from gatehouse.signing.rotation import Rotation
from local.gateway.intrinsics import Evaluator, read
from tests.infrastructure.conftest import ROOT, Document
from tests.key_secrets import REGION, STEPS, key_secret


def _evaluated(parameters: dict[str, str]) -> tuple[Evaluator, Document]:
    document = read(ROOT / "template.yaml")
    return Evaluator(document, parameters, "eu-west-1"), document["Resources"]


def test_the_role_allows_the_calls_of_the_four_steps_on_the_one_secret_and_no_others() -> None:
    asked = set()
    with key_secret() as secret:
        secret.client.meta.events.register(
            "before-call.secretsmanager", lambda model, **_: asked.add(f"secretsmanager:{model.name}")
        )
        version = secret.begin()
        for step in STEPS:
            Rotation(SecretVersions(secret.arn, REGION, secret.client), SystemClock(), "gatehouse").step(step, version)

    _, resources = _evaluated({})
    [policy] = resources["KeyRotationRole"]["Properties"]["Policies"]
    on_secret, logs = policy["PolicyDocument"]["Statement"]
    assert set(on_secret["Action"]) == asked
    assert on_secret["Resource"] == {"Ref": "JwtSecret"}
    assert logs["Resource"] == {"Fn::GetAtt": ["KeyRotationLogGroup", "Arn"]}
    assert "*" not in json.dumps(policy)


def test_secrets_manager_and_nobody_else_may_call_the_function() -> None:
    evaluator, resources = _evaluated({})
    permission = resources["KeyRotationPermission"]

    assert evaluator.value(permission["Properties"]) == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:KeyRotationFunction",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "123456789012",
    }
    assert resources["KeyRotationSchedule"]["DependsOn"] == "KeyRotationPermission"


@pytest.mark.parametrize(("days", "rotates"), [("0", False), ("1", True), ("90", True), ("365", True)])
def test_the_keys_rotate_every_so_many_days_or_never(days: str, rotates: bool) -> None:
    evaluator, resources = _evaluated({"JwtKeyRotationDays": days})
    schedule = resources["KeyRotationSchedule"]

    assert [evaluator.condition(resources[name]["Condition"]) for name in _CONDITIONAL] == [rotates, rotates]
    assert int(evaluator.value(schedule["Properties"]["RotationRules"]["AutomaticallyAfterDays"])) == int(days)


_CONDITIONAL = ("KeyRotationPermission", "KeyRotationSchedule")


def test_the_function_takes_the_steps_that_secrets_manager_sends(capfd: pytest.CaptureFixture[str]) -> None:
    """In a process of its own, as its graph is built from the environment when it starts."""
    program = """
import json, sys
from pathlib import Path
from tests.key_secrets import key_secret, STEPS, REGION
import os
with key_secret() as secret:
    os.environ.update(JWT_SECRET_ARN=secret.arn, TABLE_NAME="t", AWS_REGION=REGION)
    from key_rotation.handler import handler
    version = secret.begin()
    for name in ("create", "set", "test", "finish"):
        event = json.loads(Path(f"events/key_rotation/{name}-secret.json").read_text())
        assert handler({**event, "SecretId": secret.arn, "ClientRequestToken": version}, None) is None
    assert secret.labelled["AWSCURRENT"] == version
    text = secret.client.get_secret_value(SecretId=secret.arn)["SecretString"]
print(json.dumps([key for key in json.loads(text).values() if isinstance(key, str) and len(key) > 32]))
"""
    folders = [ROOT, ROOT / "layers/gatehouse", ROOT / "functions"]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": ":".join(map(str, folders)), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *logged, keys = done.stdout.splitlines()
    steps: list[dict[str, Any]] = [json.loads(line) for line in logged]
    assert [line["step"] for line in steps] == list(STEPS)
    assert not [key for key in json.loads(keys) if key in "".join([*logged, done.stderr])]
