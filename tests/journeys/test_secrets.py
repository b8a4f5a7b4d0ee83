"""What was secret in the journeys before, and in this one, stands nowhere but in the answers that told it."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from gatehouse.wall.model import own_key
from local.gateway.intrinsics import STACK_UUID
from tests.journeys.client import (
    CREATE_CREDENTIAL,
    DELETE_CREDENTIAL,
    DELETE_USER,
    LOGIN,
    ME,
    REFRESH,
    REGISTER,
    ROTATE_CREDENTIAL,
    SECRET_FIELDS,
    UPDATE_CREDENTIAL,
    UPDATE_USER,
    Answer,
    House,
    Person,
    person,
)

WORD = re.compile(r'[^\s"\\{}\[\]:,]+')  # no secret of the journeys has any of these
HASH = re.compile(r"\$2[aby]\$\d\d\$|sha256\$")
CREDENTIAL_FIELDS = """id consumerId type keyId label scopes isActive expiresAt lastUsedAt createdAt updatedAt
  rotation { rotatedAt overlapEndsAt previousLastUsedAt }"""
TYPES = ("KEY_AUTH", "BASIC_AUTH", "JWT", "OAUTH2")
GRANT = {"grant_type": "client_credentials"}
GATEWAY_KEY_SEED = STACK_UUID.replace("-", "")
"""What the values of API Gateway's own keys are made of, which nobody sees but API Gateway and the authorizer."""


def live_a_whole_life(house: House) -> list[str]:
    """Signs up, in, on and out, makes, uses, lists, rotates and loses credentials, and errs wherever one can.

    Gives the secrets that were told.
    """
    new = house.names()
    user = person(house.graphql(REGISTER, {"input": new}).data["register"], new["password"])
    house.sign_in(user.email, user.password)
    renewed = house.graphql(REFRESH, {"token": user.refresh_token}).data["refreshToken"]
    for wrong in (user.password + "!", user.password.upper()):
        house.secrets.add(wrong)
        house.graphql(LOGIN, {"input": {"email": user.email, "password": wrong}})
    house.graphql(REGISTER, {"input": new})
    house.graphql(REGISTER, {"input": {**new, "password": {"nested": user.password}}})
    house.graphql(REGISTER, {"input": {**house.names(), "password": new["password"].lower()}})
    house.secrets.add(new["password"].lower())
    chosen = house.key(user, key_secret="chosen-by-somebody-1")
    made = house.key(user)
    for key in (made, chosen):
        house.graphql(ME, by=key)
        house.graphql(f"{{ credentials {{ {CREDENTIAL_FIELDS} }} }}", by=user)
        house.graphql("query ($id: ID!) { credential(id: $id) { keyId } }", {"id": key.id}, by=user)
        house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": {"isActive": False}}, by=user)
        house.graphql(ME, by=key)
        house.graphql(ME, headers={"X-API-Key": key.text + "x"})
        house.graphql(ME, headers={"Authorization": f"Bearer {key.text}"})
        house.graphql(DELETE_CREDENTIAL, {"id": key.id}, by=user)
    inspector = client_of(house, user, scopes=["credentials:read", "credentials:write"])
    held = [live_with_a_credential(house, user, kind, inspector) for kind in TYPES]
    for kind in ("BASIC_AUTH", "OAUTH2"):
        live_with_a_chosen_secret(house, user, kind)
    house.graphql(ME, headers={"Authorization": f"Bearer {user.token[:-3]}"})
    house.graphql(ME, headers={**user.headers, "X-API-Key": chosen.text})
    house.graphql(REFRESH, {"token": user.token})
    house.graphql(ME, headers={"Authorization": f"Bearer {user.refresh_token}"})
    house.graphql(f'{{ users(where: {{search: "{user.username}"}}) {{ id username email }} }}', by=house.admin)
    house.graphql("{ user(id: 7) { id password passwordHash } }", by=house.admin)
    house.graphql(f"{{ credentials {{ {CREDENTIAL_FIELDS} secretHash }} }}", by=house.admin)
    house.graphql(UPDATE_USER, {"id": user.id, "input": {"password": user.password}}, by=house.admin)
    house.graphql("mutation { logout }", by=user)
    house.graphql(DELETE_USER, {"id": user.id}, by=house.admin)
    house.secrets |= {GATEWAY_KEY_SEED, own_key(GATEWAY_KEY_SEED, user.id)}
    told = [secret for secrets in held for secret in secrets]
    told += [user.token, user.refresh_token, renewed["accessToken"], renewed["refreshToken"], made.text]
    return [*told, inspector["client_secret"]]


