"""What a session or a program has on its way when it is ended: nothing is written any more, whatever let it in."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from gatehouse.accounts.factors import Factor
from gatehouse.accounts.model import SignIn
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.model import Credential, CredentialQuery, CredentialType
from gatehouse.credentials.service import CredentialChanges, Credentials, NewCredential
from gatehouse.errors import GatehouseError, Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.storage.credentials import DynamoCredentials
from tests.contracts.made_up import credentials_on_the_table
from tests.contracts.test_account_ending_races import each_within
from tests.contracts.towns import A_KEY, Town
from tests.stores import Store
from tests.unit.factors import app_code
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, StoppedClock

pytestmark = pytest.mark.long

NEW = "Another-Pass-456"

type Kept = tuple[list[Credential], Factor]


class Theft:
    """An ADMIN with a session of his own and one that a thief holds, and what that may get at."""

    def __init__(self, store: Store, clock: StoppedClock) -> None:
        self.town = Town(store, clock, role=Role.ADMIN)
        self.jane = self.town.add("jane")
        self.own, self.stolen = self.town.login(), self.town.login()
        self.on = self.town.create(self.own).credential
        made = self.town.create(self.own).credential
        caller = self.town.admission.by_session(self.own.access_token, HOME).caller
        self.off = credentials_on_the_table(clock).update(caller, made.id, {"is_active": False})
        self.town.people.passwords.ask_for_reset(self.town.john.email, AT_HOME)
        self.link = self.town.link()
        self.town.people.two_factor.enable(self.thief())

    def thief(self) -> Caller:
        """Who comes with the stolen access token, as the gate lets them in."""
        return self.town.admission.by_session(self.stolen.access_token, HOME).caller

    def create(self, owner: User) -> object:
        return credentials_on_the_table(self.town.clock).create(self.thief(), {**A_KEY, "consumer_id": owner.id})

    def update(self, credential: Credential, changes: CredentialChanges) -> object:
        return credentials_on_the_table(self.town.clock).update(self.thief(), credential.id, changes)

    def rotate(self) -> object:
        return credentials_on_the_table(self.town.clock).rotate(self.thief(), self.on.id, 0)

    def confirm(self) -> object:
        pending = self.kept()[1].pending
        code = "000000" if pending is None else app_code(pending, self.town.clock.now())
        return self.town.people.two_factor.confirm(self.thief(), HOME, code)

    def kept(self) -> Kept:
        """What there is to get at."""
        page = DynamoCredentials().page_credentials(CredentialQuery(), 100, None)
        return [credential for _, credential in page.entries], self.town.account().factor


@pytest.fixture
def theft(dynoxide_store: Store, clock: StoppedClock) -> Theft:
    return Theft(dynoxide_store, clock)


ON_THEIR_WAY: dict[str, Callable[[Theft], object]] = {
    "createCredential": lambda theft: theft.create(theft.town.john),
    "createCredential for another": lambda theft: theft.create(theft.jane),
    "updateCredential wider": lambda theft: theft.update(theft.on, {"scopes": ["system:write"]}),
    "updateCredential on again": lambda theft: theft.update(theft.off, {"is_active": True}),
    "rotateCredential": Theft.rotate,
    "confirmTwoFactor": Theft.confirm,
}


def revoke(theft: Theft) -> None:
    stolen = theft.town.caller(theft.stolen).session_id or ""
    theft.town.people.sessions.revoke(theft.town.caller(theft.own), stolen)


def revoke_all(theft: Theft) -> None:
    theft.town.people.sessions.revoke_all(theft.town.caller(theft.own), include_credentials=False)


def change(theft: Theft) -> SignIn:
    return theft.town.people.passwords.change(theft.town.caller(theft.own), AT_HOME, PASSWORD, NEW)


def reset(theft: Theft) -> None:
    theft.town.people.passwords.reset(theft.link, NEW, AT_HOME)


ENDS: dict[str, Callable[[Theft], object]] = {
    "revokeSession": revoke,
    "revokeAllSessions": revoke_all,
    "changePassword": change,
    "resetPassword": reset,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("act", ON_THEIR_WAY.values(), ids=ON_THEIR_WAY.keys())
def test_a_session_changes_nothing_any_more_once_it_was_ended_however_far_it_had_come(
    theft: Theft, act: Callable[[Theft], object], end: Callable[[Theft], object]
) -> None:
    refusals = [type(outcome) for outcome in refused_within(theft, partial(act, theft), partial(end, theft))]
    assert len(refusals) >= 3
    assert set(refusals) == {Unauthenticated}


def refused_within(theft: Theft, act: Callable[[], object], end: Callable[[], object]) -> Iterator[GatehouseError]:
    """What the act is refused with that the end came before; after the end there was no change in any order."""
    seen: list[Kept] = []

    def ended() -> None:
        end()
        seen.append(theft.kept())

    outcomes: Iterator[tuple[Any, Any]] = each_within(theft.town, act, ended)
    for outcome, inner in outcomes:
        assert inner is None
        assert theft.kept() == seen[-1]
        if isinstance(outcome, GatehouseError):
            yield outcome


class Leak:
    """A key of John's that may make others, and somebody else has it."""

    def __init__(self, theft: Theft) -> None:
        self.theft, self.town = theft, theft.town
        caller = self.town.admission.by_session(theft.own.access_token, HOME).caller
        new = NewCredential(type=CredentialType.KEY_AUTH, scopes=["credentials:write"])
        made = self.credentials.create(caller, new)
        self.credential = made.credential
        self.key = ApiKey(made.credential.key_id, (made.secret or "").partition(".")[2])
        other = NewCredential(type=CredentialType.KEY_AUTH, scopes=[])
        self.other = self.credentials.create(caller, other).credential

    @property
    def credentials(self) -> Credentials:
        return credentials_on_the_table(self.town.clock)

    def caller(self) -> Caller:
        return self.town.admission.by_secret(CredentialType.KEY_AUTH, self.key, HOME).caller


