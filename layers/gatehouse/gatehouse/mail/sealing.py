"""Sealed tokens: who can read the table, its stream or a backup cannot use the link of a mail that waits there.

A token's 256 bits are covered by as many that are derived from a signing key and the mail's id: one pad for one mail.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from gatehouse.accounts.one_use import OneUseToken, Purpose
from gatehouse.errors import ServiceUnavailable
from gatehouse.tokens import SigningKeys


@dataclass(frozen=True)
class Seal:
    """Seals tokens with the current signing key, and opens them with whichever key it was."""

    keys: Callable[[], SigningKeys]

    def close(self, token: OneUseToken, mail_id: str) -> str:
        """The token as it is kept with the mail; raises ServiceUnavailable."""
        keys = self.keys()
        covered = _covered(token.secret, keys.keys[keys.current], mail_id)
        return f"{keys.current} {token.purpose} {base64.b64encode(covered).decode()}"

    def open(self, sealed: str, mail_id: str) -> OneUseToken:
        """The token; raises ServiceUnavailable where its key is not known here, yet or any more."""
        key_id, purpose, covered = sealed.split(" ")
        key = self.keys().keys.get(key_id)
        if key is None:
            raise ServiceUnavailable("The key that the link of a mail was sealed with is not known.")
        return OneUseToken(Purpose(purpose), _covered(base64.b64decode(covered), key, mail_id))


def _covered(secret: bytes, key: bytes, mail_id: str) -> bytes:
    pad = hmac.digest(hmac.digest(key, b"gatehouse mails", hashlib.sha256), mail_id.encode(), hashlib.sha256)
    return bytes(one ^ other for one, other in zip(secret, pad, strict=True))
