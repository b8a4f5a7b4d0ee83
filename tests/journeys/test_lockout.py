"""Lockout through the gateway: whoever is locked out is told nothing, and nobody locks anybody else out."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.client import CREATE_CREDENTIAL, DELETE_CREDENTIAL, LOGIN, ME, Answer, House, Person
from tests.journeys.conftest import open_house

UNLOCK = "mutation ($id: ID!) { unlockUser(id: $id) { id username } }"
WRONG = "Wrong-Password-1"
RIGHT = "Chosen-Secret-1"


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


def chosen_key(house: House, kind: str) -> str:
    """The key id of a new credential with the right secret."""
    given = {"type": kind, "keyId": f"key-{uuid4()}", "keySecret": RIGHT}
    answer = house.graphql(CREATE_CREDENTIAL, {"input": given}, by=house.person())
    return str(answer.data["createCredential"]["keyId"])


def ask(house: House, kind: str, key_id: str, secret: str, address: str = "192.0.2.2") -> Answer:
    sent = {"X-Forwarded-For": address}
    if kind == "KEY_AUTH":
        return house.graphql(ME, headers={**sent, "X-API-Key": f"{key_id}.{secret}"})
    sent["Authorization"] = f"Basic {b64encode(f'{key_id}:{secret}'.encode()).decode()}"
    if kind == "BASIC_AUTH":
        return house.graphql(ME, headers=sent)
    return house.send("POST", "/oauth/token", data={"grant_type": "client_credentials"}, headers=sent)


@pytest.mark.parametrize("kind", ["KEY_AUTH", "BASIC_AUTH", "OAUTH2"])
def test_five_wrong_secrets_lock_a_key_for_one_address_for_15_minutes_and_then_for_30(moving: House, kind: str) -> None:
    key_id = chosen_key(moving, kind)
    for minutes in (15, 30):
        assert [ask(moving, kind, key_id, WRONG).status for _ in range(5)] == [401] * 5
        locked = ask(moving, kind, key_id, RIGHT)
        assert (locked.status, minutes * 60 - 60 < int(locked.headers["retry-after"]) <= minutes * 60) == (429, True)
        assert ask(moving, kind, key_id, RIGHT, "198.51.100.8").status == 200
        moving.pass_seconds(minutes * 60 - 5)
        assert ask(moving, kind, key_id, RIGHT).status == 429
        moving.pass_seconds(5)
    assert ask(moving, kind, key_id, RIGHT).status == 200


def test_an_address_is_held_back_by_what_it_guesses_wrong_and_not_by_a_program_that_has_outlived_its_key() -> None:
    with open_house({"GUESS_LIMIT_ADDRESS": "6", "TRUSTED_PROXIES": "1"}) as house:
        now = datetime.fromisoformat(house.pass_seconds(1))
        house.pass_seconds(900 - int(now.timestamp()) % 900)  # to the begin of one of the windows of addresses
        owner, key_id = house.person(), chosen_key(house, "KEY_AUTH")
        gone, kept = house.key(owner), house.key(owner)
        house.graphql(DELETE_CREDENTIAL, {"id": gone.id}, by=owner)
        sent = {"X-Forwarded-For": "192.0.2.2"}
        left_behind = [house.graphql(ME, by=gone, headers=sent).status for _ in range(8)]
        assert left_behind == [401] * 6 + [429] * 2
        for _ in range(3):
            assert login(house, owner, WRONG, "192.0.2.2").outcome == "UNAUTHENTICATED"
            assert ask(house, "KEY_AUTH", key_id, WRONG).status == 401
        assert login(house, owner, address="192.0.2.2").outcome == "RATE_LIMIT_EXCEEDED"
        assert ask(house, "KEY_AUTH", key_id, RIGHT).status == 429
        assert house.graphql(ME, by=kept, headers=sent).status == 200
        assert login(house, owner).outcome == "ok"


def test_an_ipv6_network_is_one_address(moving: House) -> None:
    victim = moving.person()
    for number in range(5):
        login(moving, victim, WRONG, f"2001:db8:0:7::{number}")
    assert login(moving, victim, address="2001:db8:0:7::99").outcome == "UNAUTHENTICATED"
    assert login(moving, victim, address="2001:db8:0:8::1").outcome == "ok"


@pytest.mark.long
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
