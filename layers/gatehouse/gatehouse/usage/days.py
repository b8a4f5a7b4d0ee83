"""Days of usage: which are asked for, and what each of them held. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from gatehouse.admission.gate import SESSIONS
from gatehouse.errors import BadRequest
from gatehouse.usage.model import CredentialName, CredentialUsage, UsageDay

_MOST_DAYS = 92
_DAYS_BY_DEFAULT = 30
_EPOCH = date(1970, 1, 1)


def asked_for(first: date | None, last: date | None, now: datetime) -> tuple[date, date]:
    """The first and the last day; 30 days up to `last` or today where no first is told; raises BadRequest."""
    until = now.astimezone(UTC).date() if last is None else last
    since = _days_before(until, _DAYS_BY_DEFAULT - 1) if first is None else first
    if since > until:
        raise BadRequest("from must not be later than to.", field="from")
    if (until - since).days >= _MOST_DAYS:
        raise BadRequest(f"Usage is told for at most {_MOST_DAYS} days at once.", field="from")
    return since, until


def day_of(number: int) -> date:
    """The day that is so many after the epoch, as gates count them."""
    return _EPOCH + timedelta(days=number)


def told(day: date, requests: Mapping[str, int], names: Mapping[str, CredentialName]) -> UsageDay:
    """The day whose requests are told by sessions' and credentials' numbers; the busiest credential comes first."""
    by_number = {number: count for number, count in requests.items() if number != SESSIONS}
    credentials = [
        CredentialUsage(credential_id=name.credential_id, key_id=name.key_id, requests=count)
        for number, count in by_number.items()
        if (name := names.get(number)) is not None
    ]
    if gone := sum(count for number, count in by_number.items() if number not in names):
        credentials.append(CredentialUsage(requests=gone))
    return UsageDay(
        day=day,
        requests=sum(requests.values()),
        sessions=requests.get(SESSIONS, 0),
        credentials=tuple(sorted(credentials, key=lambda credential: credential.requests, reverse=True)),
    )


def _days_before(day: date, count: int) -> date:
    return max(date.min + timedelta(days=count), day) - timedelta(days=count)
