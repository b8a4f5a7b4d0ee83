"""The cleanup of accounts that nobody uses, through the gateway: who is warned, switched off, anonymised, who not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.client import CREATE_CREDENTIAL, LOGIN, ME, USER, Answer, House, Person
from tests.journeys.conftest import open_mailing
from tests.journeys.mailbox import Mailing

DAY = 86_400
SWITCHED_OFF = "your account is switched off"
WARNED = "nobody uses your account"
NUMBERS = ("considered", "warned", "deactivated", "anonymised", "skipped", "expiring", "eventsDropped", "failed")
NOTHING = {**dict.fromkeys(NUMBERS, 0), "wentOn": False, "dryRun": False}


@pytest.fixture
def aging() -> Iterator[Mailing]:
    """A system of its own, because the cleanup is about everybody in it; tokens live as long as they can."""
    settings = {"ACCESS_TOKEN_TTL": "604800", "SESSION_IDLE_TTL": "31536000", "CLEANUP_ANONYMISE_DAYS": "120"}
    with open_mailing(settings) as opened:
        yield opened


def clean_up(aging: Mailing, **choice: Any) -> dict[str, Any]:
    """The report of a run."""
    answer = aging.send("POST", "/local/cleanup", **({"json": choice} if choice else {}))
    assert answer.status == 200, answer.text
    return answer.body


def report(**told: Any) -> dict[str, Any]:
    return NOTHING | told


def log_in(aging: Mailing, who: Person) -> Answer:
    return aging.graphql(LOGIN, {"input": {"email": who.email, "password": who.password}})


def user_of(aging: Mailing, who: Person) -> dict[str, Any]:
    told: dict[str, Any] = aging.graphql(USER, {"id": who.id}, by=aging.admin).data["user"]
    return told


def test_who_is_not_seen_for_ninety_days_is_switched_off_by_one_run_and_back_by_a_new_password(aging: Mailing) -> None:
    john, key = aging.person(), aging.key(aging.person())
    aging.pass_seconds(91 * DAY)

    before = user_of(aging, john)
    assert clean_up(aging, dryRun=True) == report(considered=2, deactivated=2, dryRun=True)
    assert user_of(aging, john) == before
    assert clean_up(aging) == report(considered=2, deactivated=2)
    assert clean_up(aging) == NOTHING

    assert user_of(aging, john)["isActive"] is False
    assert log_in(aging, john).outcome == "UNAUTHENTICATED"
    assert aging.graphql(ME, by=key).status == 401
    aging.letter(john.email, SWITCHED_OFF)
    new = aging.password()
    assert aging.reset(aging.reset_link(john.email), new).outcome == "ok"
    assert aging.graphql(ME, by=aging.sign_in(john.email, new)).data["me"]["isActive"] is True
    assert clean_up(aging) == NOTHING


def test_who_was_warned_and_comes_back_in_whatever_way_stays(aging: Mailing) -> None:
    signs_in, uses_key, stays_away = aging.person(), aging.person(), aging.person()
    key = aging.key(uses_key)
    aging.pass_seconds(77 * DAY)
    assert clean_up(aging) == report(considered=3, warned=3)
    for who in (signs_in, uses_key, stays_away):
        assert "switched off after" in aging.letter(who.email, WARNED).text

    aging.pass_seconds(10 * DAY)
    assert log_in(aging, signs_in).outcome == "ok"
    assert aging.graphql(ME, by=key).outcome == "ok"
    aging.pass_seconds(10 * DAY)
    assert clean_up(aging) == report(considered=2, deactivated=1, skipped=1)
    assert [user_of(aging, who)["isActive"] for who in (signs_in, uses_key, stays_away)] == [True, True, False]
    assert clean_up(aging) == NOTHING


def test_what_was_switched_off_for_long_is_anonymised_and_its_names_are_free(aging: Mailing) -> None:
    john = aging.person()
    aging.pass_seconds(91 * DAY)
    clean_up(aging)
    aging.pass_seconds(30 * DAY)

    assert clean_up(aging) == report(considered=1, anonymised=1)
    told = user_of(aging, john)
    assert (told["username"], told["email"]) == (f"~{john.id}", f"{john.id}@anonymised")
    assert clean_up(aging) == NOTHING
    new = {"username": john.username, "email": john.email, "password": john.password}
    created = "mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { username } }"
    assert aging.graphql(created, {"input": new}, by=aging.admin).data["createUser"]["username"] == john.username


def test_an_admin_is_left_alone_however_long_nobody_came(aging: Mailing) -> None:
    assert aging.graphql(ME, by=aging.admin).outcome == "ok"
    aging.pass_seconds(3_000 * DAY)

    assert clean_up(aging) == NOTHING
    assert aging.graphql(ME, by=aging.admin).outcome == "ok"


def test_a_credential_that_ends_within_the_week_is_told_once(aging: Mailing) -> None:
    jane = aging.person()
    made = aging.graphql(CREATE_CREDENTIAL, {"input": {"type": "JWT"}}, by=jane)
    assert made.outcome == "ok"
    aging.pass_seconds(70 * DAY)
    assert log_in(aging, jane).outcome == "ok"
    assert clean_up(aging) == NOTHING

    aging.pass_seconds(14 * DAY)
    assert clean_up(aging)["expiring"] == 1
    assert clean_up(aging)["expiring"] == 0


@pytest.mark.parametrize("body", ["[]", '{"dryRun": 1}', '{"dryRun": true, "more": 1}'])
def test_no_cleanup_runs_when_asked_for_something_else(house: House, body: str) -> None:
    assert house.send("POST", "/local/cleanup", content=body).outcome == "BAD_REQUEST"


@pytest.mark.parametrize("header", [{"Host": "example.com"}, {"Origin": "https://example.com"}])
def test_nobody_elses_page_runs_it(house: House, header: dict[str, str]) -> None:
    assert house.send("POST", "/local/cleanup", headers=header).outcome == "FORBIDDEN"
