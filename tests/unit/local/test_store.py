"""The template's table in a store."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.gateway.environment import ROOT
from local.gateway.store import create_table
from local.gateway.template import Table, Template


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield botocore.session.get_session().create_client("dynamodb", "us-east-1")


@pytest.fixture
def table() -> Table:
    return Template.load(ROOT / "template.yaml", {}).table


def test_the_table_is_made_once_with_its_indexes_and_its_ttl(client: Any, table: Table) -> None:
    assert create_table(client, table, "people") is True
    assert create_table(client, table, "people") is False
    made = client.describe_table(TableName="people")["Table"]
    assert made["KeySchema"] == table.arguments["KeySchema"]
    assert {index["IndexName"]: index["KeySchema"] for index in made["GlobalSecondaryIndexes"]} == {
        index["IndexName"]: index["KeySchema"] for index in table.arguments["GlobalSecondaryIndexes"]
    }
    assert client.describe_time_to_live(TableName="people")["TimeToLiveDescription"] == {
        "AttributeName": table.ttl_attribute,
        "TimeToLiveStatus": "ENABLED",
    }


def refuse(client: Any, operation: str, code: str) -> None:
    def refusing(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": code}}, operation)

    client.meta.events.register(f"before-call.dynamodb.{operation}", refusing)


def test_a_store_without_ttl_gets_the_table_all_the_same(client: Any, table: Table) -> None:
    refuse(client, "UpdateTimeToLive", "UnknownOperationException")
    assert create_table(client, table, "people") is True


@pytest.mark.parametrize("operation", ["CreateTable", "UpdateTimeToLive"])
def test_any_other_refusal_is_the_callers_to_hear(client: Any, table: Table, operation: str) -> None:
    refuse(client, operation, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        create_table(client, table, "people")
