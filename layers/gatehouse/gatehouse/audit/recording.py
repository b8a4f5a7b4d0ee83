"""Making events: a use case hands what it gets here to its store, which keeps it with what it tells, or not at all."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gatehouse.audit.acting import Who
from gatehouse.audit.model import (
    SALT_BYTES,
    Actor,
    AuditAction,
    AuditEvent,
    Outcome,
    Personal,
    Target,
    TargetType,
    Told,
    Value,
)
from gatehouse.clock import Clock
from gatehouse.credentials.model import Credential
from gatehouse.ids import new_id

PERSONAL = frozenset({"email", "newEmail", "username", "firstName", "lastName", "label", "keyId", "device"})
"""Names of values that tell of a person, or that a person chose."""

PLAIN = frozenset(
    {
        *("role", "kind", "isActive", "deactivatedBy", "emailVerifiedAt", "twoFactorEnabled", "planId", "stage"),
        *("type", "scopes", "expiresAt", "overlapSeconds", "includeCredentials", "reason", "field", "count"),
        *("name", "rateLimit", "windowSeconds", "burstLimit", "quotaLimit", "quotaPeriod", "metersCost", "maxDepth"),
        *("maxCost", "allowedFields", "action", "hour", "leftOut", "version", "overlapEndsAt", "fields"),
        *("lastActiveAt", "considered", "warned", "deactivated", "anonymised", "skipped", "expiring"),
        *("eventsDropped", "failed", "wentOn"),
        *("needsReset", "maskedEmail"),
    }
)
"""Names of values that tell of nobody. A name in neither list is refused: so no secret gets in by being forgotten."""


def a_salt() -> bytes:
    """A salt that nobody can guess."""
    return secrets.token_bytes(SALT_BYTES)


@dataclass(frozen=True)
class Recorder:
    """Makes the events of one deployment."""

    clock: Clock
    salt: Callable[[], bytes] = a_salt

    def event(
        self,
        action: AuditAction,
        who: Who,
        *,
        outcome: Outcome = Outcome.SUCCESS,
        subject_id: str | None = None,
        target: Target | None = None,
        before: Mapping[str, Value] | None = None,
        after: Mapping[str, Value] | None = None,
    ) -> AuditEvent:
        """The event; of `before` and `after` it keeps what is not the same in both. What is missing is None.

        The configuration's names are its own: it holds no secret and tells of nobody. Raises ValueError for a name that
        is known neither as personal nor as plain.
        """
        is_open = action is AuditAction.CONFIGURATION_CHANGED
        old, new = dict(before or {}), dict(after or {})
        same = {name for name in old.keys() | new.keys() if _is_same(old.get(name), new.get(name))}
        now = self.clock.now()
        return AuditEvent(
            id=new_id(now),
            at=now,
            action=action,
            outcome=outcome,
            actor=self._actor(who),
            subject_id=subject_id,
            target=target,
            before={name: self._told(name, value, is_open=is_open) for name, value in old.items() if name not in same},
            after={name: self._told(name, value, is_open=is_open) for name, value in new.items() if name not in same},
            correlation_id=who.correlation_id,
        )

    def of_credential(
        self,
        action: AuditAction,
        who: Who,
        credential: Credential,
        before: Mapping[str, Value] | None = None,
        after: Mapping[str, Value] | None = None,
    ) -> AuditEvent:
        """The same about a credential, and its owner."""
        return self.event(
            action,
            who,
            subject_id=credential.consumer_id,
            target=Target(TargetType.CREDENTIAL, credential.id),
            before=before,
            after=after,
        )

    def _actor(self, who: Who) -> Actor:
        return Actor(
            kind=who.kind,
            consumer_id=who.consumer_id,
            role=who.role,
            session_id=who.session_id,
            credential_id=who.credential_id,
            address=None if who.address is None else Personal(who.address, self.salt()),
        )

    def _told(self, name: str, value: Value, *, is_open: bool) -> Told:
        if is_open or name in PLAIN:
            return value
        if name in PERSONAL:
            return None if value is None else Personal(value, self.salt())
        raise ValueError(f"{name} is known neither as personal nor as plain.")


def _is_same(old: Value, new: Value) -> bool:
    return old == new and type(old) is type(new)  # True is 1, and not the same
