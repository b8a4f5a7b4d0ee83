"""Sessions: a person sees their own, and ends one of them, or all."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

import pytest

from gatehouse.accounts.model import Origin, Session
from gatehouse.consumers.model import DeactivatedBy, User
from gatehouse.errors import Forbidden, NotFound, ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.fakes import AT_HOME, START, MemoryStore, StoppedClock
from tests.unit.people import ELSEWHERE, Town, a_program, refusal

GONE = (NotFound, None, None)


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, SESSION_IDLE_TTL="86400", REFRESH_TOKEN_TTL="259200")


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


def sign_in(town: Town, user: User, origin: Origin = AT_HOME) -> Caller:
    return town.caller(town.login(user, origin=origin))


def ids(sessions: list[Session]) -> list[str]:
    return [session.id for session in sessions]


def test_a_person_sees_where_they_are_signed_in_and_nobody_elses(town: Town, john: User) -> None:
    sign_in(town, town.add("jane"))
    home = sign_in(town, john)
    town.clock.advance(hours=1)
    away = sign_in(town, john, ELSEWHERE)

    listed = town.people.sessions.list(home)

    assert [(s.id, s.origin, s.created_at, s.used_at) for s in listed] == [
        (away.session_id, ELSEWHERE, town.clock.now(), town.clock.now()),
        (home.session_id, AT_HOME, START, START),
    ]


def test_the_session_that_was_used_last_comes_first(town: Town, john: User) -> None:
    signed = []
    for _ in range(3):
        signed.append(town.login(john))
        town.clock.advance(minutes=1)
    oldest, middle, newest = (town.caller(one).session_id for one in signed)
    town.people.accounts.refresh(signed[0].refresh_token, AT_HOME)

    assert ids(town.people.sessions.list(town.caller(signed[1]))) == [oldest, newest, middle]


def test_of_sessions_used_at_once_the_newest_comes_first(town: Town, john: User) -> None:
    callers = [sign_in(town, john) for _ in range(5)]

    assert ids(town.people.sessions.list(callers[0])) == sorted(
        (caller.session_id or "" for caller in callers), reverse=True
    )


def test_what_was_not_used_for_so_long_has_ended(town: Town, john: User) -> None:
    idle, used = town.login(john), town.login(john)
    idle_caller = town.caller(idle)
    town.clock.advance(hours=12)
    used = town.people.accounts.refresh(used.refresh_token, AT_HOME)
    town.clock.advance(hours=12, milliseconds=-1)
    assert len(town.people.sessions.list(idle_caller)) == 2
    assert town.is_in_force(idle_caller)
    town.clock.advance(milliseconds=1)

    caller = town.caller(used)
    assert ids(town.people.sessions.list(caller)) == [caller.session_id]
    assert not town.is_in_force(idle_caller)
    assert not town.refreshes(idle)
    assert refusal(town.people.sessions.revoke, caller, idle_caller.session_id or "") == GONE
    assert town.refreshes(used)


def test_what_is_used_on_and_on_ends_all_the_same(town: Town, john: User) -> None:
    signed = town.login(john)
    for _ in range(5):
        town.clock.advance(hours=12)
        signed = town.people.accounts.refresh(signed.refresh_token, AT_HOME)
    town.clock.advance(hours=12, milliseconds=-1)
    fresh = sign_in(town, john)
    assert len(town.people.sessions.list(fresh)) == 2
    town.clock.advance(milliseconds=1)

    assert ids(town.people.sessions.list(fresh)) == [fresh.session_id]
    assert not town.refreshes(signed)


def test_what_ended_with_all_others_is_not_listed(town: Town, john: User) -> None:
    town.login(john)
    town.people.sessions.revoke_all(sign_in(town, john), include_credentials=False)

    caller = sign_in(town, john)

    assert ids(town.people.sessions.list(caller)) == [caller.session_id]


def test_a_person_ends_another_session_of_theirs_and_no_other(town: Town, john: User) -> None:
    here, there, third = (sign_in(town, john) for _ in range(3))
    before = town.store.sessions[there.session_id or ""]
    epoch = town.store.gates.gates[john.id].standing.epoch

    assert town.people.sessions.revoke(here, (there.session_id or "").upper()) == before

    assert [town.is_in_force(caller) for caller in (here, there, third)] == [True, False, True]
    assert town.store.gates.gates[john.id].standing.epoch == epoch + 1


def test_a_person_ends_the_session_they_come_with(town: Town, john: User) -> None:
    here, there = sign_in(town, john), sign_in(town, john)

    assert town.people.sessions.revoke(here, here.session_id or "").id == here.session_id

    assert [town.is_in_force(caller) for caller in (here, there)] == [False, True]


def test_what_is_not_there_to_be_ended_is_not_found_alike(town: Town, john: User) -> None:
    caller, foreign = sign_in(town, john), sign_in(town, town.add("jane"))
    ended = sign_in(town, john)
    town.people.sessions.revoke(caller, ended.session_id or "")

    for unknown in (foreign.session_id, ended.session_id, new_id(START), "", "x", "\ud800", "0" * 10_000):
        with pytest.raises(NotFound, match=r"^There is no such session\.$"):
            town.people.sessions.revoke(caller, unknown or "")
    assert town.is_in_force(foreign)


def test_what_ended_with_all_others_or_by_its_time_is_not_found(town: Town, john: User) -> None:
    generation_ago = sign_in(town, john)
    town.people.sessions.revoke_all(generation_ago, include_credentials=False)
    too_old = sign_in(town, john)
    town.clock.advance(days=3)
    caller = sign_in(town, john)

    for ended in (generation_ago, too_old):
        assert refusal(town.people.sessions.revoke, caller, ended.session_id or "") == GONE


def test_all_sessions_end_and_this_one_too_and_nobody_elses(town: Town, john: User) -> None:
    signed = [town.login(john) for _ in range(3)]
    jane = sign_in(town, town.add("jane"))
    credential = town.give(john)

    town.people.sessions.revoke_all(town.caller(signed[0]), include_credentials=False)

    assert [town.is_in_force(town.caller(one)) for one in signed] == [False] * 3
    assert [town.refreshes(one) for one in signed] == [False] * 3
    assert town.is_in_force(jane)
    assert town.store.credentials == {credential.id: credential}
    assert (town.store.generations[john.id], town.store.counts[john.id]) == (1, 0)
    assert town.is_in_force(sign_in(town, john))


def test_where_asked_to_all_credentials_are_switched_off_however_many(town: Town, john: User) -> None:
    for number in range(1, 151):
        town.give(john, number)
    off = town.give(john, 151, is_active=False, disabled_by=DeactivatedBy.ADMIN)
    others = town.give(town.add("jane"))
    caller = sign_in(town, john)
    town.clock.advance(minutes=1)
    before = dict(town.store.credentials)

    town.people.sessions.revoke_all(caller, include_credentials=True)

    now = town.clock.now()
    assert town.store.credentials == {
        id: credential
        if credential in (off, others)
        else replace(
            credential,
            is_active=False,
            disabled_by=DeactivatedBy.OWNER,
            updated_at=now,
            revision=credential.revision + 1,
        )
        for id, credential in before.items()
    }
    assert not town.is_in_force(caller)


def test_where_credentials_cannot_be_switched_off_the_sessions_stay_to_try_again(town: Town, john: User) -> None:
    town.give(john)
    caller = sign_in(town, john)
    town.store.stale = 1_000

    told = refusal(town.people.sessions.revoke_all, caller, include_credentials=True)

    assert told[0] is ServiceUnavailable
    assert town.is_in_force(caller)


def meanwhile(town: Town, john: User, monkeypatch: pytest.MonkeyPatch, numbers: Iterable[int]) -> None:
    """Before each of the next times that all sessions are to end, one of them makes another credential."""
    end: Callable[..., None] = town.store.end_sessions
    left = iter(numbers)

    def overtaken(*args: object, **kwargs: object) -> None:
        if (number := next(left, None)) is not None:
            town.give(john, number)
        end(*args, **kwargs)

    monkeypatch.setattr(town.store, "end_sessions", overtaken)


def test_a_credential_that_a_session_makes_meanwhile_is_switched_off_as_well(
    town: Town, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = sign_in(town, john)
    meanwhile(town, john, monkeypatch, range(1, 5))

    town.people.sessions.revoke_all(caller, include_credentials=True)

    assert [credential.is_active for credential in town.store.credentials.values()] == [False] * 4
    assert not town.is_in_force(caller)


def test_where_credentials_are_made_without_end_the_sessions_stay_to_try_again(
    town: Town, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = sign_in(town, john)
    meanwhile(town, john, monkeypatch, count(1))

    told = refusal(town.people.sessions.revoke_all, caller, include_credentials=True)

    assert told[0] is ServiceUnavailable
    assert town.is_in_force(caller)


@pytest.mark.parametrize(
    "act",
    [
        lambda town, caller: town.people.sessions.list(caller),
        lambda town, caller: town.people.sessions.revoke(caller, new_id(START)),
        lambda town, caller: town.people.sessions.revoke_all(caller, include_credentials=True),
    ],
    ids=["list", "revoke", "revoke all"],
)
def test_all_of_it_takes_a_person(town: Town, john: User, act: Callable[[Town, Caller], object]) -> None:
    credential = town.give(john)

    assert refusal(act, town, a_program(john)) == (Forbidden, "SCOPE", None)
    assert refusal(act, town, ANONYMOUS)[0] is Unauthenticated
    assert (town.store.credentials, town.store.generations) == ({credential.id: credential}, {john.id: 0})


def test_who_is_gone_has_no_sessions(town: Town, john: User) -> None:
    caller = sign_in(town, john)
    del town.store.users[john.id]

    assert town.people.sessions.list(caller) == []
