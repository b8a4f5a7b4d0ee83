"""What may happen to a credential: it is made, listed, changed, switched off and on, rotated, and deleted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypedDict

from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.model import Role, User
from gatehouse.credentials import fields, keys
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.model import Credential, CredentialQuery, CredentialType, IssuedCredential
from gatehouse.credentials.rights import require_present, require_within, switched
from gatehouse.credentials.rotation import rotated
from gatehouse.errors import BadRequest, Conflict, Forbidden, NotFound, ServiceUnavailable
from gatehouse.ids import new_id, parse_id
from gatehouse.permissions import Action, Caller, Maker, may, require, require_factor, require_on
from gatehouse.persistence import Page, Stale

MOST_ACTIVE = 100
"""Active credentials of one consumer; one that has expired counts until it is switched off or deleted."""

MOST_KEPT = 500
"""Credentials of one consumer, active or not; to look at all of them must not cost much."""

UNNUMBERED = 0
"""The number of a credential that is not kept yet."""

_ATTEMPTS = 5


class CredentialStore(Protocol):
    """Where credentials are kept."""

    def find_user(self, user_id: str) -> User | None: ...

    def find_credential(self, credential_id: str) -> Credential | None: ...

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]: ...

    def create_credential(
        self, credential: Credential, secret_hash: str | None, maker: Maker | None, event: AuditEvent
    ) -> Credential:
        """Keeps it under the next number of its owner's, which none had before, and answers with it.

        Raises Conflict for a key id that was ever used, Stale above MOST_ACTIVE or MOST_KEPT, or without an owner, and
        Unauthenticated where the session or the program that makes it has ended meanwhile.
        """

    def update_credential(self, before: Credential, after: Credential, maker: Maker | None, event: AuditEvent) -> None:
        """Turns one into the other; raises Stale, Unauthenticated as above, and Conflict above MOST_ACTIVE."""

    def rotate_credential(
        self, before: Credential, after: Credential, secret_hash: str | None, maker: Maker | None, event: AuditEvent
    ) -> None:
        """Turns one into the other, and its hash into the one before; raises Stale, and Unauthenticated as above."""

    def delete_credential(self, credential: Credential, event: AuditEvent) -> None:
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
    """The use cases. Every one of them takes the caller first and raises what `permissions` raises.

    What makes a secret takes a code of the caller's second factor, lately: `require_fresh` raises TwoFactorRequired. A
    program can give none; it rotates what it may all the same, which gives nobody more than before.
    """

    store: CredentialStore
    clock: Clock
    issuer: Issuer
    recorder: Recorder
    self_service: bool
    require_fresh: Callable[[Caller], None]

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
        self.require_fresh(caller)
        now = self.clock.now()
        credential = self._draft(caller, owner, new, now)
        self._require_within(caller, credential)
        chosen = new.get("key_secret")
        secret = self.issuer.made(credential, now) if chosen is None else self.issuer.chosen(chosen)
        try:
            event = self.recorder.of_credential(
                AuditAction.CREDENTIAL_CREATED, acting.caller(caller), credential, after=told.credential(credential)
            )
            kept = self.store.create_credential(credential, secret.hash, caller.maker, event)
        except Stale as error:
            self._owner(caller, owner.id, Action.CREATE_CREDENTIAL)
            raise too_many_active() from error
        return IssuedCredential(credential=kept, secret=secret.told)

    def update(self, caller: Caller, credential_id: str, changes: CredentialChanges) -> Credential:
        """The credential after the changes."""
        for _ in range(_ATTEMPTS):
            before, owner = self._target(caller, credential_id, Action.DISABLE_CREDENTIAL)
            after = replace(before, **self._checked(changes, before))
            if after == before:
                return before
            self._require_self_service(caller, owner)
            if after != replace(before, is_active=False):
                require_on(caller, Action.UPDATE_CREDENTIAL, owner)
                require_factor(caller, before.role)
                if caller.session_id is not None and after != replace(before, label=after.label):
                    self.require_fresh(caller)
                if caller.credential_id != before.id or after != replace(before, label=after.label):
                    self._require_within(caller, after)
            if after.is_active is not before.is_active:
                after = switched(caller, before, after)
            after = replace(after, updated_at=self.clock.now(), revision=before.revision + 1)
            changes_told = told.credential(before), told.credential(after)
            event = self.recorder.of_credential(
                AuditAction.CREDENTIAL_UPDATED, acting.caller(caller), after, *changes_told
            )
            try:
                self.store.update_credential(before, after, caller.maker, event)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("The credential is being changed by others. Try again.")

    def rotate(self, caller: Caller, credential_id: str, overlap_seconds: int | None) -> IssuedCredential:
        """The credential with a new secret, which is made; the present one works until the overlap ends.

        Raises BadRequest, and Conflict for a credential that is not in force.
        """
        overlap = fields.overlap(overlap_seconds)
        for _ in range(_ATTEMPTS):
            before, owner = self._target(caller, credential_id, Action.ROTATE_CREDENTIAL)
            self._require_self_service(caller, owner)
            require_factor(caller, before.role)
            if caller.session_id is not None:
                self.require_fresh(caller)
            now = self.clock.now()
            require_present(caller, before)
            after = rotated(before, overlap, now)
            self._require_within(caller, after)
            secret = self.issuer.made(after, now)
            versions = told.version(before), told.version(after)
            event = self.recorder.of_credential(AuditAction.CREDENTIAL_ROTATED, acting.caller(caller), after, *versions)
            try:
                self.store.rotate_credential(before, after, secret.hash, caller.maker, event)
            except Stale:
                continue
            return IssuedCredential(credential=after, secret=secret.told)
        raise ServiceUnavailable("The credential is being changed by others. Try again.")

    def delete(self, caller: Caller, credential_id: str) -> Credential:
        """The credential as it was; it is refused from the next request on."""
        for _ in range(_ATTEMPTS):
            credential, owner = self._target(caller, credential_id, Action.DELETE_CREDENTIAL)
            self._require_self_service(caller, owner)
            event = self.recorder.of_credential(
                AuditAction.CREDENTIAL_DELETED, acting.caller(caller), credential, before=told.credential(credential)
            )
            try:
                self.store.delete_credential(credential, event)
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
        if not self.self_service and caller.role is Role.USER and caller.consumer_id == owner.id:
            raise Forbidden("A USER does not manage credentials here.", reason="SELF_SERVICE")

    def _require_within(self, caller: Caller, credential: Credential) -> None:
        """Refuses a credential that would give more than what the caller came with; a session is held to nothing."""
        if caller.credential_id is not None:
            require_within(caller, self.store.find_credential(caller.credential_id), credential)

    def _draft(self, caller: Caller, owner: User, new: NewCredential, now: datetime) -> Credential:
        key_id, kind = new.get("key_id"), new["type"]
        self.issuer.check_choice(kind, key_id, new.get("key_secret"))
        return Credential(
            id=new_id(now),
            consumer_id=owner.id,
            type=kind,
            key_id=keys.make_key_id() if key_id is None else key_id,
            number=UNNUMBERED,
            role=owner.role.lower_of(caller.role),
            label=fields.label(new.get("label")),
            scopes=fields.scopes(new.get("scopes")),
            expires_at=fields.first_expiry(new.get("expires_at"), kind, now),
            created_at=now,
            updated_at=now,
        )

    def _checked(self, changes: CredentialChanges, before: Credential) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        if "label" in changes:
            checked["label"] = fields.label(changes["label"])
        if "scopes" in changes:
            checked["scopes"] = fields.scopes(changes["scopes"])
        if "expires_at" in changes:
            checked["expires_at"] = fields.changed_expiry(changes["expires_at"], before, self.clock.now())
        if "is_active" in changes:
            if changes["is_active"] is None:
                raise BadRequest("isActive must not be null.", field="isActive")
            checked["is_active"] = changes["is_active"]
        return checked


def too_many_active() -> Conflict:
    """The refusal of one credential too many."""
    return Conflict(
        f"A consumer has at most {MOST_ACTIVE} active credentials, and {MOST_KEPT} in all; delete some first."
    )
