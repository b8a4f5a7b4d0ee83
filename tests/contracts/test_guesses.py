"""Guessing at secrets, on a store that is right about concurrency: counted before a hash is paid, and locked out."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import bcrypt
import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.admission.service import Admission
from gatehouse.credentials.keys import ApiKey, make_key_id, make_secret
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import ANONYMOUS
from tests.contracts.callers import CHOSEN_SECRET, Grounds
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.fakes import HOME, StoppedClock, the_settings

ELSEWHERE = "198.51.100.7"
LIMIT, AT_ONCE = 5, 32
WRONG = "Wrong-Secret-1"


@pytest.fixture
def grounds(dynoxide_store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT="1000", GUESS_LIMIT_ADDRESS="12"))


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each hash that was paid for."""
    paid: list[None] = []
    check = bcrypt.checkpw

    def checked(password: bytes, hashed: bytes) -> bool:
        paid.append(None)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", checked)
    return paid


def a_chosen_key(grounds: Grounds) -> str:
    return grounds.make(CredentialType.KEY_AUTH, chosen=True)[0].key_id


def call(function: Admission, key_id: str, secret: str, address: str = HOME) -> Admitted:
    return function.by_secret(CredentialType.KEY_AUTH, ApiKey(key_id, secret), address)


def outcome(answer: Any) -> str:
    if isinstance(answer, Unauthenticated):
        return "refused"
    return "locked" if answer.allowance.is_spent else "let in"


def guess_wrong(function: Admission, key_id: str, address: str = HOME) -> str:
    try:
        return outcome(call(function, key_id, WRONG, address))
    except Unauthenticated as refusal:
        return outcome(refusal)


def lock(grounds: Grounds, key_id: str) -> None:
    assert [guess_wrong(grounds.function(), key_id) for _ in range(LIMIT + 1)] == [*["refused"] * LIMIT, "locked"]


def test_of_40_wrong_guesses_at_once_no_more_are_hashed_than_the_limit_and_32(
    grounds: Grounds, hashes: list[None]
) -> None:
    key_id, functions = a_chosen_key(grounds), [grounds.function() for _ in range(4)]
    answers = Counter(
        outcome(answer) for answer in at_once([partial(call, functions[n % 4], key_id, WRONG) for n in range(40)])
    )
    assert answers["refused"] == len(hashes) <= LIMIT + AT_ONCE
    assert answers["refused"] + answers["locked"] == 40
    grounds.clock.advance(seconds=2)
    paid = len(hashes)
    assert {guess_wrong(function, key_id) for function in functions} == {"locked"}
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "locked"
    assert len(hashes) == paid


def test_a_lock_tells_when_it_ends_and_nothing_of_the_key(grounds: Grounds) -> None:
    key_id = a_chosen_key(grounds)
    lock(grounds, key_id)
    grounds.clock.advance(seconds=10)
    told = call(grounds.function(), key_id, CHOSEN_SECRET)
    ends = grounds.clock.now() + timedelta(seconds=890)
    assert told.allowance == Allowance(limit=LIMIT, remaining=0, resets_at=ends, is_spent=True)
    assert (told.caller, told.credential, told.plan_id, told.version) == (ANONYMOUS, None, None, None)


def test_a_lock_is_for_one_key_id_from_one_address(grounds: Grounds) -> None:
    key_id, other = a_chosen_key(grounds), a_chosen_key(grounds)
    lock(grounds, key_id)
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET, ELSEWHERE)) == "let in"
    assert outcome(call(grounds.function(), other, CHOSEN_SECRET)) == "let in"


def test_whoever_is_remembered_gets_in_beside_a_lock_for_as_long(grounds: Grounds, hashes: list[None]) -> None:
    key_id, function = a_chosen_key(grounds), grounds.function()
    call(function, key_id, CHOSEN_SECRET)
    lock(grounds, key_id)
    assert guess_wrong(function, key_id) == "locked"
    paid = len(hashes)
    grounds.clock.advance(seconds=59)
    assert outcome(call(function, key_id, CHOSEN_SECRET)) == "let in"
    grounds.clock.advance(seconds=1)
    assert outcome(call(function, key_id, CHOSEN_SECRET)) == "locked"
    assert len(hashes) == paid


def test_a_lock_ends_by_the_clock_and_failures_are_counted_anew(grounds: Grounds) -> None:
    key_id = a_chosen_key(grounds)
    lock(grounds, key_id)
    grounds.clock.advance(seconds=899, milliseconds=999)
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "locked"
    grounds.clock.advance(milliseconds=1)
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "let in"
    lock(grounds, key_id)


def test_each_lock_of_an_address_lasts_twice_as_long_until_it_gets_the_secret_right(grounds: Grounds) -> None:
    key_id = a_chosen_key(grounds)
    for minutes in (15, 30, 60):
        lock(grounds, key_id)
        grounds.clock.advance(minutes=minutes, seconds=-1)
        assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "locked"
        grounds.clock.advance(seconds=1)
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "let in"
    lock(grounds, key_id)
    grounds.clock.advance(minutes=15)
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "let in"


def test_strangers_who_guess_from_many_addresses_lock_nobody_else_out(grounds: Grounds) -> None:
    key_id, function = a_chosen_key(grounds), grounds.function()
    for number in range(120):
        assert guess_wrong(function, key_id, f"2001:db8:0:{number:x}::/64") == "refused"
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "let in"


