"""The gate: each request is counted, and found to be in force, by one conditional write.

The write is decided on what this function saw last, and says so in its condition. Where that is no longer so, nothing
was written, the store tells how it is, and it is decided again: so the counts are exact, whoever else counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.admission.memory import Memory
from gatehouse.admission.meters import Allowance, Count, Limit, Meter, Step, allowance, quota_to_tell, spent, steps
from gatehouse.admission.model import AddressNotEntered, Entry, Gate, NotEntered
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role
from gatehouse.errors import ServiceUnavailable

SESSIONS = "s"
"""The user under which requests of sessions are counted; credentials have numbers."""

OTHERS = "o"
"""The user under which the requests of a day are counted that come from too many credentials to tell them apart."""

_MOST_TOLD_APART = 75
_ATTEMPTS = 8
_MILLISECONDS_OF_A_DAY = 86_400_000


class GateStore(Protocol):
    """Where gates are. Raises ServiceUnavailable where it is not known whether anything was written."""

    def enter(self, consumer_id: str, epoch: int | None, entry: Entry) -> Gate:
        """The gate after the entry; raises NotEntered where the epoch (None: any) or a counter is not as expected."""

    def enter_address(self, address: str, step: Step, now: int) -> Count:
        """The counter after the step; raises AddressNotEntered."""


class Outdated(Exception):
    """What was remembered of a session or credential was read at another epoch; the gate may be gone."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request at a consumer's gate: who asks, what it costs against which limits, and what the stream is to note."""

    consumer_id: str
    user: str
    limits: Sequence[Limit]
    now: datetime
    cost: int = 1
    note: str | None = None
    plan_id: str | None = None
    """The plan that must still be assigned; None asks for none."""
    role: Role | None = None
    """The consumer's, at the epoch that the request is entered at."""


@dataclass(frozen=True)
class Counter:
    """Counts requests at gates."""

    store: GateStore
    memory: Memory

    def enter(self, request: Request, epoch: int | None) -> tuple[Gate, Allowance]:
        """The gate, and what remains or that nothing does; raises Outdated where its epoch is another (None: any)."""
        seen = self.memory.gates.find(request.consumer_id)
        for _ in range(_ATTEMPTS):
            try:
                gate = self.store.enter(request.consumer_id, epoch, _entry(request, seen))
            except NotEntered as refusal:
                seen = self._as_it_is(request, epoch, refusal.gate)
                over = spent(seen.counts, request.limits, request.now, request.cost)
                if over is not None:
                    return seen, over
                continue
            self.memory.gates.keep(request.consumer_id, gate)
            return gate, allowance(gate.counts, request.limits, request.now)
        raise ServiceUnavailable("Too many requests at the same gate at once. Try again.")

    def enter_address(self, address: str, limit: Limit, now: datetime) -> Allowance:
        """What remains to an address, or that nothing does."""
        seen = self.memory.addresses.find(address) or {}
        for _ in range(_ATTEMPTS):
            [step] = steps(seen, [limit], now)
            try:
                count = self.store.enter_address(address, step, milliseconds(now))
            except AddressNotEntered as refusal:
                seen = refusal.counts
                if (over := spent(seen, [limit], now)) is not None:
                    return over
                continue
            self.memory.addresses.keep(address, {limit.meter: count})
            return allowance({limit.meter: count}, [limit], now)
        raise ServiceUnavailable("Too many requests from the same address at once. Try again.")

    def _as_it_is(self, request: Request, epoch: int | None, gate: Gate | None) -> Gate:
        if gate is None:
            self.memory.gates.forget(request.consumer_id)
            raise Outdated
        self.memory.gates.keep(request.consumer_id, gate)
        if epoch not in (None, gate.standing.epoch) or request.plan_id not in (None, gate.standing.plan_id):
            raise Outdated
        return gate


def address_limit(most: int, window_seconds: int) -> Limit:
    """What all anonymous callers of an address share."""
    return Limit(Meter.WINDOW, most, timedelta(seconds=window_seconds))


def _entry(request: Request, seen: Gate | None) -> Entry:
    today = milliseconds(request.now) // _MILLISECONDS_OF_A_DAY
    turns_day = seen is None or seen.day is None or seen.day < today
    counts = {} if seen is None else seen.counts
    taken = steps(counts, request.limits, request.now, request.cost)
    quota = quota_to_tell(counts, taken)
    tells_quota = None if seen is not None and quota == seen.quota_told else quota
    return Entry(
        now=milliseconds(request.now),
        steps=taken,
        user=OTHERS if _has_too_many(seen, request.user) and not turns_day else request.user,
        cost=request.cost,
        day=today,
        turns_day=turns_day,
        note=request.note or ("-" if turns_day or tells_quota else None),
        plan_id=request.plan_id,
        role=request.role,
        tells_quota=tells_quota,
    )


def _has_too_many(gate: Gate | None, user: str) -> bool:
    """Whether the gate tells so many users of the day apart that another would make it cost more to write."""
    return gate is not None and user not in gate.usage and len(gate.usage) >= _MOST_TOLD_APART
