"""The systems that the journeys call: the local gateway as a process of its own, over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.gateway_process import running
from tests.journeys.client import SETTINGS, House

type Opener = Callable[[Mapping[str, str]], House]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the search for secrets behind the journeys whose traces it looks through."""
    items.sort(key=lambda item: item.path == Path(__file__).with_name("test_secrets.py"))


@contextmanager
def open_house(settings: Mapping[str, str]) -> Iterator[House]:
    """A system with these settings over the journeys' own, gone after the block."""
    # Leaving ends it by SIGTERM, and fails where it lives on for five seconds.
    with running({"DYNAMODB_ENDPOINT": "", **SETTINGS, **settings}) as gateway:
        house = House(gateway)
        try:
            yield house
        finally:
            house.close()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The system with its store in the process, shared by all who can live with what others do in it."""
    with open_house({}) as opened:
        yield opened


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Opens systems with settings of their own, which end with the test."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(open_house(settings))
