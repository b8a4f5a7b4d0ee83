"""The scalars of the schema, and its enums as the domain's own."""

from datetime import UTC, datetime

from ariadne import EnumType, ScalarType

from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.consumers.model import Kind, Role
from gatehouse.credentials.model import CredentialType

date_time = ScalarType("DateTime")

ENUMS = (EnumType("UserRole", Role), EnumType("UserKind", Kind), EnumType("CredentialType", CredentialType))


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
