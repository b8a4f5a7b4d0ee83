"""Who acts, as a request tells it: what the actor of an event is made of."""

from dataclasses import dataclass

from gatehouse.accounts.model import Origin
from gatehouse.audit.model import ActorKind
from gatehouse.consumers.model import Role, User
from gatehouse.permissions import Caller


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody who acts; `address` and `correlation_id` are of their request."""

    kind: ActorKind
    consumer_id: str | None = None
    role: Role | None = None
    session_id: str | None = None
    credential_id: str | None = None
    address: str | None = None
    correlation_id: str | None = None


ITSELF = Who(kind=ActorKind.SYSTEM)
"""Gatehouse, or the operator by a command."""


def caller(of: Caller) -> Who:
    """Who is calling."""
    if of.consumer_id is None:
        kind = ActorKind.ANONYMOUS
    else:
        kind = ActorKind.PERSON if of.credential_id is None else ActorKind.PROGRAM
    return Who(
        kind=kind,
        consumer_id=of.consumer_id,
        role=None if of.consumer_id is None else of.role,
        session_id=of.session_id,
        credential_id=of.credential_id,
        address=of.address,
        correlation_id=of.correlation_id,
    )


def person(user: User, session_id: str, origin: Origin) -> Who:
    """A user whose session begins with the request."""
    return Who(
        kind=ActorKind.PERSON,
        consumer_id=user.id,
        role=user.role,
        session_id=session_id,
        address=origin.address,
        correlation_id=origin.correlation_id,
    )


def stranger(origin: Origin) -> Who:
    """Somebody who did not say who they are, or has not shown it."""
    return Who(kind=ActorKind.ANONYMOUS, address=origin.address, correlation_id=origin.correlation_id)
