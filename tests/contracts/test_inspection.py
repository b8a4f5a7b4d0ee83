"""What verifying costs on the table: that of the seals that a request looks at, however long the chain is."""

from datetime import timedelta
from math import log2

import pytest

from gatehouse.audit.chain import Sealing
from gatehouse.audit.inspection import Inspection
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.consumers.model import Role
from gatehouse.storage.seals import DynamoChain
from tests.contracts.audits import keep
from tests.stores import Cost, Store, cost_of
from tests.unit.audit.logs import an_event
from tests.unit.fakes import START, StoppedClock, a_user, signed_in

ADMIN = signed_in(a_user("root", role=Role.ADMIN))
SHORT, LONG = 400, 1_200
MOST = 100
TOGETHER = 20
"""Each second an event, and every twenty of them are sealed together."""


def grow(after: int, until: int) -> None:
    """Goes on with the chain, up to a number."""
    clock = StoppedClock()
    for last in range(after, until, TOGETHER):
        events = [an_event(number) for number in range(last + 1, last + TOGETHER + 1)]
        clock.moment = events[-1].at
        keep(*events)
        Sealing(DynamoChain(), clock).seal(events)


def verified(since: int | None, until: int | None, continue_from: int | None) -> tuple[Verdict, Cost]:
    """The verdict of a request on what was sealed between two seconds, and what it cost."""
    inspection = Inspection(Verification(DynamoChain(), most=MOST), StoppedClock(START + timedelta(hours=1)))
    told: list[Verdict] = []
    between = [None if second is None else START + timedelta(seconds=second) for second in (since, until)]
    cost = cost_of(lambda: told.append(inspection.some(ADMIN, *between, continue_from)))
    return told[0], cost


@pytest.fixture
def short(dynoxide_store: Store) -> None:
    grow(0, SHORT)


@pytest.mark.usefixtures("short")
def test_a_request_costs_what_it_looks_at_and_not_what_there_is() -> None:
    verdict, cost = verified(None, None, 201)
    assert verdict == Verdict(first=201, last=300, is_complete=False, goes_on_at=301)
    grow(SHORT, LONG)
    again, later = verified(None, None, 201)
    assert (again, later) == (verdict, cost)
    # Of each event the item and the mark, both twice; and the seals.
    assert cost.units < 5 * MOST


@pytest.mark.usefixtures("short")
def test_a_time_is_looked_up_in_a_few_queries() -> None:
    verdict, cost = verified(121, 180, None)
    assert (verdict.first, verdict.last, verdict.is_ok) == (121, 180, True)
    _, known = verified(None, 180, 121)
    assert sum(cost.calls.values()) - sum(known.calls.values()) <= log2(SHORT) + 1


@pytest.mark.usefixtures("short")
def test_requests_that_go_on_come_to_the_end_and_the_command_does_so_at_once() -> None:
    firsts, goes_on = [], 1
    while goes_on is not None:
        verdict, _ = verified(None, None, goes_on)
        assert verdict.is_ok
        firsts.append(verdict.first)
        goes_on = verdict.goes_on_at
    assert firsts == [1, 101, 201, 301]
    whole = Inspection(Verification(DynamoChain()), StoppedClock(START + timedelta(hours=1)))
    assert list(whole.all(None, None)) == [Verdict(first=1, last=SHORT)]
