"""What the local gateway's DynamoDB in process promises beyond what moto does: atomic calls, transactions that undo
their own writes only, and work that follows the items a call names, not the size of the table."""

import inspect
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item

from local.gateway import moto_guard
from local.gateway.store import create_table
from local.gateway.template import Table

pytestmark = pytest.mark.long

TABLE = "guarded"
KEYS = Table(
    {
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    },
    ttl_attribute="expires",
)


@pytest.fixture(autouse=True)
def threads_that_take_turns_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def client() -> Iterator[Any]:
    moto_guard.apply()
    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb", "us-east-1")
        create_table(client, KEYS, TABLE)
        yield client


def key(name: str) -> dict[str, Any]:
    return {"PK": {"S": name}, "SK": {"S": "-"}}


def put(name: str, **attributes: str) -> dict[str, Any]:
    item = key(name) | {attribute: {"S": value} for attribute, value in attributes.items()}
    return {"Put": {"TableName": TABLE, "Item": item}}


def impossible(name: str) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": TABLE, "Key": key(name), "ConditionExpression": "attribute_exists(never)"}}


def everything(client: Any) -> list[dict[str, Any]]:
    items = [item for page in client.get_paginator("scan").paginate(TableName=TABLE) for item in page["Items"]]
    return sorted(items, key=lambda item: str(item["PK"]["S"]))


def stream(client: Any) -> list[tuple[str, str]]:
    by_region = Config(account_id_endpoint_mode="disabled")  # moto does not know an account's own endpoint of streams
    streams: Any = botocore.session.get_session().create_client("dynamodbstreams", "us-east-1", config=by_region)
    arn = client.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = streams.get_records(ShardIterator=start)["Records"]
    return [(record["eventName"], record["dynamodb"]["Keys"]["PK"]["S"]) for record in records]


@pytest.mark.parametrize("_", range(20))
def test_a_conditional_increment_lets_exactly_the_limit_in_under_threads(client: Any, _: int) -> None:
    def come_in(_: int) -> bool:
        try:
            client.update_item(
                TableName=TABLE,
                Key=key("counter"),
                UpdateExpression="ADD used :one",
                ConditionExpression="attribute_not_exists(used) OR used < :limit",
                ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": "25"}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(come_in, range(80))) == 25
    assert everything(client) == [key("counter") | {"used": {"N": "25"}}]


def test_concurrent_transactions_keep_all_writes_of_those_that_succeed(client: Any) -> None:
    def write(number: int) -> None:
        client.transact_write_items(TransactItems=[put(f"kept-{number:03}")])
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            client.transact_write_items(TransactItems=[put(f"lost-{number:03}"), impossible(f"kept-{number:03}")])

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(400)))
    assert everything(client) == [key(f"kept-{number:03}") for number in range(400)]


def test_a_cancelled_transaction_puts_back_what_it_named_and_nothing_else(client: Any) -> None:
    for name in ("changed", "deleted", "replaced", "bystander"):
        client.put_item(TableName=TABLE, Item=key(name) | {"state": {"S": "before"}})
    before, told = everything(client), stream(client)
    update = {
        "TableName": TABLE,
        "Key": key("changed"),
        "UpdateExpression": "SET #state = :after",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":after": {"S": "after"}},
    }
    with pytest.raises(ClientError) as refusal:
        client.transact_write_items(
            TransactItems=[
                {"Update": update},
                {"Delete": {"TableName": TABLE, "Key": key("deleted")}},
                put("replaced", state="after"),
                put("new"),
                impossible("bystander"),
            ]
        )
    reasons = [reason["Code"] for reason in refusal.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "None", "ConditionalCheckFailed"]
    assert everything(client) == before
    assert stream(client) == told


def test_a_table_without_a_range_key_is_put_back_just_so(client: Any) -> None:
    keys: dict[str, Any] = {
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
    }
    create_table(client, Table(keys | {"BillingMode": "PAY_PER_REQUEST"}, None), "flat")
    client.put_item(TableName="flat", Item={"PK": {"S": "kept"}, "state": {"S": "before"}})
    changed = {"PK": {"S": "kept"}, "state": {"S": "after"}}
    writes = [{"Put": {"TableName": "flat", "Item": item}} for item in (changed, {"PK": {"S": "new"}})]
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client.transact_write_items(TransactItems=[*writes, impossible("nobody")])
    assert client.scan(TableName="flat")["Items"] == [{"PK": {"S": "kept"}, "state": {"S": "before"}}]


def test_a_transaction_that_is_refused_as_a_whole_writes_nothing(client: Any) -> None:
    with pytest.raises(ClientError, match="cannot include multiple operations on one item"):
        client.transact_write_items(TransactItems=[put("twice"), put("twice")])
    assert everything(client) == []
    assert stream(client) == []


def test_a_transaction_that_succeeds_is_in_the_stream_in_its_order(client: Any) -> None:
    client.transact_write_items(TransactItems=[put("b"), put("a")])
    client.transact_write_items(TransactItems=[{"Delete": {"TableName": TABLE, "Key": key("b")}}])
    assert stream(client) == [("INSERT", "b"), ("INSERT", "a"), ("REMOVE", "b")]


def test_a_transaction_copies_the_items_it_names_however_large_the_table(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 5000, 25):
        rows = [{"PutRequest": {"Item": key(f"row-{number}")}} for number in range(start, start + 25)]
        client.batch_write_item(RequestItems={TABLE: rows})
    copies: list[Item] = []
    copy_item = Item.__deepcopy__

    def counted(item: Item, memo: dict[int, Any]) -> Item:
        copies.append(item)
        return copy_item(item, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    client.transact_write_items(TransactItems=[put(f"row-{number}", changed="yes") for number in range(10)])
    assert len(copies) == 10


def test_items_that_are_gone_are_not_kept_for_a_dashboard(client: Any) -> None:
    for _ in range(10):
        client.put_item(TableName=TABLE, Item=key("again"))
        client.query(
            TableName=TABLE, KeyConditionExpression="PK = :pk", ExpressionAttributeValues={":pk": {"S": "again"}}
        )
    tracked: Any = Item
    assert tracked.instances_tracked == []


def test_a_moto_that_looks_different_is_not_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "getsource", lambda _: "def transact_write_items(): ...")
    patched = DynamoDBBackend.transact_write_items
    with pytest.raises(moto_guard.UnknownMoto, match="transact_write_items is not as it was"):
        moto_guard.apply.__wrapped__()
    assert DynamoDBBackend.transact_write_items is patched
