"""The trail: which events of the audit a caller may see, and what of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from gatehouse.audit.listing import AuditEvents, EventQuery
from gatehouse.audit.model import Actor, AuditAction, AuditEvent, Erased, Outcome, Personal, TargetType, Told, Value
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Forbidden, NotFound
from gatehouse.ids import parse_id
from gatehouse.permissions import Action, Caller, Reach, reach, require, require_on
from gatehouse.persistence import Page

_MILLISECOND = timedelta(milliseconds=1)
_LATEST = datetime.max.replace(tzinfo=UTC) - _MILLISECOND

_OF_THE_ACTOR = frozenset({"device"})
"""What an event tells, before or after, of whoever acted."""


class Users(Protocol):
    """Where consumers are kept."""

    def find_user(self, user_id: str) -> User | None: ...


@dataclass(frozen=True)
class Trail:
    """The use case. Events outlive whom they are about: of who is gone only an ADMIN may ask."""

    events: AuditEvents
    users: Users

    @staticmethod
    def query(
        *,
        consumer_id: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> EventQuery:
        """What is asked for by plain values; as in other lists, neither of the moments is among them."""
        return EventQuery(
            subject_id=consumer_id,
            actor_id=actor_id,
            action=None if action is None else AuditAction(action),
            outcome=None if outcome is None else Outcome(outcome),
            after=None if created_after is None else min(created_after, _LATEST) + _MILLISECOND,
            before=created_before,
        )

    @staticmethod
    def values(told: Mapping[str, Told]) -> dict[str, Value]:
        """What an event tells, by its names; None where it was erased."""
        return {name: value_of(value) for name, value in told.items()}

    def page(self, caller: Caller, query: EventQuery, first: int, after: str | None) -> Page[AuditEvent]:
        """At most `first` events behind the position `after`, newest first, each as far as the caller may know of it.

        Where a USER names nobody, those about themself. Raises BadRequest, NotFound and Forbidden.
        """
        page = self.events.page_events(self._allowed(caller, query), first, after)
        return Page([(position, seen_by(caller, event)) for position, event in page.entries], page.next_position)

    def _allowed(self, caller: Caller, query: EventQuery) -> EventQuery:
        require(caller, Action.READ_AUDIT)
        query = replace(query, subject_id=_known(query.subject_id), actor_id=_known(query.actor_id))
        if reach(caller.role, Action.READ_AUDIT) is Reach.ANYONE:
            return query
        if query.actor_id not in (None, caller.consumer_id):
            # To ask for what somebody did would be a way to find out who did something.
            require_on(caller, Action.READ_AUDIT, self._user(query.actor_id))
            raise Forbidden("Only an ADMIN may ask for what others did.", field="actorId", reason="ROLE")
        if query.subject_id is not None:
            require_on(caller, Action.READ_AUDIT, self._user(query.subject_id))
        elif caller.role is Role.USER:
            query = replace(query, subject_id=caller.consumer_id)
        elif query.actor_id is None:
            raise BadRequest(
                "where.consumerId is needed, or one's own id as actorId: a MODERATOR lists one consumer at a time.",
                field="consumerId",
            )
        return query

    def _user(self, user_id: str) -> User:
        user = self.users.find_user(user_id)
        if user is None:
            raise _no_such_user()
        return user


def seen_by(caller: Caller, event: AuditEvent) -> AuditEvent:
    """The event as far as the caller may know of it: who acted, and from where, is for ADMINs and the actor."""
    if caller.role is Role.ADMIN or _is_actor(caller, event.actor):
        return event
    is_told_sessions = event.subject_id == caller.consumer_id and caller.credential_id is None
    hides_target = not is_told_sessions and event.target is not None and event.target.type is TargetType.SESSION
    return replace(
        event,
        actor=Actor(kind=event.actor.kind, role=event.actor.role),
        target=None if hides_target else event.target,
        before=_without_actor(event.before),
        after=_without_actor(event.after),
    )


def _is_actor(caller: Caller, actor: Actor) -> bool:
    """A program is who acted where it did so itself: what its owner does in sessions is not for it."""
    is_itself = caller.credential_id is None or caller.credential_id == actor.credential_id
    return actor.consumer_id == caller.consumer_id and is_itself


def value_of(told: Told) -> Value:
    """What an event tells; None where it was erased."""
    match told:
        case Personal(value):
            return value
        case Erased():
            return None
        case _:
            return told


def _without_actor(told: Mapping[str, Told]) -> dict[str, Told]:
    return {name: None if name in _OF_THE_ACTOR else value for name, value in told.items()}


def _known(user_id: str | None) -> str | None:
    if user_id is None:
        return None
    known = parse_id(user_id)
    if known is None:
        raise _no_such_user()
    return known


def _no_such_user() -> NotFound:
    return NotFound("There is no such user.")
