"""What happens is sealed behind the requests, told in the activity log, and verified by an ADMIN."""

import json
import time
from typing import Any

from tests.journeys.client import CREATE_CREDENTIAL, DELETE_USER, UPDATE_USER, House
from tests.journeys.conftest import Opener

VERIFY = "{ verifyAuditChain { ok complete lastSeal waiting findings { tampering part seal eventId } } }"


def verdict(house: House, seals: int) -> dict[str, Any]:
    """What is found once there are so many seals, and no event waits for one."""
    deadline = time.monotonic() + 20
    while True:
        told: dict[str, Any] = house.graphql(VERIFY, by=house.admin).data["verifyAuditChain"]
        if (told["lastSeal"] or 0) >= seals and told["waiting"] == 0:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def activity(house: House) -> list[dict[str, Any]]:
    """The lines of the activity log."""
    lines = [json.loads(line) for line in house.gateway.lines if line.startswith("{")]
    return [line for line in lines if "eventId" in line]


def test_every_event_is_sealed_behind_its_request_and_told_once_in_the_activity_log(opener: Opener) -> None:
    house = opener({})
    owner, other = house.person(), house.person()
    made = house.graphql(CREATE_CREDENTIAL, {"input": {"type": "KEY_AUTH", "label": "nightly"}}, by=owner)
    assert made.outcome == "ok"
    assert house.graphql(UPDATE_USER, {"id": other.id, "input": {"role": "MODERATOR"}}, by=house.admin).outcome == "ok"
    assert house.graphql(DELETE_USER, {"id": other.id}, by=house.admin).outcome == "ok"

    told = verdict(house, 9)  # the first ADMIN and her sign-in, twice somebody and theirs, and the three above
    assert told == {"ok": True, "complete": True, "lastSeal": told["lastSeal"], "waiting": 0, "findings": []}
    lines = activity(house)
    assert len({line["eventId"] for line in lines}) == len(lines) == told["lastSeal"]
    messages = [line["message"] for line in lines]
    for message in (
        f"User created: {owner.id} {owner.email[0]}***@example.com",
        f"User login: {owner.id}",
        f"Credential created: {owner.id}",
        f"User updated: {other.id}",
        f"User deleted: {other.id}",
    ):
        assert sum(each.startswith(message) for each in messages) == 1, message
