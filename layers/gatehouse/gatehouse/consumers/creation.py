"""A new User, made of what a caller sent."""

from typing import TypedDict

from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.ids import new_id


class NewUser(TypedDict, total=False):
    """What signing up and `createUser` take."""

    username: str
    email: str
    password: str | None
    first_name: str | None
    last_name: str | None
    role: Role | None
    kind: Kind | None


def fresh_user(new: NewUser, clock: Clock, *, role: Role, kind: Kind, is_verified: bool) -> User:
    """A user made of what a caller sent; raises BadRequest for the first field that breaks its rule.

    `is_verified` tells whether the mailbox is known to be theirs.
    """
    now = clock.now()
    return User(
        id=new_id(now),
        username=fields.username(new["username"]),
        email=fields.email(new["email"]),
        first_name=fields.person_name(new.get("first_name"), "firstName"),
        last_name=fields.person_name(new.get("last_name"), "lastName"),
        role=role,
        kind=kind,
        email_verified_at=now if is_verified else None,
        password_changed_at=None if new.get("password") is None else now,
        created_at=now,
        updated_at=now,
    )
