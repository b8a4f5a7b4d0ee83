"""Credentials in the table: what a program signs in with, and who holds which key id."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.admission.model import KeyClaim, StoredCredential
from gatehouse.clock import from_milliseconds, milliseconds, optional_milliseconds, optional_moment
from gatehouse.consumers.model import DeactivatedBy, Role
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.storage import keys
from gatehouse.storage.schema import Record


class KeyClaimRecord(Record):
    """A claim on a key id; it outlives its credential, so that no key id is issued twice."""

    owner = UnicodeAttribute()
    credential = UnicodeAttribute()

    @classmethod
    def of(cls, credential: Credential) -> "KeyClaimRecord":
        return cls(
            keys.key_claim(credential.key_id), keys.CLAIM, owner=credential.consumer_id, credential=credential.id
        )

    def claim(self) -> KeyClaim:
        return KeyClaim(consumer_id=self.owner, credential_id=self.credential)


class CredentialWayRecord(Record):
    """From a credential's id to its owner."""

    owner = UnicodeAttribute()

    @classmethod
    def of(cls, credential: Credential) -> "CredentialWayRecord":
        return cls(keys.credential_way(credential.id), keys.CLAIM, owner=credential.consumer_id)


class CredentialRecord(Record):
    """What a program signs in with: its rights, and a hash of its secret, if it has one, and of the one before.

    `ends_shard` is where the cleanup finds it, to tell its end; `end_told` is the end that it has told last.
    """

    credential_shard = UnicodeAttribute(attr_name="credentialShard")
    type = UnicodeAttribute()
    key_id = UnicodeAttribute(attr_name="keyId")
    number = NumberAttribute()
    version = NumberAttribute(default=1)
    secret_hash = UnicodeAttribute(attr_name="secretHash", null=True)
    previous_hash = UnicodeAttribute(attr_name="previousHash", null=True)
    rotated_at = NumberAttribute(attr_name="rotatedAt", null=True)
    overlap_ends_at = NumberAttribute(attr_name="overlapEndsAt", null=True)
    previous_last_used_at = NumberAttribute(attr_name="previousLastUsedAt", null=True)
    role = UnicodeAttribute()
    label = UnicodeAttribute(null=True)
    scopes: ListAttribute[Any] = ListAttribute(null=True)
    is_active = BooleanAttribute(attr_name="isActive")
    disabled_by = UnicodeAttribute(attr_name="disabledBy", null=True)
    ends_at = NumberAttribute(attr_name="endsAt", null=True)
    ends_shard = UnicodeAttribute(attr_name="endsShard", null=True)
    end_told = NumberAttribute(attr_name="endTold", null=True)
    last_used_at = NumberAttribute(attr_name="lastUsedAt", null=True)
    revision = NumberAttribute(default=0)
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")

    @classmethod
    def key(cls, user_id: str, credential_id: str) -> "CredentialRecord":
        return cls(keys.consumer(user_id), keys.credential(credential_id))

    @classmethod
    def of(cls, credential: Credential, secret_hash: str | None) -> "CredentialRecord":
        return cls(
            keys.consumer(credential.consumer_id),
            keys.credential(credential.id),
            credential_shard=keys.shard(credential.id),
            type=credential.type,
            key_id=credential.key_id,
            number=credential.number,
            version=credential.version,
            secret_hash=secret_hash,
            role=credential.role,
            label=credential.label,
            scopes=None if credential.scopes is None else list(credential.scopes),
            is_active=credential.is_active,
            ends_at=optional_milliseconds(credential.expires_at),
            ends_shard=ending_shard(credential),
            created_at=milliseconds(credential.created_at),
            updated_at=milliseconds(credential.updated_at),
        )

    def credential(self) -> Credential:
        return Credential(
            id=keys.credential_id(self.sk),
            consumer_id=keys.consumer_id(self.pk),
            type=CredentialType(self.type),
            key_id=self.key_id,
            number=int(self.number),
            version=int(self.version),
            rotation=self._rotation(),
            role=Role(self.role),
            label=self.label,
            scopes=_optional_tuple(self.scopes),
            is_active=self.is_active,
            disabled_by=DeactivatedBy(self.disabled_by) if self.disabled_by else None,
            expires_at=optional_moment(self.ends_at),
            last_used_at=optional_moment(self.last_used_at),
            created_at=from_milliseconds(int(self.created_at)),
            updated_at=from_milliseconds(int(self.updated_at)),
            revision=int(self.revision),
        )

    def stored(self) -> StoredCredential:
        return StoredCredential(
            credential=self.credential(), secret_hash=self.secret_hash, previous_hash=self.previous_hash
        )

    def _rotation(self) -> Rotation | None:
        if self.rotated_at is None or self.overlap_ends_at is None:
            return None
        return Rotation(
            from_milliseconds(int(self.rotated_at)),
            from_milliseconds(int(self.overlap_ends_at)),
            optional_moment(self.previous_last_used_at),
        )


class RevokedTokenRecord(Record):
    """A token that was taken back before its time; there is one as long as it would have lasted."""

    expires = NumberAttribute()  # seconds: the table's TTL attribute

    @classmethod
    def key(cls, token_id: str) -> "RevokedTokenRecord":
        return cls(keys.revoked_token(token_id), keys.REVOKED)

    @classmethod
    def of(cls, token_id: str, expires_at: datetime) -> "RevokedTokenRecord":
        return cls(keys.revoked_token(token_id), keys.REVOKED, expires=int(expires_at.timestamp()))


def ending_shard(credential: Credential) -> str | None:
    """Where the cleanup finds a credential that was made or changed, to tell its end; None: there is none to tell."""
    return keys.shard(credential.id) if credential.is_active and credential.expires_at is not None else None


def _optional_tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
