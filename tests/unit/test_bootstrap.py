"""The first ADMIN: made once, with a password that is told once, or by a link that sets it."""

from dataclasses import replace

import pytest

from gatehouse.accounts.one_use import Purpose
from gatehouse.audit.model import SYSTEM, AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.bootstrap import Bootstrap
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Conflict, NotFound
from gatehouse.mail.model import MailKind
from tests.unit.events import an_expected, personal
from tests.unit.fakes import AT_HOME, HASHER, PASSWORD, POLICY, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ELSEWHERE, NEW_PASSWORD, Town, refusal
from tests.unit.post import APP_URL, Sent


@pytest.fixture
def bootstrap(store: MemoryStore, clock: StoppedClock) -> Bootstrap:
    return a_bootstrap(store, clock, None)


def a_bootstrap(store: MemoryStore, clock: StoppedClock, sender: Sent | None) -> Bootstrap:
    return Bootstrap(
        store=store,
        finder=store,
        changes=store,
        clock=clock,
        hasher=HASHER,
        policy=POLICY,
        recorder=Recorder(clock),
        app_url=APP_URL,
        sender=sender,
    )


def test_the_first_admin_is_made_with_the_password_that_was_given(bootstrap: Bootstrap, store: MemoryStore) -> None:
    made = bootstrap.create_first_admin("root@example.com", "root", PASSWORD)

    assert made.password is None
    assert store.users == {made.user.id: made.user}
    assert made.user.is_active_admin
    assert HASHER.matches(PASSWORD, store.hashes[made.user.id])


def test_without_one_a_password_is_made_that_keeps_every_rule(bootstrap: Bootstrap, store: MemoryStore) -> None:
    made = bootstrap.create_first_admin("root@example.com", "root")

    assert made.password is not None
    assert len(made.password) == 20
    POLICY.check(made.password, username="root", email="root@example.com")
    assert HASHER.matches(made.password, store.hashes[made.user.id])
    assert made.password not in repr(made)


def test_where_there_is_an_admin_no_other_is_made(bootstrap: Bootstrap, store: MemoryStore) -> None:
    there = store.add(a_user("boss", role=Role.ADMIN))

    with pytest.raises(Conflict):
        bootstrap.create_first_admin("root@example.com", "root", PASSWORD)
    assert store.users == {there.id: there}


@pytest.mark.parametrize(
    ("email", "username", "password"),
    [("root", "root", PASSWORD), ("root@example.com", "r", PASSWORD), ("root@example.com", "root", "weak")],
)
def test_what_breaks_a_rule_is_refused(
    bootstrap: Bootstrap, store: MemoryStore, email: str, username: str, password: str
) -> None:
    with pytest.raises(BadRequest):
        bootstrap.create_first_admin(email, username, password)
    assert store.users == {}


def test_the_first_admin_is_told_once_as_made_by_nobody_but_gatehouse(bootstrap: Bootstrap, store: MemoryStore) -> None:
    bootstrap.create_first_admin("root@example.com", "root", PASSWORD)
    with pytest.raises(Conflict):
        bootstrap.create_first_admin("other@example.com", "other", PASSWORD)

    [user_id] = store.users
    assert store.events.told() == [
        an_expected(
            AuditAction.USER_CREATED,
            at=START,
            actor=SYSTEM,
            subject_id=user_id,
            after={
                "kind": "USER",
                "role": "ADMIN",
                "isActive": True,
                "emailVerifiedAt": "2026-03-01T12:00:00.000Z",
                "username": personal("root"),
                "email": personal("root@example.com"),
            },
        )
    ]


def test_each_link_of_the_first_admin_is_told_and_what_is_refused_is_not(
    bootstrap: Bootstrap, store: MemoryStore
) -> None:
    for _ in range(2):
        bootstrap.invite_first_admin("root@example.com", "root")
    with pytest.raises(Conflict):
        bootstrap.invite_first_admin("other@example.com", "other")

    [user_id] = store.users
    assert [(event.action, event.actor, event.subject_id) for event in store.events] == [
        (AuditAction.USER_CREATED, SYSTEM, user_id),
        (AuditAction.PASSWORD_RESET_ASKED, SYSTEM, user_id),
    ]


NO_LINK = (BadRequest, "TOKEN_NOT_VALID", "token")


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


def test_a_first_admin_who_is_invited_has_no_password_before_the_link_sets_one(
    bootstrap: Bootstrap, town: Town, store: MemoryStore, clock: StoppedClock
) -> None:
    token, kept = bootstrap.invite_first_admin("Root@example.com", "root")

    (user,) = store.users.values()
    assert user == User(
        id=user.id,
        username="root",
        email="Root@example.com",
        role=Role.ADMIN,
        email_verified_at=START,
        created_at=START,
        updated_at=START,
    )
    assert (kept.purpose, kept.owner, kept.digest) == (Purpose.BEGIN, user.id, token.digest)
    assert store.hashes == {user.id: None}
    assert refusal(town.login, user)[1] == "WRONG_CREDENTIALS"

    clock.advance(hours=24, milliseconds=-1)
    town.people.passwords.reset(token.text(), NEW_PASSWORD, AT_HOME)

    assert town.login(user, NEW_PASSWORD).user == replace(
        user,
        password_changed_at=clock.now(),
        email_verified_at=clock.now(),
        updated_at=clock.now(),
        revision=1,
    )


