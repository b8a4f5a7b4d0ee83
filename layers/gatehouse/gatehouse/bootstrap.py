"""The first ADMIN of an empty deployment, made by whoever has access to its table."""

import secrets
import string
from dataclasses import dataclass, field
from typing import Protocol

from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.clock import Clock
from gatehouse.consumers.creation import fresh_user
from gatehouse.consumers.model import Kind, Role, User

_ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.+=%")


class AdminStore(Protocol):
    """Where the first ADMIN is kept."""

    def create_first_admin(self, user: User, password_hash: str) -> None:
        """Keeps the user where there is no active ADMIN; raises Conflict."""


@dataclass(frozen=True)
class FirstAdmin:
    """The first ADMIN; `password` is told once, and only where it was made here."""

    user: User
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class Bootstrap:
    """Makes the first ADMIN."""

    store: AdminStore
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy

    def create_first_admin(self, email: str, username: str, password: str | None = None) -> FirstAdmin:
        """The ADMIN; raises BadRequest, or Conflict where there is an ADMIN already or a name is taken."""
        user = fresh_user({"email": email, "username": username}, self.clock, role=Role.ADMIN, kind=Kind.USER)
        chosen = _make_password(self.policy.min_length) if password is None else password
        self.policy.check(chosen, username=username, email=email)
        self.store.create_first_admin(user, self.hasher.hash(chosen))
        return FirstAdmin(user, chosen if password is None else None)


def _make_password(min_length: int) -> str:
    """A password with every class of characters, and of over 120 bits."""
    must = [secrets.choice(alphabet) for alphabet in _ALPHABETS]
    rest = [secrets.choice("".join(_ALPHABETS)) for _ in range(max(20, min_length) - len(must))]
    mixed = must + rest
    secrets.SystemRandom().shuffle(mixed)
    return "".join(mixed)
