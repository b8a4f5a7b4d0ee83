"""What operations cost in tables of three sizes, in calls and capacity units, which promise to be the same.

A crowd is loaded into dynoxide as an export of DynamoDB, which takes a fifth of the time of writing it. One in ten of
its users is switched off, one in ten is a MODERATOR and one in fifty an ADMIN.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from gatehouse import wiring
from gatehouse.accounts.model import Origin
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.clock import Clock, SystemClock, milliseconds
from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Role, User
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.settings import Settings
from gatehouse.storage import keys
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import NameRecord, ProfileRecord
from local.gateway.environment import cut_off, load_template
from tests import dynoxide
from tests.stores import Cost, connection_kept, cost_of

SIZES = (1_000, 10_000, 100_000)
SIGN_UPS = 100_000
DUE = 100
"""Accounts that a sweep is to see to."""

PASSWORD = "SecurePass123!"
ADMIN = Caller(consumer_id=new_id(datetime.now(UTC)), role=Role.ADMIN, session_id=new_id(datetime.now(UTC)))
_START = datetime(2025, 1, 1, tzinfo=UTC)


def main() -> None:
    """Prints a line an operation; ends with 1 where a cost follows the size of the table."""
    cut_off(os.environ)
    with crowds(SIZES) as endpoint:
        costs = {size: costs_of(endpoint, size) for size in SIZES}
    print(f"{'calls, units at':36}" + "".join(f"{size:>20,}" for size in SIZES) + "  users")
    for name in costs[SIZES[0]]:
        told = (f"{sum(costs[size][name].calls.values())}, {costs[size][name].units:g}" for size in SIZES)
        print(f"{name:36}" + "".join(f"{text:>20}" for text in told))
    shares = spread(SIGN_UPS)
    for kind, share in shares.items():
        print(f"{kind}: the busiest of its keys has {share:.2f} x the mean after {SIGN_UPS:,} sign-ups")
    growing = [name for name in costs[SIZES[0]] if grows(costs, name)]
    crowded = [kind for kind, share in shares.items() if share > 2]
    if growing or crowded:
        sys.exit(f"Not as promised: {', '.join(growing + crowded)}.")


def grows(costs: Mapping[int, Mapping[str, Cost]], name: str) -> bool:
    """Whether an operation's cost in the largest table is over a tenth more than in the smallest."""
    smallest, *_, largest = (costs[size][name] for size in sorted(costs))
    return smallest.calls != largest.calls or largest.units > 1.1 * smallest.units


def spread(sign_ups: int) -> dict[str, float]:
    """How much busier than the mean the busiest key of each kind is, but for keys that are a person's own."""
    ids = [new_id(_START + timedelta(seconds=number)) for number in range(sign_ups)]
    busiest = {
        "listings of users": Counter(keys.listing(Role.USER, True, user_id) for user_id in ids),
        "shards of names and credentials": Counter(keys.shard(user_id) for user_id in ids),
    }
    return {kind: max(counts.values()) * len(keys.SHARDS) / sign_ups for kind, counts in busiest.items()}


def costs_of(endpoint: str, size: int) -> dict[str, Cost]:
    """What each operation costs in the crowd of that size."""
    settings = settings_for(endpoint, size)
    with connection_kept():
        house = wiring.build(settings, SystemClock())
        cleanup = wiring.build_cleanup(settings, when_due(settings, DUE))

        def users(after: str | None = None, **query: Any) -> Callable[[], object]:
            return partial(house.consumers.page, ADMIN, UserQuery(**query), 50, after)

        first = house.consumers.page(ADMIN, UserQuery(), 50, None).entries[-1][1]
        halfway = keys.consumer(new_id(_START + timedelta(seconds=size / 2)))
        operations: dict[str, Callable[[], object]] = {
            "users(first: 50)": users(),
            "users(first: 50), from halfway on": users(halfway),
            "users(first: 50), by username": users(order=Order.USERNAME),
            "users(first: 50), role and state": users(role=Role.USER, is_active=True),
            "users(first: 50), search": users(search="person"),
            "user(id)": partial(house.consumers.get, ADMIN, first.id),
            "login": partial(house.people.accounts.login, _email(1), PASSWORD, Origin("192.0.2.1", "a program")),
            f"finding {DUE} accounts to warn": partial(cleanup.run, lambda: 900.0, dry_run=True),
        }
        return {name: cost_of(operation) for name, operation in operations.items()}


