"""The port of accounts, `accounts.service.AccountStore`, on every implementation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.model import Account, KeptSession, Session
from gatehouse.accounts.refresh import RefreshToken, present
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.errors import Conflict
from gatehouse.persistence import Stale
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.consumers import DynamoConsumers
from local.gateway.template import Table
from tests.contracts.made_up import (
    MONTH,
    NOBODY,
    a_session,
    at_home,
    changed,
    entrance,
    keep_account,
    new_session,
    standing_of,
)
from tests.stores import Store, cost_of
from tests.unit.fakes import START, a_user

ACCOUNTS = DynamoAccounts()
CONSUMERS = DynamoConsumers()


def registered(name: str = "john") -> tuple[User, Session, RefreshToken]:
    user = a_user(name)
    session, token = new_session(user)
    keep_account(user, session)
    return user, session, token


def account_of(user: User) -> Account:
    account = ACCOUNTS.find_account(user.email.lower())
    assert account is not None
    return account


def filled(user: User, sessions: int) -> list[Session]:
    """Opens sessions, each an hour older than the next, until there are so many."""
    opened = []
    account = account_of(user)
    for hours in range(sessions - account.sessions, 0, -1):
        opened.append(a_session(user, generation=account.generation, age=timedelta(hours=hours)))
        ACCOUNTS.open_session(account, opened[-1], entrance())
    return opened


def session_ids(store: Store, user: User) -> list[str]:
    return [
        sort[2:] for partition, sort in store.stored_keys() if partition == f"C#{user.id}" and sort.startswith("S#")
    ]


def epoch_of(user: User) -> int:
    standing = standing_of(user.id)
    assert standing is not None
    return standing.epoch


def test_an_account_is_found_by_its_email_with_its_hash_and_its_one_session(store: Store) -> None:
    user, _, _ = registered("John")
    assert ACCOUNTS.find_account("john@example.com") == Account(
        user=user, password_hash="hash", sessions=1, generation=0, places=at_home(user)
    )


def test_an_account_without_a_password_has_no_hash(store: Store) -> None:
    user = a_user("robot")
    CONSUMERS.create_user(user, None)
    assert account_of(user) == Account(user=user, password_hash=None, sessions=0, generation=0)


def test_an_unknown_email_is_none_and_costs_the_same_two_reads(store: Store) -> None:
    registered("john")
    assert ACCOUNTS.find_account("jane@example.com") is None
    known = cost_of(lambda: ACCOUNTS.find_account("john@example.com"))
    unknown = cost_of(lambda: ACCOUNTS.find_account("jane@example.com"))
    assert known == unknown
    assert known.calls == {"GetItem": 2}


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_taken_name_is_a_conflict_that_names_its_field_and_leaves_no_session(store: Store, field: str) -> None:
    taken, _, _ = registered("taken")
    before = store.items()
    user = a_user("late", **{field: getattr(taken, field).upper()})
    with pytest.raises(Conflict) as refusal:
        keep_account(user, a_session(user))
    assert refusal.value.field == field
    assert store.items() == before


def test_a_session_is_found_with_what_decides_whether_it_counts(store: Store) -> None:
    user, session, _ = registered()
    standing = Standing(consumer_id=user.id, is_active=True, role=Role.USER, epoch=0, generation=0)
    assert ACCOUNTS.find_session(user.id, session.id) == KeptSession(session=session, standing=standing, user=user)


def test_an_unknown_session_is_none(store: Store) -> None:
    user, session, _ = registered()
    assert ACCOUNTS.find_session(user.id, NOBODY) is None
    assert ACCOUNTS.find_session(NOBODY, session.id) is None


def test_a_session_says_in_seconds_when_the_table_may_drop_it(store: Store, table: Table) -> None:
    user, session, _ = registered()
    item = store.item(f"C#{user.id}", f"S#{session.id}")
    assert item is not None
    assert table.ttl_attribute == "expires"
    assert item["expires"] == {"N": str(int((START + MONTH).timestamp()))}


def test_nothing_but_a_session_has_an_end_that_the_table_would_see(store: Store) -> None:
    registered()
    assert [item["SK"]["S"][:2] for item in store.items() if "expires" in item] == ["S#"]


def test_opening_a_session_adds_it_and_counts_it(store: Store) -> None:
    user, first, _ = registered()
    second = a_session(user)
    ACCOUNTS.open_session(account_of(user), second, entrance())
    assert sorted(session_ids(store, user)) == sorted([first.id, second.id])
    assert account_of(user) == Account(user=user, password_hash="hash", sessions=2, generation=0, places=at_home(user))


def test_a_session_and_a_newer_hash_are_kept_together(store: Store) -> None:
    user, _, _ = registered()
    ACCOUNTS.open_session(account_of(user), a_session(user), entrance("a newer hash"))
    assert account_of(user) == Account(
        user=user,
        password_hash="a newer hash",
        sessions=2,
        generation=0,
        places=at_home(user),
    )


def test_two_sessions_may_be_opened_on_one_reading_of_the_account(store: Store) -> None:
    user, _, _ = registered()
    account = account_of(user)
    for _ in range(2):
        ACCOUNTS.open_session(account, a_session(user), entrance())
    assert account_of(user).sessions == 3


def switch_off(user: User) -> None:
    CONSUMERS.update_user(user, changed(user, is_active=False), None)


def switch_off_and_on(user: User) -> None:
    off = changed(user, is_active=False)
    CONSUMERS.update_user(user, off, None)
    CONSUMERS.update_user(off, changed(off, is_active=True), None)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda user: ACCOUNTS.open_session(account_of(user), a_session(user), entrance("another hash")),
        switch_off,
        switch_off_and_on,
        lambda user: CONSUMERS.delete_user(user),
        lambda user: filled(user, MOST_SESSIONS),
    ],
    ids=["another password", "switched off", "off and on", "deleted", "its most sessions"],
)
def test_no_session_is_opened_on_an_account_that_is_not_as_it_was(
    store: Store, meanwhile: Callable[[User], None]
) -> None:
    user, _, _ = registered()
    account = account_of(user)
    meanwhile(user)
    before = store.items()
    with pytest.raises(Stale):
        ACCOUNTS.open_session(account, a_session(user), entrance("the new hash"))
    assert store.items() == before


def test_the_hundredth_session_is_opened_and_the_next_needs_room(store: Store) -> None:
    user, first, _ = registered()
    opened = filled(user, MOST_SESSIONS)
    account = account_of(user)
    assert account.sessions == 100
    with pytest.raises(Stale):
        ACCOUNTS.open_session(account, a_session(user), entrance())
    epoch = epoch_of(user)
    ACCOUNTS.prune_sessions(account, START, MONTH)
    assert set(session_ids(store, user)) == {first.id, *(session.id for session in opened[1:])}
    assert account_of(user).sessions == 99
    assert epoch_of(user) == epoch + 1
    last = a_session(user)
    ACCOUNTS.open_session(account_of(user), last, entrance())
    assert account_of(user).sessions == 100
    assert last.id in session_ids(store, user)


def test_pruning_takes_the_expired_and_those_that_a_switching_off_ended_before_any_live_one(store: Store) -> None:
    user, _, _ = registered()
    switch_off_and_on(user)
    account = account_of(user)
    expired = [a_session(user, generation=1, age=MONTH + timedelta(hours=hours)) for hours in range(3)]
    live = [a_session(user, generation=1, age=timedelta(hours=hours)) for hours in range(4)]
    for session in (*expired, *live):
        ACCOUNTS.open_session(account, session, entrance())
    ACCOUNTS.prune_sessions(account_of(user), START, MONTH)
    assert set(session_ids(store, user)) == {session.id for session in live}
    assert account_of(user).sessions == 4


def test_pruning_counts_anew_after_sessions_have_ended(store: Store) -> None:
    user, first, _ = registered()
    opened = filled(user, 10)
    for session in opened[:6]:
        ACCOUNTS.end_session(user.id, session.id)
    ACCOUNTS.prune_sessions(account_of(user), START, MONTH)
    assert set(session_ids(store, user)) == {first.id, *(session.id for session in opened[6:])}
    assert account_of(user).sessions == 4


def test_pruning_more_than_a_transaction_holds_takes_several_turns(store: Store) -> None:
    user, _, _ = registered()
    filled(user, 99)
    switch_off_and_on(user)
    filled(user, 20)
    turns = 0
    while len(session_ids(store, user)) > 20:
        ACCOUNTS.prune_sessions(account_of(user), START, MONTH)
        turns += 1
    assert turns == 2
    assert account_of(user).sessions == 20


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda user: ACCOUNTS.open_session(account_of(user), a_session(user), entrance()),
        switch_off_and_on,
        lambda user: CONSUMERS.delete_user(user),
    ],
    ids=["a session more", "off and on", "deleted"],
)
def test_what_was_to_be_pruned_on_an_outdated_reading_is_stale_and_stays(
    store: Store, meanwhile: Callable[[User], None]
) -> None:
    user, _, _ = registered()
    filled(user, 5)
    account = account_of(user)
    meanwhile(user)
    before = store.items()
    with pytest.raises(Stale):
        ACCOUNTS.prune_sessions(account, START + MONTH, MONTH)
    assert store.items() == before


def test_a_session_steps_on_from_where_it_stood(store: Store) -> None:
    user, session, token = registered()
    for seconds in range(4):
        after = present(session, token, START + timedelta(seconds=seconds))
        assert ACCOUNTS.step_session(session, after)
        found = ACCOUNTS.find_session(user.id, session.id)
        assert found is not None
        assert found.session == after
        session, token = after, token.successor(session.salt)


def test_a_session_that_is_not_as_before_does_not_step(store: Store) -> None:
    _, session, token = registered()
    after = present(session, token, START)
    assert ACCOUNTS.step_session(session, after)
    before = store.items()
    assert not ACCOUNTS.step_session(session, replace(after, next_digest=b"another"))
    assert store.items() == before


def test_a_session_that_has_ended_does_not_step_and_is_not_brought_back(store: Store) -> None:
    user, session, token = registered()
    ACCOUNTS.end_session(user.id, session.id)
    before = store.items()
    assert not ACCOUNTS.step_session(session, present(session, token, START))
    assert store.items() == before


def test_an_ended_session_is_gone_and_moves_the_epoch_once(store: Store) -> None:
    user, session, _ = registered()
    ACCOUNTS.end_session(user.id, session.id)
    assert ACCOUNTS.find_session(user.id, session.id) is None
    assert epoch_of(user) == 1
    before = store.items()
    ACCOUNTS.end_session(user.id, session.id)
    ACCOUNTS.end_session(user.id, NOBODY)
    ACCOUNTS.end_session(NOBODY, session.id)
    assert store.items() == before
