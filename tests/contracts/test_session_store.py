"""The port of sessions that are looked at and ended, `accounts.sessions.SessionStore`, on every implementation."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.model import Entrance, KeptSession, Session, place
from gatehouse.accounts.refresh import RefreshToken, present
from gatehouse.consumers.model import User
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.persistence import Stale
from gatehouse.storage.last_uses import DynamoLastUses
from tests.contracts.made_up import MONTH, NOBODY, a_credential
from tests.contracts.worlds import OnTheTable, World, account_of, began
from tests.stores import Store, cost_of
from tests.unit.fakes import AT_HOME, START, a_user

HOUR = timedelta(hours=1)


def a_person(world: World, name: str = "john", at: datetime = START) -> tuple[User, Session, RefreshToken]:
    """A user who is signed in once."""
    user = a_user(name)
    session, token = began(user, at=at)
    world.changes.create_account(NewAccount(user=user, password_hash="hash", session=session), START)
    return user, session, token


def sign_in(world: World, user: User, at: datetime) -> Session:
    """One session more."""
    session = began(user, at=at)[0]
    world.accounts.open_session(account_of(world, user), session, Entrance(ledger="account/anybody"))
    return session


def a_notice() -> Mail:
    return Mail(id=new_id(START), kind=MailKind.TOKEN_REUSED, to="john@example.com", created_at=START)


def epoch_of(world: World, user: User) -> int:
    standing = world.standing(user.id)
    assert standing is not None
    return standing.epoch


def found(world: World, session: Session) -> Session | None:
    kept = world.accounts.find_session(session.user_id, session.id)
    return None if kept is None else kept.session


def test_an_address_is_remembered_from_the_first_session_on_and_its_notice_kept_with_the_session(world: World) -> None:
    user, _, _ = a_person(world)
    assert account_of(world, user).places == {place(user.id, AT_HOME.address)}

    session, notice = began(user, at=START + HOUR)[0], a_notice()
    entrance = Entrance(ledger="account/anybody", new_place=b"elsewhere"[:8], notice=notice)
    world.accounts.open_session(account_of(world, user), session, entrance)

    assert account_of(world, user).places == {place(user.id, AT_HOME.address), b"elsewher"}
    assert notice in world.mails()


def test_whoever_has_signed_in_from_very_many_addresses_begins_anew(store: Store) -> None:
    world = OnTheTable(store)
    user, _, _ = a_person(world)
    for number in range(1, 51):
        entrance = Entrance(ledger="account/anybody", new_place=number.to_bytes(8))
        account = account_of(world, user)
        world.accounts.open_session(account, began(user, at=START + number * HOUR)[0], entrance)

    assert account_of(world, user).places == {(50).to_bytes(8)}


def test_a_session_is_found_with_its_owner_and_where_it_came_from(world: World) -> None:
    user, session, _ = a_person(world)
    standing = world.standing(user.id)
    assert standing is not None
    kept = world.accounts.find_session(user.id, session.id)
    assert kept == KeptSession(session=session, standing=standing, user=user)


def test_sessions_are_told_with_the_oldest_first_and_none_of_another(world: World) -> None:
    user, second, _ = a_person(world)
    a_person(world, "other")
    third, first = sign_in(world, user, START + HOUR), sign_in(world, user, START - HOUR)
    assert list(world.accounts.sessions_of(user.id)) == [first, second, third]
    assert list(world.accounts.sessions_of(NOBODY)) == []


def test_a_session_ends_once_and_its_owner_is_told_once(world: World) -> None:
    user, session, _ = a_person(world)
    other = sign_in(world, user, START + HOUR)
    epoch, notices = epoch_of(world, user), [a_notice(), a_notice()]
    assert world.accounts.end_session(user.id, session.id, notices[0]) is True
    assert found(world, session) is None
    assert list(world.accounts.sessions_of(user.id)) == [other]
    before = world.everything()
    assert world.accounts.end_session(user.id, session.id, notices[1]) is False
    assert world.everything() == before
    assert world.mails() == notices[:1]
    assert epoch_of(world, user) == epoch + 1


def test_a_session_ends_without_a_notice_too(world: World) -> None:
    user, session, _ = a_person(world)
    assert world.accounts.end_session(user.id, session.id) is True
    assert (list(world.accounts.sessions_of(user.id)), world.mails()) == ([], [])


def test_there_is_nothing_to_end_of_an_unknown_session_of_another_or_of_who_is_gone(world: World) -> None:
    user, session, _ = a_person(world)
    other, _, _ = a_person(world, "other")
    gone, left, _ = a_person(world, "gone")
    world.consumers.delete_user(gone)
    before = world.everything()
    assert world.accounts.end_session(user.id, NOBODY, a_notice()) is False
    assert world.accounts.end_session(other.id, session.id, a_notice()) is False
    assert world.accounts.end_session(NOBODY, session.id, a_notice()) is False
    assert world.accounts.end_session(gone.id, left.id, a_notice()) is False
    assert world.everything() == before


def test_all_sessions_end_at_once_and_no_other_persons(world: World) -> None:
    user, session, _ = a_person(world)
    later = sign_in(world, user, START + HOUR)
    other, others, _ = a_person(world, "other")
    epoch = epoch_of(world, user)
    world.accounts.end_sessions(user.id)
    standing, untouched = world.standing(user.id), world.standing(other.id)
    assert standing is not None
    assert untouched is not None
    assert (standing.generation, standing.epoch) == (1, epoch + 1)
    assert not any(s.is_in_force(standing, START, MONTH) for s in (session, later))
    assert others.is_in_force(untouched, START, MONTH)
    account = account_of(world, user)
    assert (account.generation, account.sessions) == (1, 0)
    fresh = began(user, generation=1)[0]
    assert fresh.is_in_force(standing, START, MONTH)


def test_sessions_of_who_is_gone_cannot_be_ended(world: World) -> None:
    user, _, _ = a_person(world)
    world.consumers.delete_user(user)
    before = world.everything()
    with pytest.raises(Unauthenticated):
        world.accounts.end_sessions(user.id)
    assert world.everything() == before


def test_without_programs_all_end_only_where_no_credential_is_on(world: World) -> None:
    user, _, _ = a_person(world)
    on = world.programs.create_credential(a_credential(user), "hash")
    before = world.everything()
    with pytest.raises(Stale):
        world.accounts.end_sessions(user.id, without_programs=True)
    assert world.everything() == before
    world.programs.update_credential(on, replace(on, is_active=False, revision=1))
    world.accounts.end_sessions(user.id, without_programs=True)
    assert account_of(world, user).generation == 1


def test_a_step_is_a_use(world: World) -> None:
    _, session, token = a_person(world)
    for minutes in (5, 70):
        after = present(session, token, START + timedelta(minutes=minutes))
        assert after.used_at == START + timedelta(minutes=minutes)
        assert world.accounts.step_session(session, after) is True
        assert found(world, session) == after
        assert after.ends_at(HOUR) == after.used_at + HOUR
        session, token = after, token.successor(session.salt)


def test_a_session_that_has_ended_makes_no_step(world: World) -> None:
    user, session, token = a_person(world)
    world.accounts.end_session(user.id, session.id)
    before = world.everything()
    assert world.accounts.step_session(session, present(session, token, START)) is False
    assert world.everything() == before


# What only a table has: uses that its own stream tells of, and what it costs.


def note(session: Session, at: datetime) -> None:
    DynamoLastUses().note_session_use(session.user_id, session.id, at)


def test_a_use_is_noted_forward_in_time_and_about_once_an_hour(store: Store) -> None:
    world = OnTheTable(store)
    _, session, _ = a_person(world)
    noted = []
    for minutes in (-30, 0, 10, 59, 60, 61, 30, 119, 120, 600, 599, 60):
        note(session, START + timedelta(minutes=minutes))
        kept = found(world, session)
        assert kept is not None
        assert kept == replace(session, used_at=kept.used_at)
        noted.append((kept.used_at - START) // timedelta(minutes=1))
    assert noted == [0, 0, 0, 0, 60, 60, 60, 60, 120, 600, 600, 600]


def test_a_time_that_the_stream_cut_to_the_second_is_still_an_hour_later(store: Store) -> None:
    world = OnTheTable(store)
    _, session, _ = a_person(world, at=START + timedelta(milliseconds=900))
    note(session, START + HOUR)
    kept = found(world, session)
    assert kept is not None
    assert kept.used_at == START + HOUR


def test_a_use_of_a_session_that_is_gone_brings_nothing_back(store: Store) -> None:
    world = OnTheTable(store)
    user, session, _ = a_person(world)
    world.accounts.end_session(user.id, session.id)
    before = store.items()
    note(session, START + HOUR)
    note(replace(session, user_id=NOBODY), START + HOUR)
    assert store.items() == before


def test_a_use_noted_late_takes_nothing_back_of_a_step(store: Store) -> None:
    world = OnTheTable(store)
    _, session, token = a_person(world)
    after = present(session, token, START + 3 * HOUR)
    world.accounts.step_session(session, after)
    note(session, START + 2 * HOUR)
    assert found(world, session) == after


def test_a_use_noted_meanwhile_keeps_no_step_from_being_made(store: Store) -> None:
    world = OnTheTable(store)
    _, session, token = a_person(world)
    after = present(session, token, START + 3 * HOUR)
    note(session, START + 2 * HOUR)
    assert world.accounts.step_session(session, after) is True
    assert found(world, session) == after


def test_a_session_ends_in_one_transaction_however_many_there_are(dynoxide_store: Store) -> None:
    world = OnTheTable(dynoxide_store)
    user, session, _ = a_person(world)
    costs = [cost_of(lambda: world.accounts.end_sessions(user.id))]
    for hours in range(20):
        sign_in(world, user, START + hours * HOUR)
    costs.append(cost_of(lambda: world.accounts.end_sessions(user.id)))
    assert costs[0] == costs[1]
    assert costs[0].calls == {"TransactWriteItems": 1}
    assert cost_of(lambda: world.accounts.end_session(user.id, session.id, a_notice())).calls == {
        "TransactWriteItems": 1
    }
    assert cost_of(lambda: world.accounts.sessions_of(user.id)).calls == {"Query": 1}
