"""What a function remembers of the keys: half a minute, five through an outage, and no more reading than that takes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.signing.keys import InvalidKeySet, SigningKeys, retired, rotated
from gatehouse.signing.ring import OUTAGE_SURVIVED, PAUSE, REMEMBERED_FOR, KeyRing
from gatehouse.tokens import SESSION, Tokens
from tests.unit.fakes import KEY, START, StoppedClock

HOUR = timedelta(hours=1)
FAULTS = [ServiceUnavailable("No answer."), InvalidKeySet("No set.")]


class Source:
    """The key set as it is kept; counts how often it is read, and fails where a fault is set."""

    def __init__(self) -> None:
        self.keys = SigningKeys("k1", {"k1": KEY})
        self.fault: Exception | None = None
        self.readings = 0

    def read(self) -> SigningKeys:
        self.readings += 1
        if self.fault is not None:
            raise self.fault
        return self.keys


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def ring(source: Source, clock: StoppedClock) -> KeyRing:
    return KeyRing(source.read, clock)


def test_keys_are_read_at_the_first_use_and_then_every_half_minute(
    ring: KeyRing, source: Source, clock: StoppedClock
) -> None:
    assert source.readings == 0
    for second in range(61):
        clock.moment = START + timedelta(seconds=second)
        assert ring.find("k1") == KEY
        assert ring.signing() == ("k1", KEY)
        assert ring.every() == (KEY,)

    assert source.readings == 3


def test_a_retired_key_is_refused_within_half_a_minute(ring: KeyRing, source: Source, clock: StoppedClock) -> None:
    assert ring.find("k1") == KEY
    source.keys = retired(source.keys, "k1", START)
    clock.moment += REMEMBERED_FOR - timedelta(milliseconds=1)
    assert ring.find("k1") == KEY

    clock.moment = START + REMEMBERED_FOR
    assert ring.find("k1") is None
    assert ring.signing() == (source.keys.current, source.keys.keys[source.keys.current])


def test_an_unknown_key_id_has_the_keys_read_once(ring: KeyRing, source: Source, clock: StoppedClock) -> None:
    ring.find("k1")
    source.keys = rotated(source.keys, START)
    clock.moment += PAUSE

    assert ring.find(source.keys.current) == source.keys.keys[source.keys.current]
    assert source.readings == 2


def test_a_thousand_hostile_key_ids_have_the_keys_read_once_in_five_seconds(
    ring: KeyRing, source: Source, clock: StoppedClock
) -> None:
    for number in range(1000):
        clock.moment = START + timedelta(milliseconds=10 * number)
        assert ring.find(f"hostile-{number}") is None

    assert source.readings == 2
    assert ring.find("k1") == KEY


def test_many_threads_read_the_keys_once(ring: KeyRing, source: Source) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ring.find, ["k1", "unknown"] * 100))

    assert found == [KEY, None] * 100
    assert source.readings == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_without_any_keys_the_fault_is_told_and_the_next_use_tries_again(
    ring: KeyRing, source: Source, fault: Exception
) -> None:
    source.fault = fault
    for use in (lambda: ring.find("k1"), ring.signing, ring.every):
        with pytest.raises(type(fault)):
            use()

    assert source.readings == 3
    source.fault = None
    assert ring.find("k1") == KEY


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_the_keys_survive_an_outage_of_five_minutes_and_no_longer(
    ring: KeyRing, source: Source, clock: StoppedClock, fault: Exception
) -> None:
    ring.find("k1")
    source.fault = fault
    for second in range(int(OUTAGE_SURVIVED.total_seconds())):
        clock.moment = START + timedelta(seconds=second)
        assert ring.signing() == ("k1", KEY)
    assert source.readings <= 1 + OUTAGE_SURVIVED / PAUSE

    clock.moment = START + OUTAGE_SURVIVED
    for use in (lambda: ring.find("k1"), lambda: ring.find("k2"), ring.signing, ring.every):
        with pytest.raises(ServiceUnavailable):
            use()
    tried = source.readings
    clock.moment += PAUSE
    source.fault = None
    assert ring.find("k1") == KEY
    assert source.readings == tried + 1


def test_in_an_outage_an_unknown_key_id_is_no_refusal(ring: KeyRing, source: Source, clock: StoppedClock) -> None:
    ring.find("k1")
    source.fault = FAULTS[0]
    clock.moment += PAUSE
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            ring.find("k2")

    assert source.readings == 2
    assert ring.find("k1") == KEY


def test_a_clock_that_goes_back_has_the_keys_read_again(ring: KeyRing, source: Source, clock: StoppedClock) -> None:
    ring.find("k1")
    clock.moment -= timedelta(seconds=1)
    ring.find("k1")

    assert source.readings == 2


def test_no_token_is_refused_in_a_rotation_whichever_function_made_it_and_whichever_is_asked(
    source: Source, clock: StoppedClock
) -> None:
    """Every few seconds each of three functions makes a token, and all three verify all that were made."""
    functions = [Tokens(KeyRing(source.read, clock), "gatehouse") for _ in range(3)]
    made = []
    for second in range(0, 400, 3):
        clock.moment = START + timedelta(seconds=second)
        if second in (60, 240):
            source.keys = rotated(source.keys, clock.moment)
        functions[second % 2].ring.find("a hostile id")
        made += [each.issue(SESSION, "u", {"sid": "s"}, clock.moment, clock.moment + HOUR) for each in functions]
        for token in made[-60:] + made[:3]:
            assert all(each.verify(SESSION, token, clock.moment).subject == "u" for each in functions)

    assert {key_id for key_id, _ in (each.ring.signing() for each in functions)} == {source.keys.current}


def test_nothing_that_a_retired_key_signed_is_taken_after_half_a_minute(source: Source, clock: StoppedClock) -> None:
    functions = [Tokens(KeyRing(source.read, clock), "gatehouse") for _ in range(3)]
    leaked = functions[0].issue(SESSION, "u", {"sid": "s"}, START, START + HOUR)
    for each in functions:
        each.verify(SESSION, leaked, START)
    source.keys = retired(source.keys, "k1", START)

    clock.moment += REMEMBERED_FOR
    fresh = functions[1].issue(SESSION, "u", {"sid": "s"}, clock.moment, clock.moment + HOUR)
    for each in functions:
        with pytest.raises(Unauthenticated):
            each.verify(SESSION, leaked, clock.moment)
        assert each.verify(SESSION, fresh, clock.moment).subject == "u"
