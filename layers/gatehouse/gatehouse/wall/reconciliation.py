"""Reconciliation: consumers and keys compared, what has drifted put right, what is left over told."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import parse_id
from gatehouse.wall.model import TIERS
from gatehouse.wall.service import GatewayKey, Holder, Outcome, Wall

_PAUSES = (1, 2, 4, 8, 16, 32)
"""How long to wait each time before what was refused for now is tried again, in seconds."""


@dataclass(frozen=True)
class Repair:
    """What was done about a consumer's key, which had drifted."""

    consumer_id: str
    outcome: Outcome


@dataclass(frozen=True)
class Orphan:
    """A key of the deployment that nobody is to have."""

    name: str
    is_deleted: bool


@dataclass(frozen=True)
class _Known:
    """API Gateway's keys of the deployment, by name, and the tiers each is in, by id."""

    keys: Mapping[str, GatewayKey]
    tiers: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Reconciliation:
    """Compares what the wall's store says with what API Gateway has; raises ServiceUnavailable when that stays busy."""

    wall: Wall
    sleep: Callable[[float], None] = time.sleep

    def run(self, *, delete_orphans: bool = False) -> Iterator[Repair | Orphan]:
        """Each thing that did not agree, when it has been dealt with; orphans last, and deleted only when asked."""
        known = self._known()
        wanted = set()
        has_room = True
        for holder in self.wall.store.holders():
            tier = self.wall.tier_of(holder)
            if tier is None:
                continue
            name = self.wall.prefix + holder.consumer_id
            wanted.add(name)
            if _agrees(known, name, holder, tier) or (name not in known.keys and not has_room):
                continue
            outcome = self._put_right(holder.consumer_id)
            has_room = has_room and outcome is not Outcome.NO_ROOM
            yield Repair(holder.consumer_id, outcome)
        for key in known.keys.values():
            if key.name not in wanted:
                yield from self._left_over(key, delete_orphans=delete_orphans)

    def _left_over(self, key: GatewayKey, *, delete_orphans: bool) -> Iterator[Repair | Orphan]:
        """A key that nobody was seen to want; whoever wants it by now keeps it."""
        consumer_id = parse_id(key.name.removeprefix(self.wall.prefix))
        if consumer_id is None:
            if delete_orphans:
                self._patiently(lambda: self.wall.keys.delete(key.id))
            yield Orphan(key.name, delete_orphans)
        elif self.wall.tier_of(self.wall.store.find_holder(consumer_id)) is not None:
            outcome = self._put_right(consumer_id)
            if outcome is not Outcome.AGREES:
                yield Repair(consumer_id, outcome)
        else:
            if delete_orphans:
                self._put_right(consumer_id)
            yield Orphan(key.name, delete_orphans)

    def _put_right(self, consumer_id: str) -> Outcome:
        return self._patiently(lambda: self.wall.put_right(consumer_id))

    def _known(self) -> _Known:
        tiers: dict[str, frozenset[int]] = defaultdict(frozenset)
        for tier in TIERS:
            for key_id in self._patiently(partial(self._members, tier)):
                tiers[key_id] |= {tier}
        return _Known({key.name: key for key in self._patiently(self._keys)}, tiers)

    def _members(self, tier: int) -> list[str]:
        return list(self.wall.keys.members(tier))

    def _keys(self) -> list[GatewayKey]:
        return list(self.wall.keys.named(self.wall.prefix))

    def _patiently[T](self, action: Callable[[], T]) -> T:
        for pause in _PAUSES:
            try:
                return action()
            except ServiceUnavailable:
                self.sleep(pause)
        return action()


def _agrees(known: _Known, name: str, holder: Holder, tier: int) -> bool:
    key = known.keys.get(name)
    return (
        key is not None
        and key.enabled
        and known.tiers.get(key.id) == frozenset({tier})
        and holder.own_key is not None
        and holder.own_key.tier == tier
    )
