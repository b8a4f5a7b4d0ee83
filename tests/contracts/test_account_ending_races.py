"""What a session makes while it is being ended: whatever comes first, nothing that was made before works after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.credentials.model import IssuedCredential
from gatehouse.errors import Conflict, GatehouseError, ServiceUnavailable, Unauthenticated
from tests.contracts.made_up import (
    at_once,
)
from tests.contracts.towns import Town
from tests.stores import Store, clients
from tests.unit.fakes import AT_HOME, PASSWORD, PASSWORD_HASH, StoppedClock

NEW = "Another-Pass-456"


@pytest.fixture
def town(dynoxide_store: Store, clock: StoppedClock) -> Town:
    return Town(dynoxide_store, clock)


@contextmanager
def before_call(number: int, act: Callable[[], object]) -> Iterator[list[Any]]:
    """Acts once, before the call of that number to the store, its own not counted; gives what came of it, if it did."""
    answers: list[Any] = []
    to_come, acts = number, False

    def act_once(**_call: object) -> None:
        nonlocal to_come, acts
        if acts or answers:
            return
        if to_come > 0:
            to_come -= 1
            return
        acts = True
        answers.append(act())

    try:
        for client in clients():
            client.meta.events.register("before-call.dynamodb", act_once)
        yield answers
    finally:
        for client in clients():
            client.meta.events.unregister("before-call.dynamodb", act_once)


def each_within(town: Town, act: Callable[[], Any], meanwhile: Callable[[], Any]) -> Iterator[tuple[Any, Any]]:
    """What both answer or raise, the second one done within the first: before each call that it makes of the store."""

    def answer(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except GatehouseError as refusal:
            return refusal

    items, number, inner = town.store.items(), 0, ["what came of it"]
    while inner:
        with before_call(number, partial(answer, meanwhile)) as inner:
            outer = answer(act)
        if inner:
            yield outer, inner[0]
        town.store.put_back(items, town.store.items())
        number += 1


def revoke_all(town: Town, signed: SignIn) -> None:
    town.people.sessions.revoke_all(town.caller(signed), include_credentials=True)


@pytest.mark.parametrize("make", [Town.create, lambda town, _: town.login()], ids=["createCredential", "login"])
def test_what_is_made_while_all_is_revoked_is_ended_with_it(
    town: Town, make: Callable[[Town, SignIn], IssuedCredential | SignIn]
) -> None:
    first, second = town.login(), town.login()
    town.create(second)
    outcomes = each_within(town, partial(revoke_all, town, first), partial(make, town, second))
    seen = 0
    for revoked, made in outcomes:
        assert revoked is None
        assert isinstance(made, IssuedCredential | SignIn)
        assert town.live_programs() == []
        assert not town.is_let_in(second)
        assert not (isinstance(made, SignIn) and town.is_let_in(made))
        seen += 1
    assert seen >= 4


def test_what_was_on_its_way_when_all_was_revoked_gives_nothing_that_works(town: Town) -> None:
    first, second = town.login(), town.login()
    left = []
    for _, revoked in each_within(town, partial(town.create, second), partial(revoke_all, town, first)):
        assert revoked is None
        left += town.live_programs()
    assert left == []


def reset(town: Town, token: str) -> None:
    town.people.passwords.reset(token, NEW, AT_HOME)


@pytest.fixture
def strangers(dynoxide_store: Store, clock: StoppedClock) -> tuple[Town, SignIn, str]:
    """An account that a stranger opened with an email that is not theirs, and the token that its owner asked for."""
    town = Town(dynoxide_store, clock, email_verified_at=None)
    signed = town.login()
    town.create(signed)
    town.people.passwords.ask_for_reset(town.john.email, AT_HOME)
    return town, signed, town.link()


def test_what_a_stranger_makes_while_the_owner_resets_goes_with_all_else(strangers: tuple[Town, SignIn, str]) -> None:
    town, signed, token = strangers
    for done, made in each_within(town, partial(reset, town, token), partial(town.create, signed)):
        assert done is None
        assert isinstance(made, IssuedCredential)
        assert_the_owners(town, signed)


def test_what_a_stranger_has_on_its_way_when_the_owner_resets_gives_nothing_that_works(
    strangers: tuple[Town, SignIn, str],
) -> None:
    town, signed, token = strangers
    for made, done in each_within(town, partial(town.create, signed), partial(reset, town, token)):
        assert done is None
        assert isinstance(made, Unauthenticated)
        assert_the_owners(town, signed)


@pytest.mark.parametrize("_round", range(3))
def test_a_stranger_who_makes_credentials_in_a_loop_keeps_none_that_was_made_before(
    strangers: tuple[Town, SignIn, str], _round: int
) -> None:
    town, signed, token = strangers
    made: list[str] = []

    def make_many() -> None:
        for _ in range(40):
            try:
                made.append(town.create(signed).credential.id)
            except (Unauthenticated, Conflict, ServiceUnavailable):
                return

    def reset_meanwhile() -> list[str]:
        before = list(made)
        reset(town, token)
        return before

    *_, before = at_once([make_many, make_many, reset_meanwhile])
    if isinstance(before, ServiceUnavailable):
        assert (town.account().generation, town.account().password_hash) == (0, PASSWORD_HASH)
        before = list(made)
        reset(town, token)
    assert set(town.live_programs()).isdisjoint(before)
    assert not town.is_let_in(signed)
    assert town.which_signs_in(PASSWORD, NEW) == [NEW]


def assert_the_owners(town: Town, signed: SignIn) -> None:
    """Nothing works of what the stranger had, and the new password does."""
    assert town.live_programs() == []
    assert not town.is_let_in(signed)
    assert town.which_signs_in(PASSWORD, NEW) == [NEW]
