"""The door of the GraphQL API on a store in memory, called as API Gateway calls it."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from mangum import Mangum

from authorizer import policy
from gatehouse import telemetry
from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.audit.inspection import Inspection
from gatehouse.audit.verification import Verification
from gatehouse.permissions import ANONYMOUS, Caller
from gatehouse.wiring import Gatehouse
from graphql_api.app import build_app
from tests.unit.audit.logs import EVERY, MemoryLog
from tests.unit.fakes import START, MemoryStore, StoppedClock, the_house

REQUEST_ID = "6f1d2c3b-4a5e-4f60-8a71-9b2c3d4e5f03"
ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/POST/graphql"
PLENTY = Allowance(limit=1_000, remaining=999, resets_at=START + timedelta(minutes=1))
RATE_LIMIT = {"rateLimit": {"limit": 1_000, "remaining": 999, "reset": 1_772_366_460}}
"""What every answer of GraphQL's has among its extensions where there is plenty."""
RATE_LIMIT_HEADERS = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999", "x-ratelimit-reset": "1772366460"}


@dataclass(frozen=True)
class Answer:
    """What the client gets; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body
        return self.body["data"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = self.body["errors"]
        return errors

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def rate_limit_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.startswith("x-ratelimit-")}


class Api:
    """Sends a request as API Gateway would hand it on, with the authorizer's own words on who is calling."""

    def __init__(self, house: Gatehouse) -> None:
        mime_types = ["application/json", "application/graphql-response+json", "text/"]
        self._serve = Mangum(build_app(house), lifespan="off", text_mime_types=mime_types)

    def ask(
        self,
        query: str,
        variables: Any = None,
        caller: Caller = ANONYMOUS,
        *,
        accept: str = "application/graphql-response+json",
        **more: Any,
    ) -> Answer:
        """The answer to a query in a POST."""
        sent = {"query": query, **({} if variables is None else {"variables": variables}), **more}
        return self.send(json.dumps(sent), caller=caller, headers={"accept": accept})

    def send(
        self,
        body: str | bytes | None = None,
        *,
        method: str = "POST",
        path: str = "/graphql",
        headers: Mapping[str, str | None] | None = None,
        query_string: Mapping[str, str] | None = None,
        caller: Caller = ANONYMOUS,
        allowance: Allowance = PLENTY,
        plan_id: str | None = None,
    ) -> Answer:
        """The answer to any request; bytes go in base64, a header that is None is left out."""
        told = {"content-type": "application/json", **(headers or {})}
        sent = {name: value for name, value in told.items() if value is not None}
        is_binary = isinstance(body, bytes)
        admitted = Admitted(caller=caller, allowance=allowance, gateway_key="a-key", plan_id=plan_id)
        event: Any = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "queryStringParameters": dict(query_string or {}) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in (query_string or {}).items()} or None,
            "requestContext": {
                "resourcePath": path,
                "httpMethod": method,
                "path": f"/dev{path}",
                "stage": "dev",
                "identity": {"sourceIp": "203.0.113.7"},
                "requestId": REQUEST_ID,
                "authorizer": policy.allow(ARN, admitted, START)["context"],
            },
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": is_binary,
        }
        no_context: Any = None
        got: Any = self._serve(event, no_context)
        assert got["isBase64Encoded"] is False
        pairs = {**got.get("headers", {}), **{k: v[0] for k, v in got.get("multiValueHeaders", {}).items()}}
        return Answer(got["statusCode"], {name.lower(): value for name, value in pairs.items()}, got["body"])


_STORE, _CLOCK, _CHAIN = MemoryStore(), StoppedClock(), MemoryLog()


@pytest.fixture(scope="session", autouse=True)
def _event_loop() -> Iterator[None]:
    """The main thread's event loop, which Mangum asks for and which Python no longer makes unasked."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def _shared_api() -> Api:
    house = the_house(_STORE, _CLOCK)
    vars(house).update(inspection=Inspection(Verification(_CHAIN, EVERY, most=5), _CLOCK))
    return Api(house)


@pytest.fixture
def store() -> MemoryStore:
    kept, fresh = {name: getattr(_STORE, name) for name in ("gates", "configuration", "audit")}, MemoryStore()
    for name, part in kept.items():  # the house has hold of these parts
        vars(part).update(vars(getattr(fresh, name)))
    vars(_STORE).update({**vars(fresh), **kept})
    return _STORE


@pytest.fixture
def clock() -> StoppedClock:
    vars(_CLOCK).update(vars(StoppedClock()))
    return _CLOCK


@pytest.fixture
def chain() -> MemoryLog:
    vars(_CHAIN).update(vars(MemoryLog()))
    return _CHAIN


@pytest.fixture
def api(_shared_api: Api, store: MemoryStore, clock: StoppedClock) -> Api:
    """One app for all tests, since a schema takes its time; its store is emptied for each."""
    return _shared_api


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """The lines logged so far."""
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]
