"""Consumers in the table: profile, sessions, claims on names, and the roster of ADMINs."""

from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from gatehouse.accounts.factors import Factor
from gatehouse.accounts.model import Account, Origin, Session, SpentToken, place
from gatehouse.clock import from_milliseconds, milliseconds, optional_milliseconds, optional_moment
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, User
from gatehouse.storage import keys
from gatehouse.storage.schema import Record


class ProfileRecord(Record):
    """A consumer. `sessions` never is below the number of live sessions, `credentials` is that of active ones,
    `kept` that of all that are not deleted, and `numbered` that of all ever made.

    `generation` is the gate's, written with it. `signed_in_at` is here for the sweep, and not at the gate: so a sign-in
    never waits for the requests that are counted there.
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
    plan_id = UnicodeAttribute(attr_name="planId", null=True)
    email_verified_at = NumberAttribute(attr_name="emailVerifiedAt", null=True)
    password_changed_at = NumberAttribute(attr_name="passwordChangedAt", null=True)
    sessions = NumberAttribute(default=0)
    credentials = NumberAttribute(default=0)
    kept = NumberAttribute(default=0)
    numbered = NumberAttribute(default=0)
    generation = NumberAttribute(default=0)
    revision = NumberAttribute(default=0)
    totp_secret = BinaryAttribute(legacy_encoding=False, attr_name="totpSecret", null=True)
    totp_pending = BinaryAttribute(legacy_encoding=False, attr_name="totpPending", null=True)
    totp_step = NumberAttribute(attr_name="totpStep", null=True)
    recovery = BinarySetAttribute(legacy_encoding=False, null=True)  # digests
    places = BinarySetAttribute(legacy_encoding=False, null=True)
    signed_in_at = NumberAttribute(attr_name="signedInAt", null=True)
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")

    @classmethod
    def key(cls, user_id: str) -> "ProfileRecord":
        return cls(keys.consumer(user_id), keys.PROFILE)

    @classmethod
    def of(cls, user: User, password_hash: str | None, session: Session | None) -> "ProfileRecord":
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
            email_verified_at=optional_milliseconds(user.email_verified_at),
            password_changed_at=optional_milliseconds(user.password_changed_at),
            sessions=0 if session is None else 1,
            places=None if session is None else {place(user.id, session.origin.address)},
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
            plan_id=self.plan_id,
            email_verified_at=optional_moment(self.email_verified_at),
            password_changed_at=optional_moment(self.password_changed_at),
            two_factor_enabled=self.totp_secret is not None,
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
            factor=self.factor(),
            places=frozenset(self.places or ()),
        )

    def factor(self) -> Factor:
        return Factor(
            secret=self.totp_secret,
            pending=self.totp_pending,
            step=int(self.totp_step or 0),
            recovery=frozenset(self.recovery or ()),
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


class SessionRecord(Record):
    """A person signed in, and where the chain of refresh tokens stands; digests only."""

    generation = NumberAttribute()
    address = UnicodeAttribute()
    device = UnicodeAttribute()
    created_at = NumberAttribute(attr_name="createdAt")
    used_at = NumberAttribute(attr_name="usedAt")
    expires = NumberAttribute()  # seconds: the table's TTL attribute
    salt = BinaryAttribute(legacy_encoding=False)
    used = NumberAttribute()
    next_digest = BinaryAttribute(legacy_encoding=False, attr_name="nextDigest")
    used_digest = BinaryAttribute(legacy_encoding=False, attr_name="usedDigest", null=True)
    spent: ListAttribute[Any] = ListAttribute(default=list)  # "<good until> <digest>", the latest first
    proved_at = NumberAttribute(attr_name="twoFactorAt", null=True)

    @classmethod
    def key(cls, user_id: str, session_id: str) -> "SessionRecord":
        return cls(keys.consumer(user_id), keys.session(session_id))

    @classmethod
    def of(cls, session: Session) -> "SessionRecord":
        return cls(
            keys.consumer(session.user_id),
            keys.session(session.id),
            generation=session.generation,
            address=session.origin.address,
            device=session.origin.device,
            created_at=milliseconds(session.created_at),
            used_at=milliseconds(session.used_at),
            expires=int(session.expires_at.timestamp()),
            salt=session.salt,
            used=session.used,
            next_digest=session.next_digest,
            used_digest=session.used_digest,
            spent=spent_texts(session),
            proved_at=optional_milliseconds(session.proved_at),
        )

    def session(self) -> Session:
        return Session(
            id=keys.session_id(self.sk),
            user_id=keys.consumer_id(self.pk),
            generation=int(self.generation),
            origin=Origin(self.address, self.device),
            created_at=from_milliseconds(int(self.created_at)),
            used_at=from_milliseconds(int(self.used_at)),
            expires_at=from_milliseconds(int(self.expires) * 1000),
            salt=self.salt,
            used=int(self.used),
            next_digest=self.next_digest,
            used_digest=self.used_digest,
            spent=tuple(_spent_token(text) for text in self.spent),
            proved_at=optional_moment(self.proved_at),
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
