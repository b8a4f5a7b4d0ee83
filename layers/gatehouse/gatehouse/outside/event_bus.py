"""The operator's event bus, on Amazon EventBridge."""

import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import batched
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.announcements.model import Announcement
from gatehouse.errors import ServiceUnavailable

SOURCE = "gatehouse"

_MOST_AT_ONCE = 10
"""Entries that PutEvents takes."""

_PAUSES = (0.1, 0.5, None)
"""Seconds after each attempt; None is the end of patience."""


class EventBridgeBus:
    """The `Announcer` of a deployment. `wait` is called with the seconds between two attempts.

    PutEvents takes some entries of a call and refuses others, so that only those which it refused are sent again.
    """

    def __init__(self, region: str, bus: str, client: Any = None, wait: Callable[[float], None] = time.sleep) -> None:
        self._region = region
        self._bus = bus
        self._given = client
        self._wait = wait

    def announce(self, announcements: Sequence[Announcement]) -> None:
        for some in batched(announcements, _MOST_AT_ONCE, strict=False):
            self._put([self._entry(announcement) for announcement in some])

    def _put(self, entries: list[dict[str, Any]]) -> None:
        for pause in _PAUSES:
            told = self._attempt(entries)
            refused = [
                (entry, said["ErrorCode"]) for entry, said in zip(entries, told, strict=True) if said.get("ErrorCode")
            ]
            if not refused:
                return
            if pause is None:
                codes = ", ".join(sorted({code for _, code in refused}))
                raise ServiceUnavailable(f"The event bus did not take {len(refused)} events: {codes}.")
            entries = [entry for entry, _ in refused]
            self._wait(pause)

    def _attempt(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What EventBridge says of each entry, in their order."""
        try:
            answer = self._client.put_events(Entries=entries)
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The event bus did not answer.") from error
        told: list[dict[str, Any]] = answer["Entries"]
        return told

    def _entry(self, announcement: Announcement) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": announcement.kind,
            "Time": announcement.at,
            "Detail": json.dumps(announcement.detail(), separators=(",", ":")),
        }

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        config = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        return botocore.session.get_session().create_client("events", region_name=self._region, config=config)
