"""`gatehouse …`, on a table as it is deployed: the first ADMIN, and API Gateway's keys."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from gatehouse.wall.model import TIERS
from gatehouse.wall.pace import Pace
from local import cli
from local.deployment import settings_of
from local.gateway.control_plane import ControlPlane, Plan
from local.gateway.environment import ROOT
from local.gateway.store import create_table
from local.gateway.template import Template
from tests.stores import connection_kept
from tests.unit.fakes import StoppedClock

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


def test_the_first_admin_is_made_and_the_link_that_sets_the_password_shown_once(people: Any) -> None:
    result = run(*HERE)
    assert result.exit_code == 0
    said, told, sent = result.stdout.splitlines()
    assert said == "Ada@example.com is the first ADMIN."
    form = r"To set the password, .* open http://localhost:3000/set-password#token=(gatehouse_begin_[\w-]{43})"
    token = re.fullmatch(form, told)
    assert token is not None
    assert sent == f'or send: mutation {{ resetPassword(token: "{token[1]}", newPassword: "…") }}'
    assert token[1] not in str(people.scan(TableName="people")["Items"])


def test_the_link_may_be_asked_for_again(people: Any) -> None:
    links = {run(*HERE).stdout.splitlines()[1] for _ in range(2)}
    assert len(links) == 2


def test_an_admin_who_is_locked_out_gets_a_link_that_sets_a_new_password(people: Any) -> None:
    assert run(*HERE, "--ask-password", typed="Chosen-Secret-1\nChosen-Secret-1\n").exit_code == 0
    result = CliRunner().invoke(cli.main, ["admin", "reset", "--email", "ada@example.com", *HERE])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "/set-password#token=gatehouse_begin_" in result.stdout


def test_nobody_else_gets_one(people: Any) -> None:
    result = CliRunner().invoke(cli.main, ["admin", "reset", "--email", "ada@example.com", *HERE])
    assert (result.exit_code, result.stderr) == (1, "No active ADMIN has this email.\n")


def test_a_second_admin_is_not_made_so(people: Any) -> None:
    assert run(*HERE, "--ask-password", typed="Chosen-Secret-1\nChosen-Secret-1\n").exit_code == 0
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

    def __init__(self, outputs: list[dict[str, str]], **parameters: str) -> None:
        self._outputs = outputs
        self._parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]

    def create_client(self, service: str, region: str) -> "Stacks":
        assert (service, region) == ("cloudformation", "us-east-1")
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - the API's own name
        assert StackName == "gatehouse-prod"
        return {"Stacks": [{"Outputs": self._outputs, "Parameters": self._parameters}]}

    def get_config_variable(self, _: str) -> None:
        return None


def test_a_stacks_table_is_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [{"OutputKey": "Url", "OutputValue": "x"}, {"OutputKey": "TableName", "OutputValue": "made-by-stack"}]
    stacks = Stacks(outputs, MailFrom="gatehouse@example.com", AppUrl="https://app.example.com", Stage="prod")
    monkeypatch.setattr(botocore.session, "get_session", lambda: stacks)
    settings = settings_of("another", "gatehouse-prod", None, "us-east-1")
    assert (settings.table_name, settings.region, settings.dynamodb_endpoint) == ("made-by-stack", "us-east-1", None)
    assert (settings.mail_from, settings.app_url) == ("gatehouse@example.com", "https://app.example.com")


def test_a_stack_without_a_table_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.session, "get_session", lambda: Stacks([]))
    result = run("--region", "us-east-1", "--stack", "gatehouse-prod")
    assert (result.exit_code, result.stderr) == (1, "The stack gatehouse-prod has no output TableName.\n")


# gatehouse keys reconcile

SEED = "5" * 32


class Account:
    """A session of an account with one stack, whose table is moto's and whose keys are in memory."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.stack: dict[str, Any] = {
            "Outputs": [
                {"OutputKey": "TableName", "OutputValue": "people"},
                {"OutputKey": "GatewayTiers", "OutputValue": ",".join(f"{tier}=plan{tier}" for tier in TIERS)},
                {"OutputKey": "GatewayKeySeed", "OutputValue": SEED},
            ],
            "Parameters": [
                {"ParameterKey": "Stage", "ParameterValue": "prod"},
                {"ParameterKey": "ThrottleLimitAdmin", "ParameterValue": "500"},
            ],
        }

    def create_client(self, service: str, *_: Any, **__: Any) -> Any:
        return {"cloudformation": self, "apigateway": self.plane}[service]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - the API's own name
        assert StackName == "gatehouse-prod"
        return {"Stacks": [self.stack]}

    def get_config_variable(self, _: str) -> None:
        return None


