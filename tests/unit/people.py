"""People at the use cases that are theirs, on a store in memory, with their mailboxes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bcrypt
import pytest

from gatehouse.accounts.lockout import account
from gatehouse.accounts.model import Origin, Session, SignIn
from gatehouse.accounts.one_use import OneUse, Purpose, issue
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import GatehouseError
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.sealing import Seal
from gatehouse.permissions import Caller
from gatehouse.tokens import SESSION
from tests.unit.factors import app_code
from tests.unit.fakes import (
    AT_HOME,
    HOME,
    PASSWORD,
    RING,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_people,
    the_settings,
)

ELSEWHERE = Origin("198.51.100.7", "curl")
REQUEST = "request-1"
ASKED_FROM_HOME = replace(AT_HOME, correlation_id=REQUEST)
NEW_PASSWORD = "Another-Pass-456"
WRONG_PASSWORD = "WrongPass123!"


class Town:
    """Whoever lives here, and what they do; settings are given as the environment has them."""

    def __init__(self, store: MemoryStore, clock: StoppedClock, **environment: str) -> None:
        self.store, self.clock = store, clock
        self.people = the_people(store, clock, the_settings(**environment))

    def add(self, name: str = "john", password_hash: str | None = None, **changes: Any) -> User:
        """A user whose mailbox was shown to be theirs, unless something else is said."""
        user = a_user(name, **{"email_verified_at": START, **changes})
        return self.store.add(user) if password_hash is None else self.store.add(user, password_hash)

    def login(self, user: User, password: str = PASSWORD, origin: Origin = AT_HOME, token: str | None = None) -> SignIn:
        return self.people.accounts.login(user.email, password, origin, token)

    def caller(self, signed: SignIn) -> Caller:
        """Who comes with the access token."""
        claims = TOKENS.verify(SESSION, signed.access_token, self.clock.now())
        return Caller(consumer_id=claims.subject, role=signed.user.role, session_id=claims.own["sid"])

    def sign_in(self, user: User) -> Caller:
        return self.caller(self.login(user))

    def is_in_force(self, caller: Caller) -> bool:
        """Whether the session of the caller still counts."""
        session = self.store.find_session(caller.consumer_id or "", caller.session_id or "")
        return session is not None and session.session.is_in_force(
            session.standing, self.clock.now(), self.people.accounts.idle
        )

    def refreshes(self, signed: SignIn) -> bool:
        try:
            return self.people.accounts.refresh(signed.refresh_token, AT_HOME).user.id == signed.user.id
        except GatehouseError:
            return False

    def turn_on_two_factors(self, caller: Caller) -> bytes:
        """The secret; the code of now is used up."""
        self.people.two_factor.enable(caller)
        secret = self.store.factors.factor(caller.consumer_id or "").pending
        assert secret is not None
        self.people.two_factor.confirm(caller, HOME, app_code(secret, self.clock.now()))
        return secret

    def link(self, address: str) -> str:
        """The token of the last link that was mailed to the address."""
        mail = [mail for mail in self.mails(address) if mail.sealed_token is not None][-1]
        return Seal(RING).open(mail.sealed_token or "", mail.id).text()

    def mails(self, address: str) -> list[Mail]:
        """What the mailbox gets."""
        return [mail for mail in self.store.mailroom.waiting.values() if mail.to == address and not mail.is_for_nobody]

    def mailed(self, address: str) -> list[MailKind]:
        return self.store.mailroom.to(address)

    def fill(self, address: str) -> None:
        """Three mails that anybody may have asked for."""
        for _ in range(3):
            link = issue(Purpose.RESET, "nobody", self.clock.now())
            self.store.ask(link[1], [self.people.writer.write(MailKind.PASSWORD_RESET, address, link)])

    def failures(self, user: User) -> int:
        """What is counted at the account."""
        return self.store.lockouts.ledger(account(user.id).name).failed

    def fails(self, user: User, times: int, origin: Origin = AT_HOME) -> None:
        for _ in range(times):
            assert refusal(self.login, user, WRONG_PASSWORD, origin)[1] == "WRONG_CREDENTIALS"

    def give(self, user: User, number: int = 1, **changes: Any) -> Credential:
        """A credential of the user."""
        credential = Credential(
            id=new_id(START + timedelta(milliseconds=number)),
            consumer_id=user.id,
            type=CredentialType.KEY_AUTH,
            key_id=f"{user.username}-{number}",
            number=number,
            role=user.role,
            label=None,
            scopes=None,
            expires_at=None,
            created_at=START,
            updated_at=START,
        )
        self.store.credentials[credential.id] = replace(credential, **changes)
        self.store.secret_hashes[credential.id] = None
        return self.store.credentials[credential.id]

    def live_sessions(self, user: User) -> list[Session]:
        generation = self.store.generations[user.id]
        return [session for session in self.store.sessions_of(user.id) if session.generation == generation]


def asking(user: User) -> Caller:
    """The user in a session, who asks for something from home."""
    return replace(signed_in(user), address=HOME, correlation_id=REQUEST)


def a_program(user: User, role: Role | None = None, *scopes: str) -> Caller:
    """A credential of the user, with all that its owner may, or these scopes."""
    return Caller(
        consumer_id=user.id,
        role=role or user.role,
        credential_id=new_id(START),
        scopes=frozenset(scopes) if scopes else None,
    )


def refusal[**P](
    act: Callable[P, object], *args: P.args, **kwargs: P.kwargs
) -> tuple[type[GatehouseError], str | None, str | None]:
    """The error that the act ends with, its reason and its field."""
    with pytest.raises(GatehouseError) as refused:
        act(*args, **kwargs)
    return type(refused.value), refused.value.reason, refused.value.field


def kept_for(store: MemoryStore, purpose: Purpose) -> list[OneUse]:
    """What is kept of the tokens of a purpose."""
    return [kept for kept in store.mailroom.tokens.values() if kept.purpose is purpose]


def count_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which bcrypt calls are made from now on; each costs the same."""
    paid: list[str] = []

    def counted[**P, R](name: str, call: Callable[P, R]) -> Callable[P, R]:
        def counting(*args: P.args, **kwargs: P.kwargs) -> R:
            paid.append(name)
            return call(*args, **kwargs)

        return counting

    monkeypatch.setattr(bcrypt, "checkpw", counted("check", bcrypt.checkpw))
    monkeypatch.setattr(bcrypt, "hashpw", counted("hash", bcrypt.hashpw))
    return paid
