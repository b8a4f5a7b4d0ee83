"""Accounts that are made by the port `accounts.changes.AccountChanges`, on every implementation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.model import Account
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Conflict, Forbidden
from tests.contracts.made_up import at_home
from tests.contracts.worlds import (
    World,
    a_link,
    a_mail,
    a_person,
    account_of,
    began,
    demoted,
    kept_link,
    refused,
)
from tests.unit.fakes import START, a_user


def test_an_account_is_made_alone(world: World) -> None:
    user = a_user("john", email_verified_at=START)
    world.changes.create_account(NewAccount(user=user, password_hash="hash"), START)
    account = Account(user=user, password_hash="hash", sessions=0, generation=0)
    assert world.accounts.find_account(user.email) == world.accounts.find_account_of(user.id) == account
    assert world.accounts.sessions_of(user.id) == []
    assert world.mails() == []


def test_an_account_may_have_no_password(world: World) -> None:
    user = a_user("robot")
    world.changes.create_account(NewAccount(user=user, password_hash=None), START)
    assert account_of(world, user).password_hash is None


def test_an_account_is_made_with_a_session_a_link_and_a_mail(world: World) -> None:
    user = a_user("john")
    session, (token, kept), mail = began(user)[0], a_link(user.id), a_mail()
    new = NewAccount(user=user, password_hash="hash", session=session, makes=kept, mail=mail)
    world.changes.create_account(new, START)
    assert account_of(world, user) == Account(
        user=user, password_hash="hash", sessions=1, generation=0, places=at_home(user)
    )
    assert world.accounts.sessions_of(user.id) == [session]
    assert world.changes.get_one_use(token, START) == kept
    assert world.mails() == [mail]


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_taken_name_is_a_conflict_and_the_token_is_still_good(world: World, field: str) -> None:
    taken, (token, kept) = a_person(world, "taken"), kept_link(world)
    user = a_user("late", **{field: getattr(taken, field).upper()})
    new = NewAccount(
        user=user,
        password_hash="hash",
        session=began(user)[0],
        makes=a_link()[1],
        uses=kept,
        mail=a_mail(),
    )
    assert refused(world, lambda: world.changes.create_account(new, START), Conflict).field == field
    assert world.changes.get_one_use(token, START) == kept


def test_one_token_makes_one_account(world: World) -> None:
    token, kept = kept_link(world)
    world.changes.create_account(NewAccount(user=a_user("john"), password_hash="hash", uses=kept), START)
    late = NewAccount(user=a_user("jane"), password_hash="hash", uses=kept)
    refusal = refused(world, lambda: world.changes.create_account(late, START), BadRequest)
    assert refusal.reason == "TOKEN_NOT_VALID"
    with pytest.raises(BadRequest):
        world.changes.get_one_use(token, START)


def test_a_token_makes_an_account_until_it_expires_and_not_from_then_on(world: World) -> None:
    _, kept = kept_link(world)
    new = NewAccount(user=a_user("john"), password_hash="hash", uses=kept)
    refusal = refused(world, lambda: world.changes.create_account(new, kept.expires_at), BadRequest)
    assert refusal.reason == "TOKEN_NOT_VALID"
    world.changes.create_account(new, kept.expires_at - timedelta(seconds=1))


def switched_off(world: World, admin: User) -> None:
    world.consumers.update_user(admin, replace(admin, is_active=False, revision=1), None)


def deleted(world: World, admin: User) -> None:
    world.consumers.delete_user(admin)


@pytest.mark.parametrize("meanwhile", [demoted, switched_off, deleted])
def test_an_invitation_is_void_once_who_invited_is_no_admin(
    world: World, meanwhile: Callable[[World, User], None]
) -> None:
    a_person(world, "another", role=Role.ADMIN)
    admin, (token, kept) = a_person(world, "admin", role=Role.ADMIN), kept_link(world)
    new = NewAccount(user=a_user("john"), password_hash="hash", uses=kept, invited_by=admin.id)
    meanwhile(world, admin)
    assert refused(world, lambda: world.changes.create_account(new, START), BadRequest).reason == "TOKEN_NOT_VALID"
    assert world.changes.get_one_use(token, START) == kept


def test_an_admins_invitation_makes_an_account_and_an_admins_an_admin_who_counts(world: World) -> None:
    admin, (_, kept) = a_person(world, "admin", role=Role.ADMIN), kept_link(world)
    user = a_user("jane", role=Role.ADMIN)
    new = NewAccount(user=user, password_hash="hash", uses=kept, invited_by=admin.id)
    world.changes.create_account(new, START)
    demoted(world, admin)
    with pytest.raises(Forbidden, match="last active ADMIN"):
        demoted(world, user)
