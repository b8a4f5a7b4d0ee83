"""What time it is: the one source of `now` for every rule that depends on time."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time, as an aware datetime in UTC of whole milliseconds."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return from_milliseconds(milliseconds(datetime.now(UTC)))


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch, the precision that everything is kept in."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(value: int) -> datetime:
    """The moment that `milliseconds` was made from."""
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def optional_milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def optional_moment(value: float | None) -> datetime | None:
    return None if value is None else from_milliseconds(int(value))
