"""Lambda's side of a table's stream: a function gets the changes that concern it, and again where it fails."""

import logging
from collections.abc import Callable, Sequence
from itertools import batched
from threading import Event, Thread
from typing import Any

from gatehouse.clock import Clock, SystemClock
from local.gateway.patterns import matches
from local.gateway.runtime import CallerGaveUp, FunctionFailed, PayloadTooLarge
from local.gateway.streams import Stream
from local.gateway.template import StreamMapping

type Records = Sequence[dict[str, Any]]
type Invoke = Callable[[dict[str, Any]], Any]

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BEFORE_A_RETRY = 0.5
_SECONDS_TO_END = 1.0

_log = logging.getLogger(__name__)


def tell_of_failures(records: Records) -> None:
    """What stands here for the queue of failures: a line in the log."""
    _log.error("Given up on %d changes; AWS would send them to the queue of failures.", len(records))


class Pump:
    """Calls one function with the changes of a stream, in their order, from a thread of its own.

    `clock` is the house's: a change is told to have happened at its time. `give_up` gets the changes of a batch from
    the first on that failed for good.
    """

    def __init__(
        self,
        stream: Stream,
        mapping: StreamMapping,
        invoke: Invoke,
        clock: Clock,
        give_up: Callable[[Records], None] = tell_of_failures,
    ) -> None:
        self._stream = stream
        self._mapping = mapping
        self._invoke = invoke
        self._clock = clock
        self._give_up = give_up
        self._stop = Event()
        self._thread = Thread(target=self._run, name="stream", daemon=True)

    def start(self) -> None:
        """Begins with the changes that there have been."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the call that runs, for which it waits a second."""
        self._stop.set()
        self._thread.join(_SECONDS_TO_END)

    def turn(self) -> None:
        """Hands over the changes since the last turn."""
        ahead = self._clock.now() - SystemClock().now()
        concerned = [
            _moved(record, ahead.total_seconds())
            for record in self._stream.take()
            if any(matches(pattern, record) for pattern in self._mapping.patterns)
        ]
        for batch in batched(concerned, self._mapping.batch_size, strict=False):
            self._deliver(batch, self._mapping.retries)

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                self.turn()
            except Exception:  # noqa: BLE001 - the boundary: the thread goes on with the next changes
                _log.exception("The changes of the table could not be handed over.")

    def _deliver(self, batch: Records, retries: int) -> None:
        """Hands over the batch, and what failed of it again; a batch that failed as a whole in halves."""
        while batch:
            try:
                failed = self._failed(batch)
            except (CallerGaveUp, FunctionFailed, PayloadTooLarge) as failure:
                if len(batch) > 1:
                    middle = len(batch) // 2
                    self._deliver(batch[:middle], retries)
                    self._deliver(batch[middle:], retries)
                    return
                _log.error("The stream's function failed.", exc_info=failure)
                failed = batch
            if not failed:
                return
            if retries == 0 or self._stop.is_set():
                self._give_up(failed)
                return
            batch, retries = failed, retries - 1
            self._stop.wait(_SECONDS_BEFORE_A_RETRY)

    def _failed(self, batch: Records) -> Records:
        """What has to be handed over again: the first that failed, and all behind it."""
        answer = self._invoke({"Records": list(batch)})
        told = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        if not told <= set(numbers):
            return batch  # as Lambda does with a number that it does not know
        return batch[min(map(numbers.index, told)) :] if told else []


def _moved(record: dict[str, Any], ahead: float) -> dict[str, Any]:
    at = record["dynamodb"]["ApproximateCreationDateTime"] + ahead
    return {**record, "dynamodb": {**record["dynamodb"], "ApproximateCreationDateTime": int(at)}}
