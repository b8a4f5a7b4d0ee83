"""Everything that is kept of a consumer, for themselves: as JSON, without what only recognises them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from gatehouse.accounts.changes import AccountFinder
from gatehouse.accounts.model import Session
from gatehouse.admission.gate import SESSIONS
from gatehouse.admission.model import Gate
from gatehouse.audit import acting, told
from gatehouse.audit.listing import EventQuery
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.audit.trail import Trail, value_of
from gatehouse.clock import Clock
from gatehouse.consumers.belongings import BelongingStore
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Page
from gatehouse.plans.model import UsagePlan

MOST_EVENTS = 1_000
"""How many events are told of, the newest; the rest is listed by `auditEvents`."""

_PAGE = 100
_DAYS = 400
"""How long the usage of a day is kept."""


class SessionStore(Protocol):
    def sessions_of(self, user_id: str) -> Sequence[Session]: ...


class CredentialStore(Protocol):
    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]: ...


class UsageStore(Protocol):
    def find_gate(self, user_id: str) -> Gate | None: ...

    def find_plan(self, plan_id: str) -> UsagePlan | None: ...

    def find_days(self, user_id: str, first: date, last: date) -> Mapping[date, Mapping[str, int]]: ...


class EventStore(Protocol):
    def keep_event(self, event: AuditEvent) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Export:
    """The use case."""

    accounts: AccountFinder
    sessions: SessionStore
    credentials: CredentialStore
    usage: UsageStore
    waiting: BelongingStore
    events: EventStore
    trail: Trail
    recorder: Recorder
    clock: Clock

    def of(self, caller: Caller) -> dict[str, Any]:
        """What is kept of the caller; that they asked for it is kept as well."""
        require(caller, Action.EXPORT_DATA)
        user_id = caller.consumer_id or ""
        account = self.accounts.find_account_of(user_id)
        if account is None:
            raise Unauthenticated("The account is gone.")
        self.events.keep_event(
            self.recorder.event(AuditAction.DATA_EXPORTED, acting.caller(caller), subject_id=user_id)
        )
        user, now = account.user, self.clock.now()
        today = now.date()
        gate = self.usage.find_gate(user_id)
        plan = None if user.plan_id is None else self.usage.find_plan(user.plan_id)
        waiting = self.waiting.find_waiting(user_id, user.email)
        about = self._newest(caller, EventQuery(subject_id=user_id))
        by = self._newest(caller, EventQuery(actor_id=user_id)) if caller.role is not Role.USER else []
        return {
            "exportedAt": told.moment(now),
            "profile": _profile(user) | {"knownPlaces": len(account.places)},
            "usagePlan": None if plan is None else told.plan(plan),
            "sessions": [
                _session(session) | {"isLive": session.generation == account.generation and now < session.expires_at}
                for session in self.sessions.sessions_of(user_id)
            ],
            "credentials": [_credential(credential) for credential in self._credentials(user_id)],
            "requestsToday": {} if gate is None else _requests(gate.usage),
            "requestsByDay": {
                day.isoformat(): _requests(requests)
                for day, requests in self.usage.find_days(user_id, today - timedelta(days=_DAYS), today).items()
            },
            "mailsWaiting": [{"kind": kind.value, "writtenAt": told.moment(at)} for kind, at in waiting.mails],
            "linksWaiting": [{"purpose": purpose.value, "endsAt": told.moment(at)} for purpose, at in waiting.links],
            "eventsAboutYou": [_event(event) | _changes(event) for event in about],
            "eventsByYou": [_event(event) for event in by if event.subject_id != user_id],
        }

    def _credentials(self, user_id: str) -> Iterator[Credential]:
        query, after, goes_on = CredentialQuery(consumer_id=user_id), None, True
        while goes_on:
            page = self.credentials.page_credentials(query, _PAGE, after)
            yield from (credential for _, credential in page.entries)
            after = page.next_position
            goes_on = after is not None

    def _newest(self, caller: Caller, query: EventQuery) -> list[AuditEvent]:
        found: list[AuditEvent] = []
        after, goes_on = None, True
        while goes_on and len(found) < MOST_EVENTS:
            page = self.trail.page(caller, query, _PAGE, after)
            found += [event for _, event in page.entries]
            after = page.next_position
            goes_on = after is not None
        return found


def _profile(user: User) -> told.Fields:
    return {
        "id": user.id,
        **told.user(user),
        "twoFactorEnabled": user.two_factor_enabled,
        "passwordChangedAt": told.moment(user.password_changed_at),
        "createdAt": told.moment(user.created_at),
        "updatedAt": told.moment(user.updated_at),
    }


def _session(session: Session) -> told.Fields:
    return {
        "id": session.id,
        "address": session.origin.address,
        "device": session.origin.device,
        "createdAt": told.moment(session.created_at),
        "lastUsedAt": told.moment(session.used_at),
        "expiresAt": told.moment(session.expires_at),
    }


def _requests(counted: Mapping[str, int]) -> dict[str, int]:
    """How often, by the numbers of the credentials, and of all sessions together."""
    return {"sessions" if number == SESSIONS else number: times for number, times in counted.items()}


def _credential(credential: Credential) -> told.Fields:
    return {
        "id": credential.id,
        "number": credential.number,
        **told.credential(credential),
        "createdAt": told.moment(credential.created_at),
        "updatedAt": told.moment(credential.updated_at),
        "lastUsedAt": told.moment(credential.last_used_at),
    }


def _event(event: AuditEvent) -> dict[str, Any]:
    """An event without what it tells of whoever it is about, who may be somebody else."""
    actor, target = event.actor, event.target
    return {
        "id": event.id,
        "createdAt": told.moment(event.at),
        "action": event.action.value,
        "outcome": event.outcome.value,
        "actor": {
            "kind": actor.kind.value,
            "role": None if actor.role is None else actor.role.value,
            "id": actor.consumer_id,
            "address": None if actor.address is None else value_of(actor.address),
            "sessionId": actor.session_id,
            "credentialId": actor.credential_id,
        },
        "subjectId": event.subject_id,
        "target": None if target is None else {"type": target.type.value, "id": target.id},
        "correlationId": event.correlation_id,
    }


def _changes(event: AuditEvent) -> dict[str, Any]:
    return {
        "before": {name: value_of(value) for name, value in event.before.items()},
        "after": {name: value_of(value) for name, value in event.after.items()},
    }
