"""Which deployment a command is about, and what is said where it fails."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import botocore.session
import typer
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from gatehouse.audit.chain import ChainBroken
from gatehouse.audit.noted import InvalidNote
from gatehouse.errors import GatehouseError
from gatehouse.mail.service import MailRefused
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.signing.keys import InvalidKeySet
from local.gateway.environment import TABLE_NAME, lend_credentials

Table = Annotated[str | None, typer.Option(envvar="TABLE_NAME", help="The table's name.")]
TableOfStack = Annotated[str | None, typer.Option(help="The CloudFormation stack whose table it is.")]
Endpoint = Annotated[str | None, typer.Option(envvar="DYNAMODB_ENDPOINT", help="A store that is not AWS's.")]
Region = Annotated[str | None, typer.Option(envvar="AWS_REGION", help="The AWS Region.")]


@contextmanager
def told_failures() -> Iterator[None]:
    """Ends the command with a sentence where something fails that can."""
    try:
        yield
    except GatehouseError as error:
        raise _failure(error.message) from error
    except ChainBroken as error:
        raise _failure(
            "The chain was tampered with and does not go on: `gatehouse audit verify` tells more."
        ) from error
    except MailRefused as error:
        raise _failure("SES refused the mail for good; --print-link prints the link.") from error
    except PynamoDBException as error:
        raise _failure(f"The table refused ({error.cause_response_code}): {error.cause_response_message}") from error
    except (InvalidSetting, InvalidKeySet, InvalidNote, BotoCoreError, ClientError) as error:
        raise _failure(str(error)) from error


def settings_of(table: str | None, stack: str | None, endpoint: str | None, region: str | None) -> Settings:
    """Where the table is; what a stack says goes before a name."""
    if endpoint:
        lend_credentials()
    where = region_of(region, "us-east-1" if endpoint else None)
    if stack:
        return settings_of_stack(stack, where, {"TABLE_NAME": "TableName"})
    name = table or (endpoint and TABLE_NAME)
    if not name:
        raise InvalidSetting("Which table? Give --stack or --table, or set TABLE_NAME.")
    return Settings.from_environment({"TABLE_NAME": name, "AWS_REGION": where, "DYNAMODB_ENDPOINT": endpoint or ""})


def settings_of_stack(stack: str, region: str, made: Mapping[str, str]) -> Settings:
    """The settings that a stack was deployed with, and those that it made, by the names of its outputs."""
    described = _described(stack, region)
    parameters = {
        _variable(given["ParameterKey"]): given["ParameterValue"] for given in described.get("Parameters", [])
    }
    outputs = {variable: _output(stack, described, name) for variable, name in made.items()}
    return Settings.from_environment({**parameters, **outputs, "AWS_REGION": region})


def region_of(given: str | None, default: str | None = None) -> str:
    """The Region that is given, else that of the machine, else the default; raises InvalidSetting."""
    region: str | None = given or botocore.session.get_session().get_config_variable("region") or default
    if not region:
        raise InvalidSetting("Which Region? Give --region, or set AWS_REGION.")
    return region


def _described(stack: str, region: str) -> Mapping[str, Any]:
    client: Any = botocore.session.get_session().create_client("cloudformation", region)
    described: Mapping[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    return described


def _output(stack: str, described: Mapping[str, Any], name: str) -> str:
    for output in described.get("Outputs", []):
        if output["OutputKey"] == name:
            return str(output["OutputValue"])
    raise InvalidSetting(f"The stack {stack} has no output {name}.")


def _variable(parameter: str) -> str:
    """The variable that a parameter of the template sets: ThrottleTtl sets THROTTLE_TTL."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def _failure(reason: str) -> typer.Exit:
    typer.echo(reason, err=True)
    return typer.Exit(1)
