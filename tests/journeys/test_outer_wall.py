"""API Gateway's own limits before the exact ones: a flood under a consumer's own key does not reach the functions."""

import time

from tests.journeys.client import ME, Answer, House, Key
from tests.journeys.conftest import Opener

LAST_USED = "query ($id: ID!) { credential(id: $id) { lastUsedAt } }"
MORE_THAN_A_BURST = 80  # of the lowest tier, which holds 60


def wait_for_the_stream(house: House, key: Key) -> None:
    """Returns when the stream has told of the key's first use, and with it of all that was before."""
    deadline = time.monotonic() + 20
    while house.graphql(LAST_USED, {"id": key.id}, by=house.admin).data["credential"]["lastUsedAt"] is None:
        assert time.monotonic() < deadline, "The stream told nothing."


def reached_a_function(answer: Answer) -> bool:
    return "x-ratelimit-limit" in answer.headers


def test_the_flood_of_one_consumer_is_stopped_before_the_functions_and_nobody_elses_way_is_blocked(
    opener: Opener,
) -> None:
    house = opener({"THROTTLE_LIMIT": "5"})
    owner, neighbour = house.person(), house.person()
    key, neighbours_key = house.key(owner), house.key(neighbour)
    assert house.graphql(ME, by=key).outcome == "ok"
    wait_for_the_stream(house, key)

    # Until the own key can be trusted to work, the shared one serves, which has no throttle.
    assert all(reached_a_function(house.graphql(ME, by=key)) for _ in range(MORE_THAN_A_BURST))

    house.pass_seconds(600)
    flood = [house.graphql(ME, by=key) for _ in range(MORE_THAN_A_BURST)]
    assert [answer.outcome for answer in flood[:6]] == [*["ok"] * 5, "RATE_LIMIT_EXCEEDED"]
    assert {answer.status for answer in flood[5:]} == {429}
    assert all(map(reached_a_function, flood[:60]))
    assert not reached_a_function(flood[-1])
    assert (flood[-1].outcome, flood[-1].headers["retry-after"]) == ("RATE_LIMIT_EXCEEDED", "1")
    assert house.graphql(ME, by=owner).outcome == "ok"
    assert house.graphql(ME, by=neighbours_key).outcome == "ok"
    assert house.graphql("{ __typename }").outcome == "ok"
