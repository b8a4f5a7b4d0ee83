"""The rules of a usage plan's fields, and the spelling under which its name is unique."""

import re
import unicodedata
from collections.abc import Iterable

from gatehouse.errors import BadRequest
from gatehouse.plans.model import MOST_A_SECOND, UsagePlan
from gatehouse.text import clean_text

_LONGEST_WINDOW = 86_400
_MOST_FIELDS = 100
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)


def checked(plan: UsagePlan) -> UsagePlan:
    """The plan itself; raises BadRequest for the first field that breaks its rule."""
    clean_text(plan.name, "name", longest=100)
    _between(plan.window_seconds, 1, _LONGEST_WINDOW, "windowSeconds")
    _between(plan.rate_limit, 1, MOST_A_SECOND * plan.window_seconds, "rateLimit")
    _between(plan.burst_limit, 1, MOST_A_SECOND, "burstLimit")
    if (plan.quota_limit is None) is not (plan.quota_period is None):
        missing = "quotaLimit" if plan.quota_limit is None else "quotaPeriod"
        raise BadRequest("quotaLimit and quotaPeriod go together.", field=missing)
    _positive(plan.quota_limit, "quotaLimit")
    _positive(plan.max_depth, "maxDepth")
    _positive(plan.max_cost, "maxCost")
    return plan


def allowed_fields(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names of root fields, each once, in the order they came; raises BadRequest. Whether there are such is for
    the door to say, which knows the schema.
    """
    if names is None:
        return None
    each = tuple(dict.fromkeys(names))
    if len(each) > _MOST_FIELDS or not all(map(_NAME.fullmatch, each)):
        raise BadRequest(f"allowedFields are at most {_MOST_FIELDS} names of root fields.", field="allowedFields")
    return each


def unique_form(name: str) -> str:
    """The spelling under which a plan's name is unique: names differ by more than case."""
    return unicodedata.normalize("NFC", name).casefold()


def _between(value: int | None, lowest: int, highest: int, field: str) -> None:
    if value is not None and not lowest <= value <= highest:
        raise BadRequest(f"{field} is a number from {lowest} to {highest}{_why(field)}.", field=field)


def _why(field: str) -> str:
    return f": at most {MOST_A_SECOND} requests a second" if field == "rateLimit" else ""


def _positive(value: int | None, field: str) -> None:
    if value is not None and value < 1:
        raise BadRequest(f"{field} is at least 1.", field=field)
