"""The audit: what USERs, MODERATORs and ADMINs did is listed for each as they may see it."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.audited import LIST, SECONDS_TO_SEAL, Log, Told, open_log
from tests.journeys.client import DELETE_USER
from tests.journeys.conftest import open_house

HERE = "127.0.0.1"
ABOUT_ANN = [
    ("USER_UPDATED", "SUCCESS", "ADMIN"),
    ("USER_UPDATED", "SUCCESS", "MODERATOR"),
    ("CREDENTIAL_CREATED", "SUCCESS", "USER"),
    ("USER_UPDATED", "SUCCESS", "USER"),
    ("SIGN_IN_FAILED", "REFUSED", None),
    ("SIGNED_IN", "SUCCESS", "USER"),
    ("USER_REGISTERED", "SUCCESS", "USER"),
]
REFUSED = """query ($id: ID) {
  auditEvents(where: {consumerId: $id, outcome: REFUSED}) { nodes { action target { id } } }
}"""


@pytest.fixture(scope="module")
def log(dynoxide: str) -> Iterator[Log]:
    with open_log(dynoxide) as opened:
        yield opened


def told_of(events: list[Told]) -> list[tuple[str, str, str | None]]:
    return [(event["action"], event["outcome"], event["actor"]["role"]) for event in events]


def ids(events: list[Told]) -> list[str]:
    return [event["id"] for event in events]


def test_who_is_concerned_is_told_what_was_done_and_of_others_no_more_than_the_role(log: Log) -> None:
    own = log.events(log.ann)
    assert told_of(own) == ABOUT_ANN
    by_herself = [event["actor"] for event in own if event["actor"]["role"] == "USER"]
    assert {(actor["id"], actor["address"]) for actor in by_herself} == {(log.ann.id, HERE)}
    others = [event["actor"] for event in own if event["actor"]["role"] != "USER"]
    nobody = dict.fromkeys(("id", "address", "sessionId", "credentialId"))
    assert [actor | nobody == actor for actor in others] == [True] * 3
    assert [event["after"] for event in own if event["action"] == "USER_UPDATED"] == [
        {"username": f"{log.ann.username}-2"},
        {"firstName": "Anna"},
        {"firstName": "Ann"},
    ]
    by_her_key = log.events(log.key)
    assert told_of(by_her_key) == ABOUT_ANN
    assert [event["actor"] | nobody for event in by_her_key] == [event["actor"] for event in by_her_key]


def test_a_moderator_is_told_of_users_and_an_admin_of_all_and_by_whom(log: Log) -> None:
    ann, admin = log.ann.id, log.house.admin
    seen = log.events(log.moderator, consumerId=ann)
    assert told_of(seen) == ABOUT_ANN
    assert [event["actor"]["id"] for event in seen] == [None, log.moderator.id, *[None] * 5]
    told = log.events(admin, consumerId=ann)
    assert told_of(told) == ABOUT_ANN
    assert [event["actor"]["id"] for event in told] == [admin.id, log.moderator.id, ann, ann, None, ann, ann]
    assert {event["actor"]["address"] for event in told} == {HERE}


@pytest.mark.parametrize(
    ("by", "where", "code"),
    [
        ("ann", {"consumerId": "moderator"}, "NOT_FOUND"),
        ("ann", {"actorId": "moderator"}, "NOT_FOUND"),
        ("moderator", {}, "BAD_REQUEST"),
        ("moderator", {"consumerId": "admin"}, "FORBIDDEN"),
        ("moderator", {"consumerId": "ann", "actorId": "ann"}, "FORBIDDEN"),
        ("moderator", {"consumerId": "nobody"}, "NOT_FOUND"),
    ],
)
def test_nobody_is_told_more_than_that(log: Log, by: str, where: dict[str, str], code: str) -> None:
    people = {"ann": log.ann, "moderator": log.moderator, "admin": log.house.admin}
    known = {name: people[value].id if value in people else str(uuid4()) for name, value in where.items()}
    assert log.ask(people[by], **known).outcome == code


def test_every_filter_tells_what_the_whole_list_has_of_it(log: Log) -> None:
    admin = log.house.admin
    everything = log.events(admin)
    assert len(everything) == len(set(ids(everything))) > len(ABOUT_ANN)
    assert [event["createdAt"] for event in everything] == sorted((e["createdAt"] for e in everything), reverse=True)

    def expected(**told: Any) -> list[str]:
        return [e["id"] for e in everything if all(e[name] == value for name, value in told.items())]

    for action in {event["action"] for event in everything}:
        assert ids(log.events(admin, action=action)) == expected(action=action)
    for subject in {event["subjectId"] for event in everything} - {None}:
        assert ids(log.events(admin, consumerId=subject)) == expected(subjectId=subject)
    for actor in {event["actor"]["id"] for event in everything} - {None}:
        did = [event["id"] for event in everything if event["actor"]["id"] == actor]
        assert ids(log.events(admin, actorId=actor)) == did
    refused = expected(outcome="REFUSED")
    assert 2 <= len(refused) < len(everything)
    assert ids(log.events(admin, outcome="REFUSED")) == refused
    tried = {"outcome": "REFUSED", "action": "FORBIDDEN"}
    assert ids(log.events(admin, consumerId=log.moderator.id, **tried)) == expected(**tried) != []
    middle = everything[len(everything) // 2]["createdAt"]
    for name, of_it in (
        ("createdAfter", [e["id"] for e in everything if e["createdAt"] > middle]),
        ("createdBefore", [e["id"] for e in everything if e["createdAt"] < middle]),
    ):
        assert ids(log.events(admin, **{name: middle})) == of_it


@pytest.mark.parametrize("first", [1, 2, 5])
def test_pages_lose_and_repeat_none_while_others_come(log: Log, first: int) -> None:
    admin = log.house.admin
    before = ids(log.events(admin))
    told: list[str] = []
    after: str | None = None
    goes_on = True
    while goes_on:
        page = log.house.graphql(LIST, {"first": first, "after": after}, by=admin).data["auditEvents"]
        told += ids(page["nodes"])
        after, goes_on = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        if len(told) == 2 * first:
            log.house.change(log.ann.id, {"lastName": f"of {first}"}, by=log.ann)
    assert told == before
    assert len(log.events(admin)) == len(before) + 1


def test_who_is_gone_leaves_a_pseudonym_that_only_an_admin_asks_for_and_the_chain_is_whole(log: Log) -> None:
    house, admin = log.house, log.house.admin
    gone = house.person()
    house.change(gone.id, {"firstName": "Zoe"}, by=gone)
    assert house.graphql(DELETE_USER, {"id": gone.id}, by=admin).outcome == "ok"
    deadline = time.monotonic() + SECONDS_TO_SEAL
    while any(event["actor"]["address"] for event in log.events(admin, actorId=gone.id)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    told = log.events(admin, consumerId=gone.id)
    assert [event["action"] for event in told] == ["USER_DELETED", "USER_UPDATED", "SIGNED_IN", "USER_CREATED"]
    assert told[1]["after"] == {"firstName": None}
    assert {told[3]["after"][name] for name in ("username", "email")} == {None}
    assert told[3]["after"]["role"] == "USER"
    assert gone.email not in str(log.client.scan(TableName=log.table, ConsistentRead=True)["Items"])
    assert log.ask(log.moderator, consumerId=gone.id).outcome == "NOT_FOUND"
    assert log.settled()["ok"]


def test_guesses_at_a_chosen_secret_are_told_with_whose_it_is_and_so_is_the_lock() -> None:
    with open_house({"GUESS_LIMIT": "5"}) as house:
        owner = house.person()
        key = house.key(owner, key_secret="Chosen-Secret-1")
        for number in range(6):
            guess = {"X-API-Key": f"{key.key_id}.Wrong-Secret-{number}"}
            assert house.graphql("{ me { id } }", headers=guess).status in (401, 429)

        told = house.graphql(REFUSED, {"id": owner.id}, by=house.admin).data["auditEvents"]["nodes"]

    assert [(event["action"], event["target"]["id"]) for event in told] == [
        ("CREDENTIAL_LOCKED", key.id),
        *[("SIGN_IN_FAILED", key.id)] * 5,
    ]
