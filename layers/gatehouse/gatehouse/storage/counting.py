"""Updates that count: one conditional UpdateItem each, tried once, and what the item holds where it was not written."""

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.storage.backoff import pauses
from gatehouse.storage.table import counting_client, open_table

type Item = Mapping[str, Mapping[str, Any]]
"""An item as the store tells it: attribute, type, value."""

_PATIENCE_SECONDS = 0.3
# The store's words for "not now, and nothing was written". Where it breaks or is silent, it may have been written.
_WITHOUT_EFFECT = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
    }
)


class NotWritten(Exception):
    """The condition does not hold: the item is as told, empty where there is none."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


class CountingUpdate:
    """The clauses of one UpdateItem, grown one by one, in DynamoDB's own language."""

    def __init__(self) -> None:
        self.sets: list[str] = []
        self.removes: list[str] = []
        self.conditions: list[str] = []
        self.names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def number(self, value: int) -> str:
        """The placeholder of a number."""
        return self.value({"N": str(value)})

    def value(self, value: dict[str, Any]) -> str:
        """The placeholder of a value with its type."""
        name = f":{len(self._values)}"
        self._values[name] = value
        return name

    def write(self, partition: str, sort: str) -> Item:
        """The item after the update.

        Raises NotWritten, and ServiceUnavailable where the store is busy for 300 ms or does not say whether it wrote.
        """
        arguments = self._arguments(partition, sort)
        for pause in pauses(_PATIENCE_SECONDS):
            try:
                item: Item = counting_client().update_item(**arguments)["Attributes"]
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalCheckFailedException":
                    held: Any = error.response.get("Item", {})
                    raise NotWritten(held) from None
                if code in _WITHOUT_EFFECT:
                    time.sleep(pause)
                elif error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                    raise ServiceUnavailable("The store did not answer. Try again.") from error
                else:
                    raise  # a mistake of ours
            except BotoCoreError as error:
                raise ServiceUnavailable("The store did not answer. Try again.") from error
            else:
                return item
        raise ServiceUnavailable("The store is busy. Try again.")

    def _arguments(self, partition: str, sort: str) -> dict[str, Any]:
        parts = {"SET": self.sets, "REMOVE": self.removes}
        optional = {
            "ConditionExpression": " AND ".join(self.conditions),
            "ExpressionAttributeNames": self.names,
            "ExpressionAttributeValues": self._values,
        }
        return {
            "TableName": open_table().table_name,
            "Key": {"PK": {"S": partition}, "SK": {"S": sort}},
            "UpdateExpression": " ".join(f"{verb} {', '.join(clauses)}" for verb, clauses in parts.items() if clauses),
            **{name: value for name, value in optional.items() if value},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
