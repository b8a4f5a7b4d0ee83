"""The chain's ports, `audit.chain.ChainStore` and `audit.findings.SealedLog`, on every implementation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import pytest

from gatehouse.audit.chain import (
    AT_ONCE,
    BEGINNING,
    ChainBroken,
    ChainStore,
    Head,
    Overtaken,
    Position,
    Sealing,
    checkpoints_of,
    seals_after,
)
from gatehouse.audit.findings import Filed, Kept
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.retention import AgeingLog
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.clock import milliseconds
from gatehouse.errors import ServiceUnavailable
from gatehouse.storage import keys
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.seals import DynamoChain
from tests.contracts.audits import ALL_SORTS, keep, told
from tests.contracts.faults import PatientTime, cancelled, faults, lost, silent
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.audit.logs import EVERY, PERSON, MemoryLog
from tests.unit.fakes import START, StoppedClock


class Log(ChainStore, AgeingLog, Protocol):
    """All ports of the chain."""


class Chain:
    """A chain, and how events get to where it is kept."""

    def __init__(self, log: Log, write: Callable[..., None]) -> None:
        self.log, self.write = log, write

    def append(self, last: Position, events: Sequence[AuditEvent], at: int = 0) -> Position:
        seals = seals_after(last, events, at)
        self.log.append(last, seals, checkpoints_of(seals, EVERY))
        return seals[-1].position


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def chain(request: pytest.FixtureRequest) -> Chain:
    """A chain of nothing, on each implementation in turn."""
    if request.param == "memory":
        log = MemoryLog()
        return Chain(log, log.write)
    request.getfixturevalue(f"{request.param}_store")
    return Chain(DynamoChain(), keep)


def test_nothing_is_there_at_first(chain: Chain) -> None:
    log = chain.log
    assert log.find_head() is None
    assert log.sealed([told(1).id]) == frozenset()
    assert (log.seals(1, 5), log.checkpoints(1, 5), log.events([told(1).id]), [*log.filed(None, None)]) == (
        {},
        {},
        {},
        [],
    )


def test_what_is_appended_is_kept_as_it_is(chain: Chain) -> None:
    events = [told(number) for number in range(1, 10)]
    chain.write(*events)
    first = chain.append(BEGINNING, events[:2], 17)
    assert chain.log.find_head() == Head(last=first)
    last = chain.append(first, events[2:], 18)
    seals = [*seals_after(BEGINNING, events[:2], 17), *seals_after(first, events[2:], 18)]

    log = chain.log
    assert log.find_head() == Head(last=last)
    assert log.sealed([event.id for event in events] + [told(99).id]) == {event.id for event in events}
    assert log.seals(1, 99) == {seal.number: seal for seal in seals}
    assert log.seals(3, 4) == {seal.number: seal for seal in seals[2:4]}
    assert log.seals(10, 99) == log.seals(4, 3) == {}
    assert log.checkpoints(1, 99) == {seal.number: seal.position for seal in (seals[3], seals[7])}
    assert log.checkpoints(5, 8) == {8: seals[7].position}
    assert log.checkpoints(5, 4) == {}
    assert log.events([event.id for event in events]) == {
        event.id: Kept(event, number) for number, event in enumerate(events, 1)
    }


@pytest.mark.parametrize(
    "wrong",
    [
        lambda last: (BEGINNING, [told(9)]),
        lambda last: (replace(last, number=last.number + 1), [told(9)]),
        lambda last: (replace(last, hash="f" * 64), [told(9)]),
        lambda last: (last, [told(9), told(1)]),
    ],
    ids=["of the beginning", "of another number", "of another hash", "an event that has a seal"],
)
def test_who_was_overtaken_writes_nothing(chain: Chain, wrong: Any) -> None:
    last = chain.append(BEGINNING, [told(1), told(2)])
    with pytest.raises(Overtaken):
        chain.append(*wrong(last))
    assert chain.log.find_head() == Head(last=last)
    assert sorted(chain.log.seals(1, 9)) == [1, 2]
    assert chain.log.sealed([told(9).id]) == frozenset()


def test_events_are_filed_by_when_they_were(chain: Chain) -> None:
    events = [told(number) for number in range(1, 10)]
    chain.write(*events)
    chain.append(BEGINNING, [events[3]])
    filed = [Filed(event.id, event.at, 1 if event is events[3] else None) for event in events]

    assert [*chain.log.filed(None, None)] == filed
    assert [*chain.log.filed(told(3).at, told(7).at)] == filed[3:7]
    assert [*chain.log.filed(told(9).at, None)] == []
    assert [*chain.log.filed(None, told(1).at - timedelta(milliseconds=1))] == []


def test_all_events_are_filed_however_many_there_are(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(1234)]
    keep(*events)
    assert [filed.event_id for filed in DynamoChain().filed(None, None)] == [event.id for event in events]


def test_a_chain_begins_further_on_and_never_further_back_nor_behind_its_end(chain: Chain) -> None:
    chain.log.begin_behind(Position(1, "a" * 64))
    assert chain.log.find_head() is None
    last = chain.append(BEGINNING, [told(number) for number in range(1, 10)])
    for number, begins in ((4, 4), (8, 8), (4, 8), (10, 8), (9, 9)):
        chain.log.begin_behind(Position(number, f"{number:064}"))
        assert chain.log.find_head() == Head(last=last, start=Position(begins, f"{begins:064}"))
    chain.append(last, [told(10)])


def test_what_is_dropped_is_gone_and_may_be_dropped_again(chain: Chain) -> None:
    events = [told(number) for number in range(1, 10)]
    chain.write(*events)
    chain.append(BEGINNING, events)
    log = chain.log
    old = log.seals(1, 5)
    twice = {**old, 5: replace(old[5], event_id=events[3].id)}
    for _ in range(2):
        log.drop(twice)
        log.drop_checkpoints([4])
        assert sorted(log.seals(1, 99)) == [6, 7, 8, 9]
        assert sorted(log.checkpoints(1, 99)) == [8]
        assert [filed.event_id for filed in log.filed(None, None)] == [event.id for event in events[4:]]
        assert log.sealed([event.id for event in events]) == {event.id for event in events[4:]}
    with pytest.raises(Overtaken):
        chain.append(BEGINNING, [told(99)])


def test_a_seal_is_an_item_of_its_own_and_so_are_its_mark_the_checkpoint_and_the_head(store: Store) -> None:
    event = ALL_SORTS[1]
    [seal] = seals_after(BEGINNING, [event], 17)
    DynamoChain().append(BEGINNING, [seal], [seal.position])
    assert store.items() == [
        {"PK": {"S": f"EV#{event.id}"}, "SK": {"S": "S"}, "number": {"N": "1"}},
        {
            "PK": {"S": "SEAL#0"},
            "SK": {"S": "000000000000001"},
            "number": {"N": "1"},
            "event": {"S": event.id},
            "digest": {"S": seal.digest},
            "sealedAt": {"N": "17"},
            "previous": {"S": "0" * 64},
            "hash": {"S": seal.hash},
        },
        {
            "PK": {"S": "SEAL#CHECK"},
            "SK": {"S": "000000000000001"},
            "number": {"N": "1"},
            "hash": {"S": seal.hash},
        },
        {
            "PK": {"S": "SEAL#HEAD"},
            "SK": {"S": "H"},
            "last": {"N": "1"},
            "lastHash": {"S": seal.hash},
            "start": {"N": "0"},
            "startHash": {"S": "0" * 64},
        },
    ]


def sealing() -> Sealing:
    return Sealing(DynamoChain(), StoppedClock(), EVERY)


def verdict() -> Verdict:
    return Verification(DynamoChain(), EVERY).run(START + timedelta(days=2))


@pytest.mark.long
def test_a_long_chain_is_sealed_and_verified_across_its_partitions(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(2100)]
    keep(*events)
    chain = DynamoChain()
    assert Sealing(chain, StoppedClock()).seal(events) == events
    assert sorted(chain.seals(1, 9999)) == list(range(1, 2101))
    assert sorted(chain.seals(998, 1001)) == [998, 999, 1000, 1001]
    assert [*chain.checkpoints(1, 9999)] == list(range(100, 2101, 100))
    assert Verification(chain).run(START) == Verdict(first=1, last=2100)
    assert {item["PK"]["S"] for item in dynoxide_store.items() if "digest" in item} == {"SEAL#0", "SEAL#1", "SEAL#2"}


def test_those_who_seal_the_same_events_at_once_seal_each_once(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(120)]
    keep(*events)

    def seal(turned: int) -> list[AuditEvent]:
        return sealing().seal(events[turned:] + events[:turned])

    answers = at_once([partial(seal, turned) for turned in (0, 0, 13, 40, 41, 80)])
    sealed = [event.id for answer in answers for event in answer]
    assert sorted(sealed) == [event.id for event in events]
    assert verdict() == Verdict(first=1, last=120)


def test_sealing_is_two_reads_and_one_transaction_for_forty_events(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(AT_ONCE)]
    assert cost_of(partial(sealing().seal, events)).calls == {"BatchGetItem": 2, "TransactWriteItems": 1}
    assert cost_of(partial(sealing().seal, events)).calls == {"BatchGetItem": 2}


@pytest.mark.parametrize("fault", [lost, silent, cancelled("TransactionConflict")])
def test_events_are_sealed_once_whatever_becomes_of_an_answer(
    dynoxide_store: Store, patient_time: PatientTime, fault: Any
) -> None:
    keep(told(1))
    with faults("TransactWriteItems", [fault]) as sent:
        assert sealing().seal([told(1)]) == [told(1)]
    assert len(sent) == 2
    assert verdict() == Verdict(first=1, last=1)


def test_a_head_that_is_busy_for_long_is_no_broken_chain(dynoxide_store: Store, patient_time: PatientTime) -> None:
    conflicts = [cancelled("TransactionConflict")] * 1000
    with faults("TransactWriteItems", conflicts), pytest.raises(ServiceUnavailable):
        sealing().seal([told(1)])
    assert dynoxide_store.items() == []


def test_a_head_that_cannot_be_read_stops_the_chain(dynoxide_store: Store) -> None:
    sealing().seal([told(1)])
    dynoxide_store.set_number("SEAL#HEAD", "H", "more", 1)
    with pytest.raises(ChainBroken):
        sealing().seal([told(2)])


def test_a_chain_whose_next_number_is_taken_or_whose_head_is_gone_does_not_go_on(dynoxide_store: Store) -> None:
    sealing().seal([told(1)])
    items = dynoxide_store.items()
    seal, head = (next(item for item in items if name in item) for name in ("digest", "lastHash"))
    taken = seal | {"SK": {"S": keys.seal_number(2)}}
    for tampered in ([*items, taken], [item for item in items if item is not head]):
        dynoxide_store.put_back(tampered, dynoxide_store.items())
        with pytest.raises(ChainBroken):
            sealing().seal([told(2)])
        assert dynoxide_store.items() == sorted(tampered, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))


def test_who_is_forgotten_leaves_a_chain_that_verifies(dynoxide_store: Store) -> None:
    keep(*ALL_SORTS)
    sealing().seal(ALL_SORTS)
    assert DynamoAuditEvents().erase(PERSON) == 2
    assert verdict() == Verdict(first=1, last=len(ALL_SORTS))
    assert milliseconds(START) == DynamoChain().seals(1, 1)[1].sealed_at
