"""What a cold start of the authorizer loads, which stands before every request: the gate, and nothing of the rest."""

import json
import os
import subprocess
import sys

from local.gateway.environment import ROOT

PROGRAM = "import json, sys, authorizer.handler; print(json.dumps(sorted(sys.modules)))"
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/gatehouse"), str(ROOT / "functions")]),
    "TABLE_NAME": "table",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "JWT_SECRET": "only for this test, over 32 bytes",
}
NOT_NEEDED = {
    *("ariadne", "graphql", "starlette", "mangum", "segno", "boto3", "graphql_api", "oauth"),
    *(f"gatehouse.{room}" for room in ("announcements", "audit", "bootstrap", "cleanup", "cursors", "mail", "usage")),
    *("gatehouse.accounts.service", "gatehouse.consumers.service", "gatehouse.credentials.service"),
    *("gatehouse.configuration.fields", "gatehouse.configuration.service", "gatehouse.plans.service"),
    *("gatehouse.storage.transactions", "gatehouse.wiring.people"),
}


def test_it_loads_the_gate_and_what_the_gate_goes_by_and_nothing_else() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))

    assert {"gatehouse.admission.service", "gatehouse.configuration.memory", "gatehouse.plans.memory"} <= loaded
    assert loaded & NOT_NEEDED == set()
