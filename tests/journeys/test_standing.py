"""Changes of who may do what: each counts on the next request, and none leaves the house without an ADMIN."""

from uuid import uuid4

import pytest

from tests.journeys.attempts import (
    LOGOUT,
    NO,
    OK,
    USERS,
    Attempt,
    asking,
    create_credential,
    create_user,
    list_credentials,
    update,
)
from tests.journeys.client import (
    ADMIN_EMAIL,
    CREATE_CREDENTIAL,
    DELETE_CREDENTIAL,
    DELETE_USER,
    LOGIN,
    ME,
    REFRESH,
    ROTATE_CREDENTIAL,
    UPDATE_CREDENTIAL,
    House,
    Key,
)
from tests.journeys.conftest import Opener

EXPLAIN = """query ($id: ID!) { explainAccess(userId: $id, operation: "createCredential") { isAllowed } }"""


def test_a_promotion_counts_on_the_next_request(house: House) -> None:
    user = house.person()
    assert house.graphql(USERS, by=user).outcome == NO
    house.change(user.id, {"role": "MODERATOR"}, by=house.admin)
    assert house.graphql(USERS, by=user).outcome == OK


def test_a_demotion_counts_on_the_next_request(house: House) -> None:
    admin = house.person("ADMIN")
    key = house.key(admin)
    assert create_user(house, admin, admin).outcome == create_user(house, key, admin).outcome == OK
    house.change(admin.id, {"role": "USER"}, by=house.admin)
    assert create_user(house, admin, admin).outcome == create_user(house, key, admin).outcome == NO


def test_a_key_never_rises_above_the_role_that_its_owner_had_when_it_was_made(house: House) -> None:
    user = house.person()
    old = house.key(user)
    house.change(user.id, {"role": "ADMIN"}, by=house.admin)
    assert house.graphql(USERS, by=old).outcome == NO
    assert house.graphql(USERS, by=house.key(user)).outcome == OK


@pytest.mark.parametrize("end", [update(isActive=False), asking(DELETE_USER, True)], ids=["deactivation", "deletion"])
def test_the_end_of_an_account_counts_on_the_next_request(house: House, end: Attempt) -> None:
    user = house.person()
    key = house.key(user)
    assert house.graphql(ME, by=user).outcome == house.graphql(ME, by=key).outcome == OK
    assert end(house, house.admin, user).outcome == OK
    for caller in (user, key):
        answer = house.graphql(ME, by=caller)
        assert (answer.status, answer.outcome) == (401, "UNAUTHENTICATED")
    assert house.graphql(REFRESH, {"token": user.refresh_token}).outcome == "UNAUTHENTICATED"
    assert (
        house.graphql(LOGIN, {"input": {"email": user.email, "password": user.password}}).outcome == "UNAUTHENTICATED"
    )


def test_a_logout_counts_on_the_next_request_and_for_its_session_only(house: House) -> None:
    user = house.person()
    elsewhere = house.sign_in(user.email, user.password)
    assert house.graphql(LOGOUT, by=user).data == {"logout": True}
    assert house.graphql(ME, by=user).status == 401
    assert house.graphql(REFRESH, {"token": user.refresh_token}).outcome == "UNAUTHENTICATED"
    assert house.graphql(ME, by=elsewhere).outcome == OK


def test_a_key_that_is_switched_off_or_deleted_is_refused_on_the_next_request(house: House) -> None:
    user = house.person()
    key, other = house.key(user), house.key(user)
    house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"isActive": False}}, by=user)
    assert house.graphql(ME, by=key).status == 401
    house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"isActive": True}}, by=user)
    assert house.graphql(ME, by=key).outcome == OK
    assert house.graphql(DELETE_CREDENTIAL, {"id": key.id}, by=user).outcome == OK
    assert house.graphql(ME, by=key).status == 401
    assert house.graphql(ME, by=other).outcome == OK


def test_scopes_that_are_taken_away_are_gone_on_the_next_request(house: House) -> None:
    key = house.key(house.admin, scopes=["users:read"])
    assert house.graphql(USERS, by=key).outcome == OK
    house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"scopes": []}}, by=house.admin)
    assert house.graphql(USERS, by=key).outcome == NO


def test_a_deleted_key_id_is_never_issued_again(house: House) -> None:
    user = house.person()
    key = house.key(user, key_secret=f"chosen-{uuid4()}")
    house.graphql(DELETE_CREDENTIAL, {"id": key.id}, by=user)
    wanted = {"type": "KEY_AUTH", "keyId": key.key_id, "keySecret": "another-secret"}
    assert house.graphql(CREATE_CREDENTIAL, {"input": wanted}, by=user).outcome == "CONFLICT"


