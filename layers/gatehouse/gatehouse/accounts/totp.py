"""Time-based one-time passwords (RFC 6238, on RFC 4226), as apps make them: SHA-1, 6 digits, 30 seconds."""

import base64
import hmac
import re
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

from gatehouse.clock import milliseconds

DRIFT = 1
"""How many steps the clock of a phone may be off, either way."""

_SECRET_BYTES = 20
_STEP_MILLISECONDS = 30_000
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def make_secret() -> bytes:
    """A fresh secret of 160 bits, as long as RFC 4226 §4 recommends."""
    return secrets.token_bytes(_SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """The secret as a person types it into an app: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What an app reads from a QR code; neither `account` nor `issuer` may have a colon.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    query = urlencode({"secret": secret_text(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def step_of(now: datetime) -> int:
    """The number of the step that `now` is in, counted from the epoch."""
    return milliseconds(now) // _STEP_MILLISECONDS


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226 §5.3, with the step as its counter)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0xF
    (number,) = struct.unpack_from(">I", digest, start)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def matching_step(secret: bytes, typed: str, now: datetime, *, after: int) -> int | None:
    """The step whose code was typed, within the drift and later than `after`, the last one that was used.

    Where two steps have the same code it is the later one, so that the code does not count again for that one.
    """
    code = typed.replace(" ", "")
    if not _CODE.fullmatch(code):
        return None
    present = step_of(now)
    steps = range(present - DRIFT, present + DRIFT + 1)
    matching = [step for step in steps if hmac.compare_digest(code_at(secret, step), code) and step > after]
    return max(matching, default=None)
