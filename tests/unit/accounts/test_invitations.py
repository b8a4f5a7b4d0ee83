"""Invitations: an ADMIN's word, good for who reads the mailbox, once, and while the ADMIN is one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.accounts.registration import Invitation
from gatehouse.consumers.model import Role, User
from gatehouse.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    RateLimitExceeded,
    TwoFactorRequired,
    Unauthenticated,
)
from gatehouse.mail.model import MailKind
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.factors import app_code
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, START, MemoryStore, StoppedClock
from tests.unit.people import Town, a_program, count_hashes, kept_for, refusal

GUEST = "guest@example.com"
NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def root(town: Town) -> User:
    return town.add("root", role=Role.ADMIN)


@pytest.fixture
def admin(town: Town, root: User) -> Caller:
    return town.sign_in(root)


def accept(town: Town, token: str, username: str = "guest", password: str = PASSWORD) -> SignIn:
    return town.people.registration.accept({"token": token, "username": username, "password": password}, AT_HOME)


@pytest.mark.parametrize("role", list(Role))
def test_who_was_invited_has_the_role_of_the_invitation_and_a_verified_email(
    town: Town, admin: Caller, role: Role
) -> None:
    invitation = town.people.registration.invite(admin, GUEST, role)
    town.clock.advance(days=7, milliseconds=-1)

    signed = accept(town, town.link(GUEST))

    assert invitation == Invitation(email=GUEST, role=role, expires_at=START + timedelta(days=7))
    assert town.mailed(GUEST) == [MailKind.INVITATION]
    now = town.clock.now()
    assert signed.user == User(
        id=signed.user.id,
        username="guest",
        email=GUEST,
        role=role,
        email_verified_at=now,
        password_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    assert town.is_in_force(town.caller(signed))


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_only_an_admin_invites(town: Town, role: Role) -> None:
    caller = town.sign_in(town.add("mod", role=role))

    assert refusal(town.people.registration.invite, caller, GUEST, Role.USER) == (Forbidden, "ROLE", None)
    assert refusal(town.people.registration.invite, ANONYMOUS, GUEST, Role.USER)[0] is Unauthenticated
    assert town.store.mailroom.tokens == {}


def test_a_program_invites_users_and_nobody_who_may_do_more(town: Town, root: User) -> None:
    program = a_program(root)
    for role in (Role.MODERATOR, Role.ADMIN):
        told = refusal(town.people.registration.invite, program, GUEST, role)
        assert told == (Forbidden, "SCOPE", None)
    narrow = a_program(root, Role.ADMIN, "users:read")
    assert refusal(town.people.registration.invite, narrow, GUEST, Role.USER) == (Forbidden, "SCOPE", None)
    assert town.store.mailroom.tokens == {}

    town.people.registration.invite(program, GUEST, Role.USER)
    assert accept(town, town.link(GUEST)).user.role is Role.USER


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_who_may_do_more_is_invited_by_who_has_given_a_fresh_code_alone(town: Town, admin: Caller, role: Role) -> None:
    secret = town.turn_on_two_factors(admin)
    town.clock.advance(minutes=16)

    told = refusal(town.people.registration.invite, admin, GUEST, role)

    assert told == (TwoFactorRequired, "CODE_NEEDED", None)
    assert (kept_for(town.store, Purpose.INVITATION), town.mailed(GUEST)) == ([], [])
    assert town.people.registration.invite(admin, GUEST, Role.USER).role is Role.USER
    town.people.two_factor.confirm(admin, HOME, app_code(secret, town.clock.now()))
    assert town.people.registration.invite(admin, GUEST, role).role is role


def test_nobody_is_invited_to_a_taken_email_or_to_what_is_none(town: Town, admin: Caller) -> None:
    town.add("guest")

    told = refusal(town.people.registration.invite, admin, "GUEST@example.com", Role.USER)

    assert told == (Conflict, None, "email")
    assert refusal(town.people.registration.invite, admin, "guest", Role.USER) == (BadRequest, None, "email")
    assert town.store.mailroom.waiting == {}


def test_a_mailbox_is_invited_three_times_an_hour(town: Town, admin: Caller) -> None:
    for _ in range(3):
        town.people.registration.invite(admin, GUEST, Role.USER)

    with pytest.raises(RateLimitExceeded):
        town.people.registration.invite(admin, GUEST, Role.USER)
    assert len(kept_for(town.store, Purpose.INVITATION)) == 3
    town.clock.advance(hours=1)
    town.people.registration.invite(admin, GUEST, Role.USER)


def test_an_invitation_is_accepted_once(town: Town, admin: Caller) -> None:
    town.people.registration.invite(admin, GUEST, Role.USER)
    token = town.link(GUEST)
    accept(town, token)

    assert refusal(accept, town, token, "another") == NO_LINK
    assert len(town.store.users) == 2


def test_an_invitation_ends_after_seven_days(town: Town, admin: Caller) -> None:
    town.people.registration.invite(admin, GUEST, Role.USER)
    town.clock.advance(days=7)

    assert refusal(accept, town, town.link(GUEST)) == NO_LINK
    assert len(town.store.users) == 1


@pytest.mark.parametrize(
    "becomes",
    [
        lambda store, root: store.users.update({root.id: replace(root, role=Role.MODERATOR)}),
        lambda store, root: store.users.update({root.id: replace(root, is_active=False)}),
        lambda store, root: store.users.pop(root.id),
    ],
    ids=["demoted", "switched off", "deleted"],
)
@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
def test_an_invitation_of_who_is_no_admin_any_more_is_void(
    town: Town, root: User, admin: Caller, becomes: Callable[[MemoryStore, User], None], role: Role
) -> None:
    town.people.registration.invite(admin, GUEST, role)
    becomes(town.store, root)
    before = dict(town.store.users)

    assert refusal(accept, town, town.link(GUEST)) == NO_LINK
    assert town.store.users == before


def test_a_taken_username_leaves_the_invitation_good(town: Town, admin: Caller) -> None:
    town.add("guest", email="other@example.com")
    town.people.registration.invite(admin, GUEST, Role.USER)
    token = town.link(GUEST)

    assert refusal(accept, town, token, "GUEST") == (Conflict, None, "username")
    assert accept(town, token, "guest2").user.username == "guest2"


@pytest.mark.parametrize(
    ("username", "password", "at_fault"),
    [
        ("guest", "weak", "password"),
        ("guest", GUEST, "password"),
        ("g", PASSWORD, "username"),
        ("", PASSWORD, "username"),
    ],
)
def test_what_breaks_a_rule_leaves_the_invitation_good(
    town: Town, admin: Caller, username: str, password: str, at_fault: str
) -> None:
    town.people.registration.invite(admin, GUEST, Role.USER)
    token = town.link(GUEST)

    assert refusal(accept, town, token, username, password)[::2] == (BadRequest, at_fault)
    assert accept(town, token).user.username == "guest"


def test_an_email_that_was_taken_meanwhile_is_told_to_who_holds_the_link(town: Town, admin: Caller) -> None:
    town.people.registration.invite(admin, GUEST, Role.ADMIN)
    town.add("early", email=GUEST)

    assert refusal(accept, town, town.link(GUEST)) == (Conflict, None, "email")


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.INVITATION])
def test_a_link_for_something_else_opens_no_account(town: Town, purpose: Purpose) -> None:
    token, kept = issue(purpose, "nobody", START, payload={"email": GUEST, "role": "ADMIN", "by": ""})
    town.store.mailroom.keep(kept, [])

    for text in (token.text(), token.text().replace(purpose, Purpose.INVITATION), "", "x"):
        assert refusal(accept, town, text) == NO_LINK
    assert town.store.users == {}


def test_a_link_that_does_not_work_costs_no_hash(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = count_hashes(monkeypatch)

    assert refusal(accept, town, issue(Purpose.INVITATION, "nobody", START)[0].text()) == NO_LINK
    assert paid == []
