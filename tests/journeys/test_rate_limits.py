"""Limits as callers meet them: exact under concurrency, told on every answer, and shared as the contract says."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.journeys.client import ME, Answer, House, Key, Person
from tests.journeys.conftest import Opener, open_house

LIMIT = 25
CALLS = 80


@pytest.fixture(scope="module")
def limited() -> Iterator[House]:
    """A system in which a USER has 25 calls a minute."""
    with open_house({"THROTTLE_LIMIT": str(LIMIT)}) as opened:
        yield opened


def told(answer: Answer) -> tuple[int, int]:
    """The limit and what remains of it, which the body and the headers tell alike."""
    in_body = answer.body["extensions"]["rateLimit"]
    in_headers = {name: int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")}
    assert in_body == in_headers
    return in_body["limit"], in_body["remaining"]


def all_at_once(houses: list[House], keys: list[Key]) -> list[Answer]:
    """The answers to 80 calls, spread over the systems and the keys."""
    with ThreadPoolExecutor(CALLS) as threads:
        return list(threads.map(lambda n: houses[n % len(houses)].graphql(ME, by=keys[n % len(keys)]), range(CALLS)))


def assert_exact(answers: list[Answer]) -> None:
    assert Counter(answer.status for answer in answers) == {200: LIMIT, 429: CALLS - LIMIT}
    admitted = [told(answer)[1] for answer in answers if answer.status == 200]
    assert sorted(admitted, reverse=True) == list(range(LIMIT - 1, -1, -1))
    for answer in answers:
        if answer.status == 429:
            assert (answer.outcome, told(answer)) == ("RATE_LIMIT_EXCEEDED", (LIMIT, 0))
            assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_of_80_calls_at_once_over_two_keys_25_succeed_and_the_session_still_gets_in(limited: House) -> None:
    owner = limited.person()
    keys = [limited.key(owner), limited.key(owner)]
    assert_exact(all_at_once([limited], keys))
    assert limited.graphql(ME, by=owner).outcome == "ok"


@pytest.mark.long
def test_the_same_from_four_processes_on_one_store(dynoxide: str) -> None:
    with ExitStack() as stack:
        settings = {"THROTTLE_LIMIT": str(LIMIT), "DYNAMODB_ENDPOINT": dynoxide}
        houses = [stack.enter_context(open_house(settings)) for _ in range(4)]
        owner = houses[0].person()
        keys = [houses[0].key(owner), houses[0].key(owner)]
        assert_exact(all_at_once(houses, keys))
        assert [house.graphql(ME, by=owner).outcome for house in houses] == ["ok"] * 4


def test_a_window_begins_with_its_first_call_and_ends_a_minute_later(limited: House) -> None:
    owner = limited.person()
    key = limited.key(owner)
    assert [told(limited.graphql(ME, by=key))[1] for _ in range(LIMIT)] == list(range(LIMIT - 1, -1, -1))
    refused = limited.graphql(ME, by=key)
    assert (refused.status, refused.outcome) == (429, "RATE_LIMIT_EXCEEDED")
    limited.pass_seconds(int(refused.headers["retry-after"]))
    assert told(limited.graphql(ME, by=key)) == (LIMIT, LIMIT - 1)


def test_every_role_has_its_own_limit(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT": "10", "THROTTLE_LIMIT_MODERATOR": "100", "THROTTLE_LIMIT_ADMIN": "1000"})
    people: list[Person] = [house.person("USER"), house.person("MODERATOR"), house.admin]
    assert [told(house.graphql(ME, by=person))[0] for person in people] == [10, 100, 1000]


def test_a_change_of_role_changes_the_limit_on_the_next_call(limited: House) -> None:
    person = limited.person()
    assert told(limited.graphql(ME, by=person)) == (LIMIT, LIMIT - 1)
    limited.change(person.id, {"role": "MODERATOR"}, by=limited.admin)
    assert told(limited.graphql(ME, by=person)) == (100_000, 100_000 - 2)


def test_every_answer_tells_the_limit_whatever_went_wrong(limited: House) -> None:
    person = limited.person()
    answers = [
        limited.graphql("{ nothing }", by=person),
        limited.graphql("{ users { id } }", by=person),
        limited.graphql("not graphql", by=person),
        limited.graphql(ME),
        limited.send("POST", content="{", headers={"Content-Type": "application/json", **person.headers}),
        limited.send("POST", content="{}", headers={"Content-Type": "text/plain", **person.headers}),
        limited.send("GET", params={"query": "mutation { logout }"}, headers=person.headers),
    ]
    assert [told(answer)[0] for answer in answers] == [LIMIT, LIMIT, LIMIT, 100_000, LIMIT, LIMIT, LIMIT]


def test_anonymous_callers_are_counted_by_their_address_which_they_cannot_make_up(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT_ANONYMOUS": "5"})
    answers = [house.graphql("{ __typename }", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status for n in range(7)]
    assert answers == [200] * 5 + [429] * 2


def test_a_trusted_proxy_tells_the_address_and_no_other_hop_does(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT_ANONYMOUS": "2", "TRUSTED_PROXIES": "1"})

    def statuses(*forwarded: str) -> list[int]:
        return [house.graphql("{ __typename }", headers={"X-Forwarded-For": hops}).status for hops in forwarded]

    assert statuses("198.51.100.1", "203.0.113.9, 198.51.100.1", "192.0.2.7, 198.51.100.1") == [200, 200, 429]
    assert statuses("198.51.100.1, 198.51.100.2") == [200]
    one_network = ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3", "2001:db8:0:2::1")
    assert statuses(*one_network) == [200, 200, 429, 200]


def test_a_refused_call_does_nothing(limited: House) -> None:
    owner = limited.person()
    key = limited.key(owner)
    for _ in range(LIMIT):
        limited.graphql(ME, by=key)
    change = 'mutation ($id: ID!) { updateUser(id: $id, updateUserInput: {firstName: "Changed"}) { id } }'
    assert limited.graphql(change, {"id": owner.id}, by=key).outcome == "RATE_LIMIT_EXCEEDED"
    assert limited.graphql("{ me { firstName } }", by=owner).data == {"me": {"firstName": None}}


def test_a_flood_from_one_key_keeps_no_other_consumer_out(limited: House) -> None:
    flooder, other = limited.person(), limited.person()
    keys = [limited.key(flooder)]
    with ThreadPoolExecutor(16) as threads:
        flood = threads.map(lambda _: limited.graphql(ME, by=keys[0]).status, range(100))
        calm = [limited.graphql(ME, by=other).status for _ in range(LIMIT)]
    assert calm == [200] * LIMIT
    assert Counter(flood) == {200: LIMIT, 429: 75}


def test_the_health_check_counts_for_nobody(limited: House) -> None:
    health = limited.send("GET", "/health")
    assert (health.status, "x-ratelimit-limit" in health.headers) == (200, False)
