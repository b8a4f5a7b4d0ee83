"""Writing mails: a use case hands what it gets here to its store, which keeps it with what it tells, or not at all."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatehouse.accounts.one_use import OneUse, OneUseToken
from gatehouse.clock import Clock
from gatehouse.consumers.fields import unique_form
from gatehouse.credentials.keys import is_made_key_id
from gatehouse.credentials.model import Credential
from gatehouse.errors import RateLimitExceeded
from gatehouse.ids import new_id
from gatehouse.mail.letters import moment
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.sealing import Seal
from gatehouse.mail.templates import TEMPLATES


class MailboxFull(Exception):
    """The mailbox has had enough mails for now that anybody can ask for; nothing was written."""


def mailbox_is_full() -> RateLimitExceeded:
    """The refusal of a mail too many, for those who may know of it."""
    return RateLimitExceeded("This mailbox has had three mails within an hour. Try again later.")


@dataclass(frozen=True)
class Writer:
    """Writes the mails of one deployment."""

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
        is_for_nobody: bool = False,
    ) -> Mail:
        """The mail, which is sent once it is kept.

        `link` is what `one_use.issue` gave, `listed` are the credentials that are still live. Raises ValueError where
        the template asks for something else, ServiceUnavailable.
        """
        template, own = TEMPLATES[kind], dict(words or {})
        if own.keys() != template.words or (link is None) != (template.link is None):
            raise ValueError(f"{kind} needs {sorted(template.words)} and {template.link or 'no link'}.")
        now = self.clock.now()
        mail_id = new_id(now)
        return Mail(
            id=mail_id,
            kind=kind,
            to=to,
            words=own if link is None else own | {"until": moment(link[1].expires_at)},
            listed=tuple(map(_told, listed)),
            sealed_token=None if link is None else self.seal.close(link[0], mail_id),
            created_at=now,
            is_for_nobody=is_for_nobody,
        )


def mailbox_of(address: str, *, with_tag: bool = False) -> str:
    """What the mailbox of an address is counted under: name+tag@example.com goes where name@example.com does.

    With its tag it is counted apart, so that who makes it full does not fill the other's.
    """
    name, _, domain = unique_form(address).rpartition("@")
    whose = name if with_tag else name.partition("+")[0]
    return hashlib.sha256(f"{whose}@{domain}".encode()).hexdigest()


def _told(credential: Credential) -> str:
    """A credential in a mail. A key id that a person chose is a text that may say anything to anybody."""
    made_at = moment(credential.created_at)
    named = credential.key_id if is_made_key_id(credential.key_id) else "with a key id that was chosen"
    return f"{credential.type}, {named}, made on {made_at}"
