"""Gates in the table: what a request writes, and under which condition."""

from collections.abc import Sequence

from gatehouse.admission.meters import Count, Meter, Step
from gatehouse.admission.model import AddressNotEntered, Entry, Gate, NotEntered
from gatehouse.clock import from_milliseconds
from gatehouse.consumers.inactivity import begins_afresh
from gatehouse.consumers.model import Role
from gatehouse.storage import keys
from gatehouse.storage.counting import CountingUpdate, Item, NotWritten
from gatehouse.storage.gate_records import AddressRecord, GateRecord

_KEPT_BEYOND_SECONDS = 3600


class DynamoGates:
    """The store of `admission.gate`."""

    def enter(self, consumer_id: str, epoch: int | None, entry: Entry) -> Gate:
        update = CountingUpdate()
        update.conditions.append("attribute_exists(PK)" if epoch is None else f"epoch = {update.number(epoch)}")
        if entry.plan_id is not None:
            update.conditions.append(f"planId = {update.value({'S': entry.plan_id})}")
        for step in entry.steps:
            _count(update, step, entry.now)
        _count_day(update, entry)
        if entry.turns_day and entry.role is not None:
            _note_activity(update, consumer_id, entry.role, entry.now)
        if entry.tells_quota is not None:
            _tell_quota(update, entry.tells_quota, entry.steps)
        if entry.note is None:
            update.removes.append("note")
        else:
            update.sets.append(f"note = {update.value({'S': entry.note})}")
        try:
            return _gate(update.write(keys.gate(consumer_id), keys.GATE))
        except NotWritten as refusal:
            raise NotEntered(_gate(refusal.item) if refusal.item else None) from None

    def enter_address(self, address: str, step: Step, now: int) -> Count:
        update = CountingUpdate()
        _count(update, step, now)
        # TTL may come late and a clock may be slow: the item outlives its window by an hour.
        update.sets.append(f"expires = {update.number(step.ends // 1000 + _KEPT_BEYOND_SECONDS)}")
        try:
            item = update.write(keys.address(address), keys.GATE)
        except NotWritten as refusal:
            counts = AddressRecord.from_raw_data(dict(refusal.item)).counts() if refusal.item else {}
            raise AddressNotEntered(counts) from None
        return AddressRecord.from_raw_data(dict(item)).counts()[step.limit.meter]


def _gate(item: Item) -> Gate:
    return GateRecord.from_raw_data(dict(item)).gate()


def _count(update: CountingUpdate, step: Step, now: int) -> None:
    """Adds one counter: live, it is counted on below its ceiling; or it has ended, and begins anew."""
    ends, used = f"{step.limit.meter}Ends", f"{step.limit.meter}Used"
    cost, present = update.number(step.cost), update.number(now)
    if step.turns:
        update.sets += [f"{ends} = {update.number(step.ends)}", f"{used} = {cost}"]
        update.conditions.append(f"(attribute_not_exists({ends}) OR {ends} <= {present})")
    else:
        update.sets.append(f"{used} = {used} + {cost}")
        update.conditions.append(f"{ends} > {present} AND {used} <= {update.number(step.ceiling)}")


def _note_activity(update: CountingUpdate, consumer_id: str, role: Role, now: int) -> None:
    """Adds that the consumer is active, whatever the cleanup had come to; the epoch tells that the role is right."""
    activity = begins_afresh(role, True, from_milliseconds(now))
    if activity is not None:
        partition = keys.sweep(role, activity.stage, consumer_id)
        update.sets += [f"activeAt = {update.number(now)}", f"sweep = {update.value({'S': partition})}"]
        update.removes.append("stageAt")


def _tell_quota(update: CountingUpdate, told: str, steps: Sequence[Step]) -> None:
    """Adds that the quota is told to be nearly spent, which must be so: what was remembered may have been reset."""
    update.sets.append(f"qTold = {update.value({'S': told})}")
    update.conditions += [
        f"qUsed >= {update.number(step.floor)}" for step in steps if step.limit.meter is Meter.QUOTA and not step.turns
    ]


def _count_day(update: CountingUpdate, entry: Entry) -> None:
    """Adds the cost to its user's on that day; a gate that another's clock has taken further keeps its later day."""
    update.names |= {"#day": "day", "#usage": "usage"}
    day, cost = update.number(entry.day), {"N": str(entry.cost)}
    if entry.turns_day:
        update.sets += [f"#day = {day}", f"#usage = {update.value({'M': {entry.user: cost}})}"]
        update.conditions.append(f"(attribute_not_exists(#day) OR #day < {day})")
    else:
        update.names["#user"] = entry.user
        before = f"if_not_exists(#usage.#user, {update.number(0)})"
        update.sets.append(f"#usage.#user = {before} + {update.value(cost)}")
        update.conditions.append(f"#day >= {day}")
