"""Pages of users, credentials and usage plans: a query a partition of an index, merged, and one batch read."""

from collections.abc import Iterable, Sequence

from gatehouse.clock import milliseconds
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.ids import lowest_id
from gatehouse.persistence import Page
from gatehouse.plans.model import UsagePlan
from gatehouse.storage import keys
from gatehouse.storage.credential_records import CredentialRecord
from gatehouse.storage.plans import PlanRecord
from gatehouse.storage.ranges import END, Entry, Range
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.table import read_together


def page_users(query: UserQuery, first: int, after: str | None) -> Page[User]:
    """At most `first` users behind the position; 24 queries at most (4 with role and state, or with a search)."""
    stretch = _users_range(query)
    # A search may find a user twice, by name and by email, so that twice as many entries fill a page.
    limit = (first if query.prefix is None else 2 * first) + 1
    found = stretch.entries(limit, after)
    once = _first_of_each_owner(found)
    users = _users_by_id(_owner(entry) for entry in once[:first])
    entries = [
        (stretch.position(entry), user)
        for entry in once[:first]
        if (user := users.get(_owner(entry))) is not None and query.admits(user) and _is_listed_here(query, entry, user)
    ]
    if len(once) > first:
        return Page(entries, stretch.position(once[first - 1]))
    return Page(entries, stretch.position(found[-1]) if len(found) == limit else None)


def page_credentials(query: CredentialQuery, first: int, after: str | None) -> Page[Credential]:
    """At most `first` credentials, newest first: one query of a consumer's, or 4 of all and one batch read."""
    if query.consumer_id is not None:
        partition = keys.consumer(query.consumer_id)
        stretch = Range(None, [partition], "SK", keys.CREDENTIAL_PREFIX, keys.CREDENTIAL_PREFIX + END, True)
        found = stretch.entries(first + 1, after)
        credentials = [CredentialRecord.from_raw_data(dict(entry)).credential() for entry in found[:first]]
    else:
        stretch = Range(keys.CREDENTIALS_BY_CREATION, keys.SHARDS, "SK", None, None, True)
        found = stretch.entries(first + 1, after)
        wanted = [CredentialRecord(entry["PK"]["S"], entry["SK"]["S"]) for entry in found[:first]]
        records = read_together(*wanted, consistent=False)
        credentials = [record.credential() for record in records if isinstance(record, CredentialRecord)]
    entries = [(keys.credential(credential.id), credential) for credential in credentials if query.admits(credential)]
    return Page(entries, _next_position(found, first, stretch))


def page_plans(first: int, after: str | None) -> Page[UsagePlan]:
    """At most `first` usage plans, newest first: one query."""
    stretch = Range(None, [keys.PLANS], "SK", None, None, True)
    found = stretch.entries(first + 1, after)
    plans = [PlanRecord.from_raw_data(dict(entry)).plan() for entry in found[:first]]
    return Page([(plan.id, plan) for plan in plans], _next_position(found, first, stretch))


def _users_range(query: UserQuery) -> Range:
    if query.prefix is not None:
        return Range(keys.NAMES, keys.SHARDS, "name", query.prefix, query.prefix + END, query.newest_first)
    partitions = keys.listings(
        Role if query.role is None else [query.role], (True, False) if query.is_active is None else [query.is_active]
    )
    if query.order is Order.USERNAME:
        return Range(keys.USERS_BY_USERNAME, partitions, "usernameKey", None, None, query.newest_first)
    low = None if query.created_after is None else lowest_id(milliseconds(query.created_after) + 1)
    high = None if query.created_before is None else lowest_id(milliseconds(query.created_before))
    return Range(
        keys.USERS_BY_CREATION,
        partitions,
        "PK",
        None if low is None else keys.consumer(low),
        None if high is None else keys.consumer(high),
        query.newest_first,
    )


def _is_listed_here(query: UserQuery, entry: Entry, user: User) -> bool:
    """Whether the user is to be told at this entry: an index lags, and who matches twice is told at the first."""
    if query.prefix is None:
        return True
    names = (unique_form(user.username), unique_form(user.email))
    matching = sorted((name for name in names if name.startswith(query.prefix)), reverse=query.newest_first)
    return matching[:1] == [entry["name"]["S"]]


def _first_of_each_owner(found: Iterable[Entry]) -> list[Entry]:
    first: dict[str, Entry] = {}
    for entry in found:
        first.setdefault(_owner(entry), entry)
    return list(first.values())


def _owner(entry: Entry) -> str:
    return entry["owner"]["S"] if "owner" in entry else keys.consumer_id(entry["PK"]["S"])


def _users_by_id(ids: Iterable[str]) -> dict[str, User]:
    records = read_together(*(ProfileRecord.key(user_id) for user_id in dict.fromkeys(ids)), consistent=False)
    return {user.id: user for user in (record.user() for record in records if isinstance(record, ProfileRecord))}


def _next_position(found: Sequence[Entry], first: int, stretch: Range) -> str | None:
    return stretch.position(found[first - 1]) if len(found) > first else None
