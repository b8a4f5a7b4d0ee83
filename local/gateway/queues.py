"""SQS's stand-in: hands messages to a function, and again where it fails, from a thread of its own."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from local.gateway.runtime import CallerGaveUp, FunctionFailed, PayloadTooLarge

type Invoke = Callable[[dict[str, Any]], Any]

_SECONDS_BEFORE_A_RETRY = 0.5
_SECONDS_TO_END = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Message:
    body: str
    received: int = 0
    id: str = field(default_factory=lambda: str(uuid4()))


class LocalQueue:
    """A queue in memory; safe for threads."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[_Message | None] = SimpleQueue()
        self._stop = Event()
        self._thread: Thread | None = None

    def put(self, body: str) -> None:
        """Keeps the message until it was handed over."""
        self._waiting.put(_Message(body))

    def start(self, invoke: Invoke, receives: int) -> None:
        """Begins to hand over what waits, each message at most so many times."""
        self._thread = Thread(target=self._run, args=(invoke, receives), name="queue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the call that runs, for which it waits a second."""
        self._stop.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(_SECONDS_TO_END)

    def _run(self, invoke: Invoke, receives: int) -> None:
        while (message := self._waiting.get()) is not None and not self._stop.is_set():
            received = replace(message, received=message.received + 1)
            if _was_taken(received, invoke):
                continue
            if received.received >= receives:
                _log.error("Given up on a message; AWS would send it to the queue of dead letters.")
                continue
            self._stop.wait(_SECONDS_BEFORE_A_RETRY)
            self._waiting.put(received)


def _was_taken(message: _Message, invoke: Invoke) -> bool:
    record = {"messageId": message.id, "body": message.body, "eventSource": "aws:sqs"}
    try:
        answer = invoke({"Records": [record]})
    except (CallerGaveUp, FunctionFailed, PayloadTooLarge) as failure:
        _log.error("The queue's function failed.", exc_info=failure)
        return False
    return not (answer or {}).get("batchItemFailures")
