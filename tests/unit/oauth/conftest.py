"""The door of OAuth2 clients on a house in memory: somebody has a client there, and events are sent to it."""

import importlib
import io
import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from gatehouse import telemetry, wiring
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.wiring import Gatehouse
from tests.unit.fakes import MemoryStore, StoppedClock, a_user, signed_in, the_house, the_settings

EVENTS = Path(__file__).parents[3] / "events" / "oauth"
GRANT = {"grant_type": "client_credentials"}


def event_of(name: str) -> dict[str, Any]:
    """One of the kept events."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@dataclass(frozen=True)
class Client:
    """An OAuth2 client with its secret."""

    credential: Credential
    secret: str

    @property
    def form(self) -> dict[str, str]:
        return {"client_id": self.credential.key_id, "client_secret": self.secret}

    @property
    def basic(self) -> str:
        return basic(self.credential.key_id, self.secret)


def basic(client_id: str, secret: str) -> str:
    """The header's value."""
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


class Answer:
    """What the door answered."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        assert told["isBase64Encoded"] is False
        self.status: int = told["statusCode"]
        self.headers: Mapping[str, str] = told["headers"]
        self.text: str = told["body"]

    @cached_property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.text)
        return body

    @property
    def outcome(self) -> tuple[int, str | None]:
        """The status, and the error where there is one."""
        return self.status, self.body.get("error") if self.text else None


class Door:
    """The handler, loaded on a house, and a client of somebody's."""

    def __init__(self, handler: Callable[[dict[str, Any], Any], dict[str, Any]], house: Gatehouse, owner: User) -> None:
        self._handler = handler
        self.house = house
        self.owner = owner

    def client(self, kind: CredentialType = CredentialType.OAUTH2, **more: Any) -> Client:
        """A new credential of the owner's."""
        issued = self.house.credentials.create(signed_in(self.owner), {"type": kind, **more})  # type: ignore[typeddict-item]
        return Client(issued.credential, issued.secret or more["key_secret"])

    def handle(self, event: dict[str, Any]) -> Answer:
        return Answer(self._handler(event, None))

    def send(
        self, path: str, form: Mapping[str, str] | str, headers: Mapping[str, str | list[str]] | None = None
    ) -> Answer:
        """The answer to a form, which a text is already."""
        event = event_of("token")
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        event["multiValueHeaders"] = {name: v if isinstance(v, list) else [v] for name, v in sent.items()}
        event["headers"] = {name: values[-1] for name, values in event["multiValueHeaders"].items()}
        event["resource"] = event["path"] = path
        event["body"] = form if isinstance(form, str) else urlencode(form)
        return self.handle(event)

    def token(self, client: Client, **more: str) -> str:
        """An access token."""
        told = self.send("/oauth/token", {**GRANT, **client.form, **more}).body
        return str(told["access_token"])


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return the_house(store, clock, the_settings(THROTTLE_LIMIT="20", THROTTLE_LIMIT_ANONYMOUS="5"))


@pytest.fixture
def door(house: Gatehouse, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", house)
    monkeypatch.delitem(sys.modules, "oauth.handler", raising=False)
    yield Door(importlib.import_module("oauth.handler").handler, house, store.add(a_user("owner")))
    sys.modules.pop("oauth.handler", None)


@pytest.fixture
def client(door: Door) -> Client:
    return door.client()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]
