"""Faults of the store, put between the house's clients and the network, so that the SDK's own retries meet them too."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.stores import clients

type Send = Callable[[], AWSResponse]
type Fault = Callable[[AWSPreparedRequest, Send], AWSResponse]
"""What becomes of one request; `Send` lets it reach the store."""


@contextmanager
def faults(operation: str, sequence: Sequence[Fault]) -> Iterator[list[dict[str, Any]]]:
    """Each fault meets one HTTP request of the operation, in turn; the rest get through. Gives the requests' bodies."""
    coming = iter(sequence)
    bodies: list[dict[str, Any]] = []

    def meet(client: Any, request: AWSPreparedRequest, **_more: Any) -> AWSResponse | None:
        bodies.append(_sent(request))
        fault = next(coming, None)
        return None if fault is None else fault(request, lambda: client._endpoint.http_session.send(request))

    event = f"before-send.dynamodb.{operation}"
    with ExitStack() as stack:
        for client in clients():
            listener = partial(meet, client)
            client.meta.events.register_first(event, listener)
            stack.callback(client.meta.events.unregister, event, listener)
        yield bodies


def refused(code: str, status: int = 400, **more: Any) -> Fault:
    """The store refuses, and does nothing."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected", **more}
    return lambda request, _: _answer(request, status, body)


def cancelled(*codes: str) -> Fault:
    """The store cancels a transaction with these codes, in the order of its writes."""
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def unprocessed(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """The store leaves all of a batch for later."""
    asked = _sent(request)["RequestItems"]
    left = "UnprocessedKeys" if "BatchGetItem" in str(request.headers["X-Amz-Target"]) else "UnprocessedItems"
    return _answer(request, 200, {"Responses": {}, left: asked})


def unreachable(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """No connection: the store never hears of it."""
    raise ConnectTimeoutError(endpoint_url=request.url)


def wordless(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Something in front of the store answers for it, with a status alone."""
    return _answer(request, 503, {})


def silent(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """The store hears of it, does nothing, and does not answer."""
    raise ReadTimeoutError(endpoint_url=request.url)


def lost(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """The store does what it is asked, and the answer is lost."""
    assert send().status_code == 200
    raise ReadTimeoutError(endpoint_url=request.url)


def broken_behind(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """The store does what it is asked, and something in front of it answers that it is broken."""
    assert send().status_code == 200
    return _answer(request, 500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": ""})


def none(_request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """No fault: the request comes through."""
    return send()


class PatientTime:
    """Stands in for the `time` module: sleeping takes no time, and moves the clock."""

    def __init__(self) -> None:
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def monotonic(self) -> float:
        return self.slept

    time = monotonic


def _sent(request: AWSPreparedRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        str(request.body, "utf-8") if isinstance(request.body, bytes) else str(request.body)
    )
    return body


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    class Raw(io.BytesIO):
        def stream(self, **_more: Any) -> Iterator[bytes]:
            yield self.read()

    raw = Raw(json.dumps(body).encode())
    return AWSResponse(request.url, status, HTTPHeaders(), raw)
