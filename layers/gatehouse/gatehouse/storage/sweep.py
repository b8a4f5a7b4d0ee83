"""The sweep in the table: gates by role, stage and last activity; each step holds where a gate is as it was read."""

from collections.abc import Sequence
from datetime import datetime
from itertools import batched

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from gatehouse.accounts.lockout import account
from gatehouse.audit.model import AuditEvent
from gatehouse.cleanup.model import Dormant, Place, Step
from gatehouse.clock import milliseconds, optional_moment
from gatehouse.consumers.inactivity import Stage
from gatehouse.consumers.model import User
from gatehouse.persistence import Page, Stale
from gatehouse.storage import keys, lockout
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import change_consumer, count_plan_consumer, delete_belongings, ending_sessions
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.mail import add_mail
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.table import broke_its_condition, open_table, read_together, store_faults
from gatehouse.storage.transactions import Transaction
from gatehouse.storage.two_factor import removing_factor


class DynamoSweep:
    """The store of `cleanup.service`."""

    def parts(self) -> Sequence[str]:
        return keys.SWEEP_PARTS

    def page_dormant(self, place: Place, until: datetime, first: int, after: str | None) -> Page[Dormant]:
        partition = keys.sweep_part(place.role, place.stage, place.part)
        with store_faults():
            answer = open_table().query(
                partition,
                range_key_condition=Path(["activeAt"]) <= milliseconds(until),
                index_name=keys.SWEEP,
                limit=first,
                exclusive_start_key=None if after is None else _start(partition, after),
            )
            positions = {keys.gate_owner(entry["PK"]["S"]): _position(entry) for entry in answer["Items"]}
            found = _dormant(list(positions))
        last = answer.get("LastEvaluatedKey")
        entries = [(positions[dormant.user.id], dormant) for dormant in found]
        return Page(entries, None if last is None else _position(last))

    def note_return(self, before: Dormant, after: Dormant) -> None:
        user, activity = before.user, after.activity
        actions: list[Action] = [
            GateRecord.sweep.set(keys.sweep(user.role, activity.stage, user.id)),
            GateRecord.active_at.set(milliseconds(activity.active_at)),
            GateRecord.stage_at.remove(),
        ]
        _change_gate(user.id, actions, before)

    def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
        before, after = step.before.user, step.after
        gate: list[Action] = [
            GateRecord.sweep.set(keys.sweep(before.role, step.stage, before.id)),
            GateRecord.stage_at.set(milliseconds(step.at)),
        ]
        transaction = Transaction()
        if step.stage is Stage.WARNED:
            as_before: Condition = ProfileRecord.revision == before.revision
            transaction.check(ProfileRecord.key(before.id), as_before & _not_back_since(step.before), otherwise=Stale())
            transaction.update(GateRecord.key(before.id), gate, _as_read(step.before), otherwise=Stale())
        else:
            of_profile, of_gate = ending_sessions()
            profile, gate = list(of_profile), [*gate, *of_gate]
            if step.stage is Stage.ANONYMISED:
                _erase(transaction, before, profile, gate)
            change_consumer(
                transaction,
                before,
                after,
                profile=profile,
                gate=gate,
                condition=_not_back_since(step.before),
                dormant=_as_read(step.before),
            )
        add_mail(transaction, step.notice)
        add_event(transaction, event)
        transaction.commit()

    def clear(self, anonymised: Dormant) -> None:
        user = anonymised.user
        delete_belongings(user.id, sparing=keys.PROFILE)
        _change_gate(user.id, [GateRecord.sweep.remove(), GateRecord.stage_at.remove()], anonymised)


def _dormant(ids: Sequence[str]) -> list[Dormant]:
    """Those of the consumers that there are, and that the sweep looks at still, as they are now."""
    wanted = [record for user_id in ids for record in (ProfileRecord.key(user_id), GateRecord.key(user_id))]
    found = []
    for profile, gate in batched(read_together(*wanted), 2, strict=True):
        if isinstance(profile, ProfileRecord) and isinstance(gate, GateRecord):
            activity = gate.activity()
            if activity is not None:
                signed_in_at = optional_moment(profile.signed_in_at)
                found.append(Dormant(user=profile.user(), activity=activity, signed_in_at=signed_in_at))
    return found


def _change_gate(user_id: str, actions: list[Action], before: Dormant) -> None:
    """Raises Stale where the gate is not as it was read."""
    actions.append(GateRecord.note.remove())  # one that stays is told by every later write
    with store_faults():
        try:
            GateRecord.key(user_id).update(actions, _as_read(before))
        except UpdateError as error:
            if broke_its_condition(error):
                raise Stale from None
            raise


def _as_read(dormant: Dormant) -> Condition:
    """What holds of the gate for as long as nobody came back, and no other run took the step."""
    user, activity = dormant.user, dormant.activity
    partition = keys.sweep(user.role, activity.stage, user.id)
    condition: Condition = (GateRecord.sweep == partition) & (GateRecord.active_at == milliseconds(activity.active_at))
    return condition


def _not_back_since(dormant: Dormant) -> Condition:
    """What holds of the profile for as long as nobody signed in."""
    if dormant.signed_in_at is None:
        return ProfileRecord.signed_in_at.does_not_exist()
    condition: Condition = ProfileRecord.signed_in_at == milliseconds(dormant.signed_in_at)
    return condition


def _erase(transaction: Transaction, user: User, profile: list[Action], gate: list[Action]) -> None:
    """Adds what goes with a user that is anonymised; its names and claims are changed with it."""
    profile += [ProfileRecord.password_hash.remove(), ProfileRecord.places.remove(), *removing_factor()]
    profile += [ProfileRecord.signed_in_at.remove(), ProfileRecord.credentials.set(0), ProfileRecord.kept.set(0)]
    gate.append(GateRecord.two_factor.remove())
    lockout.forget(transaction, account(user.id).name)
    if user.plan_id is not None:
        count_plan_consumer(transaction, user.plan_id, -1)
        profile.append(ProfileRecord.plan_id.remove())
        gate.append(GateRecord.plan_id.remove())


def _position(entry: dict[str, dict[str, str]]) -> str:
    return f"{entry['activeAt']['N']} {keys.gate_owner(entry['PK']['S'])}"


def _start(partition: str, position: str) -> dict[str, dict[str, str]]:
    active_at, user_id = position.split()
    return {
        "PK": {"S": keys.gate(user_id)},
        "SK": {"S": keys.GATE},
        "sweep": {"S": partition},
        "activeAt": {"N": active_at},
    }
