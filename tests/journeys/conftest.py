"""The systems that the journeys call: the local gateway as a process of its own, over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.gateway_process import running
from tests.journeys.client import SETTINGS, House
from tests.journeys.mailbox import Mailing

type Opener = Callable[[Mapping[str, str]], House]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the searches for secrets behind the journeys whose traces they look through."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent == here and item.path.name.startswith("test_secrets"))


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


@contextmanager
def open_mailing(settings: Mapping[str, str]) -> Iterator[Mailing]:
    """A system with these settings, behind a proxy that tells addresses, whose mails are read."""
    with open_house({"TRUSTED_PROXIES": "1", **settings}) as house:
        opened = Mailing(house.gateway)
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The system with its store in the process, shared by all who can live with what others do in it."""
    with open_house({}) as opened:
        yield opened


@pytest.fixture(scope="session")
def mailing() -> Iterator[Mailing]:
    """A system that mails people, whose clock is moved by all who share it."""
    with open_mailing({}) as opened:
        yield opened


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Opens systems with settings of their own, which end with the test."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(open_house(settings))
