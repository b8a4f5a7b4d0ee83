"""Which of API Gateway's keys a request is counted under, and which tier a consumer's own key belongs in.

Keys are told to API Gateway by the authorizer and never seen by a client; their values are derived, so that whoever
needs one knows it without asking. Exactness never depends on them.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

TIERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""What template.yaml's tiers let through, in requests a second; a burst is a minute's worth, 5000 at most."""

_BURST_SECONDS = 60
_MOST_BURST = 5000
_HEADROOM = 2


@dataclass(frozen=True)
class OwnKey:
    """A consumer's own key as the provisioner left it: its tier, and from when on API Gateway surely knows it."""

    tier: int
    usable_at: datetime


def tier_for(limit: int, window_seconds: int, tiers: Sequence[int] = TIERS) -> int:
    """The lowest tier that lets through twice `limit` requests in `window_seconds`, at once or spread out."""
    at_once = min(_HEADROOM * limit, _MOST_BURST)
    return next(
        (
            tier
            for tier in tiers
            if tier * window_seconds >= _HEADROOM * limit and min(tier * _BURST_SECONDS, _MOST_BURST) >= at_once
        ),
        tiers[-1],
    )


def own_key(seed: str, consumer_id: str) -> str:
    """The value of a consumer's own key: 64 hexadecimal digits; `seed` tells one deployment from another."""
    return hashlib.sha256(f"{seed}:{consumer_id}".encode()).hexdigest()


def shared_key(seed: str) -> str:
    """The value of the key of everybody signed in whose own key does not count."""
    return f"shared{seed}"


def anonymous_key(seed: str) -> str:
    """The value of the key of all anonymous callers."""
    return f"anonymous{seed}"
