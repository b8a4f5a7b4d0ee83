"""Two factors through the gateway, with an app made of the secret that was told."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.client import ADMIN_EMAIL, ADMIN_PASSWORD, ME, House, person
from tests.journeys.conftest import open_house
from tests.journeys.phone import DISABLE, ENABLE, Phone, challenge_of, complete, login

RESET = "mutation ($id: ID!) { resetTwoFactor(id: $id) { id } }"
USERS = "{ users(first: 1) { id } }"
KEY = """mutation { createCredential(createCredentialInput: {type: KEY_AUTH}) { id keyId secret } }"""


@pytest.fixture(scope="module")
def moving() -> Iterator[House]:
    """A system whose clock these tests move."""
    with open_house({}) as house:
        yield house


def test_two_factors_from_the_qr_code_to_the_last_recovery_code(moving: House) -> None:
    owner = moving.person()
    phone = Phone(moving, owner)
    uri = urlsplit(phone.told["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/Gatehouse:{owner.username}")
    assert parse_qs(uri.query) == {"secret": [phone.told["secret"]], "issuer": ["Gatehouse"]}
    assert phone.told["qr"].startswith("<svg ")
    assert login(moving, owner).outcome == "ok"

    codes = phone.confirm()
    assert len(set(codes)) == 10
    challenge = challenge_of(login(moving, owner))
    assert moving.graphql(ME, headers={"Authorization": f"Bearer {challenge}"}).outcome == "UNAUTHENTICATED"
    assert complete(moving, challenge, "000000").extensions["reason"] == "WRONG_CODE"
    code = phone.code()
    signed = person(complete(moving, challenge, code).data["completeTwoFactorLogin"], owner.password)
    assert moving.graphql(ME, by=signed).data["me"]["id"] == owner.id
    assert complete(moving, challenge, code).extensions["reason"] == "WRONG_CODE"

    challenge = challenge_of(login(moving, owner))
    assert complete(moving, challenge, codes[4].lower().replace("-", " ")).outcome == "ok"
    assert complete(moving, challenge, codes[4]).extensions["reason"] == "WRONG_CODE"
    moving.pass_seconds(300)
    assert complete(moving, challenge, codes[5]).extensions["reason"] == "CHALLENGE_EXPIRED"

    assert phone.send(DISABLE, code).extensions["reason"] == "WRONG_CODE"
    assert phone.send(DISABLE).data == {"disableTwoFactor": True}
    assert login(moving, owner).outcome == "ok"


def test_a_key_takes_a_code_of_the_last_15_minutes(moving: House) -> None:
    owner = moving.person()
    assert moving.graphql(KEY, by=owner).outcome == "ok"
    phone = Phone(moving, owner)
    phone.confirm()
    assert moving.graphql(KEY, by=owner).outcome == "ok"
    moving.pass_seconds(901)
    told = moving.graphql(KEY, by=owner).extensions
    assert told == {"code": "TWO_FACTOR_REQUIRED", "statusCode": 401, "reason": "CODE_NEEDED"}
    assert moving.graphql(ENABLE, by=owner).extensions == told
    assert phone.confirm() == []
    assert moving.graphql(KEY, by=owner).outcome == "ok"


def test_an_admin_resets_what_somebody_has_lost(moving: House) -> None:
    owner = moving.person()
    Phone(moving, owner).confirm()
    assert moving.graphql(RESET, {"id": owner.id}, by=owner).outcome == "FORBIDDEN"
    assert login(moving, owner).outcome == "TWO_FACTOR_REQUIRED"
    assert moving.graphql(RESET, {"id": owner.id}, by=moving.admin).data == {"resetTwoFactor": {"id": owner.id}}
    assert login(moving, owner).outcome == "ok"


def test_a_role_that_takes_two_factors_has_its_rights_from_then_on_and_without_the_rights_of_a_user() -> None:
    with open_house({"TWO_FACTOR_ROLES": "ADMIN"}) as house:
        admin = house.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)
        assert house.graphql(ME, by=admin).data["me"]["role"] == "ADMIN"
        told = house.graphql(USERS, by=admin).extensions
        assert told == {"code": "TWO_FACTOR_REQUIRED", "statusCode": 401, "reason": "ENABLE_TWO_FACTOR"}
        phone = Phone(house, admin)
        phone.confirm()
        assert house.graphql(USERS, by=admin).outcome == "ok"
        assert phone.send(DISABLE).outcome == "ok"
        assert house.graphql(USERS, by=admin).outcome == "TWO_FACTOR_REQUIRED"
