"""Lambda's patterns for events, as far as the template speaks them: which records of a stream wake a function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local.gateway.intrinsics import TemplateError


def matches(pattern: Mapping[str, Any], record: Any) -> bool:
    """Whether a record has all that a pattern names; raises TemplateError for a rule that is not known here."""
    if not isinstance(record, Mapping):
        return False
    return all(
        _holds(wanted, name in record, record.get(name))
        if isinstance(wanted, Sequence)
        else matches(wanted, record.get(name))
        for name, wanted in pattern.items()
    )


def _holds(rules: Sequence[Any], is_there: bool, value: Any) -> bool:
    """Whether one of the rules holds for a leaf."""
    return any(_rule_holds(rule, is_there, value) for rule in rules)


def _rule_holds(rule: Any, is_there: bool, value: Any) -> bool:
    match rule:
        case str():
            return is_there and value == rule
        case {"prefix": str(beginning)}:
            return isinstance(value, str) and value.startswith(beginning)
        case {"exists": bool(wanted)}:
            # It looks at leaves only: there is no leaf where there is a mapping.
            return (is_there and not isinstance(value, Mapping)) is wanted
    raise TemplateError(f"The local gateway does not know the rule {rule} of a pattern.")