def client_of(house: House, user: Person, **more: Any) -> dict[str, str]:
    """What a new OAuth2 client of the user's sends of itself."""
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": "OAUTH2", **more}}, by=user).data["createCredential"]
    return {"client_id": made["keyId"], "client_secret": made["secret"]}


def live_with_a_credential(house: House, user: Person, kind: str, inspector: Mapping[str, str]) -> list[str]:
    """Makes a credential of the type, rotates it twice, and comes with each of its secrets wherever one can.

    Gives the secrets that were told.
    """
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": kind}}, by=user).data["createCredential"]
    rotate = {"id": made["id"], "overlap": 600}
    rotated = [house.graphql(ROTATE_CREDENTIAL, rotate, by=user).data["rotateCredential"] for _ in range(2)]
    told = [each["secret"] for each in (made, *rotated)]
    tokens: list[str] = []
    for secret, is_good in zip(told, (False, True, True), strict=True):
        show(house, kind, made["keyId"], secret, is_good)
        tokens += get_tokens(house, made["keyId"], secret, is_good and kind == "OAUTH2")
    house.graphql(f"{{ credentials {{ {CREDENTIAL_FIELDS} }} }}", by=user)
    inspect_and_revoke(house, told[0], inspector, False)
    for secret in told[1:]:
        inspect_and_revoke(house, secret, inspector, kind == "JWT")
    for token in tokens:
        inspect_and_revoke(house, token, inspector, True)
    return told + tokens


def live_with_a_chosen_secret(house: House, user: Person, kind: str) -> None:
    """Makes a credential of the type whose secret somebody chose, comes with that and with a wrong one, rotates it."""
    key = {"keyId": house.names("program")["username"], "keySecret": f"chosen-by-somebody-{kind}"}
    house.secrets |= {key["keySecret"], paired(house, key["keyId"], key["keySecret"])}
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": kind, **key}}, by=user).data["createCredential"]
    assert made["secret"] is None
    for secret, status in ((key["keySecret"], 200), (key["keySecret"] + "!", 401)):
        basic = {"Authorization": f"Basic {paired(house, key['keyId'], secret)}"}
        if kind == "BASIC_AUTH":
            assert house.graphql(ME, headers=basic).status == status
        else:
            assert house.send("POST", "/oauth/token", data=GRANT, headers=basic).status == status
    again = house.graphql(CREATE_CREDENTIAL, {"input": {"type": kind, **key}}, by=user)
    assert (again.outcome, key["keySecret"] in again.text) == ("CONFLICT", False)
    assert house.graphql(ROTATE_CREDENTIAL, {"id": made["id"]}, by=user).outcome == "ok"


def show(house: House, kind: str, key_id: str, secret: str, is_good: bool) -> None:
    """Comes with a secret to GraphQL and to the API beside it, in the way of each type."""
    bare = secret.rpartition(".")[2]
    ways = {
        "KEY_AUTH": {"X-API-Key": f"{key_id}.{bare}"},
        "BASIC_AUTH": {"Authorization": f"Basic {paired(house, key_id, bare)}"},
        "JWT": {"Authorization": f"Bearer {secret}"},
    }
    for way, headers in ways.items():
        status = 200 if is_good and way == kind else 401
        assert house.graphql(ME, headers=headers).status == status
        assert house.send("GET", "/orders-api/orders", headers=headers).status == status


