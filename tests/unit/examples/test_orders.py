"""The example's two routes."""

import json
from typing import Any
from uuid import uuid4

import pytest

from orders_api.handler import handler

LIMIT = {"verdict": "allow", "limit": "10", "remaining": "7", "reset": "1767323090"}


def call(method: str, consumer_id: str, body: str | None = None, scopes: str = "*") -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a credential's request."""
    caller = {"kind": "credential", "consumerId": consumer_id, "role": "USER", "scopes": scopes, **LIMIT}
    context = {"authorizer": caller, "requestId": str(uuid4()), "requestTimeEpoch": 1_767_323_045_678}
    told = handler({"httpMethod": method, "resource": "/orders", "body": body, "requestContext": context}, None)
    return told["statusCode"], json.loads(told["body"])


def test_a_consumer_sees_its_own_orders_and_nobody_elses() -> None:
    one, other = str(uuid4()), str(uuid4())
    status, placed = call("POST", one, '{"item": "tea"}')
    assert (status, placed["order"]["item"]) == (201, "tea")
    assert call("GET", one) == (200, {"orders": [placed["order"]]})
    assert call("GET", other) == (200, {"orders": []})


def test_each_route_has_a_scope_of_its_own() -> None:
    consumer = str(uuid4())
    statuses = {
        scope: (call("GET", consumer, scopes=scope)[0], call("POST", consumer, '{"item": "tea"}', scope)[0])
        for scope in ("orders:read", "orders:write", "")
    }
    assert statuses == {"orders:read": (200, 403), "orders:write": (403, 201), "": (403, 403)}
    assert len(call("GET", consumer)[1]["orders"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        *(None, "", "tea", "[]", "{}", "null", '{"item": ""}', '{"item": 1}', '{"item": null}'),
        '{"item": "' + "x" * 101 + '"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_order_is_told_without_being_quoted(body: str | None) -> None:
    consumer = str(uuid4())
    status, told = call("POST", consumer, body)
    assert (status, told["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert call("GET", consumer) == (200, {"orders": []})


def test_of_many_orders_the_last_are_kept() -> None:
    consumer = str(uuid4())
    for number in range(25):
        call("POST", consumer, json.dumps({"item": f"tea {number}"}))
    assert [order["item"] for order in call("GET", consumer)[1]["orders"]] == [f"tea {n}" for n in range(5, 25)]
