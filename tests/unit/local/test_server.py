"""The HTTP server, over real sockets, with functions of the tests' own."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.client import HTTPResponse as ReceivedResponse
from threading import Barrier, Thread
from threading import Event as ThreadEvent
from typing import Any

import pytest

from local.gateway.cleaning import CleanupFailed
from local.gateway.clock import MovableClock
from local.gateway.gateway import BODY_LIMIT, Gateway
from local.gateway.messages import HttpRequest, HttpResponse
from local.gateway.outbox import Outbox
from local.gateway.server import Server

MakeGateway = Callable[..., Gateway]

LOCAL = (("POST", "/local/clock"), ("GET", "/local/outbox"), ("POST", "/local/cleanup"))


@dataclass(frozen=True)
class Running:
    """A server that answers on a port."""

    port: int
    clock: MovableClock
    outbox: Outbox

    def send(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[ReceivedResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


def report(dry_run: bool) -> dict[str, bool]:
    """A cleanup that does nothing."""
    return {"dryRun": dry_run}


@contextmanager
def serving(
    gateway: Gateway, clock: MovableClock | None = None, clean_up: Callable[[bool], Any] = report
) -> Iterator[Running]:
    listening = socket.create_server(("127.0.0.1", 0))
    clock = clock or MovableClock()
    outbox = Outbox()
    server = Server(gateway, clock, outbox, clean_up, frozenset({"https://allowed.example"}))
    ready, stop, loop = ThreadEvent(), asyncio.Event(), asyncio.new_event_loop()
    thread = Thread(target=loop.run_until_complete, args=(server.run(listening, ready.set, stop),))
    thread.start()
    try:
        assert ready.wait(5)
        yield Running(listening.getsockname()[1], clock, outbox)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        assert not thread.is_alive()
        loop.close()


def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(event)}


def test_a_request_arrives_as_the_client_sent_it(make_gateway: MakeGateway) -> None:
    with serving(make_gateway(echo)) as server:
        headers = {"X-cAsE": "caf\u00e9", "Content-Type": "application/json"}
        response, body = server.send("POST", "/echo?q=%C3%A9%20x", b'{"a": 1}', headers)
    event = json.loads(body)
    assert response.status == 200
    assert response.headers["Server"] == "gatehouse"
    assert event["headers"]["X-cAsE"] == "caf\N{REPLACEMENT CHARACTER}"
    assert event["headers"]["X-Forwarded-Port"] == str(server.port)
    assert (event["body"], event["queryStringParameters"]) == ('{"a": 1}', {"q": "é x"})
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_a_body_in_chunks_is_put_together(make_gateway: MakeGateway) -> None:
    with serving(make_gateway(echo)) as server:
        _, body = server.send("POST", "/echo", iter([b"one ", b"two"]))
    event = json.loads(body)
    assert event["body"] == "one two"
    assert "Transfer-Encoding" not in event["headers"]


def test_a_client_that_asks_first_is_told_to_send_its_body(make_gateway: MakeGateway) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
    with serving(make_gateway(echo)) as server, socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "body"


def test_a_compressed_body_is_not_opened(make_gateway: MakeGateway) -> None:
    with serving(make_gateway(echo)) as server:
        _, body = server.send("POST", "/echo", b"not gzip", {"Content-Encoding": "gzip"})
    assert json.loads(body)["body"] == "not gzip"


def test_requests_are_served_at_the_same_time(make_gateway: MakeGateway) -> None:
    together = Barrier(6, timeout=5)

    def meet(_: dict[str, Any], __: Any) -> dict[str, Any]:
        return {"statusCode": 200, "body": str(together.wait())}

    with serving(make_gateway(meet)) as server:
        bodies: list[bytes] = []
        threads = [Thread(target=lambda: bodies.append(server.send("POST", "/echo")[1])) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(bodies) == [b"0", b"1", b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_ten_megabytes_is_refused(make_gateway: MakeGateway, chunked: bool) -> None:
    body = b"x" * (BODY_LIMIT + 1)
    with serving(make_gateway(echo)) as server:
        response, answer = server.send("POST", "/echo", iter([body]) if chunked else body)
    assert (response.status, json.loads(answer)) == (413, {"message": "Request Too Long"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:3000"],
)
def test_every_name_of_this_machine_is_served(make_gateway: MakeGateway, host: str) -> None:
    with serving(make_gateway(echo)) as server:
        assert server.send("GET", "/open", headers={"Host": host})[0].status == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "evil@localhost",
            "localhost:x",
            "10.0.0.1",
        ),
        *("[::1]", "[::1]:3000"),  # nothing listens there
    ],
)
def test_a_foreign_host_is_refused(make_gateway: MakeGateway, host: str) -> None:
    with serving(make_gateway(echo)) as server:
        for method, path in (("GET", "/open"), *LOCAL):
            response, body = server.send(method, path, headers={"Host": host})
            assert response.status == 403
            assert json.loads(body)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert host not in body.decode() or not host


def test_a_request_with_two_hosts_or_none_is_refused(make_gateway: MakeGateway) -> None:
    with serving(make_gateway(echo)) as server:
        for hosts in (b"", b"Host: localhost\r\nHost: localhost\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(b"GET /open HTTP/1.0\r\n" + hosts + b"\r\n")
                assert connection.recv(12) in {b"HTTP/1.0 403", b"HTTP/1.0 400"}


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /open HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\0\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + b"secret" * 2000 + b"\r\n\r\n",
        b"GET /open?" + b"secret" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: secret\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
    ],
)
def test_what_is_no_http_is_answered_without_being_quoted_or_logged(
    make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with serving(make_gateway(echo)) as server, socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(sent)
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert b"secret" not in head + body
    assert caplog.records == []


def test_a_client_that_leaves_early_is_nobodys_failure(
    make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(make_gateway(echo)) as server:
        with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert server.send("GET", "/open")[0].status == 200
    assert caplog.records == []


def test_a_fault_of_the_servers_own_is_masked_and_logged(
    make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Gateway, __: HttpRequest) -> HttpResponse:
        raise RuntimeError("inside")

    monkeypatch.setattr(Gateway, "handle", broken)
    with serving(make_gateway(echo)) as server:
        response, body = server.send("GET", "/open")
    assert response.status == 500
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert b"inside" not in body
    assert [record.getMessage() for record in caplog.records] == ["The local gateway failed."]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:5173", 200),
        ("https://127.0.0.1", 200),
        ("http://[::1]:8080", 200),
        ("https://allowed.example", 200),
        ("https://example.com", 403),
        ("https://allowed.example.evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_page_of_another_origin_is_refused(make_gateway: MakeGateway, origin: str, status: int) -> None:
    with serving(make_gateway(echo)) as server:
        assert server.send("GET", "/open", headers={"Origin": origin})[0].status == status
        for method, path in LOCAL:
            assert (server.send(method, path, headers={"Origin": origin})[0].status == 403) is (status == 403)


def test_the_clock_can_be_moved_forward(make_gateway: MakeGateway) -> None:
    clock = MovableClock()
    with serving(make_gateway(echo, clock=clock), clock) as server:
        response, body = server.send("POST", "/local/clock", b'{"advanceSeconds": 3600}')
        event = json.loads(server.send("GET", "/open")[1])
    assert response.status == 200
    told = datetime.fromisoformat(json.loads(body)["now"])
    assert timedelta(minutes=59) < told - datetime.now(UTC) <= timedelta(hours=1)
    assert json.loads(body)["now"].endswith("Z")
    assert event["requestContext"]["requestTimeEpoch"] >= told.timestamp() * 1000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"3600",
        b"{}",
        b'{"advanceSeconds": -1}',
        b'{"advanceSeconds": 1.5}',
        b'{"advanceSeconds": true}',
        b'{"advanceSeconds": "60"}',
        b'{"advanceSeconds": null}',
        b'{"advanceSeconds": 315619201}',
        b'{"advanceSeconds": 1' + b"0" * 400 + b"}",
        b'{"advanceSeconds": 1' + b"0" * 5000 + b"}",
        b'{"advanceSeconds": 60, "more": 1}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_the_clock_stays_where_it_is_when_asked_for_something_else(make_gateway: MakeGateway, body: bytes) -> None:
    with serving(make_gateway(echo)) as server:
        response, answer = server.send("POST", "/local/clock", body)
        assert response.status == 400
        assert json.loads(answer)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert server.clock.now() - datetime.now(UTC) < timedelta(seconds=1)


def test_the_server_ends_in_time_with_a_request_in_flight(make_gateway: MakeGateway) -> None:
    started, released = ThreadEvent(), ThreadEvent()

    def stuck(_: dict[str, Any], __: Any) -> None:
        started.set()
        released.wait(20)

    gateway = make_gateway(stuck)
    try:
        with serving(gateway) as server:
            connection = HTTPConnection("127.0.0.1", server.port)
            connection.request("POST", "/echo")
            assert started.wait(5)
            before = datetime.now(UTC)
        assert datetime.now(UTC) - before < timedelta(seconds=5)
        connection.close()
    finally:
        released.set()


def test_the_outbox_tells_what_was_sent(make_gateway: MakeGateway) -> None:
    with serving(make_gateway()) as server:
        server.outbox.send("jo@example.com", "Subject", "https://app.example.com/reset-password#token=abc", "<p></p>")
        response, body = server.send("GET", "/local/outbox")

    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == [
        {
            "to": "jo@example.com",
            "subject": "Subject",
            "text": "https://app.example.com/reset-password#token=abc",
            "token": "abc",
        }
    ]


@pytest.mark.parametrize(
    ("body", "is_dry"),
    [(b"", False), (b"{}", False), (b'{"dryRun": false}', False), (b'{"dryRun": true}', True)],
)
def test_the_cleanup_runs_when_asked_to_and_answers_with_its_report(
    make_gateway: MakeGateway, body: bytes, is_dry: bool
) -> None:
    with serving(make_gateway()) as server:
        response, answer = server.send("POST", "/local/cleanup", body)

    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer) == {"dryRun": is_dry}


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"true",
        b"null",
        b'{"dryRun": 1}',
        b'{"dryRun": null}',
        b'{"dryRun": true, "more": 1}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_no_cleanup_runs_when_asked_for_something_else(make_gateway: MakeGateway, body: bytes) -> None:
    asked: list[bool] = []
    with serving(make_gateway(), clean_up=asked.append) as server:
        response, answer = server.send("POST", "/local/cleanup", body)

    assert (response.status, asked) == (400, [])
    assert json.loads(answer)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_cleanup_that_fails_is_told_as_an_error(make_gateway: MakeGateway) -> None:
    def fail(_: bool) -> None:
        raise CleanupFailed

    with serving(make_gateway(), clean_up=fail) as server:
        response, answer = server.send("POST", "/local/cleanup")

    assert response.status == 500
    assert json.loads(answer)["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
