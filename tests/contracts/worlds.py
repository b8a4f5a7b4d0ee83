"""Accounts with all that goes with them, in memory and on a table: what the suites of their ports run on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from gatehouse.accounts.changes import AccountChange, AccountChanges, AccountFinder, NewAccount
from gatehouse.accounts.factors import TurningOn
from gatehouse.accounts.ledger import Bounds, Ledger
from gatehouse.accounts.lockout import LockoutStore, NotBegun, account
from gatehouse.accounts.model import Account, Session
from gatehouse.accounts.one_use import OneUse, OneUseToken, Purpose, issue
from gatehouse.accounts.programs import ProgramStore
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.accounts.service import AccountStore
from gatehouse.accounts.sessions import SessionStore
from gatehouse.accounts.two_factor import TwoFactorStore
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.consumers.service import ConsumerStore
from gatehouse.credentials.service import CredentialStore
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.storage import keys
from gatehouse.storage.account_changes import DynamoAccountChanges
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.mail import MailRecord
from gatehouse.storage.two_factor import DynamoTwoFactor
from tests.contracts.made_up import new_session, standing_of
from tests.stores import Store
from tests.unit.fakes import HOME, START, MemoryStore, a_user

LATER = START + timedelta(minutes=30)
SECRET = b"a secret of 20 bytes"
JO = "jo@example.com"


class Accounts(AccountStore, SessionStore, AccountFinder, Protocol):
    """The ports of accounts and their sessions."""


class Programs(ProgramStore, CredentialStore, Protocol):
    """The ports of credentials."""


class World(Protocol):
    """Every store that has a part in accounts, on one implementation."""

    accounts: Accounts
    changes: AccountChanges
    consumers: ConsumerStore
    programs: Programs
    factors: TwoFactorStore
    lockouts: LockoutStore

    def mails(self) -> list[Mail]:
        """Everything that was written, the oldest first."""

    def standing(self, user_id: str) -> Standing | None:
        """What the gate knows."""

    def events(self) -> list[AuditEvent]:
        """Everything that is told, the oldest first."""

    def everything(self) -> object:
        """All that is kept; the same as before where nothing was written."""


class InMemory:
    """The fakes that the unit tests run on."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.accounts: Accounts = self.store
        self.changes: AccountChanges = self.store
        self.consumers: ConsumerStore = self.store
        self.programs: Programs = self.store
        self.factors: TwoFactorStore = self.store.factors
        self.lockouts: LockoutStore = self.store.lockouts

    def mails(self) -> list[Mail]:
        return sorted(self.store.mailroom.waiting.values(), key=lambda mail: mail.id)

    def standing(self, user_id: str) -> Standing | None:
        gate = self.store.gates.gates.get(user_id)
        return None if gate is None else gate.standing

    def events(self) -> list[AuditEvent]:
        return sorted(self.store.events, key=lambda event: event.id)

    def everything(self) -> object:
        store, room = self.store, self.store.mailroom
        kept = (store.users, store.hashes, store.counts, store.generations, store.sessions, store.credentials)
        beside = (store.gates.gates, store.factors.factors, store.lockouts.ledgers, room.waiting, room.tokens)
        beside += (store.audit.events, store.plans)
        return [dict(part) for part in (*kept, *beside)], {box: list(at) for box, at in room.times.items() if at}


