"""The scalars of the schema, and its enums as the domain's own.

What is asked for seldom has its names as they are, so that a cold start does without the rooms that they come from.
"""

import re
from datetime import UTC, date, datetime

from ariadne import EnumType, ScalarType

from gatehouse.accounts.admittance import Mode
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.consumers.model import Kind, Role
from gatehouse.credentials.model import CredentialType
from gatehouse.plans.model import QuotaPeriod

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

date_time = ScalarType("DateTime")
day = ScalarType("Date")
json = ScalarType("JSON")

SCALARS = (date_time, day, json)
ENUMS = (
    EnumType("UserRole", Role),
    EnumType("UserKind", Kind),
    EnumType("CredentialType", CredentialType),
    EnumType("QuotaPeriod", QuotaPeriod),
    EnumType("RegistrationMode", Mode),
)


@date_time.serializer
def _serialize(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@date_time.value_parser
def _parse(value: object) -> datetime:
    """The moment in UTC, to the millisecond; raises ValueError for what is no ISO 8601 text with its zone."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    try:
        return from_milliseconds(milliseconds(moment))
    except OverflowError as error:
        raise ValueError("out of range") from error


@day.serializer
def _serialize_day(moment: date) -> str:
    return moment.isoformat()


@day.value_parser
def _parse_day(value: object) -> date:
    """The day; raises ValueError for what is no `2026-01-31`."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("not a day")
    return date.fromisoformat(value)
