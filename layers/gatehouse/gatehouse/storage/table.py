"""The connection to the table: opened once per process, its faults told apart from refusals."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import TableConnection
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactGetError

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

type Item = dict[str, dict[str, Any]]
"""An item as the store tells it: attribute, type, value."""

_BATCH_ATTEMPTS = 3
_CONNECT_SECONDS = 1
_READ_SECONDS = 2
_CONNECTIONS = 32


def connect(settings: Settings) -> None:
    """Points every record at the settings' table and makes the one client that all of them share.

    PynamoDB would make a client per record class, and wait up to 30 s for an answer; API Gateway waits 29.
    """
    meta: Any = Record.Meta
    meta.table_name = settings.table_name
    meta.region = settings.region
    meta.host = settings.dynamodb_endpoint
    meta.connect_timeout_seconds = _CONNECT_SECONDS
    meta.read_timeout_seconds = _READ_SECONDS
    meta.max_retry_attempts = 2
    meta.max_pool_connections = _CONNECTIONS
    Record._connection = None
    open_table().connection.client  # noqa: B018 - made here, so that no request waits for it
    Record.counting_client = _single_attempt_client(settings)


def counting_client() -> Any:
    """The client for updates that count: it tries once, because an update that is tried again counts twice."""
    return Record.counting_client


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
    kinds = {(record.pk, record.sk): type(record) for record in wanted}
    items = items_together(kinds, consistent=consistent)
    found = {key: kinds[key].from_raw_data(item) for key, item in items.items()}
    return [found.get((record.pk, record.sk)) for record in wanted]


def items_together(wanted: Iterable[tuple[str, str]], *, consistent: bool = True) -> dict[tuple[str, str], Item]:
    """The items of these keys, at most 100, that there are, as the store tells them, from one batch read."""
    table = open_table()
    found: dict[tuple[str, str], Item] = {}
    missing = set(wanted)
    attempts = 0
    while missing:
        if attempts == _BATCH_ATTEMPTS:
            raise ServiceUnavailable("The store did not answer. Try again.")
        attempts += 1
        asked: Any = [{"PK": pk, "SK": sk} for pk, sk in missing]
        answer = table.batch_get_item(asked, consistent_read=consistent)
        found |= {_key(item): item for item in answer["Responses"].get(table.table_name, [])}
        left = answer.get("UnprocessedKeys", {}).get(table.table_name, {}).get("Keys", [])
        missing = {_key(item) for item in left}
    return found


def read_at_once(*wanted: Record) -> list[Record | None]:
    """The records with the keys of those wanted, as they were at one moment, or else read one after the other.

    What is read of the first is thus never newer than what is read of the others.
    """
    table = open_table()
    asked = [{"TableName": table.table_name, "Key": _key_of(record)} for record in wanted]
    try:
        answer = table.connection.transact_get_items(asked)
    except TransactGetError as error:
        # Somebody writes one of them just now, as happens to a gate all the time.
        if not isinstance(error.cause, ClientError) or error.cause_response_code != "TransactionCanceledException":
            raise
        return [_read(record) for record in wanted]
    found = [told.get("Item") for told in answer["Responses"]]
    return [type(record).from_raw_data(item) if item else None for record, item in zip(wanted, found, strict=True)]


def _read(record: Record) -> Record | None:
    try:
        return type(record).get(record.pk, record.sk, consistent_read=True)
    except DoesNotExist:
        return None


def _single_attempt_client(settings: Settings) -> Any:
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=_CONNECTIONS,
        parameter_validation=False,
    )
    # The session that made the other client knows the service already.
    session: Any = open_table().connection.session
    return session.create_client(
        "dynamodb", region_name=settings.region, endpoint_url=settings.dynamodb_endpoint, config=config
    )


def _key_of(record: Record) -> dict[str, dict[str, str]]:
    return {"PK": {"S": record.pk}, "SK": {"S": record.sk}}


def _key(item: Item) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]
