"""What the example's gate makes of the authorizer's words."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orders_api import gate
from orders_api.gate import Event, answer, refusal

LIMIT = {"limit": "10", "remaining": "7", "reset": "1767323090"}
SESSION = {"kind": "session", "consumerId": "c", "role": "USER", "sessionId": "s", "verdict": "allow", **LIMIT}
CREDENTIAL = {"kind": "credential", "consumerId": "c", "role": "USER", "credentialId": "k", "verdict": "allow", **LIMIT}
ANONYMOUS = {"kind": "anonymous", "verdict": "allow", **LIMIT}
HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-RateLimit-Limit": "10",
    "X-RateLimit-Remaining": "7",
    "X-RateLimit-Reset": "1767323090",
}


def an_event(caller: dict[str, str]) -> Event:
    return {"requestContext": {"authorizer": caller, "requestId": "id"}}


def refused(caller: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
    """The status and the one error's extensions of a refusal of `orders:read`; None where there is none."""
    told = refusal(an_event(caller), "orders:read")
    if told is None:
        return None
    [error] = json.loads(told["body"])["errors"]
    return told["statusCode"], error["extensions"]


@pytest.mark.parametrize("scopes", ["*", "orders:read", "orders:write orders:read", "users:read orders:read"])
def test_a_credential_with_the_scope_or_without_a_limit_of_its_own_comes_in(scopes: str) -> None:
    assert refused(CREDENTIAL | {"scopes": scopes}) is None


@pytest.mark.parametrize(
    "scopes", ["", "orders:write", "orders:reader", "my-orders:read", "orders", "orders:read*", "x *"]
)
def test_a_credential_without_the_scope_is_forbidden(scopes: str) -> None:
    forbidden = (403, {"code": "FORBIDDEN", "statusCode": 403, "correlationId": "id"})
    assert refused(CREDENTIAL | {"scopes": scopes}) == forbidden


def test_a_credential_whose_scopes_are_lost_on_the_way_has_none() -> None:
    told = refused(CREDENTIAL)
    assert told is not None
    assert told[0] == 403


def test_a_session_has_the_rights_of_its_owner() -> None:
    assert refused(SESSION) is None


def test_nobody_is_asked_to_sign_in() -> None:
    told = refusal(an_event(ANONYMOUS), "orders:read")
    assert told is not None
    assert told["headers"] == HEADERS | {"WWW-Authenticate": "Bearer"}
    assert refused(ANONYMOUS) == (401, {"code": "UNAUTHENTICATED", "statusCode": 401, "correlationId": "id"})


def test_somebody_whose_token_is_too_old_is_told_so() -> None:
    told = refused(ANONYMOUS | {"reason": "TOKEN_EXPIRED"})
    assert told is not None
    assert told[1]["reason"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize("caller", [SESSION, CREDENTIAL | {"scopes": "*"}, CREDENTIAL | {"scopes": ""}, ANONYMOUS])
def test_over_the_limit_everybody_is_refused_first(caller: dict[str, str]) -> None:
    over = caller | {"verdict": "limited", "remaining": "0", "retryAfter": "45"}
    assert refused(over) == (429, {"code": "RATE_LIMIT_EXCEEDED", "statusCode": 429, "correlationId": "id"})
    told = refusal(an_event(over), "orders:read")
    assert told is not None
    assert told["headers"] == HEADERS | {"X-RateLimit-Remaining": "0", "Retry-After": "45"}


def test_a_verdict_that_nobody_knows_lets_nobody_in() -> None:
    told = refused(SESSION | {"verdict": "perhaps"})
    assert told is not None
    assert told[0] == 429


def test_an_authorizer_that_did_not_speak_lets_nobody_in() -> None:
    with pytest.raises(KeyError):
        refusal({"requestContext": {"requestId": "id"}}, "orders:read")


def test_an_answer_tells_what_is_left() -> None:
    assert answer(an_event(SESSION), 200, {"é": 1}) == {"statusCode": 200, "headers": HEADERS, "body": '{"\\u00e9": 1}'}


def test_the_file_can_be_copied_for_it_needs_nothing_but_python() -> None:
    imports = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(ast.parse(Path(gate.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in imports} <= sys.stdlib_module_names
