"""What may happen to a credential: it is made, listed, changed, switched off and on, and deleted."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypedDict

from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.clock import Clock
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.credentials import keys
from gatehouse.credentials.model import Credential, CredentialQuery, CredentialType, IssuedCredential
from gatehouse.errors import BadRequest, Conflict, Forbidden, NotFound, ServiceUnavailable
from gatehouse.ids import new_id, parse_id
from gatehouse.permissions import Action, Caller, may, require, require_on
from gatehouse.persistence import Page, Stale
from gatehouse.text import clean_text

MOST_ACTIVE = 100
"""Active credentials of one consumer; one that has expired counts until it is switched off or deleted."""

_ATTEMPTS = 5
_MOST_SCOPES = 50
_SCOPE = re.compile(r"[a-z][a-z0-9_-]{0,31}:[a-z][a-z0-9_-]{0,31}", re.ASCII)


class CredentialStore(Protocol):
    """Where credentials are kept."""

    def find_user(self, user_id: str) -> User | None: ...

    def find_credential(self, credential_id: str) -> Credential | None: ...

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]: ...

    def create_credential(self, credential: Credential, secret_hash: str) -> None:
        """Keeps it; raises Conflict for a key id that was ever used, Stale above MOST_ACTIVE or without an owner."""

    def update_credential(self, before: Credential, after: Credential) -> None:
        """Turns one into the other; raises Stale, and Conflict above MOST_ACTIVE."""

    def delete_credential(self, credential: Credential) -> None:
        """Removes it, its key id stays used; raises Stale."""


class NewCredential(TypedDict, total=False):
    """What `create` takes."""

    consumer_id: str | None
    type: CredentialType
    key_id: str | None
    key_secret: str | None
    label: str | None
    scopes: list[str] | None
    expires_at: datetime | None


class CredentialChanges(TypedDict, total=False):
    """What `update` takes: only what is given is changed."""

    label: str | None
    scopes: list[str] | None
    expires_at: datetime | None
    is_active: bool | None


@dataclass(frozen=True)
class Credentials:
    """The use cases. Every one of them takes the caller first and raises what `permissions` raises."""

    store: CredentialStore
    clock: Clock
    hasher: PasswordHasher
    self_service: bool
    chosen_secrets: bool

    def get(self, caller: Caller, credential_id: str) -> Credential:
        """The credential; raises NotFound."""
        return self._target(caller, credential_id, Action.READ_CREDENTIALS)[0]

    def page(self, caller: Caller, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]:
        """At most `first` credentials behind the position `after`; a USER's own where no consumer is named."""
        require(caller, Action.READ_CREDENTIALS)
        if query.consumer_id is not None:
            owner = self._owner(caller, query.consumer_id, Action.READ_CREDENTIALS)
            query = replace(query, consumer_id=owner.id)
        elif caller.role is Role.USER:
            query = replace(query, consumer_id=caller.consumer_id)
        elif caller.role is Role.MODERATOR:
            raise BadRequest(
                "where.consumerId is needed: a MODERATOR lists one consumer at a time.", field="consumerId"
            )
        else:
            require(caller, Action.LIST_ALL_CREDENTIALS)
        return self.store.page_credentials(query, first, after)

    def create(self, caller: Caller, new: NewCredential) -> IssuedCredential:
        """The fresh credential and its secret; raises BadRequest, or Conflict for a used key id."""
        named = new.get("consumer_id")
        owner_id = (caller.consumer_id or "") if named is None else named
        owner = self._owner(caller, owner_id, Action.CREATE_CREDENTIAL)
        self._require_self_service(caller, owner)
        now = self.clock.now()
        key = self._key(new)
        credential = Credential(
            id=new_id(now),
            consumer_id=owner.id,
            type=new["type"],
            key_id=key.key_id,
            role=owner.role.lower_of(caller.role),
            label=_label(new.get("label")),
            scopes=_scopes(new.get("scopes")),
            expires_at=_expiry(new.get("expires_at"), now),
            created_at=now,
            updated_at=now,
        )
        self._require_within(caller, credential)
        is_chosen = new.get("key_secret") is not None
        secret_hash = self.hasher.hash(key.secret) if is_chosen else keys.hash_made_secret(key.secret)
        try:
            self.store.create_credential(credential, secret_hash)
        except Stale as error:
            self._owner(caller, owner.id, Action.CREATE_CREDENTIAL)
            raise too_many_active() from error
        return IssuedCredential(credential=credential, secret=None if is_chosen else key.text())

    def update(self, caller: Caller, credential_id: str, changes: CredentialChanges) -> Credential:
        """The credential after the changes."""
        for _ in range(_ATTEMPTS):
            before, owner = self._target(caller, credential_id, Action.DISABLE_CREDENTIAL)
            after = replace(before, **self._checked(changes))
            if after == before:
                return before
            self._require_self_service(caller, owner)
            if after != replace(before, is_active=False):
                require_on(caller, Action.UPDATE_CREDENTIAL, owner)
                self._require_within(caller, after)
            if after.is_active is not before.is_active:
                after = _switched(caller, before, after)
            after = replace(after, updated_at=self.clock.now(), revision=before.revision + 1)
            try:
                self.store.update_credential(before, after)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("The credential is being changed by others. Try again.")

    def delete(self, caller: Caller, credential_id: str) -> Credential:
        """The credential as it was; it is refused from the next request on."""
        for _ in range(_ATTEMPTS):
            credential, owner = self._target(caller, credential_id, Action.DELETE_CREDENTIAL)
            self._require_self_service(caller, owner)
            try:
                self.store.delete_credential(credential)
            except Stale:
                continue
            return credential
        raise ServiceUnavailable("The credential is being changed by others. Try again.")

    def _owner(self, caller: Caller, user_id: str, action: Action) -> User:
        require(caller, action)
        known = parse_id(user_id)
        owner = None if known is None else self.store.find_user(known)
        if owner is None:
            raise NotFound("There is no such user.")
        require_on(caller, action, owner)
        return owner

    def _target(self, caller: Caller, credential_id: str, action: Action) -> tuple[Credential, User]:
        require(caller, action)
        known = parse_id(credential_id)
        credential = None if known is None else self.store.find_credential(known)
        owner = None if credential is None else self.store.find_user(credential.consumer_id)
        if credential is None or owner is None or not may(caller, Action.READ_CREDENTIALS, owner):
            raise NotFound("There is no such credential.")
        require_on(caller, action, owner)
        return credential, owner

    def _require_self_service(self, caller: Caller, owner: User) -> None:
        if not self.self_service and caller.role is not Role.ADMIN and caller.consumer_id == owner.id:
            raise Forbidden("Only an ADMIN manages credentials here.", reason="SELF_SERVICE")

    def _require_within(self, caller: Caller, credential: Credential) -> None:
        """Refuses a credential that would give more than the credential that the caller came with."""
        if caller.credential_id is None:
            return
        own = self.store.find_credential(caller.credential_id)
        within = (
            own is not None
            and credential.role.lower_of(caller.role) is credential.role
            and credential.scopes is not None
            and frozenset(credential.scopes) <= (caller.scopes or frozenset())
            and (own.expires_at is None or _ends_by(credential, own.expires_at))
        )
        if not within:
            raise Forbidden("A credential cannot give more than it has: role, scopes and expiry.", reason="SCOPE")

    def _key(self, new: NewCredential) -> keys.ApiKey:
        key_id, secret = new.get("key_id"), new.get("key_secret")
        if secret is not None and not self.chosen_secrets:
            raise BadRequest(
                "keySecret cannot be chosen here; leave it out and keep the one you get.", field="keySecret"
            )
        if secret is not None and key_id is None:
            raise BadRequest("keySecret needs a keyId beside it.", field="keyId")
        known = keys.make_key_id() if key_id is None else keys.check_key_id(key_id)
        return keys.ApiKey(known, keys.make_secret(known) if secret is None else keys.check_chosen_secret(secret))

    def _checked(self, changes: CredentialChanges) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        if "label" in changes:
            checked["label"] = _label(changes["label"])
        if "scopes" in changes:
            checked["scopes"] = _scopes(changes["scopes"])
        if "expires_at" in changes:
            checked["expires_at"] = _expiry(changes["expires_at"], self.clock.now())
        if "is_active" in changes:
            if changes["is_active"] is None:
                raise BadRequest("isActive must not be null.", field="isActive")
            checked["is_active"] = changes["is_active"]
        return checked


