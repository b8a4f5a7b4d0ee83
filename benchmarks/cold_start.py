"""Cold start of what `make build` made: from the interpreter's start to the first answer, against `import boto3`.

The functions' own folders and layers are all that Python sees, as in Lambda. Each figure is the median of several fresh
processes, less that of an empty one; the ratios are what the project promises (at most 2.0 and 1.2).
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import boto3

BUILD = Path(__file__).parents[1] / ".aws-sam" / "build"
LAYERS = [BUILD / "DependenciesLayer" / "python", BUILD / "GatehouseLayer" / "python"]
ROUNDS = 9

EVENT = """
headers = {"Content-Type": "application/json", "X-API-Key": "malformed, and so refused without the store"}
nobody = {"kind": "anonymous", "limit": "30", "remaining": "29", "reset": "1795000000", "verdict": "allow"}
request = {"requestId": "r", "authorizer": nobody, "identity": {"sourceIp": "192.0.2.1"}}
event = {"resource": "/graphql", "path": "/graphql", "httpMethod": "POST", "headers": headers,
         "multiValueHeaders": {k: [v] for k, v in headers.items()}, "queryStringParameters": None,
         "multiValueQueryStringParameters": None, "requestContext": request, "isBase64Encoded": False,
         "body": '{"query": "{ __typename }"}', "methodArn": "arn:aws:execute-api:us-east-1:1:api/dev/POST/graphql"}
"""
REFUSED = """
try:
    handler(event, None)
except Exception as error:
    assert str(error) == "Unauthorized"
else:
    raise AssertionError
"""
PROGRAMS = {
    "an empty process": "pass",
    "import boto3": "import boto3",
    "graphql_api": f"from graphql_api.handler import handler\n{EVENT}\nassert handler(event, None)['body']",
    "authorizer": f"from authorizer.handler import handler\n{EVENT}{REFUSED}",
}
PATHS = {
    "an empty process": [],
    "import boto3": [Path(boto3.__file__).parents[1]],
    "graphql_api": [BUILD / "GraphqlApiFunction", *LAYERS],
    "authorizer": [BUILD / "AuthorizerFunction", *LAYERS],
}


def main() -> None:
    """Prints milliseconds and ratios."""
    if not all(layer.is_dir() for layer in LAYERS):
        sys.exit("There is nothing built: run make build first.")
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS + 1):
        for name, program in PROGRAMS.items():
            seconds[name].append(_run(program, PATHS[name]))
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    empty = medians.pop("an empty process")
    for name, median in medians.items():
        ratio = (median - empty) / (medians["import boto3"] - empty)
        print(f"{name:14} {(median - empty) * 1000:6.0f} ms  {ratio:5.2f} x import boto3")


def _run(program: str, path: list[Path]) -> float:
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "TABLE_NAME": "table",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "JWT_SECRET": "only for this measurement, 32 bytes",
        "SCHEMA_DIRECTORY": str(BUILD.parents[1] / "schema"),
        "LOG_LEVEL": "ERROR",
    }
    started = time.perf_counter()
    program += "\nimport os; os._exit(0)"  # what the interpreter clears away at its end is no part of the answer
    subprocess.run([sys.executable, "-S", "-c", program], env=environment, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
