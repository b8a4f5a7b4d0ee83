"""Sealed tokens: who can read the table, its stream or a backup cannot use the link of a mail that waits there.

A token's 256 bits are covered by as many that are derived from a signing key and the mail's id: one pad for one mail.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from gatehouse.accounts.one_use import OneUseToken, Purpose
from gatehouse.errors import ServiceUnavailable
from gatehouse.signing.ring import KeyRing


@dataclass(frozen=True)
class Seal:
    """Seals tokens with the key that signs, and opens them with whichever key it was."""

    ring: KeyRing

    def close(self, token: OneUseToken, mail_id: str) -> str:
        """The token as it is kept with the mail; raises ServiceUnavailable."""
        key_id, key = self.ring.signing()
        covered = _covered(token.secret, key, mail_id)
        return f"{key_id} {token.purpose} {base64.b64encode(covered).decode()}"

    def open(self, sealed: str, mail_id: str) -> OneUseToken:
        """The token; raises ServiceUnavailable where its key is not known here, yet or any more."""
        key_id, purpose, covered = sealed.split(" ")
        key = self.ring.find(key_id)
        if key is None:
            raise ServiceUnavailable("The key that the link of a mail was sealed with is not known.")
        return OneUseToken(Purpose(purpose), _covered(base64.b64decode(covered), key, mail_id))


def _covered(secret: bytes, key: bytes, mail_id: str) -> bytes:
    pad = hmac.digest(hmac.digest(key, b"gatehouse mails", hashlib.sha256), mail_id.encode(), hashlib.sha256)
    return bytes(one ^ other for one, other in zip(secret, pad, strict=True))
