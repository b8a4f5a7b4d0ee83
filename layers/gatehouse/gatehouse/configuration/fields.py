"""The rules of what can be configured: the ranges of the settings of the same names, and what must fit together."""

import re
from collections.abc import Collection, Iterable, Mapping

from gatehouse.configuration.model import Values
from gatehouse.errors import BadRequest
from gatehouse.text import camel_case

RANGES: Mapping[str, tuple[int, int]] = {
    "throttle_limit": (1, 1_000_000),
    "throttle_limit_moderator": (1, 1_000_000),
    "throttle_limit_admin": (1, 1_000_000),
    "throttle_limit_anonymous": (1, 1_000_000),
    "audit_retention_days": (30, 3_650),
    "cleanup_notice_days": (0, 365),
    "cleanup_warn_days": (2, 3_650),
    "cleanup_deactivate_days": (0, 3_650),
    "cleanup_anonymise_days": (0, 3_650),
    "cleanup_warn_days_moderator": (2, 3_650),
    "cleanup_deactivate_days_moderator": (0, 3_650),
    "cleanup_anonymise_days_moderator": (0, 3_650),
}
"""The lowest and the highest value of each number; the settings read the same."""

FEWEST_TO_ANONYMISE = 30
"""What cannot be undone is not done to who was here lately, whoever says so."""

_MOST_DOMAINS = 100
_LONGEST_DOMAIN = 253
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


def number(name: str, value: int) -> int:
    """The number itself; raises BadRequest where it is outside of its range."""
    lowest, highest = RANGES[name]
    if not lowest <= value <= highest:
        told = camel_case(name)
        raise BadRequest(f"{told} is a number from {lowest} to {highest}.", field=told)
    return value


def domains(name: str, words: Iterable[str]) -> frozenset[str]:
    """The domains in lower case, each once; raises BadRequest."""
    each = frozenset(word.lower() for word in words)
    if len(each) > _MOST_DOMAINS or not all(len(word) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(word) for word in each):
        told = camel_case(name)
        raise BadRequest(f"{told} are at most {_MOST_DOMAINS} domains such as example.com.", field=told)
    return each


def check_days(values: Values, changed: Collection[str]) -> None:
    """Nothing, where the cleanup's days that were changed fit to each other; raises BadRequest."""
    for role in ("", "_moderator"):
        warn, deactivate, anonymise = names = [
            f"cleanup_{step}_days{role}" for step in ("warn", "deactivate", "anonymise")
        ]
        if set(names).isdisjoint(changed):
            continue
        days = [getattr(values, name) for name in names]
        if days[1] and days[1] <= days[0]:
            _refuse(deactivate, warn, changed, "is 0, for never,")
        if 0 < days[2] < FEWEST_TO_ANONYMISE:
            told = camel_case(anonymise)
            raise BadRequest(f"{told} is 0, for never, or at least {FEWEST_TO_ANONYMISE}.", field=told)
        if days[1] and days[2] and days[2] <= days[1]:
            _refuse(anonymise, deactivate, changed, "is 0, for never,")


def _refuse(later: str, earlier: str, changed: Collection[str], otherwise: str) -> None:
    at_fault = later if later in changed else earlier
    told = f"{camel_case(later)} {otherwise} or more than {camel_case(earlier)}."
    raise BadRequest(told, field=camel_case(at_fault))
