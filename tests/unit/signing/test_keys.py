"""The life of a key: made, signing, verifying only, gone; and the text that the set is kept as."""

import json
from datetime import datetime, timedelta

import pytest

from gatehouse.credentials.kinds import bearer_jwt
from gatehouse.errors import NotFound
from gatehouse.signing.keys import (
    KEPT_FOR,
    SETTLES_FOR,
    InvalidKeySet,
    SigningKeys,
    follows,
    fresh,
    parse,
    render,
    retired,
    rotated,
)
from gatehouse.signing.ring import OUTAGE_SURVIVED, REMEMBERED_FOR
from tests.unit.fakes import START

OLDER, NEWER = "older-key-" * 4, "newer-key-" * 4
TODAYS = json.dumps({"current": "k1", "k1": OLDER})
"""A set as CloudFormation makes it, before its first rotation."""


def _after_rotations(*moments: datetime) -> SigningKeys:
    keys = parse(TODAYS)
    for moment in moments:
        keys = rotated(keys, moment)
    return keys


def test_a_set_without_times_is_read_as_a_stack_makes_it() -> None:
    assert parse(TODAYS) == SigningKeys("k1", {"k1": OLDER.encode()})
    assert parse(json.dumps({"current": "k2", "k1": OLDER, "k2": NEWER})) == SigningKeys(
        "k2", {"k1": OLDER.encode(), "k2": NEWER.encode()}
    )


def test_what_is_written_is_read_again_whole() -> None:
    for keys in (parse(TODAYS), fresh(START), _after_rotations(START, START + timedelta(days=1, milliseconds=7))):
        assert parse(render(keys)) == keys


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"current"',
        "{",
        "[" * 100_000,
        *map(
            json.dumps,
            [
                {"current": "k1"},
                {"current": "k2", "k1": OLDER},
                {"k1": OLDER},
                {"current": ["k1"], "k1": OLDER},
                {"current": "k1", "k1": OLDER, "k0": 7},
                {"current": "k1", "k1": OLDER, "since": {"k1": OLDER}},
                {"current": "k1", "k1": OLDER, "stopped": [OLDER]},
                {"current": "k1", "k1": OLDER, "k0": "\ud800" + OLDER},
                {"current": "k1", "k1": OLDER[:31]},
                {"current": "k1", "k1": NEWER, "k0": OLDER[:31]},
            ],
        ),
    ],
    ids=lambda text: text[:60],
)
def test_a_set_that_cannot_be_used_is_refused_and_nothing_of_it_is_told(text: str) -> None:
    with pytest.raises(InvalidKeySet) as refusal:
        parse(text)

    told = f"{refusal.value!r} {refusal.value.__cause__!r} {refusal.value.__context__!r}"
    assert "older" not in told
    assert "key" in str(refusal.value)


def test_no_description_of_a_set_has_a_key_in_it() -> None:
    keys = _after_rotations(START)

    assert not [key for key in keys.keys.values() if key.decode() in repr(keys)]


def test_a_rotation_makes_a_key_of_256_bits_the_current_one_and_keeps_the_others() -> None:
    keys = _after_rotations(START)
    new = keys.keys[keys.current]

    assert keys == SigningKeys(
        current=keys.current,
        keys={"k1": OLDER.encode(), keys.current: new},
        since={keys.current: START},
        stopped={"k1": START},
    )
    assert len(new) == 43
    assert keys.current.startswith("20260301-")
    assert follows(keys, parse(TODAYS), START)


def test_no_two_keys_of_a_moment_are_alike() -> None:
    made = [fresh(START) for _ in range(100)]

    assert len({keys.current for keys in made}) == len({keys.keys[keys.current] for keys in made}) == 100


def test_a_new_key_only_verifies_until_every_function_knows_it() -> None:
    keys = _after_rotations(START)

    assert keys.signer(START + SETTLES_FOR - timedelta(milliseconds=1)) == "k1"
    assert keys.signer(START + SETTLES_FOR) == keys.current
    assert keys.signer(START - timedelta(minutes=1)) == "k1"  # a clock that is behind
    assert SETTLES_FOR > 2 * REMEMBERED_FOR


def test_of_two_rotations_in_a_row_the_key_between_signs_while_the_second_settles() -> None:
    first = _after_rotations(START)
    second = rotated(first, START + timedelta(seconds=5))

    assert second.signer(START + timedelta(seconds=6)) == first.current
    assert set(second.keys) == {"k1", first.current, second.current}


def test_a_key_is_kept_as_long_as_anything_that_it_signed_may_live() -> None:
    keys = _after_rotations(START)

    assert "k1" in rotated(keys, START + KEPT_FOR - timedelta(seconds=1)).keys
    after = rotated(keys, START + KEPT_FOR)
    assert set(after.keys) == {keys.current, after.current}
    assert (set(after.since), set(after.stopped)) == ({keys.current, after.current}, {keys.current})
    assert KEPT_FOR > bearer_jwt._LONGEST + SETTLES_FOR + REMEMBERED_FOR + OUTAGE_SURVIVED


def test_a_previous_key_of_which_nobody_knows_when_it_stopped_is_kept_from_now_on() -> None:
    keys = parse(json.dumps({"current": "k2", "k1": OLDER, "k2": NEWER}))

    assert rotated(keys, START).stopped == {"k1": START, "k2": START}


def test_a_year_of_daily_rotations_fits_into_a_secret() -> None:
    keys = _after_rotations(*(START + timedelta(days=day) for day in range(400)))

    assert len(keys.keys) == 367
    assert len(render(keys)) < 65_536  # the most that Secrets Manager keeps


def test_a_retired_key_is_gone_from_the_set_with_its_times() -> None:
    keys = _after_rotations(START)

    assert retired(keys, "k1", START) == SigningKeys(
        keys.current, {keys.current: keys.keys[keys.current]}, {keys.current: START}, {}
    )
    assert retired(keys, "k1", START).signer(START) == keys.current


def test_for_a_current_key_that_is_retired_a_new_one_signs_at_once() -> None:
    later = START + timedelta(days=3)
    for keys in (parse(TODAYS), _after_rotations(START)):
        left = retired(keys, keys.current, later)

        assert left.signer(later) == left.current
        assert set(left.keys) == set(keys.keys) - {keys.current} | {left.current}
        assert keys.current not in left.since


def test_a_key_that_is_not_there_cannot_be_retired() -> None:
    with pytest.raises(NotFound):
        retired(parse(TODAYS), "k2", START)


def test_a_set_follows_only_where_nothing_is_lost_and_nothing_is_back() -> None:
    before = _after_rotations(START)
    after = rotated(before, START + timedelta(days=1))

    assert follows(after, before, START + timedelta(days=1))
    assert not follows(before, before, START)
    assert not follows(after, retired(before, "k1", START), START)
    assert not follows(retired(after, "k1", START), before, START)
    assert not follows(after, rotated(before, START), START)
    assert not follows(SigningKeys(after.current, {**after.keys, "k1": b"another"}), before, START)
    assert follows(retired(after, "k1", START), before, START + KEPT_FOR)
