"""Times looked up in the chain: exactly where it is whole, and too widely rather than too narrowly where it is not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import ChainBroken, Head, Position, Seal
from gatehouse.audit.spans import seals_between
from tests.unit.audit.logs import EVERY, MemoryLog, a_log, head_of, made_fit
from tests.unit.fakes import START

SIZE = 3 * EVERY
"""Seal number n is made n seconds after the start."""
SIZES = st.integers(1, SIZE)
MOMENTS = st.integers(-1, SIZE + 1)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def within(since: int, until: int, size: int, start: int = 0) -> set[int]:
    """The seals of this time."""
    return {number for number in range(start + 1, size + 1) if since <= number <= until}


def asked(log: MemoryLog, since: int, until: int) -> set[int]:
    """The seals that are looked at."""
    first, last = seals_between(log, at(since), at(until))
    head = head_of(log)
    return set(range(first or head.start.number + 1, (head.last.number if last is None else last) + 1))


@given(SIZES, MOMENTS, MOMENTS)
def test_a_time_has_the_seals_that_were_made_in_it(size: int, since: int, until: int) -> None:
    assert asked(a_log(size), since, until) == within(since, until, size)


def test_both_ends_are_included_to_the_millisecond() -> None:
    log = a_log(5)
    assert seals_between(log, at(2), at(4)) == (2, 4)
    assert seals_between(log, at(2.001), at(3.999)) == (3, 3)
    assert seals_between(log, at(2.5), at(2.6)) == (3, 2)


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (None, None, (None, None)),
        (3, None, (3, None)),
        (None, 3, (None, 3)),
        (-1, 99, (1, None)),
        (99, 99, (6, None)),
        (-2, -1, (1, 0)),
    ],
)
def test_an_end_that_is_not_told_is_that_of_the_chain(
    since: int | None, until: int | None, told: tuple[int | None, int | None]
) -> None:
    moments = (None if second is None else at(second) for second in (since, until))
    assert seals_between(a_log(5), *moments) == told


def test_an_empty_log_has_no_seals() -> None:
    assert seals_between(MemoryLog(), at(1), at(2)) == (None, None)


def test_a_head_that_cannot_be_read_tells_nothing() -> None:
    class Broken(MemoryLog):
        def find_head(self) -> Head | None:
            raise ChainBroken

    assert seals_between(Broken(), at(1), at(2)) == (None, None)


@given(st.integers(EVERY, SIZE), MOMENTS, MOMENTS)
def test_a_chain_may_begin_later(size: int, since: int, until: int) -> None:
    log = a_log(size)
    log.drop_up_to(EVERY)
    assert asked(log, since, until) == within(since, until, size, EVERY)


@given(SIZES, MOMENTS, MOMENTS, st.data())
def test_whatever_is_damaged_or_missing_nothing_of_the_time_is_left_out(
    size: int, since: int, until: int, data: st.DataObject
) -> None:
    log = a_log(size)
    numbers = st.sets(st.integers(1, size))
    dropped, changed, forged = data.draw(numbers), data.draw(numbers), data.draw(numbers)
    moved = st.sampled_from([-10_000_000, -1000, 1000, 10_000_000])
    for number in changed:
        log.kept_seals[number] = replace(log.kept_seals[number], sealed_at=0)
    for number in forged - changed:
        seal = log.kept_seals[number]
        log.kept_seals[number] = made_fit(seal, sealed_at=seal.sealed_at + data.draw(moved))
    for number in dropped:
        del log.kept_seals[number]
    assert asked(log, since, until) >= within(since, until, size)


@pytest.mark.parametrize(
    "missing", [set(some) for count in range(6) for some in combinations(range(1, 6), count)], ids=str
)
def test_whichever_seals_are_missing_they_are_looked_at(missing: set[int]) -> None:
    log = a_log(5)
    for number in missing:
        del log.kept_seals[number]
    for since, until in product(range(7), repeat=2):
        assert asked(log, since, until) >= within(since, until, 5)


def test_a_forged_seal_leads_nowhere() -> None:
    log = a_log(SIZE)
    middle = log.kept_seals[SIZE // 2]
    for moment in (0, middle.sealed_at + 10**9):
        log.kept_seals[SIZE // 2] = made_fit(middle, sealed_at=moment)
        assert seals_between(log, at(SIZE - 1), at(SIZE - 1)) == (SIZE - 1, SIZE - 1)
        assert seals_between(log, at(2), at(3)) == (2, 3)


def test_the_last_seal_is_believed_by_the_head() -> None:
    log = a_log(5)
    assert seals_between(log, at(5), at(5)) == (5, None)
    log.head = replace(head_of(log), last=Position(5, "f" * 64))
    assert seals_between(log, at(5), at(5)) == (5, None)
    assert seals_between(log, at(99), None) == (5, None)


def test_a_chain_without_seals_is_not_looked_through() -> None:
    class Counting(MemoryLog):
        asked = 0

        def seals(self, first: int, last: int) -> Mapping[int, Seal]:
            self.asked += last - first + 1
            return super().seals(first, last)

    log = Counting()
    log.head = Head(last=Position(1_000_000, "f" * 64))
    assert seals_between(log, at(1), at(2)) == (1, None)
    assert log.asked < 50_000
