"""The journey of a person through what is deployed, in SAM's own containers: `make containers` builds it first.

SAM's stand-in for API Gateway has no gateway responses: where AWS answers a refused credential with 401, it says 502.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gatehouse.accounts import totp
from local.gateway.environment import ROOT
from local.gateway.welcome import READY

SECONDS_TO_STOP = 60
PASSWORD = "SecurePass123!"
ADMIN_PASSWORD = "Containers-1st-Admin"
REGISTER = """mutation ($as: RegisterInput!) {
    register(registerInput: $as) { accessToken user { id username email role } }
}"""
LOGIN = "mutation ($as: LoginInput!) { login(loginInput: $as) { accessToken refreshToken expiresIn } }"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    """The API in its containers, which end when the process is asked to."""
    process = subprocess.Popen(
        ["env", "PORT=0", f"ADMIN_PASSWORD={ADMIN_PASSWORD}", sys.executable, "-m", "local.sam", "serve"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = next((line.removeprefix(READY).strip() for line in process.stdout if line.startswith(READY)), None)
        assert url, "SAM's containers did not start."
        with httpx.Client(base_url=url.removesuffix("/graphql"), timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS_TO_STOP)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def token(api: httpx.Client) -> str:
    """The access token of a USER who has just signed up."""
    person = {"username": "johndoe", "email": "john@example.com", "password": PASSWORD}
    user = _ask(api, REGISTER, {"as": person})["data"]["register"]["user"]
    assert (user["username"], user["role"]) == ("johndoe", "USER")
    return _sign_in(api, "john@example.com", PASSWORD)


def _ask(api: httpx.Client, query: str, variables: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
    answer = _post(api, query, variables, token)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def _post(api: httpx.Client, query: str, variables: dict[str, Any] | None, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return api.post("/graphql", json={"query": query, "variables": variables or {}}, headers=headers)


def _sign_in(api: httpx.Client, email: str, password: str) -> str:
    answer = _ask(api, LOGIN, {"as": {"email": email, "password": password}})
    assert "errors" not in answer
    return str(answer["data"]["login"]["accessToken"])


def test_the_health_check_answers(api: httpx.Client) -> None:
    assert api.get("/health").json() == {"status": "ok"}


def test_who_has_signed_in_is_known(api: httpx.Client, token: str) -> None:
    answer = _ask(api, "{ me { username email role } }", token=token)

    assert answer["data"]["me"] == {"username": "johndoe", "email": "john@example.com", "role": "USER"}


def test_a_user_may_not_list_users(api: httpx.Client, token: str) -> None:
    answer = _ask(api, "{ users { id } }", token=token)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


def test_the_first_admin_may_list_users(api: httpx.Client, token: str) -> None:
    admin = _sign_in(api, "admin@example.com", ADMIN_PASSWORD)
    answer = _ask(api, "{ users { username } }", token=admin)

    assert {user["username"] for user in answer["data"]["users"]} == {"admin", "johndoe"}


def test_a_key_opens_the_gate_for_its_owner(api: httpx.Client, token: str) -> None:
    made = _ask(api, "mutation { createCredential(createCredentialInput: {type: KEY_AUTH}) { secret } }", token=token)
    key = made["data"]["createCredential"]["secret"]
    answer = api.post("/graphql", json={"query": "{ me { username } }"}, headers={"X-API-Key": key})

    reset = int(answer.headers["x-ratelimit-reset"])
    assert answer.json() == {
        "data": {"me": {"username": "johndoe"}},
        "extensions": {"rateLimit": {"limit": 10, "remaining": 9, "reset": reset}},
    }


def test_a_client_gets_a_token_and_calls_with_it(api: httpx.Client, token: str) -> None:
    made = _ask(
        api, "mutation { createCredential(createCredentialInput: {type: OAUTH2}) { keyId secret } }", token=token
    )
    client = made["data"]["createCredential"]
    given = api.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client["keyId"], client["secret"])
    )
    assert (given.status_code, given.headers["cache-control"]) == (200, "no-store")

    answer = _ask(api, "{ me { username } }", token=given.json()["access_token"])
    assert answer["data"] == {"me": {"username": "johndoe"}}


def test_a_forged_token_is_refused_before_graphql(api: httpx.Client, token: str) -> None:
    forged = token[:-8] + "AAAAAAAA"
    answer = _post(api, "{ me { username } }", None, forged)

    assert answer.status_code == 502
    assert "johndoe" not in answer.text


def test_nobody_is_told_to_sign_in(api: httpx.Client) -> None:
    answer = _post(api, "{ me { username } }", None, "")

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_two_factors_are_turned_on_and_asked_for(api: httpx.Client) -> None:
    person = {"username": "janedoe", "email": "jane@example.com", "password": PASSWORD}
    jane = _ask(api, REGISTER, {"as": person})["data"]["register"]["accessToken"]
    told = _ask(api, "mutation { enableTwoFactor { secret qr } }", token=jane)["data"]["enableTwoFactor"]
    assert told["qr"].startswith("<svg ")
    code = totp.code_at(base64.b32decode(told["secret"]), totp.step_of(datetime.now(UTC)))
    confirm = "mutation ($code: String!) { confirmTwoFactor(code: $code) { recoveryCodes } }"
    codes = _ask(api, confirm, {"code": code}, jane)["data"]["confirmTwoFactor"]["recoveryCodes"]
    assert len(codes) == 10

    [refusal] = _ask(api, LOGIN, {"as": {"email": "jane@example.com", "password": PASSWORD}})["errors"]
    assert refusal["extensions"]["code"] == "TWO_FACTOR_REQUIRED"
    complete = """mutation ($challenge: String!, $code: String!) {
        completeTwoFactorLogin(challenge: $challenge, code: $code) { accessToken }
    }"""
    given = {"challenge": refusal["extensions"]["challenge"], "code": codes[0]}
    assert "errors" not in _ask(api, complete, given)


def test_a_changed_password_ends_the_sessions_before_it(api: httpx.Client, token: str) -> None:
    change = """mutation ($given: ChangePasswordInput!) {
        changePassword(changePasswordInput: $given) { accessToken }
    }"""
    given = {"currentPassword": PASSWORD, "newPassword": "Another-Pass-456"}
    fresh = _ask(api, change, {"given": given}, token)["data"]["changePassword"]["accessToken"]

    assert _ask(api, "{ sessions { current } }", token=fresh)["data"]["sessions"] == [{"current": True}]
    assert _post(api, "{ me { username } }", None, token).status_code == 502


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ("cleanup/run.json", {"dryRun": False, "warned": 0, "deactivated": 0, "anonymised": 0, "failed": 0}),
        ("cleanup/dry-run.json", {"dryRun": True, "warned": 0, "deactivated": 0, "anonymised": 0, "failed": 0}),
        ("stream/event-written.json", {"batchItemFailures": []}),
        ("stream/poison.json", {"batchItemFailures": [{"itemIdentifier": "841200000000042511907332801"}]}),
    ],
)
def test_what_works_behind_the_requests_runs_on_its_event(event: str, answer: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "local.sam", "invoke", f"events/{event}"]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)

    told: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    assert {name: told[name] for name in answer} == answer
