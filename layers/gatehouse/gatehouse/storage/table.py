"""The connection to the table: opened once per process, its faults told apart from refusals."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import TableConnection
from pynamodb.exceptions import PynamoDBException

from gatehouse.errors import ServiceUnavailable
from gatehouse.settings import Settings
from gatehouse.storage.schema import Record

# The store's own words for "not now"; any other code is our mistake and stays what it is.
_PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",  # what a single write gets that a transaction crosses
        "TransactionInProgressException",
    }
)

_BATCH_ATTEMPTS = 3


def connect(settings: Settings) -> None:
    """Points every record at the settings' table and makes the one client that all of them share.

    PynamoDB would make a client per record class, and wait up to 30 s for an answer; API Gateway waits 29.
    """
    meta: Any = Record.Meta
    meta.table_name = settings.table_name
    meta.region = settings.region
    meta.host = settings.dynamodb_endpoint
    meta.connect_timeout_seconds = 1
    meta.read_timeout_seconds = 2
    meta.max_retry_attempts = 2
    meta.max_pool_connections = 32
    Record._connection = None
    open_table().connection.client  # noqa: B018 - made here, so that no request waits for it


def open_table() -> TableConnection:
    """The connection that `connect` opened, for calls that no record class offers."""
    return Record._get_connection()


@contextmanager
def store_faults() -> Iterator[None]:
    """Turns a store that does not answer into ServiceUnavailable; a mistake of ours passes as it is."""
    try:
        yield
    except PynamoDBException as error:
        code = error.cause_response_code if isinstance(error.cause, ClientError) else None
        # A load balancer in front of the store has no words, only a status.
        if code is None or code in _PASSING or code.startswith("5"):
            raise ServiceUnavailable("The store did not answer. Try again.") from error
        raise
    except BotoCoreError as error:
        raise ServiceUnavailable("The store did not answer. Try again.") from error


def broke_its_condition(error: PynamoDBException) -> bool:
    """Whether a single write was refused by its own condition."""
    # PynamoDB looks for the code of a timeout as well, which has none, and breaks.
    return isinstance(error.cause, ClientError) and error.cause_response_code == "ConditionalCheckFailedException"


def is_busy(error: PynamoDBException) -> bool:
    """Whether a single write met a transaction on the same item, which the SDK does not try again."""
    return isinstance(error.cause, ClientError) and error.cause_response_code == "TransactionConflictException"


def read_together(*wanted: Record, consistent: bool = True) -> list[Record | None]:
    """The records with the keys of those wanted, in their order, from one batch read of at most 100."""
    table = open_table()
    found: dict[tuple[str, str], Record] = {}
    missing = {(record.pk, record.sk): type(record) for record in wanted}
    attempts = 0
    while missing:
        if attempts == _BATCH_ATTEMPTS:
            raise ServiceUnavailable("The store did not answer. Try again.")
        attempts += 1
        asked: Any = [{"PK": pk, "SK": sk} for pk, sk in missing]
        answer = table.batch_get_item(asked, consistent_read=consistent)
        for item in answer["Responses"].get(table.table_name, []):
            key = _key(item)
            found[key] = missing[key].from_raw_data(item)
        left = answer.get("UnprocessedKeys", {}).get(table.table_name, {}).get("Keys", [])
        missing = {_key(item): missing[_key(item)] for item in left}
    return [found.get((record.pk, record.sk)) for record in wanted]


def _key(item: dict[str, dict[str, str]]) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]
