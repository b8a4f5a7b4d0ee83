"""Late sealing on the table: with the stream, with others who do the same, and with what cannot be read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.audit.chain import ChainBroken, Sealing
from gatehouse.audit.late import Late, LateSealing
from gatehouse.audit.verification import Verdict, Verification
from gatehouse.storage import keys
from gatehouse.storage.audit import EventRecord
from gatehouse.storage.seals import DynamoChain
from tests.contracts.audits import ALL_SORTS, keep, told
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.fakes import START, StoppedClock

LATER = StoppedClock(START + timedelta(days=2))


def late_sealing() -> LateSealing:
    return LateSealing(DynamoChain(), Sealing(DynamoChain(), LATER))


def verdict() -> Verdict:
    return Verification(DynamoChain()).run(LATER.now())


def test_what_waits_is_sealed_as_it_is_kept_and_verifies(store: Store) -> None:
    keep(told(0), *ALL_SORTS, told(9))
    Sealing(DynamoChain(), StoppedClock()).seal([told(0), told(9)])
    assert [finding.event_id for finding in verdict().findings] == [event.id for event in ALL_SORTS]

    late = list(late_sealing().waiting())
    assert late == [Late(event.id, event) for event in ALL_SORTS]
    assert (late_sealing().seal(late), late_sealing().seal(late)) == (len(ALL_SORTS), 0)
    assert (verdict(), list(late_sealing().waiting())) == (Verdict(first=1, last=8), [])


def test_what_cannot_be_read_is_told_and_left(store: Store) -> None:
    item = EventRecord.of(told(1)).serialize()
    forged = [
        {**item, "PK": {"S": keys.event("zzz")}},
        {**item, "PK": {"S": keys.event(told(2).id.upper())}},
        {**item, "PK": {"S": keys.event(told(3).id)}, "more": {"S": "x"}},
    ]
    store.put_back(forged, [])
    before = store.items()

    late = list(late_sealing().waiting())
    assert sorted(one.event_id for one in late) == sorted(["zzz", told(2).id.upper(), told(3).id])
    assert [(one.event, one.may_be_sealed) for one in late] == [(None, False)] * 3
    assert late_sealing().seal(late) == 0
    assert store.items() == before


def test_an_event_whose_mark_is_gone_keeps_its_one_seal(store: Store) -> None:
    keep(told(1), told(2))
    Sealing(DynamoChain(), StoppedClock()).seal([told(1), told(2)])
    items = store.items()
    mark = next(item for item in items if item["SK"]["S"] == keys.MARK and item["PK"]["S"] == keys.event(told(2).id))
    store.put_back([item for item in items if item != mark], items)
    before = store.items()

    late = list(late_sealing().waiting())
    assert late == [Late(told(2).id, told(2), 2)]
    assert late_sealing().seal(late) == 0
    assert store.items() == before


def test_operators_and_the_stream_at_once_seal_each_event_once(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(130)]
    keep(*events)

    def by_command() -> int:
        return late_sealing().seal(list(late_sealing().waiting()))

    def by_stream() -> int:
        return len(Sealing(DynamoChain(), LATER).seal(events[::-1]))

    sealed = at_once([by_command, by_stream, by_command])
    assert sum(sealed) == len(events)
    assert verdict() == Verdict(first=1, last=len(events))


def test_a_log_with_nothing_to_do_is_read_once_and_its_chain_not_at_all(dynoxide_store: Store) -> None:
    events = [told(number) for number in range(1_200)]
    keep(*events)
    Sealing(DynamoChain(), LATER).seal(events)
    cost = cost_of(lambda: list(late_sealing().waiting()))
    # Four shards are asked for 500 at a time, and of each event the item and the mark are read.
    assert cost.calls == {"Query": 16, "BatchGetItem": 24}


def test_a_head_that_cannot_be_read_is_told(store: Store) -> None:
    keep(told(1))
    Sealing(DynamoChain(), StoppedClock()).seal([told(1)])
    keep(told(2))
    [head] = [item for item in store.items() if item["PK"]["S"] == keys.HEAD]
    store.put_back([{**head, "last": {"S": "x"}}], [head])
    with pytest.raises(ChainBroken):
        list(late_sealing().waiting())


def test_somebody_who_was_forgotten_is_sealed_as_such(store: Store) -> None:
    person = "0192f6a0-0000-7000-8000-000000000001"
    keep(replace(told(1), subject_id=person, after=ALL_SORTS[1].after).without(person))
    assert late_sealing().seal(list(late_sealing().waiting())) == 1
    assert verdict().is_ok
