"""What Lambda hands over of a stream: records of single changes, in DynamoDB's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

type Image = Mapping[str, Any]
"""An item: attribute, type, value."""


@dataclass(frozen=True)
class Change:
    """A change of one item; None stands for an item that was not there yet, or is not there any more."""

    before: Image | None
    after: Image | None
    at: datetime


def sequence_number(record: Mapping[str, Any]) -> str:
    """What Lambda knows a record by; raises KeyError for what is no record."""
    return str(record["dynamodb"]["SequenceNumber"])


def read(record: Mapping[str, Any]) -> Change:
    """The change that a record tells of; raises KeyError or TypeError for what is no record."""
    told = record["dynamodb"]
    at = datetime.fromtimestamp(told["ApproximateCreationDateTime"], UTC)
    return Change(told.get("OldImage"), told.get("NewImage"), at)
