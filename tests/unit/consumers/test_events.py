"""Each change of a user is told as it is: who made it, about whom, and what is another than before."""

from collections.abc import Callable
from typing import Any

import pytest

from gatehouse.audit.model import AuditAction
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Role, User
from gatehouse.consumers.service import Consumers
from gatehouse.errors import GatehouseError
from gatehouse.permissions import Caller
from tests.unit.events import an_expected, by, personal
from tests.unit.fakes import PASSWORD, START, MemoryStore, StoppedClock, a_user, the_house
from tests.unit.people import REQUEST, a_program, asking

NOW = "2026-03-01T12:00:00.000Z"


@pytest.fixture
def consumers(store: MemoryStore, clock: StoppedClock) -> Consumers:
    return the_house(store, clock).consumers


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john", first_name="John"))


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return asking(store.add(a_user("root", role=Role.ADMIN)))


def test_a_user_who_is_made_is_told_with_all_that_they_are(
    consumers: Consumers, store: MemoryStore, admin: Caller
) -> None:
    made = consumers.create(
        admin,
        {"username": "jane", "email": "jane@example.com", "password": PASSWORD, "role": Role.MODERATOR},
    )

    assert store.events.told() == [
        an_expected(
            AuditAction.USER_CREATED,
            at=START,
            actor=by(admin),
            subject_id=made.id,
            after={
                "kind": "USER",
                "role": "MODERATOR",
                "isActive": True,
                "emailVerifiedAt": NOW,
                "username": personal("jane"),
                "email": personal("jane@example.com"),
            },
            correlation_id=REQUEST,
        )
    ]


def test_a_user_who_is_changed_is_told_with_what_was_changed_alone(
    consumers: Consumers, store: MemoryStore, admin: Caller, user: User
) -> None:
    consumers.update(
        admin, user.id, {"email": "new@example.com", "first_name": None, "last_name": "Doe", "is_active": False}
    )

    assert store.events.told() == [
        an_expected(
            AuditAction.USER_UPDATED,
            at=START,
            actor=by(admin),
            subject_id=user.id,
            before={
                "isActive": True,
                "deactivatedBy": None,
                "emailVerifiedAt": None,
                "email": personal("john@example.com"),
                "firstName": personal("John"),
                "lastName": None,
            },
            after={
                "isActive": False,
                "deactivatedBy": "ADMIN",
                "emailVerifiedAt": NOW,
                "email": personal("new@example.com"),
                "firstName": None,
                "lastName": personal("Doe"),
            },
            correlation_id=REQUEST,
        )
    ]


def test_a_program_that_changes_its_owner_is_told_as_itself(
    consumers: Consumers, store: MemoryStore, user: User
) -> None:
    program = a_program(user)

    consumers.update(program, user.id, {"first_name": "Johnny"})

    assert store.events.told() == [
        an_expected(
            AuditAction.USER_UPDATED,
            at=START,
            actor=by(program),
            subject_id=user.id,
            before={"firstName": personal("John")},
            after={"firstName": personal("Johnny")},
        )
    ]


def test_of_a_user_who_is_deleted_it_is_told_who_it_was(
    consumers: Consumers, store: MemoryStore, admin: Caller, user: User
) -> None:
    consumers.delete(admin, user.id)

    assert store.events.told() == [
        an_expected(
            AuditAction.USER_DELETED,
            at=START,
            actor=by(admin),
            subject_id=user.id,
            before={
                "kind": "USER",
                "role": "USER",
                "isActive": True,
                "username": personal("john"),
                "email": personal("john@example.com"),
                "firstName": personal("John"),
            },
            correlation_id=REQUEST,
        )
    ]


@pytest.mark.parametrize("changes", [{}, {"role": Role.USER}, {"first_name": "John", "is_active": True}])
def test_where_nothing_is_changed_nothing_is_told(
    consumers: Consumers, store: MemoryStore, admin: Caller, user: User, changes: Any
) -> None:
    assert consumers.update(admin, user.id, changes) == user
    assert store.events == []


NEW: NewUser = {"username": "jo", "email": "a@b.com", "password": PASSWORD}
REFUSED: dict[str, Callable[[Consumers, Caller, User], object]] = {
    "a taken name": lambda on, admin, _: on.create(
        admin, {"username": "John", "email": "a@b.com", "password": PASSWORD}
    ),
    "a weak password": lambda on, admin, _: on.create(admin, {"username": "jo", "email": "a@b.com", "password": "x"}),
    "the last ADMIN": lambda on, admin, _: on.delete(admin, admin.consumer_id or ""),
    "nobody": lambda on, admin, _: on.update(admin, "nobody", {"first_name": "J"}),
    "a role that they may not give": lambda on, _, user: on.update(asking(user), user.id, {"role": Role.ADMIN}),
    "no ADMIN": lambda on, _, user: on.create(asking(user), NEW),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_a_change_that_is_refused_is_not_told_as_one(
    consumers: Consumers,
    store: MemoryStore,
    admin: Caller,
    user: User,
    refused: Callable[[Consumers, Caller, User], object],
) -> None:
    with pytest.raises(GatehouseError):
        refused(consumers, admin, user)

    assert store.events == []


def test_a_change_that_met_another_is_told_once_as_it_was_made(
    consumers: Consumers, store: MemoryStore, admin: Caller, user: User
) -> None:
    store.stale = 3

    consumers.update(admin, user.id, {"first_name": "Johnny"})

    assert [(event.before, event.after) for event in store.events.told()] == [
        ({"firstName": personal("John")}, {"firstName": personal("Johnny")})
    ]
