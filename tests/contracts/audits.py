"""Events of many kinds, for the suites of the audit's stores."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gatehouse.audit.listing import AuditEvents, EventQuery
from gatehouse.audit.model import (
    SYSTEM,
    Actor,
    ActorKind,
    AuditAction,
    AuditEvent,
    Erased,
    Outcome,
    Personal,
    Target,
    TargetType,
)
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role
from gatehouse.ids import lowest_id
from gatehouse.storage.audit import EventRecord
from tests.unit.audit.logs import ADMIN, PERSON
from tests.unit.fakes import START

SALT = b"0123456789abcdef" * 2
A_STRANGER = Actor(kind=ActorKind.ANONYMOUS, address=Personal("192.0.2.9", SALT))
AN_ADMIN = Actor(
    kind=ActorKind.PERSON,
    consumer_id=ADMIN,
    role=Role.ADMIN,
    session_id=lowest_id(5),
    address=Personal("192.0.2.1", SALT),
)
A_PROGRAM = replace(AN_ADMIN, kind=ActorKind.PROGRAM, session_id=None, credential_id=lowest_id(6))


def told(number: int, **changes: Any) -> AuditEvent:
    """The event of a second, of which only that is told that `changes` says."""
    at = START + timedelta(seconds=number)
    event_id = lowest_id(milliseconds(at))[:-4] + f"{number % 65536:04x}"
    return AuditEvent(**{"id": event_id, "at": at, "action": AuditAction.SIGNED_OUT, "actor": SYSTEM, **changes})


ALL_SORTS = [
    told(1),
    told(
        2,
        action=AuditAction.USER_UPDATED,
        actor=AN_ADMIN,
        subject_id=PERSON,
        before={"username": Personal("Jürgen \ud83d", SALT), "isActive": True, "count": 0},
        after={"username": Personal(None, SALT), "isActive": False, "count": None},
        correlation_id="c",
    ),
    told(
        3,
        action=AuditAction.CREDENTIAL_CREATED,
        actor=A_PROGRAM,
        subject_id=ADMIN,
        target=Target(TargetType.CREDENTIAL, lowest_id(7)),
        after={"scopes": ("users:read", "users:write"), "empty": (), "label": Personal(("a", 1, None), SALT)},
    ),
    told(4, action=AuditAction.SIGN_IN_FAILED, outcome=Outcome.REFUSED, actor=A_STRANGER, subject_id=PERSON),
    told(5, action=AuditAction.FORBIDDEN, outcome=Outcome.REFUSED, actor=replace(AN_ADMIN, address=Erased("0" * 64))),
    told(6, after={"email": Erased("f" * 64), "flags": (True, 1, "1", None), "big": 2**70}),
]


def keep(*events: AuditEvent) -> None:
    """Puts the events into the table, many at once."""
    with EventRecord.batch_write() as batch:
        for event in events:
            batch.save(EventRecord.of(event))


def all_of(kept: AuditEvents, query: EventQuery, first: int = 3) -> list[AuditEvent]:
    """All events of the list, page by page."""
    found: list[AuditEvent] = []
    position = None
    while True:
        page = kept.page_events(query, first, position)
        assert len(page.entries) <= first
        found += [event for _, event in page.entries]
        position = page.next_position
        if position is None:
            return found
