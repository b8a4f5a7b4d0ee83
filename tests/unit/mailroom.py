"""Mails and one-use tokens in plain dictionaries: what waits to be sent, what mailboxes got, what links allow."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.accounts.one_use import OneUse, OneUseToken, not_valid
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull, mailbox_of


def _counted(mail: Mail) -> str:
    return mailbox_of(mail.to, with_tag=mail.kind.is_notice) + "/notices" * mail.kind.is_notice


@dataclass
class MemoryMailroom:
    """Keeps what is written, refuses what the table would refuse."""

    waiting: dict[str, Mail] = field(default_factory=dict)
    tokens: dict[str, OneUse] = field(default_factory=dict)
    times: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, kept: OneUse | None, mails: Sequence[Mail]) -> None:
        """Keeps them, but for notices to a mailbox that had enough of them, or raises MailboxFull."""
        asked = [mail for mail in mails if not mail.kind.is_notice]
        if not all(self._has_room(mail) for mail in asked):
            raise MailboxFull
        if kept is not None:
            self.tokens[kept.digest] = kept
        for mail in mails:
            if self._has_room(mail):
                self.times[_counted(mail)].append(mail.created_at)
                self.waiting[mail.id] = mail
            if mail.kind is MailKind.PASSWORD_RESET:
                self.times[_counted(mail) + "/reset"].append(mail.created_at)

    def get_one_use(self, token: OneUseToken, now: datetime) -> OneUse:
        kept = self.tokens.get(token.digest)
        if kept is None or not kept.is_good(token.purpose, now):
            raise not_valid()
        return kept

    def use_up(self, kept: OneUse | None, now: datetime) -> None:
        self.refuse_used(kept, now)
        if kept is not None:
            del self.tokens[kept.digest]

    def refuse_used(self, kept: OneUse | None, now: datetime) -> None:
        if kept is not None and (self.tokens.get(kept.digest) != kept or not kept.is_good(kept.purpose, now)):
            raise not_valid()

    def to(self, address: str) -> list[MailKind]:
        """What was written to the address and will be sent, in its order."""
        return [mail.kind for mail in self.waiting.values() if mail.to == address and not mail.is_for_nobody]

    def _has_room(self, mail: Mail) -> bool:
        if mail.kind is MailKind.PASSWORD_RESET and not self._lately(_counted(mail) + "/reset", mail):
            return True
        return self._lately(_counted(mail), mail) < (10 if mail.kind.is_notice else 3)

    def _lately(self, counted: str, mail: Mail) -> int:
        """How many there were within the hour before it."""
        return sum(at > mail.created_at - timedelta(hours=1) for at in self.times[counted])
