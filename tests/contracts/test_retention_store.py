"""Retention on the table: killed at any call it is finished by the next run, and two at once do no harm."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from gatehouse.audit.chain import Sealing
from gatehouse.audit.findings import Finding
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.retention import Retention, RetentionReport
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.seals import DynamoChain
from tests.contracts.audits import keep, told
from tests.contracts.made_up import at_once
from tests.stores import Store, clients, cost_of
from tests.unit.audit.logs import EVERY, PERSON
from tests.unit.fakes import START, StoppedClock
from tests.unit.sweeps import Killed

DAYS = 30
LATER = START + timedelta(days=DAYS, seconds=10)
EVENTS = [told(number, subject_id=PERSON) for number in range(3 * EVERY + 2)]
OLD, NEW = EVENTS[: 2 * EVERY], EVENTS[2 * EVERY :]


@dataclass(frozen=True)
class Kept:
    """What a log has after a run."""

    verdict: Verdict
    events: list[str]
    items: int


def retention() -> Retention:
    return Retention(DynamoChain(), EVERY)


def run(now: datetime = LATER) -> RetentionReport:
    return retention().run(now, DAYS, lambda: 900)


def written(events: list[AuditEvent] = EVENTS) -> None:
    """A log of which the first two checkpoints are old."""
    keep(*events)
    clock = StoppedClock()
    Sealing(DynamoChain(), clock, EVERY).seal(OLD)
    clock.advance(seconds=60)
    Sealing(DynamoChain(), clock, EVERY).seal(NEW)


def kept(store: Store) -> Kept:
    filed = [filed.event_id for filed in DynamoChain().filed(None, None)]
    return Kept(Verification(DynamoChain(), EVERY).run(LATER), filed, len(store.items()))


IN_THE_END = Kept(
    verdict=Verdict(first=2 * EVERY + 1, last=len(EVENTS)),
    events=[event.id for event in NEW],
    items=3 * len(NEW) + 2 + 1,  # the checkpoint it begins with, the one behind, and the head
)


def test_what_is_old_is_dropped_and_nothing_else(store: Store) -> None:
    written()
    unsealed = told(-9)
    keep(unsealed)
    assert run() == RetentionReport(dropped=2 * EVERY, start=2 * EVERY, is_done=True)
    assert DynamoAuditEvents().find_event(unsealed.id) == unsealed
    keys = [item for item in store.items() if item["PK"]["S"] != f"EV#{unsealed.id}"]
    assert len(keys) == IN_THE_END.items
    assert run() == RetentionReport(dropped=0, start=2 * EVERY, is_done=True)
    Sealing(DynamoChain(), StoppedClock(), EVERY).seal([unsealed])
    assert Verification(DynamoChain(), EVERY).run(LATER).is_ok


def dying_at(when: tuple[int, bool] | None) -> int:
    """How many calls of the store a run made; it dies at the one of that number, before it takes effect or after."""
    sent, answered = count(), count()

    def die(counted: Iterator[int], is_after: bool, **_more: object) -> None:
        if (next(counted), is_after) == when:
            raise Killed

    heard = {"before-call.dynamodb": partial(die, sent, False), "after-call.dynamodb": partial(die, answered, True)}
    with ExitStack() as stack:
        for client in clients():
            for event, listener in heard.items():
                client.meta.events.register(event, listener)
                stack.callback(client.meta.events.unregister, event, listener)
        if when is None:
            run()
        else:
            with pytest.raises(Killed):
                run()
    return next(sent)


@pytest.mark.long
def test_killed_at_any_call_of_the_store_the_log_verifies_and_the_next_run_finishes(dynoxide_store: Store) -> None:
    written()
    items = dynoxide_store.items()
    calls = dying_at(None)
    assert kept(dynoxide_store) == IN_THE_END
    assert calls > 20
    for call in range(calls):
        for is_after in (False, True):
            dynoxide_store.put_back(items, dynoxide_store.items())
            dying_at((call, is_after))
            assert Verification(DynamoChain(), EVERY).run(LATER).is_ok
            assert run().is_done
            assert kept(dynoxide_store) == IN_THE_END


def test_several_runs_at_once_do_what_one_does(dynoxide_store: Store) -> None:
    written()
    reports: list[Any] = at_once([run] * 4)
    assert {(report.start, report.is_done) for report in reports} == {(2 * EVERY, True)}
    assert kept(dynoxide_store) == IN_THE_END


@pytest.mark.long
def test_a_log_is_verified_and_goes_on_while_it_is_dropped(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(240)]
    keep(*events)
    Sealing(DynamoChain(), StoppedClock(), EVERY).seal(events)
    more = [told(DAYS * 86_400 + number) for number in range(20)]
    keep(*more)

    def verified() -> list[Finding]:
        return [found for _ in range(12) for found in Verification(DynamoChain(), EVERY).run(LATER).findings]

    def seal() -> None:
        clock = StoppedClock(LATER)
        for event in more:
            Sealing(DynamoChain(), clock, EVERY).seal([event])

    report, findings, _ = at_once([run, verified, seal])
    assert report == RetentionReport(dropped=240, start=240, is_done=True)
    assert findings == []
    assert Verification(DynamoChain(), EVERY).run(LATER) == Verdict(first=241, last=260)


def test_a_run_that_finds_nothing_to_drop_reads_a_few_items(dynoxide_store: Store) -> None:
    assert cost_of(run).calls == {"BatchGetItem": 1}
    written()
    run()
    assert cost_of(run).calls == {"BatchGetItem": 1, "Query": 4}
