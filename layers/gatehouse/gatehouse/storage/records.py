"""What lies in the table: one record class an item, and how each becomes a model of its domain."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from gatehouse.accounts.model import Account, Session, SpentToken
from gatehouse.admission.model import KeyClaim
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, Standing, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.storage import keys
from gatehouse.storage.schema import Record


class ProfileRecord(Record):
    """A consumer. `sessions` never is below the number of live sessions, `credentials` is that of active ones.

    `generation` is the gate's, written with it.
    """

    listing = UnicodeAttribute()
    username = UnicodeAttribute()
    username_key = UnicodeAttribute(attr_name="usernameKey")
    email = UnicodeAttribute()
    email_key = UnicodeAttribute(attr_name="emailKey")
    password_hash = UnicodeAttribute(attr_name="passwordHash", null=True)
    first_name = UnicodeAttribute(attr_name="firstName", null=True)
    last_name = UnicodeAttribute(attr_name="lastName", null=True)
    role = UnicodeAttribute()
    kind = UnicodeAttribute()
    is_active = BooleanAttribute(attr_name="isActive")
    deactivated_by = UnicodeAttribute(attr_name="deactivatedBy", null=True)
    sessions = NumberAttribute(default=0)
    credentials = NumberAttribute(default=0)
    generation = NumberAttribute(default=0)
    revision = NumberAttribute(default=0)
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")

    @classmethod
    def key(cls, user_id: str) -> "ProfileRecord":
        return cls(keys.consumer(user_id), keys.PROFILE)

    @classmethod
    def of(cls, user: User, password_hash: str | None, sessions: int) -> "ProfileRecord":
        return cls(
            keys.consumer(user.id),
            keys.PROFILE,
            listing=keys.listing(user.role, user.is_active, user.id),
            username=user.username,
            username_key=unique_form(user.username),
            email=user.email,
            email_key=unique_form(user.email),
            password_hash=password_hash,
            first_name=user.first_name,
            last_name=user.last_name,
            role=user.role,
            kind=user.kind,
            is_active=user.is_active,
            deactivated_by=user.deactivated_by,
            sessions=sessions,
            created_at=milliseconds(user.created_at),
            updated_at=milliseconds(user.updated_at),
        )

    def user(self) -> User:
        return User(
            id=keys.consumer_id(self.pk),
            username=self.username,
            email=self.email,
            first_name=self.first_name,
            last_name=self.last_name,
            role=Role(self.role),
            kind=Kind(self.kind),
            is_active=self.is_active,
            deactivated_by=DeactivatedBy(self.deactivated_by) if self.deactivated_by else None,
            created_at=from_milliseconds(int(self.created_at)),
            updated_at=from_milliseconds(int(self.updated_at)),
            revision=int(self.revision),
        )

    def account(self) -> Account:
        return Account(
            user=self.user(),
            password_hash=self.password_hash,
            sessions=int(self.sessions),
            generation=int(self.generation),
        )


class GateRecord(Record):
    """A consumer's standing."""

    is_active = BooleanAttribute(attr_name="isActive")
    role = UnicodeAttribute()
    epoch = NumberAttribute(default=0)
    generation = NumberAttribute(default=0)

    @classmethod
    def key(cls, user_id: str) -> "GateRecord":
        return cls(keys.gate(user_id), keys.GATE)

    @classmethod
    def of(cls, user: User) -> "GateRecord":
        return cls(keys.gate(user.id), keys.GATE, is_active=user.is_active, role=user.role)

    def standing(self) -> Standing:
        return Standing(
            consumer_id=keys.gate_owner(self.pk),
            is_active=self.is_active,
            role=Role(self.role),
            epoch=int(self.epoch),
            generation=int(self.generation),
        )


class NameRecord(Record):
    """A claim on an email or a username: whoever holds it has the name."""

    owner = UnicodeAttribute()
    name = UnicodeAttribute()
    name_shard = UnicodeAttribute(attr_name="nameShard")

    @classmethod
    def of_email(cls, user: User) -> "NameRecord":
        name = unique_form(user.email)
        return cls._of(keys.email_claim(name), name, user.id)

    @classmethod
    def of_username(cls, user: User) -> "NameRecord":
        name = unique_form(user.username)
        return cls._of(keys.username_claim(name), name, user.id)

    @classmethod
    def _of(cls, partition: str, name: str, owner: str) -> "NameRecord":
        return cls(partition, keys.CLAIM, owner=owner, name=name, name_shard=keys.shard(owner))


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


