"""`python -m local.gateway`, as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.gateway.environment import ROOT
from tests.gateway_process import GatewayProcess, running

ADMIN = {"ADMIN_EMAIL": "ada@example.com", "ADMIN_PASSWORD": "Not-Shown-1", "BCRYPT_ROUNDS": "4"}


def ask(gateway: GatewayProcess, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    url = urlsplit(gateway.graphql_url)
    connection = HTTPConnection("127.0.0.1", url.port, timeout=10)
    try:
        body = json.dumps({"query": query, "variables": variables})
        connection.request("POST", url.path, body, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


def sign_in(gateway: GatewayProcess, email: str, password: str) -> dict[str, Any]:
    query = "mutation ($as: LoginInput!) { login(loginInput: $as) { user { email role } } }"
    return ask(gateway, query, {"as": {"email": email, "password": password}})


def assert_signed_in(answer: dict[str, Any], email: str) -> None:
    """Checks the whole answer to the first request of somebody without a name."""
    reset = answer["extensions"]["rateLimit"]["reset"]
    assert answer == {
        "data": {"login": {"user": {"email": email, "role": "ADMIN"}}},
        "extensions": {"rateLimit": {"limit": 30, "remaining": 29, "reset": reset}},
    }
    assert 0 < reset - time.time() <= 61


def test_it_tells_when_it_is_ready_and_the_first_admin_signs_in() -> None:
    with running(ADMIN) as gateway:
        answer = sign_in(gateway, "ada@example.com", "Not-Shown-1")
    assert_signed_in(answer, "ada@example.com")
    assert "The first ADMIN is ada@example.com. To sign in:\n" in gateway.lines
    assert "Not-Shown-1" not in "".join(gateway.lines)


def test_an_admin_that_nobody_named_gets_a_password_that_is_printed() -> None:
    with running({"ADMIN_EMAIL": "", "ADMIN_PASSWORD": "", "BCRYPT_ROUNDS": "4"}) as gateway:
        said = gateway.lines[1].removesuffix(". To sign in:\n")
        password = said.removeprefix("The first ADMIN is admin@example.com, password ")
        answer = sign_in(gateway, "admin@example.com", password)
    assert_signed_in(answer, "admin@example.com")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_five_seconds(number: signal.Signals) -> None:
    with running(ADMIN) as gateway:
        os.kill(gateway.process.pid, number)
        assert gateway.process.wait(5) == 0


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "local.gateway"],
            cwd=ROOT,
            env=os.environ | {"PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert time.monotonic() - started < 5
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(
        f"The local gateway cannot start: port {port} cannot be used (Address already in use);"
    )


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"PORT": "http"}, "PORT must be a number from 0 to 65535, not 'http'."),
        ({"JWT_SECRET": "short"}, "JWT_SECRET must have at least 32 bytes."),
        ({"DYNAMODB_ENDPOINT": "http://127.0.0.1:9"}, "the store at http://127.0.0.1:9 did not make the table"),
        ({"ADMIN_PASSWORD": "weak"}, "the first ADMIN cannot be made: "),
    ],
)
def test_what_keeps_it_from_starting_is_told_in_a_sentence(variables: dict[str, str], complaint: str) -> None:
    with pytest.raises(RuntimeError) as failure, running(variables):
        pass
    assert f"\nThe local gateway cannot start: {complaint}" in str(failure.value)
    assert "Traceback" not in str(failure.value)
