"""Lockout through the gateway: whoever is locked out is told nothing, and nobody locks anybody else out."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.journeys.client import LOGIN, Answer, House, Person
from tests.journeys.conftest import open_house

UNLOCK = "mutation ($id: ID!) { unlockUser(id: $id) { id username } }"
WRONG = "Wrong-Password-1"


@pytest.fixture(scope="module")
def moving() -> Iterator[House]:
    """A system behind a proxy that tells addresses, whose clock these tests move."""
    with open_house({"TRUSTED_PROXIES": "1"}) as house:
        yield house


def login(house: House, who: Person, password: str | None = None, address: str = "192.0.2.1") -> Answer:
    given = {"email": who.email, "password": password or who.password}
    return house.graphql(LOGIN, {"input": given}, headers={"X-Forwarded-For": address})


def told(answer: Answer) -> tuple[str, dict[str, Any]]:
    return answer.errors[0]["message"], answer.extensions


def test_five_wrong_passwords_lock_one_address_out_for_15_minutes_and_then_for_30(moving: House) -> None:
    victim = moving.person()
    for minutes in (15, 30):
        answers = [login(moving, victim, WRONG) for _ in range(5)]
        locked = login(moving, victim)
        assert {str(told(answer)) for answer in answers} == {str(told(locked))}
        assert login(moving, victim, address="198.51.100.7").outcome == "ok"
        moving.pass_seconds(minutes * 60 - 5)
        assert login(moving, victim).outcome == "UNAUTHENTICATED"
        moving.pass_seconds(5)
    assert login(moving, victim).outcome == "ok"


def test_an_ipv6_network_is_one_address(moving: House) -> None:
    victim = moving.person()
    for number in range(5):
        login(moving, victim, WRONG, f"2001:db8:0:7::{number}")
    assert login(moving, victim, address="2001:db8:0:7::99").outcome == "UNAUTHENTICATED"
    assert login(moving, victim, address="2001:db8:0:8::1").outcome == "ok"


def test_100_wrong_ones_from_anywhere_lock_everybody_out_until_an_admin_unlocks(moving: House) -> None:
    victim = moving.person()
    for number in range(100):
        login(moving, victim, WRONG, f"203.0.113.{number // 4}")
    moving.pass_seconds(3 * 86_400)
    assert login(moving, victim).outcome == "UNAUTHENTICATED"
    assert moving.graphql(UNLOCK, {"id": victim.id}, by=victim).outcome in ("FORBIDDEN", "UNAUTHENTICATED")
    answer = moving.graphql(UNLOCK, {"id": victim.id}, by=moving.admin)
    assert answer.data == {"unlockUser": {"id": victim.id, "username": victim.username}}
    assert login(moving, victim).outcome == "ok"


def test_40_wrong_passwords_at_once_are_wrong_and_lock(moving: House) -> None:
    victim = moving.person()
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: login(moving, victim, WRONG), range(40)))
    assert Counter(answer.outcome for answer in answers) == {"UNAUTHENTICATED": 40}
    assert login(moving, victim).outcome == "UNAUTHENTICATED"
    assert login(moving, victim, address="198.51.100.7").outcome == "ok"
    moving.pass_seconds(900)
    assert login(moving, victim).outcome == "ok"


def test_ten_right_passwords_at_once_all_sign_in(moving: House) -> None:
    owner = moving.person()
    for _ in range(4):
        login(moving, owner, WRONG)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: login(moving, owner), range(10)))
    assert Counter(answer.outcome for answer in answers) == {"ok": 10}
    assert [login(moving, owner, WRONG).outcome for _ in range(4)] == ["UNAUTHENTICATED"] * 4
    assert login(moving, owner).outcome == "ok"
