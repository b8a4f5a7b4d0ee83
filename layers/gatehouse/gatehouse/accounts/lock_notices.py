"""The owner of an account is told that it was locked until its password is reset."""

import secrets
from dataclasses import dataclass
from typing import Protocol

from gatehouse.accounts.changes import AccountFinder
from gatehouse.accounts.one_use import NOBODY
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer


class NoticeStore(Protocol):
    """Where mails wait."""

    def keep_mail(self, mail: Mail) -> None:
        """Keeps a notice, to be sent."""


@dataclass(frozen=True)
class LockNotices:
    """Tells them; raises ServiceUnavailable."""

    finder: AccountFinder
    store: NoticeStore
    writer: Writer

    def tell(self, user_id: str | None) -> None:
        """Tells the owner; where there is no account it does as much, so that nobody can tell that by the time."""
        account = self.finder.find_account_of(user_id or NOBODY)
        to = secrets.token_hex() if account is None else account.user.email
        self.store.keep_mail(self.writer.write(MailKind.ACCOUNT_LOCKED, to, is_for_nobody=account is None))
