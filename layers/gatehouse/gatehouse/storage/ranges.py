"""Stretches of the table and its indexes: a query a partition, merged, at the cost of what is asked for.

A list is spread over partitions that are each sorted the same way. A page takes one query of each, at most a page long,
and goes on behind the last sort key that it looked at: so the cost is that of the page, whatever the size of the table.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from gatehouse.storage.table import open_table

type Entry = Mapping[str, Mapping[str, str]]
"""An item as the store tells it: attribute, type, value."""

END = "\U0010ffff"
"""Sorts behind every text that a sort key can hold."""

# Partitions are asked side by side: one after the other, 24 of them would be 24 round trips.
_SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Range:
    """A stretch of the table or an index: which partitions, between which sort keys (None: no bound), which way."""

    index: str | None
    partitions: Sequence[str]
    sort_key: str
    low: str | None
    high: str | None
    descending: bool

    def entries(self, limit: int, after: str | None) -> list[Entry]:
        """The first `limit` keys behind the position `after`, of all partitions together, in order."""
        rest = self
        if after is not None:
            rest = replace(self, high=after) if self.descending else replace(self, low=after)
        if rest.low is not None and rest.high is not None and rest.low > rest.high:
            return []
        # The position itself is within the bounds, so one more is asked for.
        parts = side_by_side(partial(rest.query, limit if after is None else limit + 1), self.partitions)
        merged = heapq.merge(*parts, key=self.position, reverse=self.descending)
        return list(islice((entry for entry in merged if self.position(entry) != after), limit))

    def position(self, entry: Entry) -> str:
        """Where the entry stands."""
        return entry[self.sort_key]["S"]

    def query(self, limit: int, partition: str) -> list[Entry]:
        """The first `limit` entries of one partition."""
        answer = open_table().query(
            partition,
            range_key_condition=self._bounds(),
            index_name=self.index,
            limit=limit,
            scan_index_forward=not self.descending,
            consistent_read=self.index is None,
        )
        return list(answer["Items"])

    def _bounds(self) -> Condition | None:
        path = Path([self.sort_key])
        if self.low is not None and self.high is not None:
            return path.between(self.low, self.high)
        if self.low is not None:
            return path >= self.low
        return None if self.high is None else path <= self.high


def side_by_side[Asked, Answer](ask: Callable[[Asked], Answer], them: Iterable[Asked]) -> list[Answer]:
    """The answers to all of them, in their order, several at a time."""
    return list(_pool().map(ask, them))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="query")
