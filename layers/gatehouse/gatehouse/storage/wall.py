"""What the wall asks of the table: how consumers stand, and which of API Gateway's keys the gate may use."""

from collections.abc import Iterable, Iterator
from itertools import batched

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role
from gatehouse.persistence import Stale
from gatehouse.plans.model import UsagePlan
from gatehouse.storage import keys
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.plans import DynamoPlans
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import broke_its_condition, read_together, store_faults
from gatehouse.wall.model import OwnKey
from gatehouse.wall.service import Holder

_READ_AT_ONCE = 50  # a batch read takes a hundred items, and these are two each


class DynamoWall:
    """The store of `wall.service`."""

    def find_holder(self, consumer_id: str) -> Holder | None:
        return next(_holders([consumer_id], {}), None)

    def holders(self) -> Iterator[Holder]:
        plans: dict[str, UsagePlan | None] = {}
        for some in batched(sorted(_owners_of_credentials()), _READ_AT_ONCE, strict=False):
            yield from _holders(some, plans)

    def put_on_record(self, holder: Holder, key: OwnKey) -> None:
        plan = GateRecord.plan_id
        stands_as_told = (GateRecord.role == holder.role) & (
            plan.does_not_exist() if holder.plan_id is None else plan == holder.plan_id
        )
        record = GateRecord.key(holder.consumer_id)
        with store_faults():
            try:
                record.update(
                    [
                        GateRecord.own_key_tier.set(key.tier),
                        GateRecord.own_key_usable_at.set(milliseconds(key.usable_at)),
                        _NOTE_WAS_TOLD,
                    ],
                    stands_as_told,
                )
            except UpdateError as error:
                if broke_its_condition(error):
                    raise Stale from None
                raise

    def take_off_record(self, consumer_id: str) -> None:
        actions = [GateRecord.own_key_tier.remove(), GateRecord.own_key_usable_at.remove(), _NOTE_WAS_TOLD]
        with store_faults():
            try:
                GateRecord.key(consumer_id).update(actions, GateRecord.pk.exists())
            except UpdateError as error:
                if not broke_its_condition(error):
                    raise


# A note that stays is told by every later write; the stream has had it when it was written.
_NOTE_WAS_TOLD: Action = GateRecord.note.remove()


def _owners_of_credentials() -> set[str]:
    with store_faults():
        return {
            keys.consumer_id(record.pk)
            for shard in keys.SHARDS
            for record in Record.credentials_by_creation.query(shard)
        }


def _holders(consumer_ids: Iterable[str], plans: dict[str, UsagePlan | None]) -> Iterator[Holder]:
    """Those of the consumers that there are; `plans` remembers the plans that were read."""
    wanted = [
        record
        for consumer_id in consumer_ids
        for record in (ProfileRecord.key(consumer_id), GateRecord.key(consumer_id))
    ]
    with store_faults():
        found = read_together(*wanted)
    for profile, gate in batched(found, 2, strict=True):
        if isinstance(profile, ProfileRecord) and isinstance(gate, GateRecord):
            plan_id = profile.plan_id
            if plan_id is not None and plan_id not in plans:
                plans[plan_id] = DynamoPlans().find_plan(plan_id)
            yield Holder(
                consumer_id=keys.consumer_id(profile.pk),
                role=Role(profile.role),
                plan_id=plan_id,
                plan=None if plan_id is None else plans[plan_id],
                has_had_credentials=profile.numbered > 0,
                own_key=gate.gate().own_key,
            )
