"""What all tests share: no way to a real account, a clock that moves when it is told to, and tables to run on."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from moto import mock_aws

from local.gateway import moto_guard
from local.gateway.environment import cut_off, load_template
from local.gateway.template import Table
from tests import dynoxide as emulator
from tests.stores import Store
from tests.unit.fakes import StoppedClock

settings.register_profile("house", deadline=None)  # machines are busy: an example's time says nothing
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run in several processes, keeps a file's together, and all journeys, which share a system.

    The journeys take longest, so that they begin first.
    """
    for item in items:
        is_journey = item.path.parent.name == "journeys"
        item.add_marker(pytest.mark.xdist_group("journeys" if is_journey else str(item.path)))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name != "journeys")


@pytest.fixture(scope="session", autouse=True)
def cut_off_from_aws() -> Iterator[None]:
    before = dict(os.environ)
    cut_off(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(scope="session")
def table() -> Table:
    """The table as the template describes it."""
    return load_template({}).table


@pytest.fixture(scope="session")
def dynoxide() -> Iterator[str]:
    """The endpoint of a store that is right about concurrency and capacity."""
    if not emulator.is_made_for_this_machine():
        pytest.skip("dynoxide is pinned for Linux on x86-64 only")
    with emulator.running() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def table_on_dynoxide(dynoxide: str, table: Table) -> Store:
    return Store(table, dynoxide)


@pytest.fixture(scope="session")
def table_on_moto(table: Table) -> Store:
    return Store(table, None)


@pytest.fixture
def dynoxide_store(table_on_dynoxide: Store) -> Iterator[Store]:
    """An empty table on dynoxide, which the house is connected to."""
    with table_on_dynoxide.opened() as opened:
        yield opened


@pytest.fixture
def moto_store(table_on_moto: Store) -> Iterator[Store]:
    """An empty table on moto, which the house is connected to."""
    moto_guard.apply()
    with mock_aws(), table_on_moto.opened() as opened:
        yield opened


@pytest.fixture(params=["moto", "dynoxide"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty table, which the house is connected to, on each implementation in turn."""
    opened: Store = request.getfixturevalue(f"{request.param}_store")
    return opened
