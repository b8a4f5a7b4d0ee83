"""What is kept of a person is told to them, and to nobody else; and it is forgotten with the account."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys.client import DELETE_USER, House, Person

EXPORT = "{ exportMyData }"
EVENTS = """query ($id: ID) { auditEvents(where: {consumerId: $id}) { nodes {
  action actor { kind id address } before after
} } }"""
VERIFY = "query ($from: DateTime) { verifyAuditChain(from: $from) { ok complete } }"
SECONDS_TO_FORGET = 10


def export_of(house: House, who: Person) -> dict[str, Any]:
    told: dict[str, Any] = house.graphql(EXPORT, by=who).data["exportMyData"]
    return told


def test_an_export_has_everything_of_its_owner_and_no_secret(house: House) -> None:
    owner = house.person()
    key = house.key(owner)
    house.change(owner.id, {"firstName": "Zora"}, by=house.admin)
    assert house.graphql("{ me { id } }", by=key).outcome == "ok"

    told = export_of(house, owner)

    assert (told["profile"]["username"], told["profile"]["email"]) == (owner.username, owner.email)
    assert (told["profile"]["firstName"], told["profile"]["twoFactorEnabled"]) == ("Zora", False)
    [session] = told["sessions"]
    assert (session["address"], session["isLive"]) == ("127.0.0.1", True)
    [credential] = told["credentials"]
    assert (credential["id"], credential["keyId"], credential["number"]) == (key.id, key.key_id, 1)
    assert told["requestsToday"]["1"] == 1
    assert told["requestsToday"]["sessions"] >= 1
    assert [event["action"] for event in told["eventsAboutYou"]] == [
        *("DATA_EXPORTED", "USER_UPDATED", "CREDENTIAL_CREATED", "SIGNED_IN", "USER_CREATED"),
    ]
    by_admin = told["eventsAboutYou"][1]
    assert by_admin["actor"] | {"kind": "PERSON", "role": "ADMIN"} == by_admin["actor"]
    assert {by_admin["actor"][name] for name in ("id", "address", "sessionId")} == {None}
    text = json.dumps(told)
    assert not [secret for secret in house.secrets if secret in text]
    assert not any(word in text.lower() for word in ("hash", "salt", "digest", "totp", "recovery"))


def test_an_admins_export_has_nothing_of_those_they_dealt_with(house: House) -> None:
    admin, other = house.person("ADMIN"), house.person()
    house.change(other.id, {"lastName": "Nobodysname"}, by=admin)

    told = export_of(house, admin)

    [done] = told["eventsByYou"]
    assert (done["action"], done["subjectId"]) == ("USER_UPDATED", other.id)
    assert not any(word in json.dumps(told) for word in ("Nobodysname", other.email, other.username))


def test_a_credential_gets_no_export(house: House) -> None:
    owner = house.person()
    told = house.graphql(EXPORT, by=house.key(owner)).extensions
    assert told == {"code": "FORBIDDEN", "statusCode": 403, "reason": "SCOPE"}


def test_who_is_deleted_is_forgotten_and_the_audit_keeps_an_id(house: House) -> None:
    owner = house.person()
    house.key(owner)
    house.change(owner.id, {"firstName": "Zora"}, by=house.admin)
    assert house.graphql(DELETE_USER, {"id": owner.id}, by=house.admin).outcome == "ok"

    deadline = time.monotonic() + SECONDS_TO_FORGET
    while owner.username in (text := json.dumps(nodes := events_of(house, owner))):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)

    assert not any(word in text for word in (owner.email, owner.username, "Zora"))
    deleted, *earlier = nodes
    assert (deleted["action"], deleted["before"]["email"], deleted["before"]["role"]) == ("USER_DELETED", None, "USER")
    assert deleted["actor"] == {"kind": "PERSON", "id": house.admin.id, "address": "127.0.0.1"}
    assert {event["actor"]["address"] for event in earlier if event["actor"]["id"] == owner.id} == {None}
    lately = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    verified = house.graphql(VERIFY, {"from": lately}, by=house.admin).data["verifyAuditChain"]
    assert verified == {"ok": True, "complete": True}


def events_of(house: House, owner: Person) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = house.graphql(EVENTS, {"id": owner.id}, by=house.admin).data["auditEvents"]["nodes"]
    return told
