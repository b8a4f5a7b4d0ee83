"""Made-up people, their sessions and their keys, and how several calls are made at once."""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

from gatehouse.accounts.lockout import account
from gatehouse.accounts.model import Entrance, Session
from gatehouse.accounts.refresh import RefreshToken, start_session
from gatehouse.accounts.service import Accounts
from gatehouse.admission.service import Admission
from gatehouse.clock import Clock
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.service import Credentials
from gatehouse.ids import new_id
from gatehouse.plans.memory import RememberedPlans
from gatehouse.settings import Settings
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.guesses import DynamoGuesses
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.plans import DynamoPlans
from tests.unit.fakes import (
    CHALLENGES,
    HASHER,
    HOME,
    POLICY,
    SESSION_TOKENS,
    START,
    TOKENS,
    no_code_needed,
    the_admission,
    the_guard,
    the_settings,
)

MONTH = timedelta(days=30)
NOBODY = str(uuid.UUID(int=0))


def new_session(user: User, *, generation: int = 0, age: timedelta = timedelta()) -> tuple[Session, RefreshToken]:
    """A session that was opened so long before the start, good for 30 days, and its first token."""
    at = START - age
    return start_session(new_id(at), user.id, generation, at, MONTH)


def a_session(user: User, *, generation: int = 0, age: timedelta = timedelta()) -> Session:
    """Such a session alone."""
    return new_session(user, generation=generation, age=age)[0]


def a_credential(owner: User, key_id: str = "mobile-app", **changes: Any) -> Credential:
    """An active key of the owner, as their first, with nothing that need not be."""
    known = Credential(
        id=new_id(START),
        consumer_id=owner.id,
        type=CredentialType.KEY_AUTH,
        key_id=key_id,
        number=1,
        role=owner.role,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    return replace(known, **changes)


def an_admin(name: str, keep: DynamoConsumers) -> User:
    """An ADMIN who is kept."""
    user = User(
        id=new_id(START),
        username=name,
        email=f"{name}@example.com",
        role=Role.ADMIN,
        created_at=START,
        updated_at=START,
    )
    keep.create_user(user, None)
    return user


def changed(user: User, **changes: Any) -> User:
    """The user after a change, as the use cases hand it to the store."""
    return replace(user, revision=user.revision + 1, updated_at=START + timedelta(hours=1), **changes)


def standing_of(user_id: str) -> Standing | None:
    """What the gate knows of a consumer."""
    gate, _ = DynamoAdmission().find_gate_and_session(user_id, NOBODY)
    return None if gate is None else gate.standing


def entrance(new_hash: str | None = None, *, of: User | None = None) -> Entrance:
    """Somebody comes in from home, who has no failures there."""
    ledger = "account/anybody" if of is None else account(of.id).name
    return Entrance(ledger=ledger, address=HOME, new_hash=new_hash)


def accounts_on_the_table(clock: Clock) -> Accounts:
    guard = the_guard(DynamoLockouts(), the_settings())
    return Accounts(DynamoAccounts(), clock, HASHER, POLICY, SESSION_TOKENS, MONTH, guard, CHALLENGES)


class GatesOnTheTable(DynamoGates, DynamoGuesses):
    """Gates and guesses in one, as the fakes have them."""


def admission_on_the_table(clock: Clock, settings: Settings | None = None) -> Admission:
    """The gate as a function has it that has seen nothing yet."""
    find_plan = RememberedPlans(DynamoPlans().find_plan, clock).find
    return the_admission(DynamoAdmission(), GatesOnTheTable(), clock, settings, find_plan)


def consumers_on_the_table(clock: Clock) -> Consumers:
    return Consumers(DynamoConsumers(), clock, HASHER, POLICY)


def credentials_on_the_table(clock: Clock) -> Credentials:
    return Credentials(DynamoCredentials(), clock, Issuer(HASHER, TOKENS, chosen_secrets=True), True, no_code_needed)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call answered or raised, all of them started at the same moment in threads of their own."""
    barrier = Barrier(len(calls))

    def make(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - it is the answer
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(make, calls))
