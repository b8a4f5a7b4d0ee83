"""`gatehouse …`: the operator's command line, on a deployed table or on a local store."""

from typing import Annotated, Any

import botocore.session
import typer
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from gatehouse import wiring
from gatehouse.clock import SystemClock
from gatehouse.errors import GatehouseError
from gatehouse.settings import InvalidSetting, Settings
from local.gateway.environment import TABLE_NAME, lend_credentials

main = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_admin = typer.Typer(no_args_is_help=True, help="ADMINs, from outside the API.")
main.add_typer(_admin, name="admin")


@main.callback()
def _gatehouse() -> None:
    """Looks after a Gatehouse deployment."""


@_admin.command("create")
def create(
    *,
    email: Annotated[str, typer.Option(help="The ADMIN's email address.")],
    username: Annotated[str, typer.Option(help="The ADMIN's username.")] = "admin",
    table: Annotated[str | None, typer.Option(envvar="TABLE_NAME", help="The table's name.")] = None,
    stack: Annotated[str | None, typer.Option(help="The CloudFormation stack whose table it is.")] = None,
    endpoint: Annotated[str | None, typer.Option(envvar="DYNAMODB_ENDPOINT", help="A store that is not AWS's.")] = None,
    region: Annotated[str | None, typer.Option(envvar="AWS_REGION", help="The AWS Region.")] = None,
    ask_password: Annotated[bool, typer.Option("--ask-password", help="Ask for a password; else one is made.")] = False,
) -> None:
    """Makes the first ADMIN of a deployment; does nothing where there is one."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    try:
        settings = _settings(table, stack, endpoint, region)
        first = wiring.build_bootstrap(settings, SystemClock()).create_first_admin(email, username, password)
    except GatehouseError as error:
        raise _failure(error.message) from error
    except PynamoDBException as error:
        raise _failure(f"The table refused ({error.cause_response_code}): {error.cause_response_message}") from error
    except (InvalidSetting, BotoCoreError, ClientError) as error:
        raise _failure(str(error)) from error
    typer.echo(f"{first.user.email} is the first ADMIN.")
    if first.password is not None:
        typer.echo(f"Password, shown this once: {first.password}")


def _settings(table: str | None, stack: str | None, endpoint: str | None, region: str | None) -> Settings:
    """Where the table is; what a stack says goes before a name."""
    if endpoint:
        lend_credentials()
    where = region or botocore.session.get_session().get_config_variable("region") or (endpoint and "us-east-1")
    if not where:
        raise InvalidSetting("Which Region? Give --region, or set AWS_REGION.")
    name = _table_of(stack, where) if stack else table or (endpoint and TABLE_NAME)
    if not name:
        raise InvalidSetting("Which table? Give --stack or --table, or set TABLE_NAME.")
    return Settings.from_environment({"TABLE_NAME": name, "AWS_REGION": where, "DYNAMODB_ENDPOINT": endpoint or ""})


def _table_of(stack: str, region: str) -> str:
    """The name of the table that a stack made, from its output TableName."""
    client: Any = botocore.session.get_session().create_client("cloudformation", region)
    outputs = client.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    names = [str(output["OutputValue"]) for output in outputs if output["OutputKey"] == "TableName"]
    if not names:
        raise InvalidSetting(f"The stack {stack} has no output TableName.")
    return names[0]


def _failure(reason: str) -> typer.Exit:
    typer.echo(reason, err=True)
    return typer.Exit(1)
