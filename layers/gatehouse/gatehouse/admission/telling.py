"""What a caller is told of its allowance, in the words of every door."""

import math
from datetime import datetime

from gatehouse.admission.meters import Allowance


def reset_seconds(allowance: Allowance) -> int:
    """When the limit starts anew, in seconds since the epoch, rounded up."""
    return math.ceil(allowance.resets_at.timestamp())


def headers(allowance: Allowance) -> dict[str, str]:
    """The X-RateLimit headers."""
    return {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(reset_seconds(allowance)),
    }


def extension(allowance: Allowance) -> dict[str, int]:
    """The same for the extensions of an answer in GraphQL."""
    return {"limit": allowance.limit, "remaining": allowance.remaining, "reset": reset_seconds(allowance)}


def retry_after(allowance: Allowance, now: datetime) -> int:
    """The seconds to wait before it makes sense to ask again, at least one (RFC 9110 §10.2.3)."""
    return max(1, math.ceil((allowance.resets_at - now).total_seconds()))
