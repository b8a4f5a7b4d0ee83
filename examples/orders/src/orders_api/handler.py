"""Lists and takes orders. They lie in this function's memory: gone with it, and not known to another copy of it."""

import json
from collections import defaultdict, deque
from typing import Any

from orders_api import gate
from orders_api.gate import Answer, Event

_KEPT = 20
_LONGEST = 100

_orders: defaultdict[str, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=_KEPT))


def handler(event: Event, _context: Any) -> Answer:
    """API Gateway's answer to GET and POST /orders."""
    scope, answer = _ROUTES[event["httpMethod"]]
    return gate.refusal(event, scope) or answer(event)


def _list(event: Event) -> Answer:
    return gate.answer(event, 200, {"orders": list(_orders.get(_consumer(event), ()))})


def _place(event: Event) -> Answer:
    try:
        item = json.loads(event["body"] or "")["item"]
    except (ValueError, TypeError, KeyError, RecursionError):
        item = None
    if not isinstance(item, str) or not 0 < len(item) <= _LONGEST:
        return gate.refuse(event, 400, "BAD_REQUEST", f'Send {{"item": "…"}}, with up to {_LONGEST} characters.')
    order = {"id": event["requestContext"]["requestId"], "item": item}
    _orders[_consumer(event)].append(order)
    return gate.answer(event, 201, {"order": order})


def _consumer(event: Event) -> str:
    """Whose orders they are: the consumer's, whichever of its keys or sessions calls."""
    return str(event["requestContext"]["authorizer"]["consumerId"])


_ROUTES = {"GET": ("orders:read", _list), "POST": ("orders:write", _place)}
