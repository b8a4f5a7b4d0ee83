"""The configuration as a function remembers it: read once a minute."""

import pytest

from gatehouse.configuration.memory import RememberedConfiguration
from gatehouse.configuration.model import Effective, Overrides, effective
from gatehouse.errors import ServiceUnavailable
from tests.unit.configurations import DEFAULTS
from tests.unit.fakes import StoppedClock


class Store:
    """What is set, and how often it was asked for; a store that is `silent` does not answer."""

    def __init__(self) -> None:
        self.kept, self.reads, self.silent = Overrides(), 0, False

    def read(self) -> Effective:
        self.reads += 1
        if self.silent:
            raise ServiceUnavailable("The store did not answer. Try again.")
        return effective(DEFAULTS, self.kept)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def configuration(store: Store, clock: StoppedClock) -> RememberedConfiguration:
    return RememberedConfiguration(store.read, clock)


def test_it_is_read_once_a_minute_and_a_change_counts_after_one_at_the_latest(
    configuration: RememberedConfiguration, store: Store, clock: StoppedClock
) -> None:
    assert configuration.current() == effective(DEFAULTS, Overrides())
    store.kept = Overrides(throttle_limit=5, revision=1)

    clock.advance(seconds=59.999)
    assert (configuration.current().throttle_limit, store.reads) == (10, 1)
    clock.advance(milliseconds=1)
    assert (configuration.current().throttle_limit, store.reads) == (5, 2)


def test_a_clock_that_was_set_back_does_not_make_it_remember_longer(
    configuration: RememberedConfiguration, store: Store, clock: StoppedClock
) -> None:
    configuration.current()
    clock.advance(days=-1)
    configuration.current()

    assert store.reads == 2


def test_while_the_store_is_silent_what_it_told_last_stays_in_force_and_it_is_asked_every_five_seconds(
    configuration: RememberedConfiguration, store: Store, clock: StoppedClock
) -> None:
    store.kept = Overrides(throttle_limit=5, revision=1)
    configuration.current()
    store.silent, store.kept = True, Overrides(throttle_limit=6, revision=2)

    for seconds, reads in ((60, 2), (4.999, 2), (0.001, 3), (86_400, 4)):
        clock.advance(seconds=seconds)
        assert (configuration.current().throttle_limit, store.reads) == (5, reads)
    store.silent = False
    clock.advance(seconds=5)
    assert (configuration.current().throttle_limit, store.reads) == (6, 5)
    clock.advance(seconds=59)
    assert (configuration.current().throttle_limit, store.reads) == (6, 5)


def test_where_nothing_was_read_yet_a_silent_store_is_told_and_the_deployments_values_do_not_stand_in(
    configuration: RememberedConfiguration, store: Store
) -> None:
    store.silent, store.kept = True, Overrides(throttle_limit=5, revision=1)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            configuration.current()
    store.silent = False

    assert configuration.current().throttle_limit == 5
