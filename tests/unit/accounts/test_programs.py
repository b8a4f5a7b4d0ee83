"""The credentials of an account, all at once, however many, and while others change them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.accounts.programs import Programs
from gatehouse.audit.acting import ITSELF
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import DeactivatedBy, User
from gatehouse.credentials.model import Credential
from gatehouse.errors import ServiceUnavailable
from tests.unit.fakes import START, MemoryStore, StoppedClock
from tests.unit.people import Town


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


@pytest.fixture
def programs(store: MemoryStore, clock: StoppedClock) -> Programs:
    return Programs(store, Recorder(clock))


def some(town: Town, user: User, number: int, **changes: Any) -> list[Credential]:
    return [town.give(user, each, **changes) for each in range(1, number + 1)]


def off(credential: Credential) -> Credential:
    return replace(
        credential, is_active=False, disabled_by=DeactivatedBy.OWNER, updated_at=START, revision=credential.revision + 1
    )


def test_those_that_still_sign_in_are_told_the_newest_first_over_all_pages(
    programs: Programs, town: Town, john: User
) -> None:
    live = some(town, john, 230)
    town.give(john, 231, is_active=False)
    town.give(john, 232, expires_at=START)
    last = town.give(john, 233, expires_at=START + timedelta(milliseconds=1))
    some(town, town.add("jane"), 3)

    assert programs.live(john.id, START) == [last, *reversed(live)]
    assert programs.live(john.id, START + timedelta(milliseconds=1)) == [*reversed(live)]


def test_all_are_removed_whatever_they_are_and_nobody_elses(programs: Programs, town: Town, john: User) -> None:
    some(town, john, 499)
    town.give(john, 500, is_active=False)
    others = some(town, town.add("jane"), 2)

    programs.remove(john.id, ITSELF)

    assert town.store.credentials == {credential.id: credential for credential in others}
    assert town.store.calls.count("delete_credential") == 500


@pytest.mark.parametrize("stale", [1, 99, 100, 101, 250])
def test_what_changed_meanwhile_is_removed_in_the_next_round(
    programs: Programs, town: Town, john: User, stale: int
) -> None:
    some(town, john, 250)
    town.store.stale = stale

    programs.remove(john.id, ITSELF)

    assert town.store.credentials == {}
    assert town.store.calls.count("delete_credential") == 250 + stale


def test_where_others_make_more_without_end_removing_gives_up(programs: Programs, town: Town, john: User) -> None:
    some(town, john, 1)
    town.store.stale = 1_000

    with pytest.raises(ServiceUnavailable):
        programs.remove(john.id, ITSELF)
    assert town.store.calls.count("delete_credential") == 10


def test_what_was_broken_off_is_finished_by_the_next_try(programs: Programs, town: Town, john: User) -> None:
    some(town, john, 150)
    town.store.stale = 960

    with pytest.raises(ServiceUnavailable):
        programs.remove(john.id, ITSELF)
    assert len(town.store.credentials) == 110
    programs.remove(john.id, ITSELF)
    assert town.store.credentials == {}


def test_all_that_are_on_are_switched_off_as_by_their_owner(programs: Programs, town: Town, john: User) -> None:
    on = some(town, john, 150)
    was_off = town.give(john, 151, is_active=False, disabled_by=DeactivatedBy.ADMIN)
    others = town.give(town.add("jane"))

    programs.switch_off(john.id, ITSELF, START)

    assert town.store.credentials == {
        was_off.id: was_off,
        others.id: others,
        **{credential.id: off(credential) for credential in on},
    }
    assert town.store.calls.count("update_credential") == 150


def test_what_changed_meanwhile_is_switched_off_in_the_next_round(programs: Programs, town: Town, john: User) -> None:
    on = some(town, john, 150)
    town.store.stale = 120

    programs.switch_off(john.id, ITSELF, START)

    assert town.store.credentials == {credential.id: off(credential) for credential in on}


def test_where_others_switch_more_on_without_end_it_gives_up(programs: Programs, town: Town, john: User) -> None:
    credential = town.give(john)
    town.store.stale = 1_000

    with pytest.raises(ServiceUnavailable):
        programs.switch_off(john.id, ITSELF, START)
    assert town.store.credentials == {credential.id: credential}


def test_an_account_without_credentials_costs_one_look(programs: Programs, town: Town, john: User) -> None:
    programs.remove(john.id, ITSELF)
    programs.switch_off(john.id, ITSELF, START)

    assert programs.live(john.id, START) == []
    assert town.store.calls == []