class SessionRecord(Record):
    """A person signed in, and where the chain of refresh tokens stands; digests only."""

    generation = NumberAttribute()
    created_at = NumberAttribute(attr_name="createdAt")
    expires = NumberAttribute()  # seconds: the table's TTL attribute
    salt = BinaryAttribute(legacy_encoding=False)
    used = NumberAttribute()
    next_digest = BinaryAttribute(legacy_encoding=False, attr_name="nextDigest")
    used_digest = BinaryAttribute(legacy_encoding=False, attr_name="usedDigest", null=True)
    spent: ListAttribute[Any] = ListAttribute(default=list)  # "<good until> <digest>", the latest first

    @classmethod
    def key(cls, user_id: str, session_id: str) -> "SessionRecord":
        return cls(keys.consumer(user_id), keys.session(session_id))

    @classmethod
    def of(cls, session: Session) -> "SessionRecord":
        return cls(
            keys.consumer(session.user_id),
            keys.session(session.id),
            generation=session.generation,
            created_at=milliseconds(session.created_at),
            expires=int(session.expires_at.timestamp()),
            salt=session.salt,
            used=session.used,
            next_digest=session.next_digest,
            used_digest=session.used_digest,
            spent=spent_texts(session),
        )

    def session(self) -> Session:
        return Session(
            id=keys.session_id(self.sk),
            user_id=keys.consumer_id(self.pk),
            generation=int(self.generation),
            created_at=from_milliseconds(int(self.created_at)),
            expires_at=from_milliseconds(int(self.expires) * 1000),
            salt=self.salt,
            used=int(self.used),
            next_digest=self.next_digest,
            used_digest=self.used_digest,
            spent=tuple(_spent_token(text) for text in self.spent),
        )


class CredentialRecord(Record):
    """What a program signs in with: its rights, and a hash of its secret."""

    credential_shard = UnicodeAttribute(attr_name="credentialShard")
    type = UnicodeAttribute()
    key_id = UnicodeAttribute(attr_name="keyId")
    secret_hash = UnicodeAttribute(attr_name="secretHash")
    role = UnicodeAttribute()
    label = UnicodeAttribute(null=True)
    scopes: ListAttribute[Any] = ListAttribute(null=True)
    is_active = BooleanAttribute(attr_name="isActive")
    disabled_by = UnicodeAttribute(attr_name="disabledBy", null=True)
    ends_at = NumberAttribute(attr_name="endsAt", null=True)
    last_used_at = NumberAttribute(attr_name="lastUsedAt", null=True)
    revision = NumberAttribute(default=0)
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")

    @classmethod
    def key(cls, user_id: str, credential_id: str) -> "CredentialRecord":
        return cls(keys.consumer(user_id), keys.credential(credential_id))

    @classmethod
    def of(cls, credential: Credential, secret_hash: str) -> "CredentialRecord":
        return cls(
            keys.consumer(credential.consumer_id),
            keys.credential(credential.id),
            credential_shard=keys.shard(credential.id),
            type=credential.type,
            key_id=credential.key_id,
            secret_hash=secret_hash,
            role=credential.role,
            label=credential.label,
            scopes=None if credential.scopes is None else list(credential.scopes),
            is_active=credential.is_active,
            ends_at=_optional_milliseconds(credential.expires_at),
            created_at=milliseconds(credential.created_at),
            updated_at=milliseconds(credential.updated_at),
        )

    def credential(self) -> Credential:
        return Credential(
            id=keys.credential_id(self.sk),
            consumer_id=keys.consumer_id(self.pk),
            type=CredentialType(self.type),
            key_id=self.key_id,
            role=Role(self.role),
            label=self.label,
            scopes=_optional_tuple(self.scopes),
            is_active=self.is_active,
            disabled_by=DeactivatedBy(self.disabled_by) if self.disabled_by else None,
            expires_at=_optional_moment(self.ends_at),
            last_used_at=_optional_moment(self.last_used_at),
            created_at=from_milliseconds(int(self.created_at)),
            updated_at=from_milliseconds(int(self.updated_at)),
            revision=int(self.revision),
        )


class RosterRecord(Record):
    """The ids of the active ADMINs; the attribute is absent before the first."""

    ids = UnicodeSetAttribute(null=True)

    @classmethod
    def key(cls) -> "RosterRecord":
        return cls(keys.ROSTER, keys.ROSTER_SORT)


def spent_texts(session: Session) -> list[str]:
    """How the spent tokens of a session are kept."""
    return [f"{milliseconds(token.good_until)} {token.digest.hex()}" for token in session.spent]


def _spent_token(text: str) -> SpentToken:
    good_until, digest = text.split()
    return SpentToken(bytes.fromhex(digest), from_milliseconds(int(good_until)))


def _optional_milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def _optional_moment(value: float | None) -> datetime | None:
    return None if value is None else from_milliseconds(int(value))


def _optional_tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
