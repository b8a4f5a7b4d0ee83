"""The stream's function, loaded afresh on followers that take note, and what it logs."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from tests.unit.stream.followers import Followers, following


@pytest.fixture
def followers() -> Followers:
    return Followers()


@pytest.fixture
def door(followers: Followers, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on these followers."""
    monkeypatch.setattr(wiring, "_installed_following", following(followers))
    monkeypatch.delitem(sys.modules, "stream.handler", raising=False)
    yield importlib.import_module("stream.handler")
    sys.modules.pop("stream.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What is logged from here on, line by line."""
    lines = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", lines)
    return lambda: [json.loads(line) for line in lines.getvalue().splitlines()]