@pytest.fixture
def account(people: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account whose deployment has one consumer, an ADMIN without credentials."""
    plans = [Plan(id=f"plan{tier}", name="", stages=frozenset({("api", "prod")})) for tier in TIERS]
    account = Account(ControlPlane(StoppedClock(), plans))
    with connection_kept():
        assert run(*HERE).exit_code == 0
        monkeypatch.setattr(botocore.session, "get_session", lambda: account)
        monkeypatch.setattr(Pace, "wait", lambda _: None)
        yield account


def give_a_credential(people: Any) -> str:
    """The id of the one consumer, who has a credential from now on."""
    items = people.scan(TableName="people")["Items"]
    [owner] = [item["PK"] for item in items if item["SK"]["S"] == "P"]
    people.update_item(
        TableName="people",
        Key={"PK": owner, "SK": {"S": "P"}},
        UpdateExpression="SET numbered = :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    people.put_item(TableName="people", Item={"PK": owner, "SK": {"S": "K#1"}, "credentialShard": {"S": "0"}})
    return str(owner["S"]).removeprefix("C#")


def reconcile(*arguments: str) -> Result:
    here = ["keys", "reconcile", "--stack", "gatehouse-prod", "--region", "us-east-1"]
    return CliRunner().invoke(cli.main, [*here, *arguments])


def test_keys_that_have_drifted_are_put_right_by_the_limits_that_the_stack_has(people: Any, account: Account) -> None:
    consumer = give_a_credential(people)
    result = reconcile()
    assert (result.exit_code, result.stdout) == (0, f"{consumer}: the key is right again.\n")
    [key] = account.plane.get_api_keys()["items"]
    assert key["name"] == f"{SEED}-{consumer}"
    assert [plan["id"] for plan in account.plane.get_usage_plans(keyId=key["id"])["items"]] == ["plan32"]
    assert reconcile().stdout == "All keys agree with the table.\n"


def test_orphans_are_listed_and_deleted_when_asked(account: Account) -> None:
    account.plane.create_api_key(name=f"{SEED}-gone", value="the value of somebody gone")
    assert reconcile().stdout == f"Orphan {SEED}-gone: left; --delete-orphans deletes it.\n"
    assert reconcile("--delete-orphans").stdout == f"Orphan {SEED}-gone: deleted.\n"
    assert reconcile("--delete-orphans").stdout == "All keys agree with the table.\n"


@pytest.mark.parametrize("missing", ["TableName", "GatewayTiers", "GatewayKeySeed"])
def test_a_stack_without_the_outer_wall_is_told_by_what_it_lacks(account: Account, missing: str) -> None:
    account.stack["Outputs"] = [output for output in account.stack["Outputs"] if output["OutputKey"] != missing]
    result = reconcile()
    assert (result.exit_code, result.stderr) == (1, f"The stack gatehouse-prod has no output {missing}.\n")


def test_what_iam_refuses_is_told_in_a_sentence(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetUsagePlanKeys")

    monkeypatch.setattr(account.plane, "get_usage_plan_keys", refuse)
    result = reconcile()
    assert result.exit_code == 1
    assert "AccessDeniedException" in result.stderr
    assert isinstance(result.exception, SystemExit)
