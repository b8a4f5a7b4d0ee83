"""What the unit tests share: a clock that stands still and an empty store."""

import pytest

from tests.unit.fakes import MemoryStore, StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