def test_a_call_at_a_locked_key_costs_three_writes_and_none_where_its_address_is_blocked(grounds: Grounds) -> None:
    key_id, function = a_chosen_key(grounds), grounds.function()
    lock(grounds, key_id)
    readings = {"GetItem": 1, "TransactGetItems": 1}
    assert cost_of(lambda: guess_wrong(function, key_id)).calls == {**readings, "UpdateItem": 3}
    for number in range(7):
        guess_wrong(function, f"nobodys-{number}")
    blocked = [cost_of(lambda: guess_wrong(function, key_id)).calls for _ in range(2)]
    assert blocked == [{**readings, "UpdateItem": 1}, readings]


def test_right_secrets_at_once_lock_nobody_out(grounds: Grounds) -> None:
    key_id = a_chosen_key(grounds)
    calls = [partial(call, grounds.function(), key_id, CHOSEN_SECRET) for _ in range(30)]
    assert Counter(map(outcome, at_once(calls))) == {"let in": 30}
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "let in"
    lock(grounds, key_id)


def test_failures_over_many_key_ids_lock_the_address_out_of_all_secrets_that_cost_a_hash(
    grounds: Grounds, hashes: list[None]
) -> None:
    key_id = a_chosen_key(grounds)
    answers = [guess_wrong(grounds.function(), f"nobodys-{number}") for number in range(14)]
    assert answers == [*["refused"] * 12, *["locked"] * 2]
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET)) == "locked"
    assert len(hashes) == 12
    assert outcome(call(grounds.function(), key_id, CHOSEN_SECRET, ELSEWHERE)) == "let in"


def test_made_keys_cost_no_hash_and_too_many_wrong_ones_no_write_either(grounds: Grounds, hashes: list[None]) -> None:
    made, secret = grounds.make(CredentialType.KEY_AUTH)
    right = ApiKey(made.key_id, secret.partition(".")[2])
    warm, function = grounds.function(), grounds.function()
    assert outcome(warm.by_secret(CredentialType.KEY_AUTH, right, HOME)) == "let in"
    answers = []
    for _ in range(14):
        key_id = make_key_id()
        try:
            answers.append(outcome(call(function, key_id, make_secret(key_id))))
        except Unauthenticated as refusal:
            answers.append(outcome(refusal))
    assert answers == [*["refused"] * 12, *["locked"] * 2]
    assert cost_of(lambda: call(function, key_id, make_secret(key_id))).calls == {"GetItem": 1, "TransactGetItems": 1}
    # Whoever shares an address with one who guesses is not locked out with a secret that nobody can guess.
    for at in (warm, function, grounds.function()):
        assert outcome(at.by_secret(CredentialType.KEY_AUTH, right, HOME)) == "let in"
    assert hashes == []


def disabled(grounds: Grounds) -> str:
    credential, _ = grounds.make(CredentialType.KEY_AUTH, chosen=True)
    grounds.credentials.update(grounds.owner, credential.id, {"is_active": False})
    return credential.key_id


def deleted(grounds: Grounds) -> str:
    credential, _ = grounds.make(CredentialType.KEY_AUTH, chosen=True)
    grounds.credentials.delete(grounds.owner, credential.id)
    return credential.key_id


def rotated(grounds: Grounds) -> str:
    credential, _ = grounds.make(CredentialType.KEY_AUTH, chosen=True)
    grounds.credentials.rotate(grounds.owner, credential.id, 3_600)
    return credential.key_id


KEY_IDS: dict[str, Callable[[Grounds], str]] = {
    "in force": a_chosen_key,
    "another's type": lambda grounds: grounds.make(CredentialType.BASIC_AUTH, chosen=True)[0].key_id,
    "whose secret was made": lambda grounds: grounds.make(CredentialType.KEY_AUTH, key_id="chosen-id")[0].key_id,
    "of a token": lambda grounds: grounds.make(CredentialType.JWT, key_id="chosen-id")[0].key_id,
    "disabled": disabled,
    "deleted": deleted,
    "rotated": rotated,
}


@pytest.mark.parametrize("make", KEY_IDS.values(), ids=KEY_IDS.keys())
def test_a_wrong_secret_costs_the_same_calls_and_one_hash_whether_there_is_such_a_key_id_or_not(
    grounds: Grounds, hashes: list[None], make: Callable[[Grounds], str]
) -> None:
    key_id, function = make(grounds), grounds.function()
    guess_wrong(grounds.function(), "yet-another", ELSEWHERE)
    costs = []
    for asked in (key_id, "nobodys-key"):
        paid = len(hashes)
        calls = [cost_of(partial(guess_wrong, function, asked)).calls for _ in range(3)]
        costs.append((calls[1:], len(hashes) - paid))
        guess_wrong(function, f"between-{asked}")
    assert costs[0] == costs[1] == ([{"GetItem": 1, "TransactGetItems": 1, "UpdateItem": 4}] * 2, 3)


def test_a_wrong_secret_costs_the_same_where_the_right_one_is_remembered(grounds: Grounds, hashes: list[None]) -> None:
    key_id, function = a_chosen_key(grounds), grounds.function()
    call(function, key_id, CHOSEN_SECRET)
    guess_wrong(function, key_id)
    paid = len(hashes)
    cost = cost_of(lambda: guess_wrong(function, key_id)).calls
    assert (cost, len(hashes) - paid) == ({"GetItem": 1, "TransactGetItems": 1, "UpdateItem": 4}, 1)
