"""The system configuration: an ADMIN changes it while the system runs, and every door goes by it within a minute."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest

from tests.journeys.client import ME, REGISTER, Answer, House
from tests.journeys.conftest import open_house

FIELDS = "throttleLimit registrationMode allowedEmailDomains cleanupDeactivateDays overridden updatedAt"
READ = f"{{ systemConfiguration {{ {FIELDS} }} }}"
UPDATE = f"""mutation ($input: SystemConfigurationInput!) {{
  updateSystemConfiguration(systemConfigurationInput: $input) {{ {FIELDS} }}
}}"""
CREATE_CLIENT = "mutation { createCredential(createCredentialInput: {type: OAUTH2, scopes: []}) { keyId secret } }"
DEPLOYED = {
    "throttleLimit": 100_000,
    "registrationMode": "OPEN",
    "allowedEmailDomains": [],
    "cleanupDeactivateDays": 90,
}
MINUTE = 60


@pytest.fixture(scope="module")
def system() -> Iterator[House]:
    """A system of which every test takes back what it has set."""
    with open_house({}) as opened:
        yield opened


@pytest.fixture
def house(system: House) -> Iterator[House]:
    yield system
    system.pass_seconds(MINUTE)  # whoever was limited may sign in again
    told = system.graphql(READ, by=system.admin).data["systemConfiguration"]
    configure(system, **dict.fromkeys(told["overridden"]))
    system.pass_seconds(MINUTE)


def configure(house: House, **changes: Any) -> dict[str, Any]:
    """What will be in force."""
    told: dict[str, Any] = house.graphql(UPDATE, {"input": changes}, by=house.admin).data["updateSystemConfiguration"]
    return told


def register(house: House, domain: str = "example.com") -> Answer:
    names = house.names()
    return house.graphql(REGISTER, {"input": {**names, "email": f"{names['username']}@{domain}"}})


def get_token(house: House, client: dict[str, str]) -> Answer:
    form = {"grant_type": "client_credentials", "client_id": client["keyId"], "client_secret": client["secret"]}
    return house.send("POST", "/oauth/token", data=form)


def test_what_is_set_is_told_with_when_and_null_brings_back_what_the_deployment_says(house: House) -> None:
    assert house.graphql(READ, by=house.admin).data == {
        "systemConfiguration": {**DEPLOYED, "overridden": [], "updatedAt": None}
    }
    configure(house, throttleLimit=7, registrationMode="INVITE_ONLY")
    set_first = configure(house, registrationMode=None, cleanupDeactivateDays=120)
    taken_back = configure(house, throttleLimit=None, cleanupDeactivateDays=None)

    assert datetime.fromisoformat(set_first.pop("updatedAt")) <= datetime.fromisoformat(taken_back.pop("updatedAt"))
    assert set_first == {
        **DEPLOYED,
        "throttleLimit": 7,
        "cleanupDeactivateDays": 120,
        "overridden": ["throttleLimit", "cleanupDeactivateDays"],
    }
    assert taken_back == {**DEPLOYED, "overridden": []}


def test_a_limit_is_in_force_at_the_api_and_at_oauth_after_a_minute_and_so_is_the_old_one_again(house: House) -> None:
    owner, moderator = house.person(), house.person("MODERATOR")
    key, client = house.key(owner), house.graphql(CREATE_CLIENT, by=owner).data["createCredential"]
    limits = [100_000, 100_000, 100_000, 100_000]
    asked: list[Callable[[], Answer]] = [
        lambda: house.graphql(ME, by=owner),
        lambda: house.graphql(ME, by=key),
        lambda: get_token(house, client),
        lambda: house.graphql(ME, by=moderator),
    ]

    def told() -> list[int]:
        return [int(ask().headers["x-ratelimit-limit"]) for ask in asked]

    assert told() == limits
    configure(house, throttleLimit=3, throttleLimitModerator=50)
    house.pass_seconds(MINUTE - 10)
    assert told() == limits
    house.pass_seconds(MINUTE - 50)
    assert told() == [3, 3, 3, 50]
    assert [house.graphql(ME, by=owner).outcome for _ in range(3)] == ["ok", "ok", "RATE_LIMIT_EXCEEDED"]
    # The key and the client share the credentials' window, of which told() has taken two already.
    assert [get_token(house, client).status for _ in range(2)] == [200, 429]
    configure(house, throttleLimit=None, throttleLimitModerator=None)
    house.pass_seconds(MINUTE)
    assert told() == limits


def test_a_limit_of_addresses_is_in_force_after_a_minute(house: House) -> None:
    configure(house, throttleLimitAnonymous=2)
    house.pass_seconds(MINUTE)
    assert [house.graphql("{ __typename }").status for _ in range(3)] == [200, 200, 429]


def test_registration_is_closed_and_opened_again(house: House) -> None:
    assert register(house).outcome == "ok"
    configure(house, registrationMode="INVITE_ONLY")
    house.pass_seconds(MINUTE)
    closed = register(house)
    assert (closed.outcome, closed.extensions["reason"]) == ("FORBIDDEN", "REGISTRATION_CLOSED")
    configure(house, registrationMode=None, allowedEmailDomains=["Example.org"])
    house.pass_seconds(MINUTE)

    assert [register(house, domain).outcome for domain in ("example.com", "example.org")] == ["BAD_REQUEST", "ok"]


def test_the_cleanup_goes_by_new_days(house: House) -> None:
    person = house.person()
    house.pass_seconds(40 * 86_400)
    configure(house, cleanupWarnDays=20, cleanupDeactivateDays=30)
    report = house.send("POST", "/local/cleanup").body

    assert report["deactivated"] >= 1
    told = house.graphql("query ($id: ID!) { user(id: $id) { isActive } }", {"id": person.id}, by=house.admin)
    assert told.data == {"user": {"isActive": False}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"throttleLimit": 0}, "throttleLimit"),
        ({"throttleLimitAdmin": 1_000_001}, "throttleLimitAdmin"),
        ({"registrationMode": "CLOSED"}, "registrationMode"),
        ({"allowedEmailDomains": ["example.com", "com"]}, "allowedEmailDomains"),
        ({"auditRetentionDays": 0}, "auditRetentionDays"),
        ({"cleanupNoticeDays": 366}, "cleanupNoticeDays"),
        ({"cleanupWarnDays": 90}, "cleanupWarnDays"),
        ({"cleanupDeactivateDays": 76}, "cleanupDeactivateDays"),
        ({"cleanupAnonymiseDaysModerator": 90}, "cleanupAnonymiseDaysModerator"),
        ({"throttleLimit": 5, "cleanupWarnDays": 50, "cleanupDeactivateDays": 50}, "cleanupDeactivateDays"),
    ],
)
def test_a_value_or_a_combination_that_is_not_possible_is_refused_whole_by_its_field(
    house: House, changes: dict[str, Any], field: str
) -> None:
    refused = house.graphql(UPDATE, {"input": changes}, by=house.admin)

    assert (refused.outcome, refused.extensions.get("field")) == ("BAD_REQUEST", field)
    assert house.graphql(READ, by=house.admin).data["systemConfiguration"]["overridden"] == []


def test_nobody_but_an_admin_reads_or_changes_it(house: House) -> None:
    callers = [(None, "UNAUTHENTICATED"), (house.person(), "FORBIDDEN"), (house.person("MODERATOR"), "FORBIDDEN")]
    callers += [(house.key(house.admin), "FORBIDDEN"), (house.key(house.admin, scopes=["users:write"]), "FORBIDDEN")]
    for by, outcome in callers:
        assert house.graphql(READ, by=by).outcome == outcome
        assert house.graphql(UPDATE, {"input": {"throttleLimit": 5}}, by=by).outcome == outcome
    program = house.key(house.admin, scopes=["system:write"])

    assert house.graphql(READ, by=program).data["systemConfiguration"]["overridden"] == []


def test_what_is_set_at_one_process_is_in_force_at_another(dynoxide: str) -> None:
    with ExitStack() as stack:
        houses = [stack.enter_context(open_house({"DYNAMODB_ENDPOINT": dynoxide})) for _ in range(2)]
        assert [register(house).outcome for house in houses] == ["ok", "ok"]
        configure(houses[0], throttleLimitAnonymous=50, registrationMode="INVITE_ONLY")
        for house in houses:
            house.pass_seconds(MINUTE)
        closed = [register(house) for house in houses]

        assert [(answer.outcome, answer.rate_limit["limit"]) for answer in closed] == [("FORBIDDEN", 50)] * 2
        configure(houses[1], throttleLimitAnonymous=None, registrationMode=None)
