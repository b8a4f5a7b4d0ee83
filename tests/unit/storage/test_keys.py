"""Keys: each kind of item has its own, and lists are spread evenly over their partitions."""

from collections import Counter
from datetime import date

import pytest

from gatehouse.consumers.model import Role
from gatehouse.ids import new_id
from gatehouse.storage import keys
from tests.unit.fakes import START

ID = "0195fff0-0000-7000-8000-00000000000a"


def test_each_item_has_the_key_that_the_drawing_tells() -> None:
    drawn = keys.__doc__ or ""
    made = {
        keys.consumer("<user>"): "profile",
        keys.gate("<user>"): "gate",
        keys.email_claim("<email>"): "email claim",
        keys.username_claim("<username>"): "username claim",
        keys.key_claim("<key id>"): "key claim",
        keys.credential_way("<id>"): "credential's way",
        keys.ROSTER: "roster",
        keys.PLANS: "usage plan",
        keys.plan_name_claim("<name>"): "plan's name",
    }
    for key, item in made.items():
        assert any(line.split("  ")[0].strip() == item and key in line for line in map(str.strip, drawn.splitlines()))
    for index in (keys.USERS_BY_CREATION, keys.USERS_BY_USERNAME, keys.NAMES, keys.CREDENTIALS_BY_CREATION):
        assert index in drawn


def test_no_two_kinds_of_item_share_a_partition() -> None:
    partitions = [
        keys.consumer(ID),
        keys.gate(ID),
        keys.email_claim(ID),
        keys.username_claim(ID),
        keys.key_claim(ID),
        keys.credential_way(ID),
        keys.ROSTER,
        keys.PLANS,
        keys.plan_name_claim(ID),
    ]

    assert len({partition.split("#")[0] for partition in partitions}) == len(partitions)


def test_an_id_is_found_again_in_its_key() -> None:
    assert keys.consumer_id(keys.consumer(ID)) == ID
    assert keys.gate_owner(keys.gate(ID)) == ID
    assert keys.session_id(keys.session(ID)) == ID
    assert keys.credential_id(keys.credential(ID)) == ID


def test_days_of_usage_sort_as_they_come_and_are_found_again() -> None:
    days = [date.min, date(999, 12, 31), date(2026, 9, 30), date(2026, 10, 1), date.max]

    assert sorted(map(keys.usage_day, days)) == [keys.usage_day(day) for day in days]
    assert [keys.day_of_usage(keys.usage_day(day)) for day in days] == days


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_active", [True, False])
def test_every_user_stands_in_one_of_the_partitions_that_a_list_of_its_kind_asks(role: Role, is_active: bool) -> None:
    for last in "0123456789abcdef":
        where = keys.listing(role, is_active, ID[:-1] + last)
        assert where in keys.listings([role], [is_active])
        assert [r for r in Role for a in (True, False) if where in keys.listings([r], [a])] == [role]


def test_a_list_of_everybody_asks_24_partitions_and_one_of_a_role_and_state_4() -> None:
    everybody = keys.listings(Role, (True, False))

    assert (len(everybody), len(set(everybody)), len(keys.listings([Role.USER], [True]))) == (24, 24, 4)


def test_sign_ups_of_one_moment_are_spread_over_all_shards() -> None:
    spread = Counter(keys.shard(new_id(START)) for _ in range(4_000))

    assert set(spread) == set(keys.SHARDS)
    assert max(spread.values()) < 1.25 * 1_000