BY_A_PROGRAM: dict[str, Callable[[Leak], object]] = {
    "createCredential": lambda leak: leak.credentials.create(
        leak.caller(), {**A_KEY, "scopes": ["credentials:write"], "key_secret": "chosen, so hashed"}
    ),
    "updateCredential": lambda leak: leak.credentials.update(
        leak.caller(), leak.other.id, {"scopes": ["credentials:write"]}
    ),
    "updateCredential of its own": lambda leak: leak.credentials.update(
        leak.caller(), leak.credential.id, {"scopes": []}
    ),
    "rotateCredential": lambda leak: leak.credentials.rotate(leak.caller(), leak.other.id, 0),
    "rotateCredential of its own": lambda leak: leak.credentials.rotate(leak.caller(), leak.credential.id, 0),
}


def owner_of(leak: Leak) -> Caller:
    return leak.town.admission.by_session(leak.theft.own.access_token, HOME).caller


ENDS_OF_A_PROGRAM: dict[str, Callable[[Leak], object]] = {
    "switched off": lambda leak: leak.credentials.update(owner_of(leak), leak.credential.id, {"is_active": False}),
    "deleted": lambda leak: leak.credentials.delete(owner_of(leak), leak.credential.id),
    "revokeAllSessions": lambda leak: leak.town.people.sessions.revoke_all(owner_of(leak), include_credentials=True),
}


@pytest.mark.parametrize("end", ENDS_OF_A_PROGRAM.values(), ids=ENDS_OF_A_PROGRAM.keys())
@pytest.mark.parametrize("act", BY_A_PROGRAM.values(), ids=BY_A_PROGRAM.keys())
def test_a_program_changes_nothing_any_more_once_it_was_ended_however_far_it_had_come(
    theft: Theft, act: Callable[[Leak], object], end: Callable[[Leak], object]
) -> None:
    leak = Leak(theft)
    assert len(list(refused_within(theft, partial(act, leak), partial(end, leak)))) >= 3
