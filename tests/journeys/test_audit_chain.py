"""The audit's chain: whatever is done to the table behind the API's back is found, by the API and by the command."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.gateway.environment import ROOT
from tests.journeys.audited import VERIFY, Item, Log, open_log


@pytest.fixture(scope="module")
def log(dynoxide: str) -> Iterator[Log]:
    with open_log(dynoxide) as opened:
        yield opened


def test_what_was_sealed_is_verified_as_a_whole_and_by_its_time(log: Log) -> None:
    told = log.settled()
    assert told == {
        "ok": True,
        "firstSeal": 1,
        "lastSeal": len(log.events(log.house.admin)),
        "complete": True,
        "continueFrom": None,
        "waiting": 0,
        "findings": [],
    }
    long_ago = log.verified(to="2020-01-01T00:00:00Z")
    assert long_ago == {**told, "firstSeal": None, "lastSeal": None}
    for caller in (log.ann, log.moderator):
        assert log.house.graphql(VERIFY, by=caller).outcome == "FORBIDDEN"


def test_tampering_is_found_and_placed_and_gone_when_it_is_undone(log: Log) -> None:
    log.settled()
    [one] = log.events(log.house.admin, consumerId=log.ann.id, action="SIGNED_IN")
    [other] = log.events(log.house.admin, consumerId=log.ann.id, action="SIGN_IN_FAILED")
    event, number = log.item(f"EV#{one['id']}", "E"), log.number_of(one)
    seal = log.item("SEAL#0", f"{number:015}")
    place = {"seal": number, "eventId": one["id"], "otherSeal": None}

    with log.tampered_with(event, {**event, "outcome": {"S": "REFUSED"}}):
        assert log.verified()["findings"] == [{"tampering": "CHANGED", "part": "EVENT", **place}]
    with log.tampered_with(event, None):
        assert log.verified()["findings"] == [{"tampering": "DROPPED", "part": "EVENT", **place}]
    with log.tampered_with(seal, None):
        assert log.verified()["findings"] == [{"tampering": "DROPPED", "part": "SEAL", **place, "eventId": None}]
    its = log.item(f"EV#{other['id']}", "E")
    with (
        log.tampered_with(event, put_in_the_place_of(event, its)),
        log.tampered_with(its, put_in_the_place_of(its, event)),
    ):
        [found] = log.verified()["findings"]
        assert (found["tampering"], found["part"]) == ("SWAPPED", "EVENT")
        assert {found["seal"], found["otherSeal"]} == {number, log.number_of(other)}
    assert log.verified()["ok"]


def put_in_the_place_of(item: Item, other: Item) -> Item:
    """The other, as if it had always been there: with what the indexes go by."""
    shard = item["auditShard"]["S"]
    action_shard = {"S": f"{other['action']['S']}#{shard}"}
    return {**other, "PK": item["PK"], "auditShard": item["auditShard"], "actionShard": action_shard}


def test_the_command_tells_the_last_position_and_where_something_was_done(log: Log, tmp_path: Path) -> None:
    last = log.settled()["lastSeal"]
    fine = verify(log)
    assert (fine.returncode, fine.stderr) == (0, "")
    told, position = fine.stdout.splitlines()
    assert (told, position.split(" ")[0]) == ("Everything is as it was sealed.", str(last))
    notes = tmp_path / "notes"
    notes.write_text(position)
    assert verify(log, "--known", str(notes)).returncode == 0
    with log.tampered_with(log.item("SEAL#0", f"{1:015}"), None):
        found = verify(log)
        assert (found.returncode, found.stdout) == (1, "SEAL DROPPED: seal 1\n")
    notes.write_text(f"{last + 100} {'0' * 64}")
    found = verify(log, "--known", str(notes))
    assert (found.returncode, found.stdout) == (1, f"SEAL DROPPED: seal {last + 100}\n")


def verify(log: Log, *arguments: str) -> "subprocess.CompletedProcess[str]":
    where = ("--endpoint", log.endpoint, "--table", log.table, "--region", "us-east-1")
    return subprocess.run(
        [sys.executable, "-c", "from local.cli import main; main()", "audit", "verify", *arguments, *where],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
