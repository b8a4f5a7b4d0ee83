"""Accounts that are changed by the port `accounts.changes.AccountChanges`, on every implementation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.factors import Factor, StepProof
from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import account as subject_of
from gatehouse.accounts.model import Entrance
from gatehouse.clock import milliseconds
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.errors import BadRequest, Conflict, Forbidden
from gatehouse.ids import new_id
from gatehouse.mail.model import MailKind
from gatehouse.persistence import Stale
from tests.contracts.made_up import a_credential
from tests.contracts.worlds import (
    LATER,
    SECRET,
    OnTheTable,
    World,
    a_mail,
    a_person,
    account_of,
    began,
    change,
    changing,
    demoted,
    kept_link,
    ledger_of,
    refused,
    turn_on,
)
from tests.stores import Store, cost_of
from tests.unit.fakes import HOME, START, a_user


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("first_name", ("Jo", "Joe", None)),
        ("last_name", ("Doe", "Dole", None)),
        ("email", ("JOHN@example.com", "jane@Example.com")),
        ("username", ("JOHN", "Jane")),
        ("role", (Role.ADMIN, Role.MODERATOR)),
        ("deactivated_by", (DeactivatedBy.OWNER, DeactivatedBy.SWEEP, None)),
        ("email_verified_at", (START, LATER, None)),
        ("password_changed_at", (START, LATER, None)),
        ("password_hash", ("another hash", "a third hash")),
    ],
)
def test_each_field_changes_alone_and_comes_back_as_it_was_written(
    world: World, field: str, values: tuple[Any, ...]
) -> None:
    a_person(world, "another", role=Role.ADMIN)
    user = a_person(world)
    for value in values:
        planned = changing(world, user, **{field: value})
        world.changes.change_account(planned, LATER)
        assert account_of(world, user) == planned.after
        assert world.accounts.find_account(planned.after.user.email.lower()) == planned.after


def test_a_password_is_set_where_there_was_none(world: World) -> None:
    user = a_user("first", role=Role.ADMIN)
    world.changes.create_account(NewAccount(user=user, password_hash=None), START)
    assert change(world, user, password_hash="hash", generation=1).password_hash == "hash"


@pytest.mark.parametrize("field", ["email", "username"])
def test_an_old_name_is_free_once_it_was_changed(world: World, field: str) -> None:
    user = a_person(world)
    change(world, user, **{field: "another@example.com" if field == "email" else "another"})
    assert world.accounts.find_account(user.email) == (None if field == "email" else account_of(world, user))
    other = a_user("late", **{field: getattr(user, field)})
    world.changes.create_account(NewAccount(user=other, password_hash="hash"), START)
    assert account_of(world, other).user == other


def renamed(world: World, user: User) -> None:
    now = account_of(world, user).user
    world.consumers.update_user(now, replace(now, first_name="Jo", revision=now.revision + 1), None)


def sessions_ended(world: World, user: User) -> None:
    world.accounts.end_sessions(user.id)


def hashed_anew(world: World, user: User) -> None:
    entrance = Entrance(ledger=subject_of(user.id).name, new_hash="a newer hash")
    world.accounts.open_session(account_of(world, user), began(user)[0], entrance)


def factor_off(world: World, user: User) -> None:
    holder = world.factors.find_holder(user.id, None)
    assert holder is not None
    world.factors.turn_off(holder, None, a_mail(MailKind.TWO_FACTORS_OFF))


def gone(world: World, user: User) -> None:
    world.consumers.delete_user(account_of(world, user).user)


@pytest.mark.parametrize(
    ("had_factor", "meanwhile"),
    [
        (False, renamed),
        (False, sessions_ended),
        (False, hashed_anew),
        (False, turn_on),
        (True, factor_off),
        (False, gone),
    ],
)
def test_an_account_that_is_not_as_before_is_stale_and_the_token_is_still_good(
    world: World, had_factor: bool, meanwhile: Callable[[World, User], None]
) -> None:
    user, (token, kept) = a_person(world), kept_link(world)
    if had_factor:
        turn_on(world, user)
    planned = changing(
        world, user, first_name="No", password_hash="new", generation=1, uses=kept, mails=(a_mail(),), forgives=True
    )
    meanwhile(world, user)
    refused(world, lambda: world.changes.change_account(planned, LATER), Stale)
    assert world.changes.get_one_use(token, START) == kept


def signed_in_again(world: World, user: User) -> None:
    entrance = Entrance(ledger=subject_of(user.id).name)
    world.accounts.open_session(account_of(world, user), began(user)[0], entrance)


def gave_a_code(world: World, user: User) -> None:
    [session, *_] = world.accounts.sessions_of(user.id)
    holder = world.factors.find_holder(user.id, session.id)
    assert holder is not None
    world.factors.prove(holder, session.id, StepProof(9), START)


@pytest.mark.parametrize("meanwhile", [signed_in_again, gave_a_code])
def test_a_sign_in_or_a_code_meanwhile_does_not_matter(world: World, meanwhile: Callable[[World, User], None]) -> None:
    user = a_person(world)
    turn_on(world, user)
    planned = changing(world, user, first_name="Jo")
    meanwhile(world, user)
    world.changes.change_account(planned, LATER)
    assert account_of(world, user).user == planned.after.user


@pytest.mark.parametrize("is_active", [True, False])
def test_without_programs_means_that_no_credential_is_left_active_or_not(world: World, is_active: bool) -> None:
    user = a_person(world)
    credential = world.programs.create_credential(a_credential(user), "hash")
    if not is_active:
        off = replace(credential, is_active=False, revision=1)
        world.programs.update_credential(credential, off)
        credential = off
    planned = changing(world, user, first_name="Jo", without_programs=True)
    refused(world, lambda: world.changes.change_account(planned, LATER), Stale)
    assert change(world, user, last_name="Doe").user.last_name == "Doe"
    world.programs.delete_credential(credential)
    assert change(world, user, first_name="Jo", without_programs=True).user.first_name == "Jo"


def test_a_credential_of_another_does_not_count(world: World) -> None:
    user, other = a_person(world), a_person(world, "other")
    world.programs.create_credential(a_credential(other), "hash")
    assert change(world, user, first_name="Jo", without_programs=True).user.first_name == "Jo"


def test_for_a_taken_email_nothing_is_written_and_the_token_is_still_good(world: World) -> None:
    taken, user, (token, kept) = a_person(world, "taken"), a_person(world), kept_link(world)
    planned = changing(
        world,
        user,
        email=taken.email.upper(),
        email_verified_at=LATER,
        generation=1,
        password_hash="new",
        uses=kept,
        mails=(a_mail(), a_mail(MailKind.EMAIL_CHANGED)),
        forgives=True,
    )
    refusal = refused(world, lambda: world.changes.change_account(planned, LATER), Conflict)
    assert refusal.field == "email"
    assert world.changes.get_one_use(token, START) == kept


def test_one_token_changes_an_account_once(world: World) -> None:
    user, (_, kept) = a_person(world), kept_link(world)
    change(world, user, first_name="Jo", uses=kept)
    planned = changing(world, user, last_name="Doe", uses=kept, mails=(a_mail(),))
    refusal = refused(world, lambda: world.changes.change_account(planned, LATER), BadRequest)
    assert refusal.reason == "TOKEN_NOT_VALID"


def test_a_used_token_is_told_as_such_although_the_account_has_changed_too(world: World) -> None:
    user, (_, kept) = a_person(world), kept_link(world)
    planned = changing(world, user, first_name="Jo", uses=kept)
    world.changes.change_account(planned, START)
    refused(world, lambda: world.changes.change_account(planned, START), BadRequest)


def test_a_token_changes_an_account_until_it_expires_and_not_from_then_on(world: World) -> None:
    user, (_, kept) = a_person(world), kept_link(world)
    planned = changing(world, user, first_name="Jo", uses=kept)
    refusal = refused(world, lambda: world.changes.change_account(planned, kept.expires_at), BadRequest)
    assert refusal.reason == "TOKEN_NOT_VALID"
    world.changes.change_account(planned, kept.expires_at - timedelta(seconds=1))
    assert account_of(world, user) == planned.after


@pytest.mark.parametrize("begins", [True, False])
def test_a_new_generation_ends_all_sessions_but_the_one_that_begins(world: World, begins: bool) -> None:
    user = a_person(world)
    signed_in_again(world, user)
    old = world.accounts.sessions_of(user.id)
    session = began(user, generation=1, at=LATER)[0] if begins else None
    account = change(world, user, password_hash="new", generation=1, session=session)
    assert (account.generation, account.sessions) == (1, int(begins))
    standing = world.standing(user.id)
    assert standing is not None
    assert standing.generation == 1
    idle = timedelta(days=30)
    live = [s for s in world.accounts.sessions_of(user.id) if s.is_in_force(standing, LATER, idle)]
    assert live == ([] if session is None else [session])
    assert len(old) == 2
    assert not any(s.is_in_force(standing, START, idle) for s in old)


def test_in_the_same_generation_all_sessions_go_on(world: World) -> None:
    user = a_person(world)
    before = world.accounts.sessions_of(user.id)
    assert change(world, user, email="new@example.com", email_verified_at=LATER).sessions == 1
    assert world.accounts.sessions_of(user.id) == before


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({"email_verified_at": LATER}, 0),
        ({"first_name": "Jo", "email": "jo@example.com"}, 0),
        ({"password_hash": "new", "generation": 1}, 1),
        ({"role": Role.MODERATOR}, 1),
        ({"is_active": False, "deactivated_by": DeactivatedBy.SWEEP}, 1),
        ({"role": Role.ADMIN, "is_active": False, "generation": 1}, 1),
    ],
    ids=str,
)
def test_the_epoch_moves_once_with_what_the_gate_has_to_know(world: World, changes: Any, moves: int) -> None:
    user = a_person(world)
    before = world.standing(user.id)
    account = change(world, user, **changes)
    after = world.standing(user.id)
    assert before is not None
    assert after is not None
    told = (after.epoch - before.epoch, after.generation, after.role, after.is_active)
    assert told == (moves, account.generation, account.user.role, account.user.is_active)


def test_an_admin_who_is_switched_on_again_is_on_the_roster_and_in_the_list(world: World) -> None:
    other, user = a_person(world, "other", role=Role.ADMIN), a_person(world, "john", role=Role.ADMIN)
    off = {"is_active": False, "deactivated_by": DeactivatedBy.SWEEP, "generation": 1}
    change(world, user, **off)
    with pytest.raises(Forbidden, match="last active ADMIN"):
        demoted(world, other)
    assert listed(world, is_active=False) == [user.id]
    account = change(world, user, is_active=True, deactivated_by=None, generation=2, password_hash="new")
    assert (account.user.is_active, account.user.deactivated_by, account.sessions) == (True, None, 0)
    assert listed(world, is_active=False) == []
    assert sorted(listed(world, is_active=True)) == sorted([other.id, user.id])
    demoted(world, other)
    refusal = refused(world, lambda: change(world, user, role=Role.USER), Forbidden)
    assert refusal.reason == "LAST_ADMIN"


def listed(world: World, *, is_active: bool) -> list[str]:
    query = UserQuery(role=Role.ADMIN, is_active=is_active)
    return [user.id for _, user in world.consumers.page_users(query, 10, None).entries]


@pytest.mark.parametrize("is_on", [True, False])
def test_a_second_factor_is_removed_with_all_of_it(world: World, is_on: bool) -> None:
    user = a_person(world)
    if is_on:
        turn_on(world, user)
    holder = world.factors.find_holder(user.id, None)
    assert holder is not None
    world.factors.keep_pending(holder, b"another of 20 bytes.")
    assert change(world, user, generation=1, password_hash="new", factor=Factor()).factor == Factor()
    left = world.factors.find_holder(user.id, None)
    assert left is not None
    assert left.factor == Factor()


def test_a_second_factor_stays_where_the_change_keeps_it(world: World) -> None:
    user = a_person(world)
    turn_on(world, user)
    before = account_of(world, user).factor
    assert change(world, user, generation=1, password_hash="new").factor == before
    assert before.secret == SECRET


@pytest.mark.parametrize("forgives", [True, False])
def test_failures_are_forgotten_where_the_change_forgives(world: World, forgives: bool) -> None:
    user, other = a_person(world), a_person(world, "other")
    rules = Rules(per_address=5, in_all=100, first_lock=timedelta(minutes=15))
    for person in (user, other):
        name = subject_of(person.id).name
        world.lockouts.begin(name, HOME, rules.bounds(START), milliseconds(START))
        world.lockouts.fail(name, HOME, milliseconds(START), 100)
    change(world, user, first_name="Jo", forgives=forgives)
    assert ledger_of(world, user).failed == (0 if forgives else 1)
    assert ledger_of(world, other).failed == 1


def test_a_change_keeps_its_mails(world: World) -> None:
    user = a_person(world)
    mails = (
        a_mail(MailKind.EMAIL_CHANGED, to=user.email),
        a_mail(MailKind.PASSWORD_CHANGED, listed=("KEY_AUTH, app",)),
    )
    change(world, user, first_name="Jo", mails=mails)
    assert sorted(world.mails(), key=lambda mail: mail.kind) == sorted(mails, key=lambda mail: mail.kind)


# What only a table has: its items, what its stream tells, and what it costs.


def test_the_gate_knows_no_more_of_a_factor_that_was_removed(store: Store) -> None:
    world = OnTheTable(store)
    user = a_person(world)
    turn_on(world, user)
    before = world.standing(user.id)
    change(world, user, generation=1, password_hash="new", factor=Factor())
    after = world.standing(user.id)
    assert before is not None
    assert after == replace(before, two_factor=False, generation=1, epoch=before.epoch + 1)
    assert before.two_factor


def test_a_changed_email_leaves_one_claim(store: Store) -> None:
    world = OnTheTable(store)
    user = a_person(world)
    change(world, user, email="Jane@Example.com")
    assert [partition for partition, _ in store.stored_keys() if partition[:2] in ("E#", "N#")] == [
        "E#jane@example.com",
        "N#john",
    ]


def test_everything_is_one_transaction(dynoxide_store: Store) -> None:
    world = OnTheTable(dynoxide_store)
    user = a_person(world)
    turn_on(world, user)
    [session, *_] = world.accounts.sessions_of(user.id)
    planned = changing(
        world,
        user,
        email="new@example.com",
        password_hash="new",
        generation=1,
        factor=Factor(),
        session=replace(session, id=new_id(LATER), generation=1),
        uses=kept_link(world)[1],
        mails=(a_mail(MailKind.PASSWORD_CHANGED),),
        forgives=True,
        without_programs=True,
    )
    assert cost_of(lambda: world.changes.change_account(planned, START)).calls == {"TransactWriteItems": 1}
