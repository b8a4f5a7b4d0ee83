"""Credentials in the table: beside their owner, with a claim on the key id and a way to them by their own id."""

from pynamodb.expressions.update import Action

from gatehouse.clock import milliseconds
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.credentials.service import MOST_ACTIVE, too_many_active
from gatehouse.errors import Conflict
from gatehouse.persistence import Page, Stale
from gatehouse.storage import keys, listing
from gatehouse.storage.consumers import find_user
from gatehouse.storage.records import (
    CredentialRecord,
    CredentialWayRecord,
    GateRecord,
    KeyClaimRecord,
    ProfileRecord,
)
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

    def create_credential(self, credential: Credential, secret_hash: str) -> None:
        transaction = Transaction()
        transaction.put(
            KeyClaimRecord.of(credential),
            KeyClaimRecord.pk.does_not_exist(),
            otherwise=Conflict("This keyId is taken, or was once.", field="keyId"),
        )
        transaction.put(CredentialRecord.of(credential, secret_hash))
        transaction.put(CredentialWayRecord.of(credential))
        _count(transaction, credential.consumer_id, +1, Stale())
        transaction.commit()

    def update_credential(self, before: Credential, after: Credential) -> None:
        transaction = Transaction()
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
        if after.is_active != before.is_active:
            change, refusal = (+1, too_many_active()) if after.is_active else (-1, Stale())
            _count(transaction, after.consumer_id, change, refusal)
        _move_epoch(transaction, after.consumer_id)
        transaction.commit()

    def delete_credential(self, credential: Credential) -> None:
        transaction = Transaction()
        transaction.delete(
            CredentialRecord.key(credential.consumer_id, credential.id),
            CredentialRecord.revision == credential.revision,
            otherwise=Stale(),
        )
        transaction.delete(CredentialWayRecord.of(credential))
        if credential.is_active:
            _count(transaction, credential.consumer_id, -1, Stale())
        _move_epoch(transaction, credential.consumer_id)
        transaction.commit()


def _count(transaction: Transaction, owner: str, change: int, otherwise: Exception) -> None:
    room = ProfileRecord.credentials < MOST_ACTIVE if change > 0 else ProfileRecord.pk.exists()
    transaction.update(ProfileRecord.key(owner), [ProfileRecord.credentials.add(change)], room, otherwise=otherwise)


def _move_epoch(transaction: Transaction, owner: str) -> None:
    transaction.update(GateRecord.key(owner), [GateRecord.epoch.add(1)], GateRecord.pk.exists(), otherwise=Stale())


def _optional(credential: Credential) -> list[Action]:
    ends_at = None if credential.expires_at is None else milliseconds(credential.expires_at)
    scopes = None if credential.scopes is None else list(credential.scopes)
    return [
        CredentialRecord.disabled_by.remove()
        if credential.disabled_by is None
        else CredentialRecord.disabled_by.set(credential.disabled_by),
        CredentialRecord.label.remove() if credential.label is None else CredentialRecord.label.set(credential.label),
        CredentialRecord.scopes.remove() if scopes is None else CredentialRecord.scopes.set(scopes),
        CredentialRecord.ends_at.remove() if ends_at is None else CredentialRecord.ends_at.set(ends_at),
    ]
