"""What may happen to a consumer: it is read, listed, made, changed, switched off and on, and deleted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypedDict

from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.creation import NewUser, fresh_user
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, User
from gatehouse.errors import BadRequest, Forbidden, NotFound, ServiceUnavailable
from gatehouse.ids import parse_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer
from gatehouse.permissions import Action, Caller, require, require_on
from gatehouse.persistence import Page, Stale

_ATTEMPTS = 5


class ConsumerStore(Protocol):
    """Where consumers are kept."""

    def find_user(self, user_id: str) -> User | None: ...

    def page_users(self, query: UserQuery, first: int, after: str | None) -> Page[User]: ...

    def create_user(self, user: User, password_hash: str | None, event: AuditEvent) -> None:
        """Keeps the user; raises Conflict where its email or username is taken."""

    def update_user(self, before: User, after: User, notice: Mail | None, event: AuditEvent) -> None:
        """Turns one into the other; raises Stale, Conflict for a taken name, Forbidden for the last active ADMIN."""

    def delete_user(self, user: User, event: AuditEvent) -> None:
        """Ends the user's access and frees its names; raises Stale, and Forbidden for the last active ADMIN."""


class UserChanges(TypedDict, total=False):
    """What `update` takes: only what is given is changed."""

    username: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    role: Role | None
    is_active: bool | None


@dataclass(frozen=True)
class Consumers:
    """The use cases. Every one of them takes the caller first and raises what `permissions` raises."""

    store: ConsumerStore
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy
    writer: Writer
    recorder: Recorder
    require_fresh: Callable[[Caller], None]

    def get(self, caller: Caller, user_id: str) -> User:
        """The user; raises NotFound."""
        return self._target(caller, user_id, Action.READ_USER)

    def page(self, caller: Caller, query: UserQuery, first: int, after: str | None) -> Page[User]:
        """At most `first` users behind the position `after`."""
        require(caller, Action.LIST_USERS)
        return self.store.page_users(query, first, after)

    def create(self, caller: Caller, new: NewUser) -> User:
        """The fresh user; raises BadRequest, or Conflict for a taken name."""
        require(caller, Action.CREATE_USER)
        kind, role = new.get("kind") or Kind.USER, new.get("role") or Role.USER
        if role is not Role.USER:
            require(caller, Action.CHANGE_ROLE)
            self.require_fresh(caller)
        password = new.get("password")
        if password is None and kind is Kind.USER:
            raise BadRequest("password is needed unless kind is APPLICATION, SERVICE or PARTNER.", field="password")
        user = fresh_user(new, self.clock, role=role, kind=kind, is_verified=True)
        if password is not None:
            self.policy.check(password, username=user.username, email=user.email)
        event = self.recorder.event(
            AuditAction.USER_CREATED, acting.caller(caller), subject_id=user.id, after=told.user(user)
        )
        self.store.create_user(user, None if password is None else self.hasher.hash(password), event)
        return user

    def update(self, caller: Caller, user_id: str, changes: UserChanges) -> User:
        """The user after the changes; a value that is already so is no change and needs no right."""
        for _ in range(_ATTEMPTS):
            before = self._target(caller, user_id, Action.UPDATE_NAMES)
            after = self._changed(caller, before, changes)
            if after == before:
                return before
            now = self.clock.now()
            after, notice = replace(after, updated_at=now, revision=before.revision + 1), None
            if (after.email, after.role) != (before.email, before.role):
                self.require_fresh(caller)
            if after.email != before.email:
                after = replace(after, email_verified_at=now)
                notice = self.writer.write(MailKind.EMAIL_CHANGED, before.email)
            event = self.recorder.event(
                AuditAction.USER_UPDATED,
                acting.caller(caller),
                subject_id=after.id,
                before=told.user(before),
                after=told.user(after),
            )
            try:
                self.store.update_user(before, after, notice, event)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("The user is being changed by others. Try again.")

    def delete(self, caller: Caller, user_id: str) -> User:
        """The user as it was; its access has ended, its names are free, and the stream removes what it left."""
        for _ in range(_ATTEMPTS):
            user = self._target(caller, user_id, Action.DELETE_USER)
            event = self.recorder.event(
                AuditAction.USER_DELETED, acting.caller(caller), subject_id=user.id, before=told.user(user)
            )
            try:
                self.store.delete_user(user, event)
            except Stale:
                continue
            return user
        raise ServiceUnavailable("The user is being changed by others. Try again.")

    def _target(self, caller: Caller, user_id: str, action: Action) -> User:
        require(caller, action)
        known = parse_id(user_id)
        user = None if known is None else self.store.find_user(known)
        if user is None:
            raise NotFound("There is no such user.")
        require_on(caller, action, user)
        return user

    def _changed(self, caller: Caller, before: User, changes: UserChanges) -> User:
        after = replace(before, **_checked(changes))
        if after.email != before.email and caller.consumer_id == before.id:
            raise Forbidden("One's own email is changed by changeEmail.", reason="ROLE")
        for field, action in _RIGHTS.items():
            if getattr(after, field) != getattr(before, field):
                require_on(caller, action, before)
        if after.is_active and not before.is_active:
            require_on(caller, Action.REACTIVATE_USER, before)
            if before.deactivated_by is DeactivatedBy.ADMIN and caller.role is not Role.ADMIN:
                raise Forbidden("An ADMIN switched this account off.", reason="ROLE")
            return replace(after, deactivated_by=None)
        if before.is_active and not after.is_active:
            require_on(caller, Action.DEACTIVATE_USER, before)
            return replace(after, deactivated_by=_deactivated_by(caller, before))
        if changes.get("is_active") is False and caller.role is Role.ADMIN:
            return replace(after, deactivated_by=DeactivatedBy.ADMIN)  # what others switched off an ADMIN may hold
        return after


_RIGHTS = {
    "first_name": Action.UPDATE_NAMES,
    "last_name": Action.UPDATE_NAMES,
    "username": Action.UPDATE_USERNAME,
    "email": Action.UPDATE_EMAIL,
    "role": Action.CHANGE_ROLE,
}


def _checked(changes: UserChanges) -> dict[str, Any]:
    checked: dict[str, Any] = dict(changes)
    for name, field in (("username", "username"), ("email", "email"), ("role", "role"), ("is_active", "isActive")):
        if name in checked and checked[name] is None:
            raise BadRequest(f"{field} must not be null.", field=field)
    if (username := changes.get("username")) is not None:
        checked["username"] = fields.username(username)
    if (email := changes.get("email")) is not None:
        checked["email"] = fields.email(email)
    if "first_name" in changes:
        checked["first_name"] = fields.person_name(changes["first_name"], "firstName")
    if "last_name" in changes:
        checked["last_name"] = fields.person_name(changes["last_name"], "lastName")
    return checked


def _deactivated_by(caller: Caller, user: User) -> DeactivatedBy:
    if caller.consumer_id == user.id:
        return DeactivatedBy.OWNER
    return DeactivatedBy(caller.role)
