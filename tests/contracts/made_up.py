"""Made-up people, their sessions and their keys, and how several calls are made at once."""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.lockout import account
from gatehouse.accounts.model import Entrance, Session, SignIn, place
from gatehouse.accounts.refresh import RefreshToken, start_session
from gatehouse.admission.service import Admission
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.clients import Clients
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.service import Credentials
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.plans.memory import RememberedPlans
from gatehouse.settings import Settings
from gatehouse.storage.account_changes import DynamoAccountChanges
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.plans import DynamoPlans
from gatehouse.storage.tokens import DynamoTokens
from gatehouse.wiring import configured
from gatehouse.wiring.people import People, build_people, in_the_table
from tests.unit.fakes import (
    AT_HOME,
    HASHER,
    PASSWORD,
    POLICY,
    START,
    TOKENS,
    StoppedClock,
    no_code_needed,
    the_admission,
    the_settings,
)
from tests.unit.post import SEAL, the_writer

MONTH = timedelta(days=30)
NOBODY = str(uuid.UUID(int=0))


def new_session(user: User, *, generation: int = 0, age: timedelta = timedelta()) -> tuple[Session, RefreshToken]:
    """A session that was opened so long before the start, good for 30 days, and its first token."""
    at = START - age
    return start_session(user.id, generation=generation, origin=AT_HOME, now=at, lifetime=MONTH)


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


def keep_account(user: User, session: Session | None = None, password_hash: str | None = "hash") -> None:
    """Keeps an account that is opened with a session."""
    new = NewAccount(user=user, password_hash=password_hash, session=session)
    DynamoAccountChanges().create_account(new, START)


def a_notice(kind: MailKind = MailKind.TWO_FACTORS_ON, to: str = "john@example.com") -> Mail:
    """A mail that tells an owner of a change, and takes no link."""
    return the_writer(StoppedClock()).write(kind, to)


def standing_of(user_id: str) -> Standing | None:
    """What the gate knows of a consumer."""
    gate, _ = DynamoAdmission().find_gate_and_session(user_id, NOBODY)
    return None if gate is None else gate.standing


def at_home(user: User) -> frozenset[bytes]:
    """What is remembered of a user who was at home alone."""
    return frozenset({place(user.id, AT_HOME.address)})


def entrance(new_hash: str | None = None, *, of: User | None = None) -> Entrance:
    """Somebody comes in from home, who has no failures there."""
    ledger = "account/anybody" if of is None else account(of.id).name
    return Entrance(ledger=ledger, new_hash=new_hash)


def people_on_the_table(clock: Clock, settings: Settings | None = None) -> People:
    """What people meet who sign up and sign in, with nothing remembered yet."""
    known = settings or the_settings()
    current = configured.remembered(known, clock).current
    return build_people(known, clock, TOKENS, SEAL, in_the_table(), current=current)


def register(people: People, name: str) -> SignIn:
    """Who opens an account of that name."""
    new: NewUser = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    signed = people.registration.register(new, AT_HOME)
    assert signed is not None
    return signed


def admission_on_the_table(clock: Clock, settings: Settings | None = None) -> Admission:
    """The gate as a function has it that has seen nothing yet."""
    known = settings or the_settings()
    find_plan = RememberedPlans(DynamoPlans().find_plan, clock).find
    current = configured.remembered(known, clock).current
    return the_admission(DynamoAdmission(), DynamoGates(), DynamoLockouts(), clock, known, find_plan, current)


def consumers_on_the_table(clock: Clock) -> Consumers:
    return Consumers(DynamoConsumers(), clock, HASHER, POLICY, the_writer(clock), Recorder(clock), no_code_needed)


def clients_on_the_table(clock: Clock) -> Clients:
    """The OAuth2 clients of a function that shares the table."""
    return Clients(DynamoTokens(), clock, TOKENS, Recorder(clock))


def credentials_on_the_table(clock: Clock) -> Credentials:
    return Credentials(
        DynamoCredentials(), clock, Issuer(HASHER, TOKENS, chosen_secrets=True), Recorder(clock), True, no_code_needed
    )


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
