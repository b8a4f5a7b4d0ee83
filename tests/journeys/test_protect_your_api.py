"""An operator's own API behind the same gate: the example, beside Gatehouse's API."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.client import DELETE_CREDENTIAL, DELETE_USER, ME, UPDATE_CREDENTIAL, Answer, House, Key, Person
from tests.journeys.conftest import Opener

ORDERS = "/orders-api/orders"
LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
LOGOUT = "mutation { logout }"


def read(house: House, by: Person | Key | None = None) -> Answer:
    return house.send("GET", ORDERS, headers=by.headers if by else {})


def place(house: House, by: Person | Key | None = None, item: str = "tea") -> Answer:
    return house.send("POST", ORDERS, headers=by.headers if by else {}, json={"item": item})


@pytest.mark.parametrize(
    ("scopes", "reading", "placing"),
    [
        (["orders:read"], 200, 403),
        (["orders:write"], 403, 201),
        (["users:read", "orders:read", "orders:write"], 200, 201),
        (["users:read"], 403, 403),
        ([], 403, 403),
        (None, 200, 201),
    ],
)
def test_a_key_does_what_its_scopes_say(house: House, scopes: list[str] | None, reading: int, placing: int) -> None:
    key = house.key(house.person(), scopes=scopes)
    assert (read(house, key).status, place(house, key).status) == (reading, placing)


def test_a_scope_that_is_missing_is_told_by_name(house: House) -> None:
    answer = place(house, house.key(house.person(), scopes=["orders:read"]))
    assert answer.extensions == {"code": "FORBIDDEN", "statusCode": 403}
    assert "orders:write" in answer.errors[0]["message"]


def test_the_orders_are_the_consumers_whoever_of_it_calls(house: House) -> None:
    one, other = house.person(), house.person()
    first = place(house, house.key(one), "tea").body["order"]
    second = place(house, one, "milk").body["order"]
    assert [order["item"] for order in (first, second)] == ["tea", "milk"]
    assert read(house, one).body == {"orders": [first, second]}
    assert read(house, house.key(one, scopes=["orders:read"])).body == {"orders": [first, second]}
    assert read(house, other).body == {"orders": []}


def test_what_is_no_order_is_told_as_gatehouse_would(house: House) -> None:
    answer = house.send("POST", ORDERS, headers=house.person().headers, content="tea")
    assert (answer.status, answer.extensions) == (400, {"code": "BAD_REQUEST", "statusCode": 400})


def test_nobody_is_asked_to_sign_in(house: House) -> None:
    for answer in (read(house), place(house)):
        assert (answer.status, answer.extensions) == (401, {"code": "UNAUTHENTICATED", "statusCode": 401})
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_route_that_there_is_not_is_not_found(house: House) -> None:
    for headers in ({}, house.person().headers):
        answer = house.send("GET", ORDERS + "/1", headers=headers)
        assert (answer.status, answer.outcome) == (404, "NOT_FOUND")


# ---- who is refused before the function is asked


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "{session}x"},
        {"Authorization": "Bearer no.token.at-all"},
        {"Authorization": "Bearer {key}"},
        {"X-API-Key": "{key}x"},
        {"X-API-Key": "{key}", "Authorization": "{session}"},
    ],
)
def test_a_forged_credential_is_refused_by_the_gateway_in_gatehouses_words(
    house: House, headers: dict[str, str]
) -> None:
    user = house.person()
    known = {"session": user.headers["Authorization"], "key": house.key(user).text}
    answer = house.send("GET", ORDERS, headers={name: value.format(**known) for name, value in headers.items()})
    assert (answer.status, answer.body) == (
        401,
        {
            "errors": [
                {
                    "message": "The credential was refused.",
                    "extensions": {
                        "code": "UNAUTHENTICATED",
                        "statusCode": 401,
                        "correlationId": answer.headers["x-amzn-requestid"],
                    },
                }
            ]
        },
    )
    assert answer.headers["www-authenticate"] == "Bearer"


def delete_key(house: House, user: Person, key: Key) -> Any:
    return house.graphql(DELETE_CREDENTIAL, {"id": key.id}, by=user)


def disable_key(house: House, user: Person, key: Key) -> Any:
    return house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"isActive": False}}, by=user)


def deactivate_owner(house: House, user: Person, _: Key) -> Any:
    return house.change(user.id, {"isActive": False}, by=house.admin)


def delete_owner(house: House, user: Person, _: Key) -> Any:
    return house.graphql(DELETE_USER, {"id": user.id}, by=house.admin)


@pytest.mark.parametrize("end", [delete_key, disable_key, deactivate_owner, delete_owner])
def test_a_key_that_has_ended_is_refused_on_the_next_request(
    house: House, end: Callable[[House, Person, Key], Any]
) -> None:
    user = house.person()
    key = house.key(user, scopes=["orders:read"])
    assert read(house, key).status == 200
    end(house, user, key)
    assert (read(house, key).status, read(house, key).outcome) == (401, "UNAUTHENTICATED")


def test_a_session_that_has_ended_is_refused_on_the_next_request(house: House) -> None:
    user = house.person()
    assert read(house, user).status == 200
    house.graphql(LOGOUT, by=user)
    assert read(house, user).status == 401


def test_a_scope_that_is_taken_away_is_gone_on_the_next_request(house: House) -> None:
    user = house.person()
    key = house.key(user, scopes=["orders:read"])
    assert read(house, key).status == 200
    house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"scopes": ["users:read"]}}, by=user)
    assert read(house, key).status == 403


# ---- limits: systems of their own


def told(answer: Answer) -> list[int]:
    """The limit and what remains of it."""
    return [int(answer.headers[name]) for name in LIMIT_HEADERS[:2]]


def test_both_apis_count_in_one_window(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT": "4"})
    user = house.person()
    key = house.key(user, by=house.admin)
    answers = [house.graphql(ME, by=key), read(house, key), place(house, key), house.graphql(ME, by=key)]
    assert [told(answer) for answer in answers] == [[4, 3], [4, 2], [4, 1], [4, 0]]
    assert len({answer.headers["x-ratelimit-reset"] for answer in answers}) == 1

    over = read(house, key)
    assert (over.status, over.extensions) == (429, {"code": "RATE_LIMIT_EXCEEDED", "statusCode": 429})
    assert told(over) == [4, 0]
    assert over.headers["x-ratelimit-reset"] == answers[0].headers["x-ratelimit-reset"]
    assert 1 <= int(over.headers["retry-after"]) <= 61  # the reset that it is worked out from is rounded up
    assert house.graphql(ME, by=key).status == 429
    assert read(house, house.key(user, by=house.admin)).status == 429  # a second key shares the window

    assert read(house, user).status == 200  # the owner's sessions have a window of their own
    house.pass_seconds(int(over.headers["retry-after"]))
    assert told(read(house, key)) == [4, 3]


def test_a_refusal_for_want_of_a_scope_counts_and_says_what_is_left(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT": "2"})
    key = house.key(house.person(), scopes=[], by=house.admin)
    answers = [read(house, key) for _ in range(3)]
    assert [answer.status for answer in answers] == [403, 403, 429]
    assert [told(answer) for answer in answers] == [[2, 1], [2, 0], [2, 0]]


def test_nobody_has_a_window_by_address_that_both_apis_share(opener: Opener) -> None:
    house = opener({"THROTTLE_LIMIT_ANONYMOUS": "3"})
    answers = [read(house), house.graphql("{ __typename }"), read(house), read(house)]
    assert [answer.status for answer in answers] == [401, 200, 401, 429]
    assert [told(answer)[1] for answer in answers] == [2, 1, 0, 0]
    assert house.graphql("{ __typename }").status == 429


def test_a_token_that_is_too_old_is_told_by_its_reason(opener: Opener) -> None:
    house = opener({"ACCESS_TOKEN_TTL": "60"})
    user = house.person()
    assert read(house, user).status == 200
    house.pass_seconds(61)
    answer = read(house, user)
    assert answer.status == 401
    assert answer.extensions == {"code": "UNAUTHENTICATED", "statusCode": 401, "reason": "TOKEN_EXPIRED"}
