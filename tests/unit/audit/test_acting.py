"""Who acts, as a request tells it: somebody in a session, a program, nobody, or Gatehouse itself."""

from dataclasses import replace

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.audit import acting
from gatehouse.audit.acting import ITSELF, Who
from gatehouse.audit.model import SYSTEM, Actor, ActorKind, AuditAction, Personal
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from tests.unit.fakes import HOME, StoppedClock, a_user

SALT = b"s" * 32
REQUEST = "request-1"
PERSON = Caller(consumer_id="u", role=Role.MODERATOR, session_id="s", address=HOME, correlation_id=REQUEST)
PROGRAM = Caller(consumer_id="u", role=Role.USER, credential_id="c", address=HOME, correlation_id=REQUEST)
NOBODY = Caller(address=HOME, correlation_id=REQUEST)


@pytest.mark.parametrize(
    ("caller", "who"),
    [
        (
            PERSON,
            Who(kind=ActorKind.PERSON, consumer_id="u", role=Role.MODERATOR, session_id="s"),
        ),
        (PROGRAM, Who(kind=ActorKind.PROGRAM, consumer_id="u", role=Role.USER, credential_id="c")),
        (NOBODY, Who(kind=ActorKind.ANONYMOUS)),
        (
            replace(PERSON, role=Role.USER, lacks_factor=True),
            Who(kind=ActorKind.PERSON, consumer_id="u", role=Role.USER, session_id="s"),
        ),
    ],
    ids=["a person", "a program", "nobody", "a person who lacks a factor"],
)
def test_a_caller_acts_as_the_gate_let_them_in(caller: Caller, who: Who) -> None:
    assert acting.caller(caller) == replace(who, address=HOME, correlation_id=REQUEST)


def test_who_signs_in_acts_in_the_session_that_begins() -> None:
    user = a_user(role=Role.ADMIN)

    assert acting.person(user, "s", Origin(HOME, "curl", REQUEST)) == Who(
        kind=ActorKind.PERSON,
        consumer_id=user.id,
        role=Role.ADMIN,
        session_id="s",
        address=HOME,
        correlation_id=REQUEST,
    )


def test_of_a_stranger_there_is_an_address_and_a_request() -> None:
    assert acting.stranger(Origin(HOME, "curl", REQUEST)) == Who(
        kind=ActorKind.ANONYMOUS, address=HOME, correlation_id=REQUEST
    )


def test_the_recorder_keeps_who_it_was_with_their_address_as_personal() -> None:
    recorder = Recorder(StoppedClock(), salt=lambda: SALT)
    event = recorder.event(AuditAction.SIGNED_OUT, acting.caller(PERSON))

    assert (event.actor, event.correlation_id) == (
        Actor(
            kind=ActorKind.PERSON,
            consumer_id="u",
            role=Role.MODERATOR,
            session_id="s",
            address=Personal(HOME, SALT),
        ),
        REQUEST,
    )
    assert recorder.event(AuditAction.CLEANUP_DONE, ITSELF).actor == SYSTEM
