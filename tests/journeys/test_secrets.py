"""What was secret in the journeys before, and in this one, stands nowhere but in the answers that told it."""

import json
import re
from typing import Any

from tests.journeys.client import (
    DELETE_CREDENTIAL,
    DELETE_USER,
    LOGIN,
    ME,
    REFRESH,
    REGISTER,
    SECRET_FIELDS,
    UPDATE_CREDENTIAL,
    UPDATE_USER,
    Answer,
    House,
    person,
)

WORD = re.compile(r'[^\s"\\{}\[\]:,]+')  # no secret of the journeys has any of these
HASH = re.compile(r"\$2[aby]\$\d\d\$|sha256\$")
CREDENTIAL_FIELDS = "id consumerId type keyId label scopes isActive expiresAt lastUsedAt createdAt updatedAt"


def live_a_whole_life(house: House) -> list[str]:
    """Signs up, in, on and out, makes keys in both ways, uses, lists and loses them, and errs wherever one can.

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
    return [user.token, user.refresh_token, renewed["accessToken"], renewed["refreshToken"], made.text]


def test_secrets_are_told_once_and_stand_in_no_log_no_error_and_no_list(house: House) -> None:
    answers, lines = len(house.answers), len(house.log())
    told = live_a_whole_life(house)
    assert [sum(secret in answer.text for answer in house.answers) for secret in told] == [1] * len(told)
    # What is looked through is there: dozens of answers, a line of log for each that reached GraphQL, and the secrets.
    assert len(house.answers) - answers > 35
    assert len(house.log()) - lines > 25
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
    assert line["consumer_id"] == house.admin.id
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
