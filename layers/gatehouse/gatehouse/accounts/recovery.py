"""Recovery codes: what a person keeps on paper for the day the phone is gone. Each works once; digests are kept."""

import base64
import hashlib
import re
import secrets

HOW_MANY = 10

_BYTES = 15  # 120 bits: from 112 on a plain digest is enough (OWASP ASVS 5.0, 6.5.2)
_LETTERS = 24
_GROUP = 4

# Crockford's alphabet has no letter that looks like a digit, so that what is misread can be read right.
_MADE_OF = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_CODE = re.compile(rf"[0-9A-HJKMNP-TV-Z]{{{_LETTERS}}}", re.ASCII)


def make_codes() -> tuple[str, ...]:
    """Ten fresh codes, in groups of four letters."""
    return tuple(_make_code() for _ in range(HOW_MANY))


def digest(typed: str) -> bytes | None:
    """What is kept of the code that was typed, however it was typed; None where it cannot be one."""
    code = typed.upper().translate(_MISREAD)
    return hashlib.sha256(code.encode()).digest() if _CODE.fullmatch(code) else None


def digests(codes: tuple[str, ...]) -> frozenset[bytes]:
    """What is kept of fresh codes."""
    return frozenset(kept for code in codes if (kept := digest(code)) is not None)


def _make_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_BYTES)).decode().translate(_MADE_OF)
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))
