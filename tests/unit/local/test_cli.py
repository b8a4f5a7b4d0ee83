"""`gatehouse admin create`, on a table as it is deployed."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from local import cli
from local.gateway.environment import ROOT
from local.gateway.store import create_table
from local.gateway.template import Template

HERE = ("--region", "us-east-1", "--table", "people")


@pytest.fixture(autouse=True)
def no_choices_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TABLE_NAME", "DYNAMODB_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.fixture
def people() -> Iterator[Any]:
    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb", "us-east-1")
        create_table(client, Template.load(ROOT / "template.yaml", {}).table, "people")
        yield client


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["admin", "create", "--email", "Ada@example.com", *arguments], input=typed)


def test_the_first_admin_is_made_and_its_password_shown_once(people: Any) -> None:
    result = run(*HERE)
    assert result.exit_code == 0
    said, password = result.stdout.splitlines()
    assert said == "Ada@example.com is the first ADMIN."
    assert len(password.removeprefix("Password, shown this once: ")) >= 20
    assert password not in str(people.scan(TableName="people")["Items"])


def test_a_second_admin_is_not_made_so(people: Any) -> None:
    assert run(*HERE).exit_code == 0
    before = people.scan(TableName="people")["Items"]
    result = run(*HERE)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "ADMIN" in result.stderr
    assert people.scan(TableName="people")["Items"] == before


def test_a_password_that_was_asked_for_is_not_shown(people: Any) -> None:
    result = run(*HERE, "--ask-password", typed="Chosen-Secret-1\nChosen-Secret-1\n")
    assert result.exit_code == 0
    assert "Chosen-Secret-1" not in result.output
    assert result.stdout.splitlines()[-1] == "Ada@example.com is the first ADMIN."


def test_a_password_that_breaks_the_rules_is_refused(people: Any) -> None:
    result = run(*HERE, "--ask-password", typed="weak\nweak\n")
    assert result.exit_code == 1
    assert "password" in result.stderr.lower()
    assert people.scan(TableName="people")["Count"] == 0


def test_the_environment_names_table_and_region(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "people")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert run().exit_code == 0


def test_a_table_that_is_not_there_is_told_in_a_sentence(people: Any) -> None:
    result = run("--region", "us-east-1", "--table", "nobody")
    assert result.exit_code == 1
    assert "ResourceNotFoundException" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_a_store_that_does_not_answer_is_told_in_a_sentence() -> None:
    result = run("--table", "people", "--endpoint", "http://127.0.0.1:9")
    assert (result.exit_code, result.stderr) == (1, "The store did not answer. Try again.\n")


@pytest.mark.parametrize(
    ("arguments", "question"), [(("--table", "people"), "Which Region?"), (("--region", "eu-west-1"), "Which table?")]
)
def test_what_is_missing_is_asked_for(arguments: tuple[str, ...], question: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert question in result.stderr


class Stacks:
    """A session whose CloudFormation knows one stack."""

    def __init__(self, outputs: list[dict[str, str]]) -> None:
        self._outputs = outputs

    def create_client(self, service: str, region: str) -> "Stacks":
        assert (service, region) == ("cloudformation", "us-east-1")
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - the API's own name
        assert StackName == "gatehouse-prod"
        return {"Stacks": [{"Outputs": self._outputs}]}

    def get_config_variable(self, _: str) -> None:
        return None


def test_a_stacks_table_is_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [{"OutputKey": "Url", "OutputValue": "x"}, {"OutputKey": "TableName", "OutputValue": "made-by-stack"}]
    monkeypatch.setattr(botocore.session, "get_session", lambda: Stacks(outputs))
    settings = cli._settings("another", "gatehouse-prod", None, "us-east-1")
    assert (settings.table_name, settings.region, settings.dynamodb_endpoint) == ("made-by-stack", "us-east-1", None)


def test_a_stack_without_a_table_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.session, "get_session", lambda: Stacks([]))
    result = run("--region", "us-east-1", "--stack", "gatehouse-prod")
    assert (result.exit_code, result.stderr) == (1, "The stack gatehouse-prod has no output TableName.\n")
