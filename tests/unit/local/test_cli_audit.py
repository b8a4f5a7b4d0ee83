"""`gatehouse audit verify` and `seal`, on a table with a log of its own, which is tampered with."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from gatehouse.audit.chain import AT_ONCE, Sealing
from gatehouse.clock import SystemClock
from gatehouse.settings import Settings
from gatehouse.storage import keys
from gatehouse.storage.audit import EventRecord
from gatehouse.storage.seals import DynamoChain
from gatehouse.storage.table import connect
from local import cli
from local.gateway.environment import ROOT
from local.gateway.store import create_table
from local.gateway.template import Template
from tests.stores import connection_kept
from tests.unit.audit.logs import PERSON, an_event
from tests.unit.fakes import START, StoppedClock

HERE = ("--region", "us-east-1", "--table", "sealed")
FINE = "Everything is as it was sealed."


@pytest.fixture(autouse=True)
def no_choices_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TABLE_NAME", "DYNAMODB_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setattr(SystemClock, "now", lambda _: START + timedelta(days=2))


@pytest.fixture
def table() -> Iterator[Any]:
    """A client of a table in which nothing is sealed."""
    with mock_aws(), connection_kept():
        client = botocore.session.get_session().create_client("dynamodb", "us-east-1")
        create_table(client, Template.load(ROOT / "template.yaml", {}).table, "sealed")
        connect(Settings.from_environment({"TABLE_NAME": "sealed", "AWS_REGION": "us-east-1"}))
        yield client


def seal(*seconds: int) -> None:
    """Seals an event of each second, in that second."""
    clock = StoppedClock()
    for second in seconds:
        clock.moment = START + timedelta(seconds=second)
        EventRecord.of(an_event(second)).save()
        Sealing(DynamoChain(), clock).seal([an_event(second)])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["audit", "verify", *arguments, *HERE])


def drop(client: Any, partition: str, sort: str) -> None:
    client.delete_item(TableName="sealed", Key={"PK": {"S": partition}, "SK": {"S": sort}})


def test_a_table_in_which_nothing_is_sealed_is_fine(table: Any) -> None:
    result = run()
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{FINE}\n", "")


def test_the_last_position_is_told_and_may_be_given_back(table: Any, tmp_path: Path) -> None:
    seal(1, 2, 3)
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    told, position = result.stdout.splitlines()
    head = DynamoChain().find_head()
    assert head is not None
    assert (told, position) == (FINE, f"3 {head.last.hash}")
    notes = tmp_path / "notes"
    notes.write_text(f"\n{position}\n")
    seal(4)
    assert run("--known", str(notes)).exit_code == 0


def test_what_was_done_is_told_line_by_line_and_ends_with_1(table: Any) -> None:
    seal(1, 2, 3, 4)
    drop(table, keys.event(an_event(2).id), keys.EVENT)
    drop(table, keys.seals(4), keys.seal_number(4))
    result = run()
    assert result.stdout.splitlines() == ["SEAL DROPPED: seal 4", f"EVENT DROPPED: {an_event(2).id}, seal 2"]
    assert (result.exit_code, result.stderr) == (1, "Findings: 2.\n")


def test_a_new_chain_is_found_by_what_was_noted(table: Any, tmp_path: Path) -> None:
    seal(1, 2, 3)
    notes = tmp_path / "notes"
    notes.write_text(f"2 {'0' * 64}\n7 {'0' * 64}\n")
    result = run("--known", str(notes))
    assert (result.exit_code, result.stdout.splitlines()) == (1, ["SEAL CHANGED: seal 2", "SEAL DROPPED: seal 7"])


def test_a_time_may_be_asked_for(table: Any) -> None:
    seal(1, 2, 3, 4)
    drop(table, keys.event(an_event(2).id), keys.EVENT)
    assert run("--from", "2026-03-01T12:00:03Z").exit_code == 0
    assert run("--from", "2026-03-01T13:00:03+01:00").exit_code == 0
    assert run("--to", "2026-03-01T12:00:01").exit_code == 0
    assert run("--from", "2026-03-01", "--to", "2026-03-02").exit_code == 1


def test_what_a_forger_wrote_does_not_reach_the_terminal(table: Any) -> None:
    seal(1)
    item = {**EventRecord.of(an_event(2)).serialize(), "PK": {"S": keys.event("\x1b[2J'")}}
    table.put_item(TableName="sealed", Item=item)
    result = run()
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert result.stdout == 'EVENT INSERTED: "\\x1b[2J\'"\n'


def test_events_that_wait_are_told(table: Any) -> None:
    seal(1)
    EventRecord.of(an_event(2 * 86_400 - 60)).save()
    assert run().stdout.splitlines()[:2] == ["Waiting for a seal: 1.", FINE]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "monday"), "--from is no moment such as 2026-01-31T12:00:00Z."),
        (("--to", ""), "--to is no moment such as 2026-01-31T12:00:00Z."),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "from must not be later than to."),
    ],
)
def test_what_is_no_time_is_told_in_a_sentence(table: Any, arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{told}\n")


@pytest.mark.parametrize(
    "line", ["7", "x" * 70, f"-1 {'0' * 64}", f"1 {'0' * 63}", f"1 {'G' * 64}", "1\xff" + "0" * 64]
)
def test_a_note_that_is_none_is_told_by_its_line(table: Any, tmp_path: Path, line: str) -> None:
    notes = tmp_path / "notes"
    notes.write_bytes(f"1 {'0' * 64}\n{line}".encode("latin-1"))
    result = run("--known", str(notes))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Line 2 is no position")


def test_a_file_that_is_not_there_is_told(table: Any, tmp_path: Path) -> None:
    result = run("--known", str(tmp_path / "nothing"))
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


WAITS = f"{an_event(2).id} 2026-03-01T12:00:02.000Z USER_UPDATED {PERSON} c2"


def run_seal(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["audit", "seal", *arguments, *HERE])


def test_without_yes_what_waits_is_only_listed(table: Any) -> None:
    seal(1)
    EventRecord.of(an_event(2)).save()
    for _ in range(2):
        result = run_seal()
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.splitlines() == [WAITS, "Without a seal: 1. --yes seals what is listed."]
    assert run().stdout == f"EVENT INSERTED: {an_event(2).id}\n"


def test_with_yes_it_is_sealed_and_no_finding_any_more(table: Any) -> None:
    seal(1)
    EventRecord.of(an_event(2)).save()
    result = run_seal("--yes")
    assert (result.exit_code, result.stdout.splitlines(), result.stderr) == (0, [WAITS, "Sealed: 1."], "")
    assert run().stdout.splitlines()[0] == FINE
    assert (run_seal().stdout, run_seal("--yes").stdout) == ("Without a seal: 0.\n", "Sealed: 0.\n")


def test_more_than_a_transaction_takes_are_sealed_in_order(table: Any) -> None:
    waiting = [an_event(second) for second in range(1, 2 * AT_ONCE + 2)]
    for event in waiting:
        EventRecord.of(event).save()
    *listed, told = run_seal("--yes").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [event.id for event in waiting]
    assert told == f"Sealed: {len(waiting)}."
    seals = DynamoChain().seals(1, len(waiting))
    assert [seals[number].event_id for number in sorted(seals)] == [event.id for event in waiting]


def test_an_event_of_just_now_is_left_to_the_stream(table: Any) -> None:
    EventRecord.of(an_event(2 * 86_400 - 60)).save()
    assert run_seal("--yes").stdout == "Sealed: 0.\n"


def test_an_event_that_tells_little_is_one_line_and_what_a_forger_put_into_it_is_told_as_such(table: Any) -> None:
    EventRecord.of(an_event(1, subject_id=None, correlation_id="\x1b[2J\n")).save()
    first = run_seal().stdout.splitlines()[0]
    assert first == f"{an_event(1).id} 2026-03-01T12:00:01.000Z USER_UPDATED - \\x1b[2J\\n"


def test_what_must_not_be_sealed_is_told_and_left(table: Any) -> None:
    seal(1)
    drop(table, keys.event(an_event(1).id), keys.MARK)
    item = {**EventRecord.of(an_event(2)).serialize(), "PK": {"S": keys.event("\x1b[2J")}}
    table.put_item(TableName="sealed", Item=item)
    left = ["Left, for it cannot be read: \\x1b[2J", f"Left, for seal 1 names it: {an_event(1).id}"]
    for arguments, told in ((), "Without a seal: 0."), (("--yes",), "Sealed: 0."):
        result = run_seal(*arguments)
        assert result.exit_code == 0
        assert sorted(result.stdout.splitlines()) == sorted([*left, told])


def test_a_chain_that_does_not_go_on_is_told_in_a_sentence(table: Any) -> None:
    seal(1)
    EventRecord.of(an_event(2)).save()
    drop(table, keys.HEAD, keys.HEAD_SORT)
    result = run_seal("--yes")
    told = "The chain was tampered with and does not go on: `gatehouse audit verify` tells more.\n"
    assert (result.exit_code, result.stderr) == (1, told)
