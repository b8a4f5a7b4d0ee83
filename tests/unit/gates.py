"""Gates in plain dictionaries, which hold to the conditions that the table holds to."""

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from gatehouse.admission.meters import Count, Meter, Step
from gatehouse.admission.model import AddressNotEntered, Entry, Gate, NotEntered
from gatehouse.consumers.model import Standing
from gatehouse.errors import ServiceUnavailable


@dataclass
class MemoryGates:
    """The store of `admission.gate`; `notes` has what was left to the stream.

    `down` makes that many of the next writes fail without effect, `lost` that many after they took effect.
    """

    gates: dict[str, Gate] = field(default_factory=dict)
    addresses: dict[str, Count] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    down: int = 0
    lost: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def stand(self, standing: Standing) -> None:
        """Puts a consumer's standing at the gate; the counters stay."""
        known = self.gates.get(standing.consumer_id)
        fresh = Gate(standing=standing, counts={})
        self.gates[standing.consumer_id] = fresh if known is None else replace(known, standing=standing)

    def assign(self, consumer_id: str, plan_id: str) -> None:
        """Holds a consumer to a plan; the counters stay."""
        self.stand(replace(self.gates[consumer_id].standing, plan_id=plan_id))

    def enter(self, consumer_id: str, epoch: int | None, entry: Entry) -> Gate:
        with self._lock:
            self._called("enter")
            gate = self.gates.get(consumer_id)
            if gate is None or epoch not in (None, gate.standing.epoch) or not _holds(gate, entry):
                raise NotEntered(gate)
            counts = {
                **gate.counts,
                **{step.limit.meter: _after(gate.counts.get(step.limit.meter), step) for step in entry.steps},
            }
            usage = Tally({} if entry.turns_day else gate.usage) + Tally({entry.user: entry.cost})
            day = entry.day if entry.turns_day else gate.day
            told = entry.tells_quota or gate.quota_told
            self.gates[consumer_id] = replace(gate, counts=counts, usage=dict(usage), day=day, quota_told=told)
            if entry.note is not None:
                self.notes.append(entry.note)
            self._lose()
            return self.gates[consumer_id]

    def enter_address(self, address: str, step: Step, now: int) -> Count:
        with self._lock:
            self._called("enter_address")
            count = self.addresses.get(address)
            if not _step_holds(count, step, now):
                raise AddressNotEntered({} if count is None else {step.limit.meter: count})
            self.addresses[address] = _after(count, step)
            self._lose()
            return self.addresses[address]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.down > 0:
            self.down -= 1
            raise ServiceUnavailable("The store is busy. Try again.")

    def _lose(self) -> None:
        if self.lost > 0:
            self.lost -= 1
            raise ServiceUnavailable("The store did not answer. Try again.")


def _holds(gate: Gate, entry: Entry) -> bool:
    counters = all(_step_holds(gate.counts.get(step.limit.meter), step, entry.now) for step in entry.steps)
    day_turns = gate.day is None or gate.day < entry.day
    is_on_plan = entry.plan_id in (None, gate.standing.plan_id)
    tells_rightly = entry.tells_quota is None or all(_is_nearly_spent(gate.counts, step) for step in entry.steps)
    return counters and day_turns is entry.turns_day and is_on_plan and tells_rightly


def _is_nearly_spent(counts: Mapping[Meter, Count], step: Step) -> bool:
    """Whether the step leaves its quota so; true of a step of anything else."""
    count = counts.get(Meter.QUOTA)
    return step.limit.meter is not Meter.QUOTA or step.turns or (count is not None and count.used >= step.floor)


def _step_holds(count: Count | None, step: Step, now: int) -> bool:
    if step.turns:
        return count is None or count.ends <= now
    return count is not None and count.ends > now and count.used <= step.ceiling


def _after(count: Count | None, step: Step) -> Count:
    if count is None or step.turns:
        return Count(step.ends, step.cost)
    return replace(count, used=count.used + step.cost)
