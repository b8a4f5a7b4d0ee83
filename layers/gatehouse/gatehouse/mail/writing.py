"""Writing mails: a use case hands what it gets here to its store, which keeps it with what it tells, or not at all."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.accounts.one_use import OneUse, OneUseToken
from gatehouse.clock import Clock
from gatehouse.consumers.fields import unique_form
from gatehouse.credentials.model import Credential
from gatehouse.ids import new_id
from gatehouse.mail.letters import moment
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.sealing import Seal
from gatehouse.mail.templates import TEMPLATES

MOST = 3
WITHIN = timedelta(hours=1)
"""One mailbox gets at most so many mails in that time that anybody can ask for."""


class MailboxStore(Protocol):
    """Where it is counted what mailboxes get."""

    def take_place(self, mailbox: str, most: int, within: timedelta, now: datetime) -> bool:
        """Counts one more mail to it; False, and no count, where it had the most within that time before `now`."""


@dataclass(frozen=True)
class Writer:
    """Writes the mails of one deployment."""

    mailboxes: MailboxStore
    clock: Clock
    seal: Seal

    def write(
        self,
        kind: MailKind,
        to: str,
        link: tuple[OneUseToken, OneUse] | None = None,
        *,
        words: Mapping[str, str] | None = None,
        listed: Sequence[Credential] = (),
    ) -> Mail | None:
        """The mail, or None where the mailbox has had enough; nobody is told which.

        `link` is what `one_use.issue` gave, `listed` are the credentials that are still live. Raises ValueError where
        the template asks for something else, ServiceUnavailable.
        """
        template, own = TEMPLATES[kind], dict(words or {})
        if own.keys() != template.words or (link is None) != (template.link is None):
            raise ValueError(f"{kind} needs {sorted(template.words)} and {template.link or 'no link'}.")
        now = self.clock.now()
        if not (kind.is_notice or self.mailboxes.take_place(_mailbox(to), MOST, WITHIN, now)):
            return None
        mail_id = new_id(now)
        return Mail(
            id=mail_id,
            kind=kind,
            to=to,
            words=own if link is None else own | {"until": moment(link[1].expires_at)},
            listed=tuple(f"{credential.type}, {credential.key_id}" for credential in listed),
            sealed_token=None if link is None else self.seal.close(link[0], mail_id),
            created_at=now,
        )


def _mailbox(address: str) -> str:
    return hashlib.sha256(unique_form(address).encode()).hexdigest()
