"""Sending what waits, behind the request that it tells of: no mail is lost, and hardly one is sent twice."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.clock import Clock
from gatehouse.mail.letters import letter
from gatehouse.mail.model import Mail
from gatehouse.mail.sealing import Seal

CLAIM = timedelta(seconds=60)
"""How long a mail is one sender's own: longer than it takes, so that two never send it at the same time."""

_log = logging.getLogger(__name__)


class MailRefused(Exception):
    """The mail can never be delivered, however often it is tried."""


class MailSender(Protocol):
    """The way out."""

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        """Hands it over for delivery; raises MailRefused, or ServiceUnavailable where it may work later."""


class MailStore(Protocol):
    """Where mails wait."""

    def claim_mail(self, mail_id: str, now: datetime, until: datetime) -> Mail | None:
        """The mail, nobody else's before `until`; None where it is gone. Raises ServiceUnavailable where it is
        somebody else's at `now`.
        """

    def delete_mail(self, mail_id: str) -> None:
        """Forgets the mail, which may be forgotten already."""


@dataclass(frozen=True)
class Post:
    """Sends the mails of one deployment. `app_url` is what every link begins with."""

    store: MailStore
    sender: MailSender
    clock: Clock
    seal: Seal
    app_url: str

    def send(self, mail_id: str) -> None:
        """Sends the mail, unless it was sent; raises ServiceUnavailable, and may then be asked again."""
        now = self.clock.now()
        mail = self.store.claim_mail(mail_id, now, now + CLAIM)
        if mail is None:
            return
        try:
            self.dispatch(mail)
        except MailRefused as refusal:
            _log.error("a mail was refused for good", extra={"mail_kind": mail.kind, "refusal": str(refusal)})
        self.store.delete_mail(mail_id)

    def dispatch(self, mail: Mail) -> None:
        """Sends the mail now; raises MailRefused, ServiceUnavailable."""
        token = None if mail.sealed_token is None else self.seal.open(mail.sealed_token, mail.id)
        written = letter(mail, self.app_url, token)
        self.sender.send(mail.to, written.subject, written.text, written.html)


class NoSender:
    """The way out of a deployment that has no address to send from: there is none, and nothing waits for one."""

    def send(self, *_letter: str) -> None:
        _log.warning("a mail was not sent, because there is no address to send from")