class OnTheTable:
    """The table that the house is connected to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts: Accounts = DynamoAccounts()
        self.changes: AccountChanges = DynamoAccountChanges()
        self.consumers: ConsumerStore = DynamoConsumers()
        self.programs: Programs = DynamoCredentials()
        self.factors: TwoFactorStore = DynamoTwoFactor()
        self.lockouts: LockoutStore = DynamoLockouts()

    def mails(self) -> list[Mail]:
        return mails_in(self.store)

    def standing(self, user_id: str) -> Standing | None:
        return standing_of(user_id)

    def events(self) -> list[AuditEvent]:
        return self.store.events()

    def everything(self) -> object:
        return self.store.items()


def mails_in(store: Store) -> list[Mail]:
    """The mails in the table, those for nobody too, the oldest first."""
    found = [item for item in store.items() if item["PK"]["S"].startswith("MAIL#")]
    return [
        replace(MailRecord.from_raw_data(dict(item)).mail(), is_for_nobody=item["SK"]["S"] == keys.MAIL_FOR_NOBODY)
        for item in found
    ]


def account_of(world: World, user: User) -> Account:
    """The user's account as it is now."""
    found = world.accounts.find_account_of(user.id)
    assert found is not None
    return found


def began(user: User, *, generation: int = 0, at: datetime = START) -> tuple[Session, RefreshToken]:
    """A session that began at that time, from home, and its first token."""
    return new_session(user, generation=generation, age=START - at)


def ledger_of(world: World, user: User) -> Ledger:
    """What is counted at the user's account."""
    nothing_is_within = Bounds(flying=-9, failed=0, failed_here=0, began_at=0, failed_here_at=0)
    try:
        world.lockouts.begin(account(user.id).name, HOME, nothing_is_within, 0)
    except NotBegun as refusal:
        return refusal.ledger
    return Ledger(flying=1, places={})


def a_mail(kind: MailKind = MailKind.PASSWORD_RESET, to: str = JO, **changes: Any) -> Mail:
    at = changes.get("created_at", START)
    return Mail(**{"id": new_id(at), "kind": kind, "to": to, "created_at": at, **changes})


def a_link(owner: str = "nobody", purpose: Purpose = Purpose.RESET) -> tuple[OneUseToken, OneUse]:
    return issue(purpose, owner, START, payload={"state": "as it is"})


def kept_link(world: World, owner: str = "nobody", purpose: Purpose = Purpose.RESET) -> tuple[OneUseToken, OneUse]:
    """A link that was made, of which no mail tells."""
    link = a_link(owner, purpose)
    world.changes.ask(link[1], [])
    return link


def a_person(world: World, name: str = "john", **changes: Any) -> User:
    """A user with a password, and one session."""
    user = a_user(name, **changes)
    new = NewAccount(user=user, password_hash="hash", session=began(user)[0])
    world.changes.create_account(new, START)
    return user


def changing(world: World, user: User, /, **changes: Any) -> AccountChange:
    """The change of some fields of the user, or of its account."""
    before = account_of(world, user)
    own = {name: changes.pop(name) for name in ("password_hash", "generation", "factor") if name in changes}
    rest = {
        name: changes.pop(name)
        for name in ("session", "uses", "mails", "forgives", "without_programs") & changes.keys()
    }
    after = replace(before.user, revision=before.user.revision + 1, updated_at=LATER, **changes)
    return AccountChange(before=before, after=replace(before, user=after, **own), **rest)


def change(world: World, user: User, /, **changes: Any) -> Account:
    """The account after such a change."""
    world.changes.change_account(changing(world, user, **changes), LATER)
    return account_of(world, user)


def turn_on(world: World, user: User) -> None:
    [session, *_] = world.accounts.sessions_of(user.id)

    def holder() -> Any:
        return world.factors.find_holder(user.id, session.id)

    world.factors.keep_pending(holder(), SECRET)
    world.factors.turn_on(
        holder(), session.id, TurningOn(1, frozenset({b"1" * 32}), START), a_mail(MailKind.TWO_FACTORS_ON)
    )


def refused(world: World, act: Callable[[], object], error: type[Exception]) -> Any:
    """What the act is refused with; nothing was written."""
    before = world.everything()
    with pytest.raises(error) as refusal:
        act()
    assert world.everything() == before
    return refusal.value


def demoted(world: World, admin: User) -> None:
    world.consumers.update_user(admin, replace(admin, role=Role.USER, revision=1), None)
