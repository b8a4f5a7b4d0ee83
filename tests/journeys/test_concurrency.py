"""Many at once, on a store that is right about it: names have one winner, and an ADMIN is always left."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.client import (
    CREATE_CREDENTIAL,
    CREATE_USER,
    LOGIN,
    ME,
    REGISTER,
    UPDATE_USER,
    Answer,
    House,
    Person,
)
from tests.journeys.conftest import Opener, open_house

AT_ONCE = 24
ONE_WINNER = ["CONFLICT"] * (AT_ONCE - 1) + ["ok"]


@pytest.fixture(scope="module")
def crowded(dynoxide: str) -> Iterator[House]:
    """A system on dynoxide, which is not moto with a lock around it."""
    with open_house({"DYNAMODB_ENDPOINT": dynoxide, "TABLE_NAME": f"journeys-{uuid4()}"}) as house:
        yield house


def all_at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call gives; none starts before all are ready."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def outcomes(answers: Sequence[Answer]) -> list[str]:
    return sorted(answer.outcome for answer in answers)


@pytest.mark.parametrize("taken", ["email", "username"])
def test_of_24_registrations_of_one_name_in_two_spellings_one_succeeds(crowded: House, taken: str) -> None:
    wanted = crowded.names("wanted")[taken]
    inputs = [crowded.names() | {taken: wanted if number % 2 else wanted.upper()} for number in range(AT_ONCE)]
    answers = all_at_once([partial(crowded.graphql, REGISTER, {"input": new}) for new in inputs])
    assert outcomes(answers) == ONE_WINNER
    [winner] = [answer.data["register"]["user"] for answer in answers if answer.outcome == "ok"]
    assert winner[taken].lower() == wanted
    losers = [new for new, answer in zip(inputs, answers, strict=True) if answer.outcome == "CONFLICT"]

    # Nothing of the losers is left: nobody is listed, nobody signs in, and what they wanted beside is free.
    query = "query ($search: String!) { users(where: {search: $search}) { id } }"
    search = {"search": wanted.split("@")[0]}
    assert crowded.graphql(query, search, by=crowded.admin).data == {"users": [{"id": winner["id"]}]}
    other = "username" if taken == "email" else "email"
    for loser in losers:
        sign_in = {"email": loser["email"], "password": loser["password"]}
        assert crowded.graphql(LOGIN, {"input": sign_in}).outcome == "UNAUTHENTICATED"
        again = crowded.names() | {other: loser[other]}
        assert crowded.graphql(REGISTER, {"input": again}).outcome == "ok"


def test_of_24_credentials_with_one_key_id_one_is_made(crowded: House) -> None:
    owners = [crowded.person() for _ in range(4)]
    wanted = {"type": "KEY_AUTH", "keyId": f"wanted-{uuid4()}"}
    answers = all_at_once(
        [partial(crowded.graphql, CREATE_CREDENTIAL, {"input": wanted}, by=by) for by in owners * (AT_ONCE // 4)]
    )
    assert outcomes(answers) == ONE_WINNER
    [made] = [answer.data["createCredential"] for answer in answers if answer.outcome == "ok"]
    listed = [crowded.graphql("{ credentials { id } }", by=owner).data["credentials"] for owner in owners]
    assert [credential for credentials in listed for credential in credentials] == [{"id": made["id"]}]


def test_of_eight_admins_who_demote_one_another_one_is_left(dynoxide: str, opener: Opener) -> None:
    house = opener({"DYNAMODB_ENDPOINT": dynoxide, "TABLE_NAME": f"race-{uuid4()}"})
    admins = [house.admin, *(house.person("ADMIN") for _ in range(7))]

    def demote_the_others(admin: Person) -> None:
        for other in admins:
            if other is not admin:
                demote(house, admin, other)

    all_at_once([partial(demote_the_others, admin) for admin in admins])
    roles = [house.graphql(ME, by=admin).data["me"]["role"] for admin in admins]
    assert sorted(roles) == ["ADMIN"] + ["USER"] * 7
    left = admins[roles.index("ADMIN")]
    listed = house.graphql("{ users(where: {role: ADMIN}) { id } }", by=left).data["users"]
    assert listed == [{"id": left.id}]
    assert house.graphql(CREATE_USER, {"input": house.names()}, by=left).outcome == "ok"


def demote(house: House, admin: Person, other: Person) -> None:
    """Asks until the answer is one: done, or not allowed (any more)."""
    for _ in range(20):
        answer = house.graphql(UPDATE_USER, {"id": other.id, "input": {"role": "USER"}}, by=admin)
        if answer.outcome != "SERVICE_UNAVAILABLE":
            assert answer.outcome in ("ok", "FORBIDDEN", "NOT_FOUND")
            return
    pytest.fail("The system stayed unavailable.")


def test_requests_are_served_side_by_side(opener: Opener) -> None:
    """While one request pays for a hash others are answered: seen by when the log says that it was worked on."""
    house = opener({"BCRYPT_ROUNDS": "12"})
    attempt = {"input": {"email": "nobody@example.com", "password": "x"}}
    with ThreadPoolExecutor(3) as threads:
        logins = [threads.submit(house.graphql, LOGIN, attempt) for _ in range(2)]
        checks = []
        while not all(login.done() for login in logins):
            asked = time.time()
            assert house.send("GET", "/health").status == 200
            checks.append((asked, time.time()))
    worked = [worked_from_to(json.loads(line)) for line in house.log() if '"query":"login"' in line]
    assert len(worked) == 2
    (_, first_end), (second_start, _) = sorted(worked)
    assert second_start < first_end
    assert any(start < asked and answered < end for asked, answered in checks for start, end in worked)


def worked_from_to(line: dict[str, Any]) -> tuple[float, float]:
    """When the work on a request began and ended, as its line of the log tells."""
    end = datetime.fromisoformat(line["timestamp"]).timestamp()
    return end - line["responseTime"] / 1000, end
