"""The Lambda function behind the table's stream."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from typing import Any

from gatehouse import telemetry, wiring
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
    failed = []
    for record in event["Records"]:
        number = records.sequence_number(record)
        if context.get_remaining_time_in_millis() < _MILLISECONDS_FOR_A_CHANGE:
            failed.append(number)
            break
        try:
            batch.follow(record)
        except Exception as error:  # noqa: BLE001 - the boundary: logged with its traceback, and told to Lambda
            _log.error("a change was not followed", exc_info=error, extra={"sequence_number": number})
            failed.append(number)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
