"""Locks are told of: each in the audit, and to the owner of the account where only a new password ends it."""

import secrets
from dataclasses import dataclass
from typing import Protocol

from gatehouse.accounts.changes import AccountFinder
from gatehouse.accounts.ledger import Consequence
from gatehouse.accounts.lockout import Lock
from gatehouse.accounts.one_use import NOBODY
from gatehouse.audit.acting import Who
from gatehouse.audit.model import ActorKind, AuditAction, AuditEvent, Outcome
from gatehouse.audit.recording import Recorder
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer


class NoticeStore(Protocol):
    """Where events and mails are kept that nothing else is written with."""

    def keep_notice(self, mail: Mail | None, event: AuditEvent) -> None:
        """Keeps the event, and the mail where there is one, to be sent."""


@dataclass(frozen=True)
class LockNotices:
    """Tells of them; raises ServiceUnavailable."""

    finder: AccountFinder
    store: NoticeStore
    writer: Writer
    recorder: Recorder

    def tell(self, lock: Lock) -> None:
        """Tells of it; where there is no account it does as much, so that nobody can tell that by the time."""
        needs_reset = lock.consequence is Consequence.NEEDS_RESET
        event = self.recorder.event(
            AuditAction.ACCOUNT_LOCKED,
            Who(kind=ActorKind.ANONYMOUS, address=lock.address, correlation_id=lock.correlation_id),
            outcome=Outcome.REFUSED,
            subject_id=lock.user_id,
            after={"needsReset": needs_reset},
        )
        self.store.keep_notice(self._mail(lock.user_id) if needs_reset else None, event)

    def _mail(self, user_id: str | None) -> Mail:
        account = self.finder.find_account_of(user_id or NOBODY)
        to = secrets.token_hex() if account is None else account.user.email
        return self.writer.write(MailKind.ACCOUNT_LOCKED, to, is_for_nobody=account is None)
