"""`gatehouse signing-keys …`, on the keys of this machine and on those of a stack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from gatehouse.clock import SystemClock
from gatehouse.outside.secrets import Secret
from gatehouse.signing.keys import KEPT_FOR, SETTLES_FOR, SigningKeys, parse
from local import cli
from local.key_file import KeyFile
from tests.key_secrets import FIRST_KEY, REGION, KeySecret, key_secret
from tests.unit.fakes import START, StoppedClock

STACK = ("--stack", "gatehouse-prod", "--region", REGION)
MINUTE = "%Y-%m-%d %H:%M UTC"


@pytest.fixture(autouse=True)
def no_choices_of_the_machine(monkeypatch: pytest.MonkeyPatch, clock: StoppedClock) -> None:
    for name in ("JWT_SECRET", "JWT_SECRET_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a first key."""
    path = tmp_path / "keys.json"
    monkeypatch.setenv("JWT_SECRET_FILE", str(path))
    KeyFile(path).make(START)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["signing-keys", *arguments])


def told(*arguments: str) -> list[str]:
    """The lines of a command that ends well."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def kept(path: Path) -> SigningKeys:
    return parse(path.read_text())


def test_keys_are_listed_by_what_they_are_good_for_and_never_shown(key_file: Path, clock: StoppedClock) -> None:
    first = kept(key_file).current
    assert told("list") == [f"{first}: signs"]

    rotated = told("rotate")
    second = kept(key_file).current
    ends = f"ends {START + KEPT_FOR:{MINUTE}}"
    assert rotated == [f"{first}: signs, {ends}", f"{second}: verifies, signs from {START + SETTLES_FOR:{MINUTE}}"]
    assert told("list") == rotated
    clock.moment += SETTLES_FOR
    assert told("list") == [f"{first}: verifies, {ends}", f"{second}: signs"]

    assert told("retire", first) == [f"{second}: signs"]
    [new] = told("retire", second)
    assert new == f"{kept(key_file).current}: signs"
    assert second not in key_file.read_text()


def test_no_command_prints_a_key(key_file: Path) -> None:
    keys = [*kept(key_file).keys.values()]
    said = run("list").output + run("rotate").output
    keys += kept(key_file).keys.values()
    said += run("retire", kept(key_file).current).output + run("retire", "nobody").output
    keys += kept(key_file).keys.values()

    assert not [key for key in keys if key.decode() in said]


def test_a_key_that_is_not_there_is_told_in_a_sentence(key_file: Path) -> None:
    before = key_file.read_text()
    result = run("retire", "k7")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "There is no key of this id.\n")
    assert key_file.read_text() == before


def test_before_the_first_make_run_there_are_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET_FILE", str(tmp_path / "none.json"))
    for arguments in (["list"], ["retire", "k1"]):
        result = run(*arguments)
        assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
        assert "none.json are out of reach" in result.stderr


def test_a_key_in_the_environment_can_only_be_listed(monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
    monkeypatch.setenv("JWT_SECRET", FIRST_KEY)
    before = key_file.read_text()

    assert told("list") == ["JWT_SECRET is the only key, and signs."]
    for arguments in (["rotate"], ["retire", "local"]):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "JWT_SECRET is the only key, and only who sets it can change it.\n"
    assert key_file.read_text() == before


def test_a_file_that_is_no_key_set_is_told_and_not_quoted(key_file: Path) -> None:
    key_file.write_text(FIRST_KEY)
    result = run("rotate")
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert FIRST_KEY not in result.output


class Account:
    """A session of an account with one stack, whose secret is moto's."""

    def __init__(self, secret: KeySecret) -> None:
        self.secret = secret
        outputs = {"TableName": "people", "JwtSecretArn": secret.arn}
        self.outputs = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]

    def create_client(self, service: str, *_: Any, **__: Any) -> Any:
        return {"cloudformation": self, "secretsmanager": self.secret.client}[service]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - the API's own name
        assert StackName == "gatehouse-prod"
        return {"Stacks": [{"Outputs": self.outputs}]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with key_secret() as secret:
        account = Account(secret)
        monkeypatch.setattr(botocore.session, "get_session", lambda: account)
        yield account


def test_the_keys_of_a_stack_are_rotated_and_retired_at_once(account: Account) -> None:
    assert told("list", *STACK) == ["k1: signs"]
    assert [line.startswith("k1: ") for line in told("rotate", *STACK)] == [True, False]
    [left] = told("retire", "k1", *STACK)
    now_kept = Secret(account.secret.arn, REGION, account.secret.client).read()
    assert left == f"{now_kept.current}: signs"
    assert set(now_kept.keys) == {now_kept.current}
    assert account.secret.is_at_rest


def test_a_stack_goes_before_the_keys_of_this_machine(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", FIRST_KEY)
    assert told("list", *STACK) == ["k1: signs"]


def test_a_stack_without_a_secret_is_told_by_name(account: Account) -> None:
    account.outputs.pop()
    result = run("list", *STACK)
    assert (result.exit_code, result.stderr) == (1, "The stack gatehouse-prod has no output JwtSecretArn.\n")


def test_what_iam_refuses_is_told_in_a_sentence(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutSecretValue")

    monkeypatch.setattr(account.secret.client, "put_secret_value", refuse)
    result = run("retire", "k1", *STACK)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "AccessDeniedException" in result.stderr


def test_a_stack_in_no_region_is_asked_for() -> None:
    with mock_aws():
        result = run("list", "--stack", "gatehouse-prod")
    assert result.exit_code == 1
    assert "Which Region?" in result.stderr
