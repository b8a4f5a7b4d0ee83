"""`make conformance`: npm's `graphql-http` audits of GraphQL over HTTP, against the whole system on this machine.

Prints each audit that is not ok, and how many are; ends with 1 unless all are, both anonymous and signed in.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import httpx

from local.gateway.environment import ROOT
from tests.gateway_process import UNLIMITED, running

_AUDITS = 61
_PASSWORD = "SecurePass123!"
_SETTINGS = {"BCRYPT_ROUNDS": "4", "ADMIN_EMAIL": "audits@example.com", "ADMIN_PASSWORD": _PASSWORD, **UNLIMITED}
_SIGN_IN = "mutation ($as: LoginInput!) { login(loginInput: $as) { accessToken } }"


def main() -> int:
    """0 where every audit is ok, else 1."""
    with running(_SETTINGS) as gateway:
        token = _sign_in(gateway.graphql_url)
        results = {
            "anonymous": _audit(gateway.graphql_url, None),
            "signed in": _audit(gateway.graphql_url, f"Bearer {token}"),
        }
    good = [_report(who, audits) for who, audits in results.items()]
    return 0 if all(good) else 1


def _sign_in(url: str) -> str:
    variables = {"as": {"email": _SETTINGS["ADMIN_EMAIL"], "password": _PASSWORD}}
    answer = httpx.post(url, json={"query": _SIGN_IN, "variables": variables}).raise_for_status()
    return str(answer.json()["data"]["login"]["accessToken"])


def _audit(url: str, authorization: str | None) -> list[dict[str, Any]]:
    variables = {"URL": url, "PACKAGES": str(ROOT / "requirements/node/package.json")}
    if authorization:
        variables["AUTHORIZATION"] = authorization
    done = subprocess.run(
        [_node(), Path(__file__).with_name("audits.mjs")],
        env={"PATH": os.environ["PATH"], **variables},
        stdout=subprocess.PIPE,
        check=True,
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def _node() -> str:
    """The venv's own Node, which `make` installs; else one on the PATH."""
    node = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
    if node is None:
        sys.exit("There is no node here; `make conformance` installs it.")
    return node


def _report(who: str, audits: list[dict[str, Any]]) -> bool:
    """Whether all audits are ok, which it prints."""
    for audit in audits:
        if audit["status"] != "ok":
            print(f"{audit['status']:6} {audit['id']} {audit['name']}: {audit['reason']}")
    good = len([audit for audit in audits if audit["status"] == "ok"])
    print(f"{who}: {good} of {len(audits)} audits ok")
    return good == len(audits) == _AUDITS


if __name__ == "__main__":
    sys.exit(main())
