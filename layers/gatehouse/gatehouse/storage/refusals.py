"""Refusals in the table: a counter for each party, action and hour, and the events of the first few."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gatehouse.audit.model import AuditAction
from gatehouse.audit.refusals import Party, PartyKind, Tally
from gatehouse.storage import keys
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.counting import CountingUpdate

_SECONDS_OF_AN_HOUR = 3600
_KEPT_HOURS = 2
"""How long a counter is kept when its hour is over: nobody counts there any more, even with a clock that is late."""


class DynamoRefusals(DynamoAuditEvents):
    """The store of `audit.refusals`."""

    def count_refusal(self, tally: Tally) -> Tally:
        ends = (tally.hour + 1 + _KEPT_HOURS) * _SECONDS_OF_AN_HOUR
        update = CountingUpdate()
        update.sets.append(f"refused = if_not_exists(refused, {update.number(0)}) + {update.number(1)}")
        update.sets.append(f"expires = {update.number(ends)}")  # the table's TTL attribute
        party = tally.party
        item = update.write(keys.refusals(f"{party.kind}/{party.id}"), keys.refusals_hour(tally.action, tally.hour))
        return replace(tally, refused=int(item["refused"]["N"]))


def is_tally(image: Mapping[str, Any]) -> bool:
    """Whether the item, as the stream tells it, is a counter of refusals."""
    sort_key: str = image["SK"]["S"]
    return sort_key.startswith(keys.REFUSALS_PREFIX)


def tally_of(image: Mapping[str, Any]) -> Tally:
    """The counter that the stream tells of; an item that is none raises any exception."""
    kind, _, party = keys.refusals_party(image["PK"]["S"]).partition("/")
    action, hour = keys.action_and_hour(image["SK"]["S"])
    return Tally(
        party=Party(PartyKind(kind), party),
        action=AuditAction(action),
        hour=hour,
        refused=int(image["refused"]["N"]),
    )
