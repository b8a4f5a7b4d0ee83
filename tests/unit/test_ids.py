"""Ids of version 7: sorting by id is sorting by creation."""

import uuid
from datetime import timedelta

import pytest

from gatehouse.clock import milliseconds
from gatehouse.ids import lowest_id, moment_of, new_id, parse_id
from tests.unit.fakes import START


def test_an_id_is_a_uuid_of_version_7_that_tells_its_moment() -> None:
    known = uuid.UUID(new_id(START))

    assert (known.version, known.variant) == (7, uuid.RFC_4122)
    assert known.int >> 80 == milliseconds(START)


def test_ids_sort_by_the_moment_they_were_made() -> None:
    made = [new_id(START + timedelta(milliseconds=n)) for n in range(500)]

    assert sorted(made) == made


def test_ids_of_one_moment_differ_and_every_bit_of_chance_is_used() -> None:
    made = [uuid.UUID(new_id(START)).int for _ in range(2_000)]
    chance = (0xFFF << 64) | ((1 << 62) - 1)
    seen_one = seen_zero = 0
    for known in made:
        seen_one |= known & chance
        seen_zero |= ~known & chance

    assert len(set(made)) == len(made)
    assert seen_one == seen_zero == chance


def test_the_lowest_id_of_a_moment_is_below_all_of_it_and_above_all_before() -> None:
    at = milliseconds(START)
    low = lowest_id(at)

    assert uuid.UUID(low).version == 7
    assert all(low <= new_id(START) for _ in range(100))
    assert all(new_id(START - timedelta(milliseconds=1)) < low for _ in range(100))
    assert lowest_id(-1) == lowest_id(0)


def test_an_id_is_read_in_either_case_and_told_in_lower() -> None:
    known = new_id(START)

    assert parse_id(known) == parse_id(known.upper()) == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uuid-123",
        "0" * 32,
        "0" * 36,
        "{0195fff0-0000-7000-8000-000000000001}",
        "C#1",
        "x" * 100_000,
        "0195fff0-0000-7000-8000-00000000000g",
        "0195fff0-0000-7000-8000-0000000000011",
        "\x00",
        "\ud800",
        "0195fff0-0000-7000-8000-000000000001\n",
        " 0195fff0-0000-7000-8000-000000000001",
        "٠195fff0-0000-7000-8000-000000000001",
        "urn:uuid:0195fff0-0000-7000-8000-000000000001",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_id(text) is None


def test_an_id_tells_when_it_was_made_and_anything_else_tells_nothing() -> None:
    assert moment_of(new_id(START)) == moment_of(new_id(START).upper()) == START
    assert [moment_of(text) for text in ("", "x", "f" * 36, f"{'f' * 8}-{'f' * 4}-7fff-bfff-{'f' * 12}")] == [None] * 4
