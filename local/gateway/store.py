"""The table of the template, made in whatever store there is."""

from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.settings import Settings
from local.gateway.environment import StartError
from local.gateway.template import Table


def make_ready(settings: Settings, table: Table) -> None:
    """Makes the table that the settings name, where there is none; raises StartError where the store does not."""
    endpoint = settings.dynamodb_endpoint
    try:
        client = botocore.session.get_session().create_client("dynamodb", settings.region, endpoint_url=endpoint)
        create_table(client, table, settings.table_name)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise StartError(f"the store at {endpoint} did not make the table: {error}") from error


def create_table(client: Any, table: Table, name: str) -> bool:
    """Whether the table was made; False where there is one of the name already. It is ready for use either way.

    `client` is botocore's for DynamoDB. TTL is switched on where the store knows it; some emulators do not.
    """
    try:
        client.create_table(TableName=name, **table.arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    if table.ttl_attribute:
        specification = {"Enabled": True, "AttributeName": table.ttl_attribute}
        try:
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        except ClientError as error:
            if error.response["Error"]["Code"] != "UnknownOperationException":
                raise
    return True
