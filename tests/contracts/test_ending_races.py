"""Access that ends while 16 callers call without pause on four functions: no call that starts behind it is let in."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest

from gatehouse.admission.service import Admission
from gatehouse.errors import Unauthenticated
from tests.contracts.callers import Grounds, Pass, is_let_in
from tests.contracts.endings import WAYS
from tests.stores import Store
from tests.unit.fakes import StoppedClock, the_settings

pytestmark = pytest.mark.long

CALLERS, FUNCTIONS = 16, 4
CALLS_BEHIND = 3
CELLS = [
    ("made key", "deleted"),
    ("chosen key", "disabled"),
    ("made basic", "rotated without overlap"),
    ("chosen basic", "expired"),
    ("JWT", "token revoked"),
    ("access token", "token revoked"),
    ("JWT", "rotated, overlap over"),
    ("session", "signed out"),
    ("session", "refresh token reused"),
    ("made key", "consumer switched off"),
    ("session", "consumer switched off and on"),
    ("access token", "consumer deleted"),
]


@dataclass
class Caller:
    """One who calls until it has called often enough behind the end; remembers when each call started."""

    shown: Pass
    function: Admission
    has_ended: Event
    calls: list[tuple[float, bool]] = field(default_factory=list)

    def call_on(self) -> None:
        behind = 0
        while behind < CALLS_BEHIND:
            behind += self.has_ended.is_set()
            started = time.monotonic()
            try:
                self.calls.append((started, is_let_in(self.shown.call, self.function)))
            except Unauthenticated:
                self.calls.append((started, False))


@pytest.mark.parametrize(("kind", "way"), CELLS, ids=[", ".join(cell) for cell in CELLS])
def test_no_call_that_started_behind_the_end_is_let_in(
    dynoxide_store: Store, clock: StoppedClock, kind: str, way: str
) -> None:
    grounds = Grounds(clock, the_settings(THROTTLE_LIMIT="1000000"))
    shown, functions = WAYS[way].open(grounds, kind), [grounds.function() for _ in range(FUNCTIONS)]
    has_ended = Event()
    callers = [Caller(shown, functions[number % FUNCTIONS], has_ended) for number in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as threads:
        calling = [threads.submit(caller.call_on) for caller in callers]
        try:
            while not all(len(caller.calls) >= 2 for caller in callers):
                time.sleep(0.001)
            WAYS[way].end(grounds, shown, functions[0])
            ended = time.monotonic()
        finally:
            has_ended.set()
        for each in calling:
            each.result()
    outcomes = Counter((started >= ended, let_in) for caller in callers for started, let_in in caller.calls)
    assert outcomes[False, True] >= 2 * CALLERS
    assert outcomes[True, True] == 0
    assert outcomes[True, False] >= CALLS_BEHIND * CALLERS
