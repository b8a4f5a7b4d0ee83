"""The HTTP side of the local gateway: a server on 127.0.0.1 that answers this machine's own programs and pages only."""

import asyncio
import json
import logging
import re
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, override
from uuid import uuid4

from aiohttp import web

from local.gateway.cleaning import CleanUp, CleanupFailed
from local.gateway.clock import MovableClock
from local.gateway.gateway import BODY_LIMIT, Gateway
from local.gateway.messages import HttpRequest, HttpResponse
from local.gateway.outbox import Outbox
from local.gateway.responses import error

CLEANUP_PATH = "/local/cleanup"
CLOCK_PATH = "/local/clock"
OUTBOX_PATH = "/local/outbox"

_log = logging.getLogger(__name__)
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", re.IGNORECASE)
_LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_REQUESTS_AT_A_TIME = 64
_SECONDS_FOR_REQUESTS_IN_FLIGHT = 2.0


class Server:
    """Serves a gateway, the clock that the house behind it goes by, the mails that it sent, and its cleanup."""

    def __init__(
        self,
        gateway: Gateway,
        clock: MovableClock,
        outbox: Outbox,
        clean_up: CleanUp,
        allowed_origins: frozenset[str],
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._outbox = outbox
        self._clean_up = clean_up
        self._allowed_origins = allowed_origins
        self._threads = ThreadPoolExecutor(_REQUESTS_AT_A_TIME, "request")

    async def run_until_signalled(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Answers requests until Ctrl-C or SIGTERM."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await self.run(listening, ready, stop)

    async def run(self, listening: socket.socket, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Answers requests until the event is set, then leaves those in flight two seconds."""
        runner = web.ServerRunner(_HttpServer(self._serve), shutdown_timeout=_SECONDS_FOR_REQUESTS_IN_FLIGHT)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        ready()
        await stop.wait()
        await runner.cleanup()
        self._gateway.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.headers.get("Expect", "").lower() == "100-continue":
            await incoming.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            incoming.writer.output_size = 0  # the answer proper has not begun
        body = bytearray()
        async for chunk in incoming.content.iter_any():
            body += chunk
            if len(body) > BODY_LIMIT:
                break
        request = _request(incoming, bytes(body))
        response = self._refusal(request)
        if response is None:
            response = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, request)
        outgoing = _response(response)
        if len(body) > BODY_LIMIT:
            outgoing.force_close()
        return outgoing

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a request that is not this machine's own: one under a foreign name, or from a foreign page.

        A page of any site could otherwise reach this server through its visitor's browser.
        """
        hosts = [*request.values("Host")]
        if len(hosts) != 1 or not _LOCAL_HOST.fullmatch(hosts[0]):
            return error(403, "FORBIDDEN", "The Host header must name this machine.", uuid4())
        if not all(map(self._is_known, request.values("Origin"))):
            return error(403, "FORBIDDEN", "Pages of this origin may not call the API.", uuid4())
        return None

    def _is_known(self, origin: str) -> bool:
        return _LOCAL_ORIGIN.fullmatch(origin) is not None or origin in self._allowed_origins

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if (request.method, request.path) == ("POST", CLOCK_PATH):
            return self._move_clock(request.body)
        if (request.method, request.path) == ("GET", OUTBOX_PATH):
            return _as_json(self._outbox.mails())
        if (request.method, request.path) == ("POST", CLEANUP_PATH):
            return self._run_cleanup(request.body)
        return self._gateway.handle(request)

    def _move_clock(self, body: bytes) -> HttpResponse:
        try:
            now = self._clock.advance(timedelta(seconds=_whole_seconds(body)))
        except (ValueError, OverflowError, RecursionError):
            return error(400, "BAD_REQUEST", 'Send {"advanceSeconds": n}, n whole, up to ten years in all.', uuid4())
        return _as_json({"now": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"})

    def _run_cleanup(self, body: bytes) -> HttpResponse:
        try:
            is_dry = _is_dry(body)
        except (ValueError, RecursionError):
            return error(400, "BAD_REQUEST", 'Send nothing, or {"dryRun": true}.', uuid4())
        try:
            return _as_json(self._clean_up(is_dry))
        except CleanupFailed:
            return error(500, "INTERNAL_SERVER_ERROR", "The cleanup failed; the gateway's output tells why.", uuid4())


class _Connection(web.RequestHandler):
    """A client's connection; what is no HTTP is answered in the shape of all errors, and neither quoted nor logged."""

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status < 500 or isinstance(exc, web.RequestPayloadError | ConnectionError):
            answer = error(400, "BAD_REQUEST", "This is no HTTP request that can be read.", uuid4())
        else:
            _log.error("The local gateway failed.", exc_info=exc)
            answer = error(500, "INTERNAL_SERVER_ERROR", "Something went wrong.", uuid4())
        response = _response(answer)
        response.force_close()
        return response


class _HttpServer(web.Server):
    """aiohttp's server with the connections above."""

    @override
    def __call__(self) -> web.RequestHandler:
        # A compressed body stays compressed: API Gateway hands it on as it is.
        return _Connection(self, loop=asyncio.get_running_loop(), auto_decompress=False)


def _as_json(answer: Any) -> HttpResponse:
    return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(answer).encode())


def _whole_seconds(body: bytes) -> int:
    match json.loads(body):
        case {"advanceSeconds": int(seconds), **others} if not others and not isinstance(seconds, bool):
            return seconds
    raise ValueError("no whole seconds")


def _is_dry(body: bytes) -> bool:
    match json.loads(body or b"{}"):
        case {"dryRun": bool(is_dry), **others} if not others:
            return is_dry
        case {**others} if not others:
            return False
    raise ValueError("no choice of a dry run")


def _request(incoming: web.BaseRequest, body: bytes) -> HttpRequest:
    address: Any = incoming.transport.get_extra_info("sockname") if incoming.transport else None
    return HttpRequest(
        method=incoming.method,
        path=_text(incoming.rel_url.raw_path.encode("utf-8", "surrogateescape")),
        query=_text(incoming.rel_url.raw_query_string.encode("utf-8", "surrogateescape")),
        headers=tuple((_text(name), _text(value)) for name, value in incoming.raw_headers),
        body=body,
        source_ip=incoming.remote or "127.0.0.1",
        port=address[1] if address else 0,
        protocol=f"HTTP/{incoming.version.major}.{incoming.version.minor}",
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _response(response: HttpResponse) -> web.Response:
    outgoing = web.Response(status=response.status, body=response.body)
    for name, value in response.headers:
        outgoing.headers.add(name, value)
    outgoing.headers["Server"] = "gatehouse"  # aiohttp writes its own name and version otherwise
    return outgoing