def get_tokens(house: House, key_id: str, secret: str, is_good: bool) -> list[str]:
    """Asks for access tokens with a secret, rightly and wrongly; gives those that were told."""
    bare = secret.rpartition(".")[2]
    client, basic = {"client_id": key_id, "client_secret": bare}, f"Basic {paired(house, key_id, bare)}"
    wrong: list[dict[str, Any]] = [
        {"data": {**GRANT, **client}, "headers": {"Authorization": basic}},
        {"data": {**GRANT, **client}, "headers": {"Authorization": f"Bearer {secret}"}},
        {"data": {**GRANT, **client, "scope": bare}},
        {"data": {**client, "grant_type": bare}},
        {"data": {**GRANT, "client_id": bare, "client_secret": bare}},
        {"data": {**GRANT, "client_id": key_id, "client_secret": bare + "!"}},
        {"data": GRANT, "params": client},
        {"json": {**GRANT, **client}},
        {"content": bare},
    ]
    for request in wrong:
        assert house.send("POST", "/oauth/token", **request).status in (400, 401)
    assert house.send("GET", "/oauth/token", params={**GRANT, **client}).status == 404
    answers = [
        house.send("POST", "/oauth/token", data={**GRANT, **client}),
        house.send("POST", "/oauth/token", data=GRANT, headers={"Authorization": basic}),
    ]
    assert [answer.status for answer in answers] == [200 if is_good else 401] * 2
    return [answer.body["access_token"] for answer in answers] if is_good else []


def inspect_and_revoke(house: House, token: str, inspector: Mapping[str, str], is_good: bool) -> None:
    """Has a client of its owner look at what may be a token, and take it back."""
    bearer = {"Authorization": f"Bearer {token}"}
    asked = {"token": token, **inspector}
    for is_active in (is_good, False):
        assert house.send("POST", "/oauth/introspect", data=asked).body["active"] is is_active
        assert house.graphql(ME, headers=bearer).status == (200 if is_active else 401)
        assert house.send("POST", "/oauth/revoke", data=asked).status == 200
    for path in ("/oauth/introspect", "/oauth/revoke"):
        assert house.send("POST", path, data={"token": token}, headers=bearer).status == 401
        assert house.send("POST", path, params=asked, data={"token": token}).status == 401


def paired(house: House, key_id: str, secret: str) -> str:
    """The two as Basic has them."""
    pair = b64encode(f"{key_id}:{secret}".encode()).decode()
    house.secrets |= {pair, pair.rstrip("=")}
    return pair


def test_secrets_are_told_once_and_stand_in_no_log_no_error_and_no_list(house: House) -> None:
    answers, lines = len(house.answers), len(house.log())
    told = live_a_whole_life(house)
    assert [sum(secret in answer.text for answer in house.answers) for secret in told] == [1] * len(told)
    # What is looked through is there: hundreds of answers, a line of log for each that reached a door, and the secrets.
    assert len(house.answers) - answers > 300
    assert len(house.log()) - lines > 300
    assert house.secrets > set(told)
    assert all(WORD.fullmatch(secret) for secret in house.secrets)

    printed = "\n".join(set(WORD.findall("".join(house.log()))))
    answered = "\n".join({word for answer in house.answers for word in WORD.findall(without_secrets(answer))})
    assert house.admin.id in printed
    assert house.admin.id in answered
    assert [secret for secret in house.secrets if secret in printed] == []
    assert [secret for secret in house.secrets if secret in answered] == []
    assert not HASH.search(printed)
    assert not HASH.search(answered)


def test_a_log_tells_of_every_request_by_facts_and_never_by_the_callers_text(house: House) -> None:
    secret_looking = 'query Hidden { me { id } users(where: {search: "needle-in-a-haystack"}) { id } }'
    request_id = house.graphql(secret_looking, by=house.admin).headers["x-amzn-requestid"]
    [line] = [json.loads(line) for line in house.log() if request_id in line]
    assert line["query"] == "me,users"
    assert line["userId"] == house.admin.id
    assert "needle-in-a-haystack" not in json.dumps(line)
    assert "Hidden" not in json.dumps(line)


def without_secrets(answer: Answer) -> str:
    """The answer's text and headers, without the fields that tell secrets."""
    told = json.dumps(strip(json.loads(answer.text))) if answer.text.startswith("{") else answer.text
    return told + repr(answer.headers.raw)


def strip(told: Any) -> Any:
    if isinstance(told, dict):
        return {
            name: None if name in SECRET_FIELDS and isinstance(value, str) else strip(value)
            for name, value in told.items()
        }
    if isinstance(told, list):
        return [strip(value) for value in told]
    return told
