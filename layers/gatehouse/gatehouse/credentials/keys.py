"""Key ids and their secrets: how they look, and how a secret is kept.

A key that Gatehouse made looks like `gatehouse_<16>.<49>`: 16 characters of id, then 43 of secret (256 bits) and 6 of a
CRC-32 over all before it, in base 62. So a mistyped one is refused without asking the store, and a scanner for leaked
secrets can tell it by `gatehouse_[0-9A-Za-z]{16}\\.[0-9A-Za-z]{49}`.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from gatehouse.errors import BadRequest, Unauthenticated

_PREFIX = "gatehouse_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{3,64}", re.ASCII)
_MADE_KEY_ID = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{16}}", re.ASCII)
_CHOSEN_SECRET = re.compile(r"[!-~]{6,72}", re.ASCII)
_MADE_SECRET = re.compile(r"[0-9A-Za-z]{49}", re.ASCII)
_SHA256 = "sha256$"


@dataclass(frozen=True)
class ApiKey:
    """A key taken apart."""

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, key_id: str, secret: str) -> "ApiKey":
        """The key of these two parts, as a client sent them; raises Unauthenticated where it cannot be one."""
        key = cls(key_id, secret)
        if not _KEY_ID.fullmatch(key_id) or not key._is_well_formed():
            raise Unauthenticated("The key is not valid.")
        return key

    def _is_well_formed(self) -> bool:
        if not self.key_id.startswith(_PREFIX):
            return bool(_CHOSEN_SECRET.fullmatch(self.secret))
        return (
            bool(_MADE_KEY_ID.fullmatch(self.key_id))
            and bool(_MADE_SECRET.fullmatch(self.secret))
            and self.secret.endswith(_checksum(self.key_id, self.secret[:-6]))
        )


def make_key_id() -> str:
    """A key id that nobody chose: 95 bits behind a prefix that nobody may choose."""
    return _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(16))


def make_secret(key_id: str) -> str:
    """A secret of 256 bits, with its checksum."""
    body = _base62(secrets.randbits(256), 43)
    return body + _checksum(key_id, body)


def check_key_id(key_id: str) -> str:
    """The key id that a caller chose; raises BadRequest."""
    if not _KEY_ID.fullmatch(key_id) or key_id.startswith(_PREFIX):
        raise BadRequest(
            f"keyId has 3 to 64 letters, digits, hyphens or underscores and does not start with {_PREFIX}.",
            field="keyId",
        )
    return key_id


def check_chosen_secret(secret: str) -> str:
    """The secret that a caller chose; raises BadRequest."""
    if not _CHOSEN_SECRET.fullmatch(secret):
        raise BadRequest("keySecret has 6 to 72 printable ASCII characters without spaces.", field="keySecret")
    return secret


def hash_made_secret(secret: str) -> str:
    """What is kept of a secret that was made here: with 256 bits a plain digest cannot be guessed back."""
    return _SHA256 + hashlib.sha256(secret.encode()).hexdigest()


def is_made_secret_hash(secret_hash: str) -> bool:
    """Whether the hash is of a secret that was made here, and so costs nothing to check."""
    return secret_hash.startswith(_SHA256)


def matches_made_secret(secret: str, secret_hash: str) -> bool:
    """Whether the hash of a secret that was made here is of this one; in constant time."""
    return hmac.compare_digest(hash_made_secret(secret), secret_hash)


def is_made_key_id(key_id: str) -> bool:
    """Whether the key id was made here: whoever chooses one cannot choose its prefix."""
    return key_id.startswith(_PREFIX)


def _checksum(key_id: str, body: str) -> str:
    return _base62(zlib.crc32(f"{key_id}.{body}".encode()), 6)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
