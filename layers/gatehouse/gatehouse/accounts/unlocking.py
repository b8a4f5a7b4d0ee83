"""Accounts that are locked out, let in again by an ADMIN."""

from dataclasses import dataclass
from typing import Protocol

from gatehouse.accounts.lockout import Lockout
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import User
from gatehouse.errors import NotFound
from gatehouse.ids import parse_id
from gatehouse.permissions import Action, Caller, require, require_on


class UserStore(Protocol):
    """Where users are found."""

    def find_user(self, user_id: str) -> User | None: ...


@dataclass(frozen=True)
class Unlocking:
    """The use case."""

    store: UserStore
    lockout: Lockout
    recorder: Recorder

    def unlock(self, caller: Caller, user_id: str) -> User:
        """The user, of whom no failure and no lock is remembered, whatever there was."""
        require(caller, Action.UNLOCK_USER)
        known = parse_id(user_id)
        user = None if known is None else self.store.find_user(known)
        if user is None:
            raise NotFound("There is no such user.")
        require_on(caller, Action.UNLOCK_USER, user)
        event = self.recorder.event(AuditAction.ACCOUNT_UNLOCKED, acting.caller(caller), subject_id=user.id)
        self.lockout.unlock(user.id, event)
        return user
