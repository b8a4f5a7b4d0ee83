"""A Mail as it waits to be sent, and a Letter as it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto

KEPT = timedelta(days=7)
"""How long a mail waits to be sent, before it is forgotten."""


class MailKind(StrEnum):
    """What a mail tells."""

    VERIFY_EMAIL = auto()
    CONFIRM_NEW_EMAIL = auto()
    """To the new address; the next two are to the old one."""
    EMAIL_CHANGE_ASKED = auto()
    EMAIL_CHANGED = auto()
    PASSWORD_RESET = auto()
    PASSWORD_CHANGED = auto()
    NEW_ADDRESS = auto()
    TOKEN_REUSED = auto()
    ACCOUNT_EXISTS = auto()
    REGISTRATION = auto()
    """Like an invitation that its receiver asked for."""
    INVITATION = auto()
    TWO_FACTORS_ON = auto()
    TWO_FACTORS_OFF = auto()
    TWO_FACTORS_RESET = auto()
    ACCOUNT_LOCKED = auto()
    FIRST_ADMIN = auto()
    ACCOUNT_DORMANT = auto()
    ACCOUNT_DEACTIVATED = auto()

    @property
    def is_notice(self) -> bool:
        """Whether it tells the owner of an account what happened to it. Of others a mailbox gets fewer, because anybody
        can ask for them who knows the address.
        """
        return self in _NOTICES


_NOTICES = frozenset(
    {
        MailKind.EMAIL_CHANGE_ASKED,
        MailKind.EMAIL_CHANGED,
        MailKind.PASSWORD_CHANGED,
        MailKind.NEW_ADDRESS,
        MailKind.TOKEN_REUSED,
        MailKind.TWO_FACTORS_ON,
        MailKind.TWO_FACTORS_OFF,
        MailKind.TWO_FACTORS_RESET,
        MailKind.ACCOUNT_LOCKED,
        MailKind.ACCOUNT_DORMANT,
        MailKind.ACCOUNT_DEACTIVATED,
    }
)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What is to be told to whom.

    `words` fill the gaps of the template and `listed` is listed under it; both are Gatehouse's own, never a text that a
    caller chose. `sealed_token` is the token of its link, which only the mail function can read.
    """

    id: str
    kind: MailKind
    to: str = field(repr=False)
    words: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    sealed_token: str | None = field(default=None, repr=False)
    created_at: datetime
    is_for_nobody: bool = False
    """It is kept and never sent: so it takes as long to ask for one at an address that nobody has."""


@dataclass(frozen=True)
class Letter:
    """A mail in words, the same ones twice: as plain text and as HTML."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