@dataclass(frozen=True)
class At:
    """A clock that stands still at a moment."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def settings_for(endpoint: str, size: int) -> Settings:
    """Those of a house on the crowd of that size."""
    environment = {
        "TABLE_NAME": _table(size),
        "DYNAMODB_ENDPOINT": endpoint,
        "JWT_SECRET": "only for this measurement, 32 bytes",
        "BCRYPT_ROUNDS": "4",
    }
    return Settings.from_environment(environment)


def when_due(settings: Settings, due: int) -> Clock:
    """The time at which so many accounts of a crowd are to be warned, none of which was ever used."""
    cleaned_up = (number for number in count() if _standing(number)[1] and _standing(number)[0] is not Role.ADMIN)
    last = next(islice(cleaned_up, due - 1, None))
    return At(_START + timedelta(seconds=last, days=settings.cleanup_warn_days))


@contextmanager
def crowds(sizes: Sequence[int]) -> Iterator[str]:
    """The endpoint of a store with a table of each size."""
    arguments = load_template({}).table.arguments
    description = {name: value for name, value in arguments.items() if name != "StreamSpecification"}
    with tempfile.TemporaryDirectory(prefix="gatehouse-scale-") as name:
        folder = Path(name)
        schema = folder / "schema.json"
        tables = [{"Table": {"TableName": _table(size), "TableStatus": "ACTIVE", **description}} for size in sizes]
        schema.write_text(json.dumps(tables), encoding="utf-8")
        for size in sizes:
            data = folder / "export" / _table(size) / "data"
            data.mkdir(parents=True)
            with (data / "items.json").open("w", encoding="utf-8") as file:
                file.writelines(_items(size))
        source = str(folder / "export")
        with dynoxide.running("import", "--serve", "--source", source, "--schema", str(schema)) as endpoint:
            yield endpoint


def _table(size: int) -> str:
    return f"gatehouse-{size}"


def _email(number: int) -> str:
    return f"{_username(number)}@example.com"


def _username(number: int) -> str:
    return f"person-{number:07}"


def _items(size: int) -> Iterator[str]:
    """The lines of an export; PynamoDB makes one of each kind, and the others are made of it by putting in names."""
    password_hash = PasswordHasher(4).hash(PASSWORD)
    made: dict[tuple[Role, bool, str], tuple[User, str]] = {}
    for number in range(size):
        role, is_active = _standing(number)
        at = _START + timedelta(seconds=number)
        user_id = new_id(at)[:-1] + f"{number % 16:x}"  # evenly spread, so that tables differ by their size alone
        kind = role, is_active, user_id[-1]
        if kind not in made:
            name, email = _username(number), _email(number)
            user = User(
                id=user_id, username=name, email=email, role=role, is_active=is_active, created_at=at, updated_at=at
            )
            made[kind] = (user, _lines(user, password_hash))
        user, lines = made[kind]
        same_but_when = lines.replace(user.id, user_id).replace(user.username, _username(number))
        yield same_but_when.replace(str(milliseconds(user.created_at)), str(milliseconds(at)))


def _standing(number: int) -> tuple[Role, bool]:
    role = Role.ADMIN if number % 50 == 49 else Role.MODERATOR if number % 10 == 8 else Role.USER
    return role, number % 10 != 5


def _lines(user: User, password_hash: str) -> str:
    records = (
        ProfileRecord.of(user, password_hash, None),
        GateRecord.of(user),
        NameRecord.of_email(user),
        NameRecord.of_username(user),
    )
    return "".join(json.dumps({"Item": record.serialize()}) + "\n" for record in records)


if __name__ == "__main__":
    main()
