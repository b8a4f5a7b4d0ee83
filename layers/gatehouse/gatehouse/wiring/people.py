"""The part of the object graph that people meet who sign up and sign in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from gatehouse.accounts import qr
from gatehouse.accounts.challenges import Challenges
from gatehouse.accounts.changes import AccountChanges
from gatehouse.accounts.emails import Emails
from gatehouse.accounts.guard import Addresses, Guard
from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lock_notices import LockNotices, NoticeStore
from gatehouse.accounts.lockout import Lockout, LockoutStore
from gatehouse.accounts.password_changes import PasswordChanges
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.accounts.programs import Programs, ProgramStore
from gatehouse.accounts.registration import Registration
from gatehouse.accounts.service import Accounts, AccountStore
from gatehouse.accounts.sessions import Sessions, SessionStore
from gatehouse.accounts.sign_ins import SignIns
from gatehouse.accounts.tokens import SessionTokens
from gatehouse.accounts.two_factor import TwoFactor, TwoFactorStore
from gatehouse.accounts.unlocking import Unlocking, UserStore
from gatehouse.audit.failed_sign_ins import FailedSignIns
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import Refusals
from gatehouse.clock import Clock
from gatehouse.mail.sealing import Seal
from gatehouse.mail.writing import Writer
from gatehouse.settings import Settings
from gatehouse.storage.account_changes import DynamoAccountChanges
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.mail import DynamoMails
from gatehouse.storage.refusals import DynamoRefusals
from gatehouse.storage.two_factor import DynamoTwoFactor
from gatehouse.tokens import Tokens
from gatehouse.wiring import configured
from gatehouse.wiring.configured import Current
from gatehouse.wiring.graph import password_policy


@dataclass(frozen=True, kw_only=True)
class People:
    """The use cases of people."""

    accounts: Accounts
    registration: Registration
    passwords: PasswordChanges
    emails: Emails
    sessions: Sessions
    two_factor: TwoFactor
    unlocking: Unlocking
    writer: Writer
    refusals: Refusals


class SignInStore(AccountStore, SessionStore, Protocol):
    """Accounts and their sessions."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where everything is kept that they need."""

    accounts: SignInStore
    changes: AccountChanges
    programs: ProgramStore
    users: UserStore
    factors: TwoFactorStore
    lockouts: LockoutStore
    notices: NoticeStore
    refusals: Refusals


def in_the_table() -> Stores:
    """The stores of the table that is connected."""
    return Stores(
        accounts=DynamoAccounts(),
        changes=DynamoAccountChanges(),
        programs=DynamoCredentials(),
        users=DynamoConsumers(),
        factors=DynamoTwoFactor(),
        lockouts=DynamoLockouts(),
        notices=DynamoMails(),
        refusals=Refusals(DynamoRefusals()),
    )


def build_people(
    settings: Settings, clock: Clock, tokens: Tokens, seal: Seal, stores: Stores, *, current: Current
) -> People:
    """Them all; `current` tells the configuration that is in force."""
    hasher = PasswordHasher(settings.bcrypt_rounds)
    policy = password_policy(settings)
    writer, recorder = Writer(clock, seal), Recorder(clock)
    accounts, changes, programs = stores.accounts, stores.changes, Programs(stores.programs, recorder)
    rules = Rules(
        per_address=settings.guess_limit,
        in_all=settings.guess_limit_account,
        first_lock=timedelta(seconds=settings.guess_seconds),
    )
    lockout = Lockout(stores.lockouts, rules, LockNotices(accounts, stores.notices, writer, recorder).tell)
    guard = Guard(lockout, Addresses(stores.lockouts, settings.guess_limit_address, rules.first_lock))
    idle = timedelta(seconds=settings.session_idle_ttl)
    sign_ins = SignIns(
        SessionTokens(tokens, settings.access_token_ttl),
        clock,
        timedelta(seconds=settings.refresh_token_ttl),
        timedelta(days=settings.password_reminder_days) if settings.password_reminder_days else None,
    )
    admittance = configured.admittance(current)
    two_factor = TwoFactor(
        store=stores.factors,
        clock=clock,
        lockout=lockout,
        writer=writer,
        recorder=recorder,
        issuer=settings.two_factor_issuer,
        draw=qr.svg,
    )
    emails = Emails(
        finder=accounts,
        changes=changes,
        clock=clock,
        hasher=hasher,
        guard=guard,
        writer=writer,
        recorder=recorder,
        admittance=admittance,
        needs_verified_email=settings.require_verified_email,
        require_fresh=two_factor.require_fresh,
    )
    return People(
        accounts=Accounts(
            store=accounts,
            clock=clock,
            hasher=hasher,
            sign_ins=sign_ins,
            guard=guard,
            challenges=Challenges(tokens),
            writer=writer,
            recorder=recorder,
            failed=FailedSignIns(recorder, stores.refusals),
            idle=idle,
            admit=emails.admit,
        ),
        registration=Registration(
            finder=accounts,
            changes=changes,
            clock=clock,
            hasher=hasher,
            policy=policy,
            sign_ins=sign_ins,
            writer=writer,
            recorder=recorder,
            admittance=admittance,
            needs_verified_email=settings.require_verified_email,
            require_fresh=two_factor.require_fresh,
        ),
        passwords=PasswordChanges(
            finder=accounts,
            changes=changes,
            programs=programs,
            clock=clock,
            hasher=hasher,
            policy=policy,
            guard=guard,
            sign_ins=sign_ins,
            writer=writer,
            recorder=recorder,
        ),
        emails=emails,
        sessions=Sessions(
            store=accounts, finder=accounts, programs=programs, recorder=recorder, clock=clock, idle=idle
        ),
        two_factor=two_factor,
        unlocking=Unlocking(stores.users, lockout, recorder),
        writer=writer,
        refusals=stores.refusals,
    )
