"""Roles that take two factors: their rights are of the session that has seen a code, and of none beside it."""

import base64

import pytest

from gatehouse.accounts.model import SignIn
from gatehouse.admission.service import Admission
from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from tests.contracts.towns import Town
from tests.stores import Store
from tests.unit.factors import app_code
from tests.unit.fakes import HOME, StoppedClock, the_settings


class Office:
    """John, an ADMIN, where they take two factors, and one function that remembers whom it let in."""

    def __init__(self, store: Store, clock: StoppedClock) -> None:
        self.town = Town(store, clock, role=Role.ADMIN)
        self.town.settings = the_settings(TWO_FACTOR_ROLES="ADMIN", THROTTLE_LIMIT="1000000")
        self.admission: Admission = self.town.admission

    def caller(self, signed: SignIn) -> Caller:
        return self.admission.by_session(signed.access_token, HOME).caller

    def rights(self, *signed: SignIn) -> list[tuple[Role, bool]]:
        """The role that each session has, and whether it lacks a factor."""
        return [(caller.role, caller.lacks_factor) for caller in map(self.caller, signed)]

    def turn_on(self, signed: SignIn) -> bytes:
        told = self.town.people.two_factor.enable(self.caller(signed))
        secret = base64.b32decode(told.secret)
        self.confirm(signed, secret)
        return secret

    def confirm(self, signed: SignIn, secret: bytes) -> None:
        code = app_code(secret, self.town.clock.now())
        self.town.people.two_factor.confirm(self.caller(signed), HOME, code)


@pytest.fixture
def office(dynoxide_store: Store, clock: StoppedClock) -> Office:
    return Office(dynoxide_store, clock)


FULL, LACKING = (Role.ADMIN, False), (Role.USER, True)


def test_a_session_that_never_saw_a_code_gains_nothing_by_one_that_another_was_given(office: Office) -> None:
    stolen, own = office.town.login(), office.town.login()
    assert office.rights(stolen, own) == [LACKING, LACKING]
    secret = office.turn_on(own)
    assert office.rights(stolen, own) == [LACKING, FULL]
    office.town.clock.advance(minutes=1)
    office.confirm(own, secret)
    assert office.rights(stolen, own) == [LACKING, FULL]


def test_a_code_counts_on_the_next_request_also_where_the_session_is_remembered(office: Office) -> None:
    first, second = office.town.login(), office.town.login()
    secret = office.turn_on(second)
    assert office.rights(first, second) == [LACKING, FULL]
    office.town.clock.advance(minutes=1)
    office.confirm(first, secret)
    assert office.rights(first, second) == [FULL, FULL]
    office.town.clock.advance(minutes=20)
    assert office.rights(first, second) == [FULL, FULL]


def test_without_the_factor_no_session_has_the_rights_whatever_it_saw(office: Office) -> None:
    own = office.town.login()
    secret = office.turn_on(own)
    office.town.clock.advance(minutes=1)
    office.town.people.two_factor.disable(office.caller(own), HOME, app_code(secret, office.town.clock.now()))
    assert office.rights(own) == [LACKING]
