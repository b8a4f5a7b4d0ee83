"""The mail room in memory: what waits to be sent, and an outbox that fails when it is told to."""

from dataclasses import dataclass, field
from datetime import datetime

from gatehouse.clock import Clock
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import Mail
from gatehouse.mail.sealing import Seal
from gatehouse.mail.service import Post
from gatehouse.mail.writing import Writer
from tests.unit.fakes import KEY
from tests.unit.rings import a_ring

APP_URL = "https://app.example.com"
SEAL = Seal(a_ring("k1", {"k1": KEY}))


@dataclass
class MemoryMails:
    """The store of `mail.service`."""

    waiting: dict[str, Mail] = field(default_factory=dict)
    claimed_until: dict[str, datetime] = field(default_factory=dict)

    def add(self, mail: Mail | None) -> None:
        if mail is not None:
            self.waiting[mail.id] = mail

    def claim_mail(self, mail_id: str, now: datetime, until: datetime) -> Mail | None:
        if mail_id not in self.waiting:
            return None
        if now < self.claimed_until.get(mail_id, now):
            raise ServiceUnavailable("The mail is being sent just now.")
        self.claimed_until[mail_id] = until
        return self.waiting[mail_id]

    def delete_mail(self, mail_id: str) -> None:
        self.waiting.pop(mail_id, None)


@dataclass
class Sent:
    """A way out that keeps what it is given, (to, subject, text, html); raises `faults` first, one a call."""

    letters: list[tuple[str, str, str, str]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.letters.append((to, subject, text, html))


def the_writer(clock: Clock) -> Writer:
    return Writer(clock, SEAL)


def the_post(mails: MemoryMails, sent: Sent, clock: Clock) -> Post:
    return Post(mails, sent, clock, SEAL, APP_URL)
