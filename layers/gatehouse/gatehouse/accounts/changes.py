"""What is written together when an account is made or changes: itself, a session, mails and one-use tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gatehouse.accounts.model import Account, Session
from gatehouse.accounts.one_use import OneUse, OneUseToken
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import User
from gatehouse.mail.model import Mail


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """An account that is made, by `uses` where it takes a token, and what else there is from then on."""

    user: User
    password_hash: str | None = field(repr=False)
    session: Session | None = None
    makes: OneUse | None = None
    uses: OneUse | None = None
    mail: Mail | None = None
    invited_by: str | None = None
    """An ADMIN who must be one still."""


@dataclass(frozen=True, kw_only=True)
class AccountChange:
    """An account that becomes another: all sessions end where its generation grows, but for the one that begins.

    `forgives` forgets the failures at the account. `without_programs` asks that it has no credential.
    """

    before: Account
    after: Account
    session: Session | None = None
    uses: OneUse | None = None
    mails: tuple[Mail, ...] = ()
    forgives: bool = False
    without_programs: bool = False


class AccountFinder(Protocol):
    """Where accounts are found."""

    def find_account(self, unique_email: str) -> Account | None:
        """The account; takes the same two reads where there is none."""

    def find_account_of(self, user_id: str) -> Account | None: ...


class AccountChanges(Protocol):
    """Where accounts are made and changed. Each method writes all of it or nothing.

    Raises MailboxFull where a mailbox has had enough mails that anybody can ask for.
    """

    def create_account(self, new: NewAccount, now: datetime, event: AuditEvent) -> None:
        """Raises Conflict where email or username is taken, BadRequest where the token was used or is void."""

    def change_account(self, change: AccountChange, now: datetime, event: AuditEvent) -> None:
        """Raises Stale where the account is not as before, Conflict where the email is taken, BadRequest as above."""

    def ask(self, kept: OneUse, mails: Sequence[Mail], event: AuditEvent) -> None:
        """Keeps a token, and the mails that tell of it."""

    def get_one_use(self, token: OneUseToken, now: datetime) -> OneUse:
        """What the token allows; raises BadRequest where it is not good, or not any more."""
