"""Events as the stores in memory keep them together, and how a test says what it expects of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gatehouse.audit.model import SALT_BYTES, Actor, ActorKind, AuditAction, AuditEvent, Personal, Told, Value
from gatehouse.audit.refusals import Tally
from gatehouse.permissions import Caller
from tests.unit.audit.kept import MemoryRefusals

NO_SALT = bytes(SALT_BYTES)


class Events(list[AuditEvent]):
    """Some events, in the order in which they were kept."""

    def told(self) -> list[AuditEvent]:
        """The same without what no test can foresee: ids and salts."""
        return [told(event) for event in self]


@dataclass
class KeptEvents(MemoryRefusals):
    """Everything that is kept of what happens in a house, in one write with what it tells of, or by itself.

    `calls` has the names of the writes that are made for an event alone.
    """

    calls: list[str] = field(default_factory=list, compare=False)

    def add(self, event: AuditEvent | None) -> None:
        """Keeps it with something else; a test that is not about events gives none."""
        if event is not None:
            super().keep_event(event)

    def keep_event(self, event: AuditEvent) -> None:
        self.calls.append("keep_event")
        super().keep_event(event)

    def count_refusal(self, tally: Tally) -> Tally:
        self.calls.append("count_refusal")
        return super().count_refusal(tally)

    def in_order(self) -> Events:
        return Events(self.events.values())


def told(event: AuditEvent) -> AuditEvent:
    """The event without its id and its salts."""
    actor = event.actor
    if isinstance(actor.address, Personal):
        actor = replace(actor, address=personal(actor.address.value))
    return replace(event, id="", actor=actor, before=_unsalted(event.before), after=_unsalted(event.after))


def an_expected(action: AuditAction, **told: Any) -> AuditEvent:
    """An event as it is told."""
    return AuditEvent(id="", action=action, **told)


def personal(value: Value) -> Personal:
    """A value that tells of a person, in an event that is told."""
    return Personal(value, NO_SALT)


def by(caller: Caller) -> Actor:
    """The actor that a caller with a session, or a credential, is in an event."""
    return Actor(
        kind=ActorKind.PERSON if caller.credential_id is None else ActorKind.PROGRAM,
        consumer_id=caller.consumer_id,
        role=caller.role,
        session_id=caller.session_id,
        credential_id=caller.credential_id,
        address=None if caller.address is None else personal(caller.address),
    )


def by_a_stranger(address: str) -> Actor:
    """The actor that somebody is who did not say who they are."""
    return Actor(kind=ActorKind.ANONYMOUS, address=personal(address))


def _unsalted(values: Mapping[str, Told]) -> dict[str, Told]:
    return {name: personal(value.value) if isinstance(value, Personal) else value for name, value in values.items()}