def _switched(caller: Caller, before: Credential, after: Credential) -> Credential:
    """The credential with who switched it off, if it is off; what others switched off an ADMIN switches on again."""
    if not after.is_active:
        is_own = caller.consumer_id == before.consumer_id
        return replace(after, disabled_by=DeactivatedBy.OWNER if is_own else DeactivatedBy(caller.role))
    if before.disabled_by is not DeactivatedBy.OWNER and caller.role is not Role.ADMIN:
        raise Forbidden("This credential was switched off by others; an ADMIN can switch it on.", reason="ROLE")
    return replace(after, disabled_by=None)


def too_many_active() -> Conflict:
    """The refusal of one active credential too many."""
    return Conflict(f"A consumer has at most {MOST_ACTIVE} active credentials; switch off or delete some first.")


def _label(label: str | None) -> str | None:
    return None if label is None else clean_text(label, "label", longest=100)


def _scopes(scopes: list[str] | None) -> tuple[str, ...] | None:
    if scopes is None:
        return None
    if len(scopes) > _MOST_SCOPES or not all(map(_SCOPE.fullmatch, scopes)):
        raise BadRequest(f"scopes are at most {_MOST_SCOPES} words such as users:read, in lower case.", field="scopes")
    return tuple(dict.fromkeys(scopes))


def _expiry(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is not None and moment <= now:
        raise BadRequest("expiresAt must lie in the future.", field="expiresAt")
    return moment


def _ends_by(credential: Credential, moment: datetime) -> bool:
    return credential.expires_at is not None and credential.expires_at <= moment
