"""Ids: UUIDs of version 7 (RFC 9562 §5.7), so that sorting by id is sorting by time of creation."""

import re
import secrets
import uuid
from datetime import datetime

from gatehouse.clock import from_milliseconds, milliseconds

_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def new_id(now: datetime) -> str:
    """A fresh id, in lower case; its first 48 bits are `now` in milliseconds."""
    return str(_with(milliseconds(now), secrets.randbits(74)))


def lowest_id(timestamp: int) -> str:
    """The smallest id that could have been made at this moment, in milliseconds since the epoch."""
    return str(_with(max(timestamp, 0), 0))


def parse_id(text: str) -> str | None:
    """The id in its canonical spelling, or None where the text is no id."""
    return text.lower() if _FORM.fullmatch(text) else None


def moment_of(text: str) -> datetime | None:
    """When the id was made, by itself; None where the text is none that this house can have made."""
    if parse_id(text) is None:
        return None
    try:
        return from_milliseconds(uuid.UUID(text).int >> 80)
    except (OSError, OverflowError, ValueError):
        return None


def _with(timestamp: int, entropy: int) -> uuid.UUID:
    high, low = entropy >> 62, entropy & (1 << 62) - 1
    return uuid.UUID(int=timestamp << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
