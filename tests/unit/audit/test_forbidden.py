"""What a caller was forbidden is kept with what they wanted, a few an hour."""

from dataclasses import replace

import pytest

from gatehouse.audit.forbidden import ForbiddenCalls
from gatehouse.audit.model import AuditAction, Outcome
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import KEPT_AN_HOUR, Refusals
from gatehouse.consumers.model import User
from tests.unit.events import KeptEvents, an_expected, by
from tests.unit.fakes import HOME, START, StoppedClock, a_user
from tests.unit.people import REQUEST, a_program, asking


@pytest.fixture
def kept() -> KeptEvents:
    return KeptEvents()


@pytest.fixture
def calls(kept: KeptEvents, clock: StoppedClock) -> ForbiddenCalls:
    return ForbiddenCalls(Recorder(clock), Refusals(kept))


@pytest.fixture
def john() -> User:
    return a_user("john")


def test_it_is_told_with_the_fields_and_the_reasons(calls: ForbiddenCalls, kept: KeptEvents, john: User) -> None:
    caller = asking(john)

    calls.keep(caller, ["deleteUser", "users"], {"SCOPE", "ROLE"})

    assert kept.in_order().told() == [
        an_expected(
            AuditAction.FORBIDDEN,
            at=START,
            outcome=Outcome.REFUSED,
            actor=by(caller),
            subject_id=john.id,
            after={"fields": ("deleteUser", "users"), "reason": "ROLE, SCOPE"},
            correlation_id=REQUEST,
        )
    ]


def test_without_a_reason_none_is_told_and_of_many_fields_ten(
    calls: ForbiddenCalls, kept: KeptEvents, john: User
) -> None:
    calls.keep(asking(john), ["me"] * 50, [])

    [event] = kept.in_order()
    assert event.after == {"fields": ("me",) * 10}


def test_of_one_caller_ten_an_hour_are_kept_wherever_and_by_whatever_they_come(
    calls: ForbiddenCalls, kept: KeptEvents, john: User
) -> None:
    for number in range(2 * KEPT_AN_HOUR):
        program = replace(a_program(john), address=f"192.0.2.{number}")
        calls.keep(program if number % 2 else asking(john), ["users"], {"ROLE"})
    calls.keep(asking(a_user("jane")), ["users"], {"ROLE"})

    assert [event.subject_id for event in kept.in_order()][:-1] == [john.id] * KEPT_AN_HOUR
    assert sorted(tally.refused for tally in kept.tallies()) == [1, 2 * KEPT_AN_HOUR]
    assert HOME in {event.actor.address.value for event in kept.in_order()}  # type: ignore[union-attr]
