"""Credentials in the table: beside their owner, with a claim on the key id and a way to them by their own id."""

from dataclasses import replace
from typing import TypeGuard

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.credentials.service import MOST_ACTIVE, MOST_KEPT, too_many_active
from gatehouse.errors import Conflict, ServiceUnavailable, Unauthenticated
from gatehouse.permissions import CallersProgram, CallersSession, Maker
from gatehouse.persistence import Page, Stale
from gatehouse.storage import keys, listing
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import find_user
from gatehouse.storage.credential_records import (
    CredentialRecord,
    CredentialWayRecord,
    KeyClaimRecord,
    ending_shard,
)
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import ProfileRecord, SessionRecord
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Transaction


class DynamoCredentials:
    """The store of `credentials.service`."""

    def find_user(self, user_id: str) -> User | None:
        return find_user(user_id)

    def find_credential(self, credential_id: str) -> Credential | None:
        with store_faults():
            try:
                way = CredentialWayRecord.get(keys.credential_way(credential_id), keys.CLAIM, consistent_read=True)
                return CredentialRecord.get(
                    keys.consumer(way.owner), keys.credential(credential_id), consistent_read=True
                ).credential()
            except (CredentialWayRecord.DoesNotExist, CredentialRecord.DoesNotExist):
                return None

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]:
        with store_faults():
            return listing.page_credentials(query, first, after)

    def create_credential(
        self,
        credential: Credential,
        secret_hash: str | None,
        maker: Maker | None = None,
        event: AuditEvent | None = None,
    ) -> Credential:
        for _ in range(MOST_ACTIVE):
            owner = _profile(credential.consumer_id, maker)
            if owner.credentials >= MOST_ACTIVE or owner.kept >= MOST_KEPT:
                raise Stale
            numbered = replace(credential, number=int(owner.numbered) + 1)
            try:
                _create(numbered, secret_hash, int(owner.generation), maker, event)
            except _NumberTaken:
                continue  # another credential has it, and these are not without end
            return numbered
        raise ServiceUnavailable("Too many credentials are being made at once. Try again.")

    def update_credential(
        self, before: Credential, after: Credential, maker: Maker | None = None, event: AuditEvent | None = None
    ) -> None:
        transaction = Transaction()
        _check_maker(transaction, after, maker)
        transaction.update(
            CredentialRecord.key(after.consumer_id, after.id),
            [
                CredentialRecord.is_active.set(after.is_active),
                CredentialRecord.revision.set(after.revision),
                CredentialRecord.updated_at.set(milliseconds(after.updated_at)),
                *_optional(after),
            ],
            CredentialRecord.revision == before.revision,
            otherwise=Stale(),
        )
        if before.is_active and not after.is_active:
            _count(transaction, after.consumer_id, -1, ProfileRecord.pk.exists())
        elif after.is_active and not before.is_active:
            owner = _profile(after.consumer_id, maker)
            if owner.credentials >= MOST_ACTIVE:
                raise too_many_active()
            has_room = (ProfileRecord.credentials < MOST_ACTIVE) & (ProfileRecord.generation == owner.generation)
            _count(transaction, after.consumer_id, +1, has_room)
        _move_epoch(transaction, after.consumer_id, maker)
        add_event(transaction, event)
        transaction.commit()

    def rotate_credential(
        self,
        before: Credential,
        after: Credential,
        secret_hash: str | None,
        maker: Maker | None = None,
        event: AuditEvent | None = None,
    ) -> None:
        transaction = Transaction()
        _check_maker(transaction, after, maker)
        transaction.update(
            CredentialRecord.key(after.consumer_id, after.id),
            [
                CredentialRecord.version.set(after.version),
                CredentialRecord.revision.set(after.revision),
                CredentialRecord.updated_at.set(milliseconds(after.updated_at)),
                CredentialRecord.last_used_at.remove(),
                *_rotation(after),
                *_optional(after),
                *_hashes(secret_hash),
            ],
            CredentialRecord.revision == before.revision,
            otherwise=Stale(),
        )
        _move_epoch(transaction, after.consumer_id, maker)
        add_event(transaction, event)
        transaction.commit()

    def delete_credential(self, credential: Credential, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.delete(
            CredentialRecord.key(credential.consumer_id, credential.id),
            CredentialRecord.revision == credential.revision,
            otherwise=Stale(),
        )
        transaction.delete(CredentialWayRecord.of(credential))
        transaction.update(
            ProfileRecord.key(credential.consumer_id),
            [ProfileRecord.kept.add(-1), ProfileRecord.credentials.add(-1 if credential.is_active else 0)],
            ProfileRecord.pk.exists(),
            otherwise=Stale(),
        )
        _move_epoch(transaction, credential.consumer_id)
        add_event(transaction, event)
        transaction.commit()


class _NumberTaken(Exception):
    """Another credential of the owner's was made meanwhile, or the owner is gone, or may have no more."""


def _profile(owner: str, maker: Maker | None) -> ProfileRecord:
    """The owner's; raises Stale where they are gone, Unauthenticated where it is their session and has ended."""
    with store_faults():
        try:
            profile = ProfileRecord.get(keys.consumer(owner), keys.PROFILE, consistent_read=True)
        except ProfileRecord.DoesNotExist:
            raise Stale from None
    if _is_owners_session(maker, owner) and maker.generation != profile.generation:
        raise _session_ended()
    return profile


def _check_maker(transaction: Transaction, credential: Credential, maker: Maker | None) -> None:
    """Adds to the transaction that the session, or the program, is in force still.

    Of the owner's own session, the rest is a condition of what is written anyway: of the profile, or of the gate. So it
    is of a program that changes itself.
    """
    match maker:
        case CallersSession():
            session = SessionRecord.key(maker.user_id, maker.id)
            transaction.check(session, SessionRecord.pk.exists(), otherwise=_session_ended())
            if not _is_owners_session(maker, credential.consumer_id):
                is_of_now = ProfileRecord.generation == maker.generation
                transaction.check(ProfileRecord.key(maker.user_id), is_of_now, otherwise=_session_ended())
        case CallersProgram() if maker.credential_id != credential.id:
            program = CredentialRecord.key(maker.user_id, maker.credential_id)
            is_on = CredentialRecord.is_active == True  # noqa: E712 - builds a condition
            transaction.check(program, is_on, otherwise=Unauthenticated("The credential has ended."))


def _is_owners_session(maker: Maker | None, owner: str) -> TypeGuard[CallersSession]:
    return isinstance(maker, CallersSession) and maker.user_id == owner


def _session_ended() -> Unauthenticated:
    return Unauthenticated("The session has ended.")


def _create(
    credential: Credential, secret_hash: str | None, generation: int, maker: Maker | None, event: AuditEvent | None
) -> None:
    transaction = Transaction()
    _check_maker(transaction, credential, maker)
    transaction.put(
        KeyClaimRecord.of(credential),
        KeyClaimRecord.pk.does_not_exist(),
        otherwise=Conflict("This keyId is taken, or was once.", field="keyId"),
    )
    transaction.put(CredentialRecord.of(credential, secret_hash))
    transaction.put(CredentialWayRecord.of(credential))
    transaction.update(
        ProfileRecord.key(credential.consumer_id),
        [ProfileRecord.credentials.add(1), ProfileRecord.kept.add(1), ProfileRecord.numbered.set(credential.number)],
        (ProfileRecord.credentials < MOST_ACTIVE)
        & (ProfileRecord.kept < MOST_KEPT)
        & (ProfileRecord.numbered == credential.number - 1)
        & (ProfileRecord.generation == generation),
        otherwise=_NumberTaken(),
    )
    add_event(transaction, event)
    transaction.commit()


def _count(transaction: Transaction, owner: str, change: int, condition: Condition) -> None:
    transaction.update(ProfileRecord.key(owner), [ProfileRecord.credentials.add(change)], condition, otherwise=Stale())


def _move_epoch(transaction: Transaction, owner: str, maker: Maker | None = None) -> None:
    gate, actions = GateRecord.key(owner), [GateRecord.epoch.add(1)]
    if _is_owners_session(maker, owner):
        transaction.update(gate, actions, GateRecord.generation == maker.generation, otherwise=_session_ended())
    else:
        transaction.update(gate, actions, GateRecord.pk.exists(), otherwise=Stale())


def _optional(credential: Credential) -> list[Action]:
    ends_at = None if credential.expires_at is None else milliseconds(credential.expires_at)
    scopes = None if credential.scopes is None else list(credential.scopes)
    shard = ending_shard(credential)
    return [
        CredentialRecord.disabled_by.remove()
        if credential.disabled_by is None
        else CredentialRecord.disabled_by.set(credential.disabled_by),
        CredentialRecord.label.remove() if credential.label is None else CredentialRecord.label.set(credential.label),
        CredentialRecord.scopes.remove() if scopes is None else CredentialRecord.scopes.set(scopes),
        CredentialRecord.ends_at.remove() if ends_at is None else CredentialRecord.ends_at.set(ends_at),
        CredentialRecord.ends_shard.remove() if shard is None else CredentialRecord.ends_shard.set(shard),
    ]


def _rotation(credential: Credential) -> list[Action]:
    if (rotation := credential.rotation) is None:
        return []
    used_at = rotation.previous_last_used_at
    return [
        CredentialRecord.rotated_at.set(milliseconds(rotation.rotated_at)),
        CredentialRecord.overlap_ends_at.set(milliseconds(rotation.overlap_ends_at)),
        CredentialRecord.previous_last_used_at.remove()
        if used_at is None
        else CredentialRecord.previous_last_used_at.set(milliseconds(used_at)),
    ]


def _hashes(secret_hash: str | None) -> list[Action]:
    """The hash there is becomes the one before; a credential without a secret has neither."""
    if secret_hash is None:
        return []
    return [
        CredentialRecord.previous_hash.set(CredentialRecord.secret_hash),
        CredentialRecord.secret_hash.set(secret_hash),
    ]