# ---- what a key may hand on


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["credentials:write"], OK),
        ([], OK),
        (["credentials:write", "users:read"], NO),
        (["orders:read"], NO),
        (None, NO),
    ],
)
def test_a_key_gives_no_more_than_it_has(house: House, scopes: list[str] | None, expected: str) -> None:
    admin = house.person("ADMIN")
    key = house.key(admin, scopes=["credentials:write"])
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": "KEY_AUTH", "scopes": scopes}}, by=key)
    assert made.outcome == expected
    widened = house.graphql(
        UPDATE_CREDENTIAL,
        {"id": house.key(admin, scopes=["credentials:write"]).id, "input": {"scopes": scopes}},
        by=key,
    )
    assert widened.outcome == expected


def test_a_key_that_ends_makes_none_that_outlives_it(house: House) -> None:
    user = house.person()
    ending = {"type": "KEY_AUTH", "scopes": ["credentials:write"], "expiresAt": "2090-01-01T00:00:00Z"}
    made = house.graphql(CREATE_CREDENTIAL, {"input": ending}, by=user).data["createCredential"]
    key = Key(made["id"], made["keyId"], made["secret"])
    for expires_at, expected in (
        (None, NO),
        ("2090-01-01T00:00:00.001Z", NO),
        ("2090-01-01T00:00:00Z", OK),
        ("2089-12-31T00:00:00Z", OK),
    ):
        answer = house.graphql(CREATE_CREDENTIAL, {"input": {**ending, "expiresAt": expires_at}}, by=key)
        assert answer.outcome == expected, expires_at


# ---- the last active ADMIN, and what the operator may switch off: systems of their own


def test_the_last_active_admin_stays(opener: Opener) -> None:
    house = opener({})
    ways = [update(role="USER"), update(role="MODERATOR"), update(isActive=False), asking(DELETE_USER, True)]
    house.inactive_person("ADMIN", by=house.admin)
    for way in ways:
        answer = way(house, house.admin, house.admin)
        assert (answer.outcome, answer.extensions["reason"]) == (NO, "LAST_ADMIN")
    second = house.person("ADMIN")
    assert update(isActive=False)(house, house.admin, house.admin).outcome == OK
    for way in ways:
        assert way(house, second, second).outcome == NO
    assert house.graphql(ME, by=second).data["me"]["role"] == "ADMIN"
    # Whoever was switched off does not count, and comes back through the one who is left.
    assert house.change(house.admin.id, {"isActive": True}, by=second)["role"] == "ADMIN"
    assert update(role="USER")(house, second, second).outcome == OK
    assert house.sign_in(ADMIN_EMAIL, house.admin.password).id == house.admin.id


def test_an_operator_may_keep_credentials_from_users_and_secrets_to_the_server(opener: Opener) -> None:
    house = opener({"SELF_SERVICE_CREDENTIALS": "false", "ALLOW_CHOSEN_SECRETS": "false"})
    for role, expected in (("USER", NO), ("MODERATOR", OK), ("ADMIN", OK)):
        person = house.person(role)
        given = house.key(person, by=house.admin)
        attempts = {
            "create": create_credential(house, person, person),
            "update": house.graphql(UPDATE_CREDENTIAL, {"id": given.id, "input": {"label": "mine"}}, by=person),
            "rotate": house.graphql(ROTATE_CREDENTIAL, {"id": given.id}, by=person),
            "disable": house.graphql(UPDATE_CREDENTIAL, {"id": given.id, "input": {"isActive": False}}, by=person),
            "delete": house.graphql(DELETE_CREDENTIAL, {"id": given.id}, by=person),
        }
        assert {name: answer.outcome for name, answer in attempts.items()} == dict.fromkeys(attempts, expected), role
        assert list_credentials(house, person, person).outcome == OK
        explained = house.graphql(EXPLAIN, {"id": person.id}, by=house.admin).data["explainAccess"]
        assert explained["isAllowed"] is (expected == OK)
    chosen = {"type": "KEY_AUTH", "keyId": "my-own-key", "keySecret": "my-own-secret"}
    refused = house.graphql(CREATE_CREDENTIAL, {"input": chosen}, by=house.admin)
    assert refused.extensions == {"code": "BAD_REQUEST", "statusCode": 400, "field": "keySecret"}
    kept = house.graphql(CREATE_CREDENTIAL, {"input": {"type": "KEY_AUTH", "keyId": "my-own-key"}}, by=house.admin)
    assert kept.data["createCredential"]["secret"].startswith("my-own-key.")
