"""The Lambda function behind the table's stream."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gatehouse import telemetry, wiring
from gatehouse.changes import Fact
from stream import records
from stream.batch import Batch

_following = wiring.following()
_log = telemetry.logger()
gc.freeze()
gc.enable()

_MILLISECONDS_FOR_A_CHANGE = 30_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The sequence numbers of the changes that could not be followed.

    Lambda hands over the first of them again, and all behind it, and in the end sends them to the queue of failures.
    What stands behind a bad change is followed all the same; what follows from a change may be repeated.
    """
    batch = Batch(_following)
    read: dict[str, list[Fact]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        number = records.sequence_number(record)
        with _told(number, failed):
            read[number] = batch.read(record)
    failed += batch.seal(read)
    for number, facts in read.items():
        if context.get_remaining_time_in_millis() < _MILLISECONDS_FOR_A_CHANGE:
            failed.append(number)
            break
        with _told(number, failed):
            batch.follow(facts)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in dict.fromkeys(failed)]}


@contextmanager
def _told(number: str, failed: list[str]) -> Iterator[None]:
    """The boundary around what is done with a change: what breaks there is logged, and told to Lambda."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - logged with its traceback
        _log.error("a change was not followed", exc_info=error, extra={"sequence_number": number})
        failed.append(number)
