"""Cursors: where a list goes on, signed and bound to the list they were made for."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from gatehouse.errors import BadRequest

_MAC_BYTES = 16


@dataclass(frozen=True)
class Cursors:
    """Seals positions into cursors and opens them again; all `keys` open, the first of them seals."""

    keys: Callable[[], tuple[bytes, ...]]

    def seal(self, position: str, query: object) -> str:
        """The cursor for going on behind `position` in the list that `query` stands for (its repr tells it apart)."""
        text = position.encode()
        return base64.urlsafe_b64encode(_mac(self.keys()[0], text, query) + text).decode().rstrip("=")

    def open(self, cursor: str, query: object) -> str:
        """The position in the cursor; raises BadRequest where it was made for another list, or not by us."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(key, text, query)) for key in self.keys()):
            raise BadRequest("after is no cursor of this list.", field="after")
        return text.decode()


def _mac(key: bytes, position: bytes, query: object) -> bytes:
    bound = hashlib.sha256(repr(query).encode()).digest()
    return hmac.digest(key, b"gatehouse cursor" + bound + position, "sha256")[:_MAC_BYTES]