def test_the_link_of_the_first_admin_works_for_a_day(bootstrap: Bootstrap, town: Town, clock: StoppedClock) -> None:
    token, _ = bootstrap.invite_first_admin("root@example.com", "root")
    clock.advance(hours=24)

    assert refusal(town.people.passwords.reset, token.text(), NEW_PASSWORD, AT_HOME) == NO_LINK


def test_until_the_password_is_set_another_link_may_be_asked_for_and_one_of_them_works_once(
    bootstrap: Bootstrap, town: Town, store: MemoryStore, clock: StoppedClock
) -> None:
    first, _ = bootstrap.invite_first_admin("root@example.com", "root")
    clock.advance(days=1)
    second, _ = bootstrap.invite_first_admin("ROOT@example.com", "another")
    third, _ = bootstrap.invite_first_admin("root@example.com", "root")
    assert [user.username for user in store.users.values()] == ["root"]

    town.people.passwords.reset(second.text(), NEW_PASSWORD, AT_HOME)

    for token in (first, second, third):
        assert refusal(town.people.passwords.reset, token.text(), "Third-Pass-789", AT_HOME) == NO_LINK
    with pytest.raises(Conflict):
        bootstrap.invite_first_admin("root@example.com", "root")


def test_a_first_admin_who_has_lost_the_link_may_reset_the_password_they_never_had(
    bootstrap: Bootstrap, town: Town, store: MemoryStore
) -> None:
    bootstrap.invite_first_admin("root@example.com", "root")
    town.people.passwords.ask_for_reset("root@example.com", AT_HOME)

    town.people.passwords.reset(town.link("root@example.com"), NEW_PASSWORD, AT_HOME)

    assert town.login(next(iter(store.users.values())), NEW_PASSWORD).user.is_active_admin


@pytest.mark.parametrize(
    ("there", "password"),
    [
        (a_user("boss", role=Role.ADMIN), PASSWORD),
        (a_user("boss", role=Role.ADMIN), None),
        (a_user("root", role=Role.ADMIN), PASSWORD),
        (a_user("root"), PASSWORD),
        (a_user("root"), None),
        (a_user("root", role=Role.MODERATOR), None),
        (a_user("root", email="other@example.com"), PASSWORD),
    ],
    ids=[
        "another ADMIN",
        "another ADMIN without a password",
        "the same with a password",
        "a USER of the email",
        "a USER of the email without a password",
        "a MODERATOR of the email without a password",
        "a USER of the username",
    ],
)
def test_nobody_is_invited_to_be_the_first_admin_where_a_name_is_taken_or_there_is_one(
    bootstrap: Bootstrap, store: MemoryStore, there: User, password: str | None
) -> None:
    store.add(there, password if password is None else HASHER.hash(password))

    with pytest.raises(Conflict):
        bootstrap.invite_first_admin("root@example.com", "root")
    assert (store.users, store.mailroom.tokens) == ({there.id: there}, {})


@pytest.mark.parametrize(("email", "username"), [("root", "root"), ("root@example.com", "r")])
def test_an_invitation_that_breaks_a_rule_is_refused(
    bootstrap: Bootstrap, store: MemoryStore, email: str, username: str
) -> None:
    with pytest.raises(BadRequest):
        bootstrap.invite_first_admin(email, username)
    assert store == MemoryStore()


def test_without_a_way_out_nothing_is_mailed(bootstrap: Bootstrap) -> None:
    begun = bootstrap.invite_first_admin("root@example.com", "root")

    assert not bootstrap.mail(MailKind.FIRST_ADMIN, "root@example.com", *begun)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (MailKind.FIRST_ADMIN, "Gatehouse: set your password"),
        (MailKind.PASSWORD_RESET, "Gatehouse: choose a new password"),
    ],
)
def test_with_one_the_link_goes_to_the_mailbox(
    store: MemoryStore, clock: StoppedClock, kind: MailKind, subject: str
) -> None:
    sent = Sent()
    bootstrap = a_bootstrap(store, clock, sent)
    token, kept = bootstrap.invite_first_admin("root@example.com", "root")

    assert bootstrap.mail(kind, "root@example.com", token, kept)
    [(to, told, text, _)] = sent.letters
    assert (to, told) == ("root@example.com", subject)
    assert f"{APP_URL}/set-password#token={token.text()}" in text
    assert "until 2 March 2026 at 12:00 UTC" in text


def test_an_admin_who_is_locked_out_is_let_in_again_by_a_link(bootstrap: Bootstrap, town: Town) -> None:
    user = town.store.add(a_user("root", role=Role.ADMIN))
    for number in range(20):
        town.fails(user, 5, replace(ELSEWHERE, address=f"203.0.113.{number}"))
    assert refusal(lambda: town.login(user))[1] == "WRONG_CREDENTIALS"

    token, _ = bootstrap.invite_back("ROOT@example.com")
    town.people.passwords.reset(token.text(), NEW_PASSWORD, AT_HOME)

    assert town.login(user, NEW_PASSWORD).user.id == user.id


@pytest.mark.parametrize(
    "there", [a_user("root"), a_user("root", role=Role.ADMIN, is_active=False)], ids=["a USER", "inactive"]
)
def test_who_is_no_active_admin_is_not_let_in_so(bootstrap: Bootstrap, store: MemoryStore, there: User) -> None:
    store.add(there)

    with pytest.raises(NotFound):
        bootstrap.invite_back("root@example.com")
    assert store.mailroom.tokens == {}
