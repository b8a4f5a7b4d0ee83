"""Gates in the table: what each request writes, small and apart from all else."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, MapAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.admission.meters import Count, Meter
from gatehouse.admission.model import Gate
from gatehouse.clock import from_milliseconds, milliseconds, optional_moment
from gatehouse.consumers.inactivity import Activity, begins_afresh
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.storage import keys
from gatehouse.storage.schema import Record
from gatehouse.wall.model import OwnKey


class AddressRecord(Record):
    """What the anonymous callers of an address have used."""

    window_ends = NumberAttribute(attr_name="wEnds")
    window_used = NumberAttribute(attr_name="wUsed")
    expires = NumberAttribute()  # seconds: the table's TTL attribute

    def counts(self) -> dict[Meter, Count]:
        return {Meter.WINDOW: Count(int(self.window_ends), int(self.window_used))}


class GateRecord(Record):
    """A consumer's standing, and what it has used; small, because every request writes it.

    `counts` has a counter's end and its use under each meter's letter. `day` is the day, counted from the epoch, whose
    requests `usage` has by the credentials' numbers. `note` is what the latest write left to the stream. `sweep` is
    where the cleanup finds it, absent where that leaves it alone; `active_at` moves with the day's first request.
    `quota_told` is the quota, its end and its limit, of which the stream was told last that it is nearly spent.
    """

    is_active = BooleanAttribute(attr_name="isActive")
    role = UnicodeAttribute()
    epoch = NumberAttribute(default=0)
    generation = NumberAttribute(default=0)
    plan_id = UnicodeAttribute(attr_name="planId", null=True)
    two_factor = BooleanAttribute(attr_name="twoFactor", null=True)
    sessions_ends = NumberAttribute(attr_name="sEnds", null=True)
    sessions_used = NumberAttribute(attr_name="sUsed", null=True)
    window_ends = NumberAttribute(attr_name="wEnds", null=True)
    window_used = NumberAttribute(attr_name="wUsed", null=True)
    burst_ends = NumberAttribute(attr_name="bEnds", null=True)
    burst_used = NumberAttribute(attr_name="bUsed", null=True)
    quota_ends = NumberAttribute(attr_name="qEnds", null=True)
    quota_used = NumberAttribute(attr_name="qUsed", null=True)
    quota_told = UnicodeAttribute(attr_name="qTold", null=True)
    day = NumberAttribute(null=True)
    usage: MapAttribute[str, Any] = MapAttribute(null=True)
    note = UnicodeAttribute(null=True)
    sweep = UnicodeAttribute(null=True)
    active_at = NumberAttribute(attr_name="activeAt", null=True)
    stage_at = NumberAttribute(attr_name="stageAt", null=True)
    own_key_tier = NumberAttribute(attr_name="keyTier", null=True)
    own_key_usable_at = NumberAttribute(attr_name="keyUsableAt", null=True)

    @classmethod
    def key(cls, user_id: str) -> "GateRecord":
        return cls(keys.gate(user_id), keys.GATE)

    @classmethod
    def of(cls, user: User) -> "GateRecord":
        activity = begins_afresh(user.role, user.is_active, user.created_at)
        return cls(
            keys.gate(user.id),
            keys.GATE,
            is_active=user.is_active,
            role=user.role,
            sweep=None if activity is None else keys.sweep(user.role, activity.stage, user.id),
            active_at=None if activity is None else milliseconds(activity.active_at),
        )

    def activity(self) -> Activity | None:
        """Where the consumer stands with the cleanup; None: it leaves it alone."""
        if self.sweep is None or self.active_at is None:
            return None
        return Activity(
            active_at=from_milliseconds(int(self.active_at)),
            stage=keys.stage_of_sweep(self.sweep),
            stage_at=optional_moment(self.stage_at),
        )

    def standing(self) -> Standing:
        return Standing(
            consumer_id=keys.gate_owner(self.pk),
            is_active=self.is_active,
            role=Role(self.role),
            epoch=int(self.epoch),
            generation=int(self.generation),
            plan_id=self.plan_id,
            two_factor=bool(self.two_factor),
        )

    def gate(self) -> Gate:
        used = {
            Meter.SESSIONS: (self.sessions_ends, self.sessions_used),
            Meter.WINDOW: (self.window_ends, self.window_used),
            Meter.BURST: (self.burst_ends, self.burst_used),
            Meter.QUOTA: (self.quota_ends, self.quota_used),
        }
        own_key = None
        if self.own_key_tier is not None and self.own_key_usable_at is not None:
            own_key = OwnKey(int(self.own_key_tier), from_milliseconds(int(self.own_key_usable_at)))
        return Gate(
            standing=self.standing(),
            counts={m: Count(int(ends), int(n)) for m, (ends, n) in used.items() if ends is not None and n is not None},
            day=None if self.day is None else int(self.day),
            usage={} if self.usage is None else {user: int(n) for user, n in self.usage.as_dict().items()},
            own_key=own_key,
            quota_told=self.quota_told,
        )
