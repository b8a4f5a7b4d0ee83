"""How long a sign-in takes that fails: alike for an unknown email, a wrong password, and an account locked or inactive.

The use case runs as in Lambda, with as many rounds of bcrypt as are the default, on dynoxide. The four take turns, each
first as often as any other, so that what else the machine does is shared. The promise is at most 10 % between medians.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

from gatehouse import wiring
from gatehouse.accounts.model import Origin
from gatehouse.clock import SystemClock
from gatehouse.consumers.model import Role
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.settings import Settings
from local.gateway.environment import cut_off, load_template
from tests import dynoxide
from tests.stores import Store, cost_of

ADDRESSES = 25
TURNS = 4  # at each address; a fifth wrong password would lock it
PASSWORD, WRONG = "SecurePass123!", "AnotherPass456?"
MOST = 1.10

type Attempt = Callable[[Origin], None]


def main() -> None:
    """Prints a median for each kind of failure; ends with 1 where they are not alike."""
    cut_off(os.environ)
    with dynoxide.running() as endpoint, Store(load_template({}).table, endpoint, "gatehouse").opened():
        house = wiring.build(Settings.from_environment(_environment(endpoint)), SystemClock())
        attempts, lock = _failing(house)
        medians = {name: statistics.median(times) for name, times in _timed(attempts, lock).items()}
        lock(elsewhere := _origin(ADDRESSES))  # a fifth failure would be told as a lock, too
        calls = {name: cost_of(partial(attempt, elsewhere)).calls for name, attempt in attempts.items()}
    for name, median in medians.items():
        print(f"{name:18} {median * 1000:7.2f} ms  " + ", ".join(f"{n} {call}" for call, n in calls[name].items()))
    spread = max(medians.values()) / min(medians.values())
    print(f"the slowest takes {(spread - 1) * 100:.1f} % more than the fastest, of {ADDRESSES * TURNS} each")
    if spread > MOST or len({str(sorted(each.items())) for each in calls.values()}) > 1:
        sys.exit("Not as promised: a sign-in tells by its time, or by its calls, why it fails.")


def _timed(attempts: Mapping[str, Attempt], lock: Attempt) -> dict[str, list[float]]:
    """Seconds of each attempt, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in attempts}
    names = list(attempts)
    for number in range(ADDRESSES):
        lock(_origin(number))
        for turn in range(TURNS):
            for name in names[turn:] + names[:turn]:
                started = time.perf_counter()
                attempts[name](_origin(number))
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _failing(house: wiring.Gatehouse) -> tuple[dict[str, Attempt], Attempt]:
    """Attempts that fail, each for a reason of its own; and what locks an address for the one that wants that."""
    admin = Caller(consumer_id=new_id(house.clock.now()), role=Role.ADMIN, session_id=new_id(house.clock.now()))

    def person(name: str) -> str:
        user = house.consumers.create(
            admin, {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": None, "kind": None}
        )
        if name == "inactive":
            house.consumers.update(admin, user.id, {"is_active": False})
        return user.email

    def fail(email: str, password: str, origin: Origin) -> None:
        try:
            house.people.accounts.login(email, password, origin)
        except Unauthenticated:
            return
        raise AssertionError

    known, locked, inactive = person("known"), person("locked"), person("inactive")

    def lock(origin: Origin) -> None:
        for _ in range(house.settings.guess_limit):
            fail(locked, WRONG, origin)

    attempts = {
        "an unknown email": partial(fail, "nobody@example.com", PASSWORD),
        "a wrong password": partial(fail, known, WRONG),
        "a locked account": partial(fail, locked, PASSWORD),
        "an inactive one": partial(fail, inactive, PASSWORD),
    }
    return attempts, lock


def _origin(number: int) -> Origin:
    return Origin(f"192.0.2.{number}", "a benchmark")


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "TABLE_NAME": "gatehouse",
        "DYNAMODB_ENDPOINT": endpoint,
        "JWT_SECRET": "only for this measurement, 32 bytes",
        "GUESS_LIMIT_ACCOUNT": "100000",
        "GUESS_LIMIT_ADDRESS": "100000",
    }


if __name__ == "__main__":
    main()
