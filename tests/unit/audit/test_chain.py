"""The chain: each event sealed once, whatever the stream tells twice, late or at two places at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import (
    AT_ONCE,
    BEGINNING,
    CHECKPOINT_EVERY,
    ChainBroken,
    Head,
    Position,
    checkpoints_of,
    digest_of,
    seals_after,
)
from gatehouse.clock import milliseconds
from gatehouse.errors import ServiceUnavailable
from tests.unit.audit.logs import EVERY, PERSON, MemoryLog, a_log, an_event, sealing, verdict
from tests.unit.fakes import START


def sealed_ids(log: MemoryLog) -> list[str]:
    return [log.kept_seals[number].event_id for number in sorted(log.kept_seals)]


def test_a_seal_is_bound_to_the_one_before() -> None:
    one, two = seals_after(BEGINNING, [an_event(1), an_event(2)], milliseconds(START))
    assert (one.number, one.previous, one.digest) == (1, BEGINNING.hash, digest_of(an_event(1)))
    assert (two.number, two.previous, two.event_id) == (2, one.hash, an_event(2).id)
    assert seals_after(one.position, [an_event(2)], milliseconds(START)) == [two]
    assert (one.hash, two.hash) == (one.right_hash, two.right_hash)


def test_a_checkpoint_comes_every_so_often() -> None:
    seals = seals_after(BEGINNING, [an_event(number) for number in range(1, 10)], 0)
    assert checkpoints_of(seals, EVERY) == [seals[3].position, seals[7].position]


def test_a_transaction_takes_no_more_than_a_hundred_items() -> None:
    assert 2 * AT_ONCE + 1 + -(-AT_ONCE // CHECKPOINT_EVERY) <= 100


@given(st.lists(st.lists(st.integers(1, 12), max_size=8), max_size=12))
def test_however_often_and_in_which_order_the_stream_tells_each_event_is_sealed_once(calls: list[list[int]]) -> None:
    log = MemoryLog()
    log.write(*(an_event(number) for call in calls for number in call))
    for call in calls:
        sealing(log).seal([an_event(number) for number in call])

    first_seen = list(dict.fromkeys(number for call in calls for number in call))
    assert sealed_ids(log) == [an_event(number).id for number in first_seen]
    assert sorted(log.kept_seals) == list(range(1, len(first_seen) + 1))
    assert verdict(log).findings == ()


def test_it_says_which_it_sealed() -> None:
    log = MemoryLog()
    assert sealing(log).seal([an_event(1), an_event(2), an_event(1)]) == [an_event(1), an_event(2)]
    assert sealing(log).seal([an_event(2), an_event(3)]) == [an_event(3)]
    assert sealing(log).seal([]) == []


def test_more_than_a_transaction_takes_are_sealed_in_several() -> None:
    log = MemoryLog()
    events = [an_event(number) for number in range(1, 2 * AT_ONCE + 2)]
    log.write(*events)
    assert sealing(log).seal(events) == events
    assert sealed_ids(log) == [event.id for event in events]
    assert verdict(log).findings == ()


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_of_two_who_seal_at_once_none_seals_what_the_other_has(mine: list[int], others: list[int]) -> None:
    log = MemoryLog()
    log.write(*(an_event(number) for number in mine + others))
    log.before_append.append(lambda: sealing(log).seal([an_event(number) for number in others]))
    sealing(log).seal([an_event(number) for number in mine])

    assert sealed_ids(log) == [an_event(number).id for number in dict.fromkeys(others + mine)]
    assert verdict(log).findings == ()


def test_a_transaction_whose_answer_was_lost_is_not_repeated() -> None:
    log = MemoryLog()
    log.write(an_event(1))

    def lose() -> None:
        raise ServiceUnavailable("The answer was lost.")

    log.after_append.append(lose)
    with pytest.raises(ServiceUnavailable):
        sealing(log).seal([an_event(1)])
    assert sealing(log).seal([an_event(1)]) == []
    assert sealed_ids(log) == [an_event(1).id]


def test_who_is_overtaken_for_ever_is_told_so() -> None:
    log = MemoryLog()

    def overtake() -> None:
        number = 100 + len(log.kept_seals)
        log.before_append.clear()
        sealing(log).seal([an_event(number)])
        log.before_append.append(overtake)

    log.before_append.append(overtake)
    with pytest.raises(ServiceUnavailable):
        sealing(log).seal([an_event(1)])


def test_a_chain_whose_next_number_is_taken_does_not_go_on() -> None:
    log = a_log(3)
    log.kept_seals[4] = log.kept_seals[3]
    with pytest.raises(ChainBroken):
        sealing(log).seal([an_event(4)])
    assert log.kept_seals[4] == log.kept_seals[3]


def test_a_chain_whose_head_is_gone_does_not_begin_again() -> None:
    log = a_log(3)
    log.head = None
    with pytest.raises(ChainBroken):
        sealing(log).seal([an_event(4)])


def test_an_event_that_is_sealed_after_somebody_was_forgotten_has_the_same_seal() -> None:
    assert seals_after(BEGINNING, [an_event(1).without(PERSON)], 0) == seals_after(BEGINNING, [an_event(1)], 0)


def test_a_chain_begins_behind_nothing() -> None:
    assert Head() == Head(Position(0, "0" * 64), Position(0, "0" * 64))
