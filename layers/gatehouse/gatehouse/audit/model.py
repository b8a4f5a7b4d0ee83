"""An AuditEvent and its words: who did what to whom, from where, and what it changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from gatehouse.consumers.model import Role

type Scalar = str | int | bool | None
type Value = Scalar | tuple[Scalar, ...]

SALT_BYTES = 32


class AuditAction(StrEnum):
    """What was done, or refused."""

    USER_CREATED = "USER_CREATED"
    USER_REGISTERED = "USER_REGISTERED"
    REGISTRATION_ASKED = "REGISTRATION_ASKED"
    INVITED = "INVITED"
    INVITATION_ACCEPTED = "INVITATION_ACCEPTED"
    USER_UPDATED = "USER_UPDATED"
    USER_DELETED = "USER_DELETED"
    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    SIGNED_OUT = "SIGNED_OUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    SESSIONS_REVOKED = "SESSIONS_REVOKED"
    SESSIONS_PRUNED = "SESSIONS_PRUNED"
    """The oldest ended, because another began."""
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105 - the name of an action
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an action
    PASSWORD_RESET_ASKED = "PASSWORD_RESET_ASKED"  # noqa: S105 - the name of an action
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - the name of an action
    EMAIL_VERIFICATION_ASKED = "EMAIL_VERIFICATION_ASKED"
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    EMAIL_CHANGE_ASKED = "EMAIL_CHANGE_ASKED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    TWO_FACTOR_BEGUN = "TWO_FACTOR_BEGUN"
    TWO_FACTOR_ON = "TWO_FACTOR_ON"
    TWO_FACTOR_PROVED = "TWO_FACTOR_PROVED"
    TWO_FACTOR_OFF = "TWO_FACTOR_OFF"
    TWO_FACTOR_RESET = "TWO_FACTOR_RESET"
    ACCOUNT_LOCKED = "ACCOUNT_LOCKED"
    ACCOUNT_UNLOCKED = "ACCOUNT_UNLOCKED"
    ACCOUNT_WARNED = "ACCOUNT_WARNED"
    ACCOUNT_DEACTIVATED = "ACCOUNT_DEACTIVATED"
    ACCOUNT_ANONYMISED = "ACCOUNT_ANONYMISED"
    CREDENTIAL_LOCKED = "CREDENTIAL_LOCKED"
    """For an address that guessed wrong too often."""
    CREDENTIAL_CREATED = "CREDENTIAL_CREATED"
    CREDENTIAL_UPDATED = "CREDENTIAL_UPDATED"
    CREDENTIAL_ROTATED = "CREDENTIAL_ROTATED"
    CREDENTIAL_EXPIRING = "CREDENTIAL_EXPIRING"
    CREDENTIAL_DELETED = "CREDENTIAL_DELETED"
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - the name of an action
    PLAN_CREATED = "PLAN_CREATED"
    PLAN_UPDATED = "PLAN_UPDATED"
    PLAN_DELETED = "PLAN_DELETED"
    PLAN_ASSIGNED = "PLAN_ASSIGNED"
    USAGE_RESET = "USAGE_RESET"
    DATA_EXPORTED = "DATA_EXPORTED"
    FORBIDDEN = "FORBIDDEN"
    REFUSALS_LEFT_OUT = "REFUSALS_LEFT_OUT"
    """How many more refusals there were in an hour than were kept."""
    CONFIGURATION_CHANGED = "CONFIGURATION_CHANGED"
    CLEANUP_DONE = "CLEANUP_DONE"


class Outcome(StrEnum):
    """Whether it was done."""

    SUCCESS = "SUCCESS"
    REFUSED = "REFUSED"


class ActorKind(StrEnum):
    """What sort of actor it was."""

    PERSON = "PERSON"
    PROGRAM = "PROGRAM"
    ANONYMOUS = "ANONYMOUS"
    SYSTEM = "SYSTEM"


class TargetType(StrEnum):
    """What sort of thing, beside a consumer, an event may be about."""

    SESSION = "SESSION"
    CREDENTIAL = "CREDENTIAL"
    PLAN = "PLAN"
    CONFIGURATION = "CONFIGURATION"


@dataclass(frozen=True)
class Personal:
    """A value that tells of a person. Its digest cannot be guessed once the salt is gone."""

    value: Value = field(repr=False)
    salt: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:  # of one length: so no two pairs of salt and value read the same
            raise ValueError(f"A salt has {SALT_BYTES} bytes.")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.salt + json.dumps(self.value).encode("ascii")).hexdigest()

    @property
    def erased(self) -> "Erased":
        return Erased(self.digest)


@dataclass(frozen=True)
class Erased:
    """What is left of a personal value: it was sealed with this digest."""

    digest: str

    @property
    def erased(self) -> "Erased":
        return self


type Private = Personal | Erased
type Told = Value | Private
"""A value in `before` or `after`."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did it, as admission found them; `role` is what they acted with."""

    kind: ActorKind
    consumer_id: str | None = None
    role: Role | None = None
    session_id: str | None = None
    credential_id: str | None = None
    address: Private | None = None


SYSTEM = Actor(kind=ActorKind.SYSTEM)


@dataclass(frozen=True)
class Target:
    """What was acted on, where it is no consumer."""

    type: TargetType
    id: str


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """Something that happened. `subject_id` is the consumer it is about, whose `before` and `after` it tells.

    The id is of version 7 and of the moment `at`. Secrets are left out, and so is what did not change.
    """

    id: str
    at: datetime
    action: AuditAction
    outcome: Outcome = Outcome.SUCCESS
    actor: Actor
    subject_id: str | None = None
    target: Target | None = None
    before: Mapping[str, Told] = field(default_factory=dict)
    after: Mapping[str, Told] = field(default_factory=dict)
    correlation_id: str | None = None

    def without(self, person_id: str) -> "AuditEvent":
        """The event without what tells of this person: only their id is left, as a pseudonym.

        What was done to them by somebody without a name may have been done by themselves: that address goes too.
        """
        is_theirs = self.subject_id == person_id
        actor, before, after = self.actor, self.before, self.after
        if actor.address is not None and (actor.consumer_id == person_id or (is_theirs and actor.consumer_id is None)):
            actor = replace(actor, address=actor.address.erased)
        if is_theirs:
            before, after = _erased(before), _erased(after)
        return replace(self, actor=actor, before=before, after=after)


def _erased(told: Mapping[str, Told]) -> dict[str, Told]:
    return {name: value.erased if isinstance(value, Personal | Erased) else value for name, value in told.items()}
