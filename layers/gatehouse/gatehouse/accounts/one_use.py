"""One-use tokens: what the link in a mail proves; kept as a digest, gone once used, and good for a while only.

A token looks like `gatehouse_reset_<43>`: what it is for, then 256 bits in base64url. So none is taken for another, and
a scanner for leaked secrets can tell it by `gatehouse_(verify|change|reset|invite|begin)_[0-9A-Za-z_-]{43}`.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gatehouse.errors import BadRequest

SECRET_BYTES = 32
NOBODY = "nobody"
"""The owner of a token that is nobody's yet, or never will be."""
_PREFIX = "gatehouse_"


class Purpose(StrEnum):
    """What a token allows; the value stands in the token itself, and holds no underscore."""

    VERIFY_EMAIL = "verify"
    CHANGE_EMAIL = "change"
    RESET = "reset"
    INVITATION = "invite"
    BEGIN = "begin"
    """To set the password of an ADMIN, the first or one who is locked out; given by whoever has access to the table."""

    @property
    def life(self) -> timedelta:
        """How long such a token is good."""
        return _LIVES[self]


_LIVES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.BEGIN: timedelta(hours=24),
}


@dataclass(frozen=True)
class OneUseToken:
    """What its owner gets, once."""

    purpose: Purpose
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, purpose: Purpose) -> "OneUseToken":
        """The token of this purpose that the text spells; raises BadRequest."""
        try:
            secret = base64.b64decode(text.removeprefix(_start(purpose)) + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise not_valid() from error
        token = cls(purpose, secret)
        # The last character has bits to spare: of four spellings of the same bytes one is right.
        is_spelled_so = hmac.compare_digest(token.text().encode(), text.encode(errors="replace"))
        if len(secret) != SECRET_BYTES or not is_spelled_so:
            raise not_valid()
        return token

    @classmethod
    def parse_any(cls, text: str, *purposes: Purpose) -> "OneUseToken":
        """The token of whichever of these purposes it says; raises BadRequest."""
        purpose = next((purpose for purpose in purposes if text.startswith(_start(purpose))), purposes[0])
        return cls.parse(text, purpose)

    def text(self) -> str:
        """What the link has."""
        return _start(self.purpose) + base64.b64encode(self.secret, altchars=b"-_").decode().rstrip("=")

    @property
    def digest(self) -> str:
        """What is kept of it: 256 bits cannot be guessed back."""
        return hashlib.sha256(self.text().encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class OneUse:
    """What a token allows, and whom, as it is kept under the token's digest.

    `payload` is what was decided when the token was made, such as the new email. `expires_at` has whole seconds.
    """

    digest: str
    purpose: Purpose
    owner: str
    payload: Mapping[str, str]
    expires_at: datetime

    def is_good(self, purpose: Purpose, now: datetime) -> bool:
        """Whether the token may be used for this at `now`."""
        return self.purpose is purpose and now < self.expires_at


def issue(
    purpose: Purpose,
    owner: str,
    now: datetime,
    *,
    payload: Mapping[str, str] | None = None,
    life: timedelta | None = None,
) -> tuple[OneUseToken, OneUse]:
    """A fresh token, and what is to be kept of it; `life` None is the purpose's own."""
    token = OneUseToken(purpose, secrets.token_bytes(SECRET_BYTES))
    expires_at = (now + (life or purpose.life)).replace(microsecond=0)
    kept = OneUse(digest=token.digest, purpose=purpose, owner=owner, payload=payload or {}, expires_at=expires_at)
    return token, kept


def not_valid(field: str = "token") -> BadRequest:
    """The refusal of a token, alike whether it is made up, used, too old, or for something else.

    `field` is what the caller calls it.
    """
    return BadRequest(
        "This link does not work: it was used, is too old, or was never right. Ask for a new one.",
        field=field,
        reason="TOKEN_NOT_VALID",
    )


def _start(purpose: Purpose) -> str:
    return f"{_PREFIX}{purpose}_"
