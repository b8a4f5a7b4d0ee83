"""Consumers in the table: a profile, a gate and two claims each, written together or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from gatehouse.accounts.lockout import account
from gatehouse.accounts.model import Session
from gatehouse.accounts.one_use import OneUse
from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.inactivity import begins_afresh
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import User
from gatehouse.errors import Conflict, Forbidden
from gatehouse.mail.model import Mail
from gatehouse.persistence import Page, Stale
from gatehouse.storage import keys, listing, lockout
from gatehouse.storage.audit import add_event
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.mail import add_mail
from gatehouse.storage.one_use import add_one_use
from gatehouse.storage.plans import PlanRecord
from gatehouse.storage.records import NameRecord, ProfileRecord, RosterRecord, SessionRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Transaction

_MORE_THAN_ONE: Condition = size(RosterRecord.ids) > 1


class DynamoConsumers:
    """The store of `consumers.service`."""

    def find_user(self, user_id: str) -> User | None:
        return find_user(user_id)

    def page_users(self, query: UserQuery, first: int, after: str | None) -> Page[User]:
        with store_faults():
            return listing.page_users(query, first, after)

    def create_user(self, user: User, password_hash: str | None, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        new_consumer(transaction, user, password_hash)
        add_event(transaction, event)
        transaction.commit()

    def create_first_admin(
        self, user: User, password_hash: str | None, makes: OneUse | None = None, event: AuditEvent | None = None
    ) -> None:
        """Keeps the user where there is no active ADMIN; raises Conflict."""
        only_first = RosterRecord.ids.does_not_exist()
        there_is_one = Conflict("There is an ADMIN already; sign in as that ADMIN and use createUser.")
        transaction = Transaction()
        transaction.update(RosterRecord.key(), [RosterRecord.ids.add({user.id})], only_first, otherwise=there_is_one)
        _add_consumer(transaction, user, password_hash)
        if makes is not None:
            add_one_use(transaction, makes)
        add_event(transaction, event)
        transaction.commit()

    def update_user(self, before: User, after: User, notice: Mail | None, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        ends_sessions = before.is_active and not after.is_active
        profile, gate = ending_sessions() if ends_sessions else ((), ())
        change_consumer(transaction, before, after, profile=profile, gate=gate)
        add_mail(transaction, notice)
        add_event(transaction, event)
        transaction.commit()

    def delete_user(self, user: User, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.delete(ProfileRecord.key(user.id), ProfileRecord.revision == user.revision, otherwise=Stale())
        transaction.delete(GateRecord.key(user.id))
        lockout.forget(transaction, account(user.id).name)
        transaction.delete(NameRecord.of_email(user))
        transaction.delete(NameRecord.of_username(user))
        if user.is_active_admin:
            _leave_roster(transaction, user)
        if user.plan_id is not None:
            count_plan_consumer(transaction, user.plan_id, -1)
        add_event(transaction, event)
        transaction.commit()


def delete_belongings(user_id: str, *, sparing: str | None = None) -> None:
    """Removes all that is kept of a consumer beside its gate, but for the item with the sort key that is spared."""
    with store_faults():
        left = Record.query(keys.consumer(user_id), consistent_read=True, attributes_to_get=["PK", "SK"])
        with Record.batch_write() as batch:
            for record in left:
                if record.sk == sparing:
                    continue
                batch.delete(record)
                if record.sk.startswith(keys.CREDENTIAL_PREFIX):
                    batch.delete(Record(keys.credential_way(keys.credential_id(record.sk)), keys.CLAIM))


def change_consumer(
    transaction: Transaction,
    before: User,
    after: User,
    *,
    profile: Sequence[Action] = (),
    gate: Sequence[Action] = (),
    condition: Condition | None = None,
    dormant: Condition | None = None,
) -> None:
    """Adds to the transaction that one user becomes the other, and what else is to change of profile and gate.

    `dormant` is for the sweep alone: what must hold of the gate, where `gate` tells its activity. All others' change of
    role or state begins it afresh. Means Stale where the user is not as before or a condition does not hold, Conflict
    for a taken name, Forbidden for the last active ADMIN.
    """
    actions = [
        ProfileRecord.revision.set(after.revision),
        ProfileRecord.updated_at.set(milliseconds(after.updated_at)),
        *_changes(before, after),
        *profile,
    ]
    standing = list(gate)
    # Who is held by somebody else is no longer the sweep's.
    if (after.role, after.is_active, after.deactivated_by) != (before.role, before.is_active, before.deactivated_by):
        actions.append(ProfileRecord.listing.set(keys.listing(after.role, after.is_active, after.id)))
        standing += [GateRecord.role.set(after.role), GateRecord.is_active.set(after.is_active)]
        standing += _activity(after) if dormant is None else []
    if before.is_active_admin and not after.is_active_admin:
        _leave_roster(transaction, before)
    elif after.is_active_admin and not before.is_active_admin:
        transaction.update(RosterRecord.key(), [RosterRecord.ids.add({after.id})])
    if standing:
        standing.append(GateRecord.epoch.add(1))
        as_read = GateRecord.pk.exists() if dormant is None else dormant
        transaction.update(GateRecord.key(after.id), standing, as_read, otherwise=Stale())
    as_before: Condition = ProfileRecord.revision == before.revision
    if condition is not None:
        as_before &= condition
    transaction.update(ProfileRecord.key(after.id), actions, as_before, otherwise=Stale())
    _move_claim(transaction, NameRecord.of_email(before), NameRecord.of_email(after), "email")
    _move_claim(transaction, NameRecord.of_username(before), NameRecord.of_username(after), "username")


def _activity(user: User) -> list[Action]:
    """What a gate's update has to do when the user has got another role or state."""
    activity = begins_afresh(user.role, user.is_active, user.updated_at)
    if activity is None:
        return [GateRecord.sweep.remove(), GateRecord.stage_at.remove()]
    return [
        GateRecord.sweep.set(keys.sweep(user.role, activity.stage, user.id)),
        GateRecord.active_at.set(milliseconds(activity.active_at)),
        GateRecord.stage_at.remove(),
    ]


def ending_sessions(begun: int = 0) -> tuple[Sequence[Action], Sequence[Action]]:
    """What ends all sessions on profile and gate, where so many are begun with it."""
    profile = [ProfileRecord.generation.add(1), ProfileRecord.sessions.set(begun)]
    return profile, [GateRecord.generation.add(1)]


def find_user(user_id: str) -> User | None:
    """The user as the table has it now."""
    with store_faults():
        try:
            return ProfileRecord.get(keys.consumer(user_id), keys.PROFILE, consistent_read=True).user()
        except ProfileRecord.DoesNotExist:
            return None


def new_consumer(
    transaction: Transaction, user: User, password_hash: str | None, session: Session | None = None
) -> None:
    """Adds a consumer to the transaction, and with it a first session; Conflict where a name is taken."""
    if user.is_active_admin:
        transaction.update(RosterRecord.key(), [RosterRecord.ids.add({user.id})])
    if session is not None:
        transaction.put(SessionRecord.of(session))
    _add_consumer(transaction, user, password_hash, session)


def _add_consumer(
    transaction: Transaction, user: User, password_hash: str | None, session: Session | None = None
) -> None:
    for claim, field in ((NameRecord.of_email(user), "email"), (NameRecord.of_username(user), "username")):
        transaction.put(claim, NameRecord.pk.does_not_exist(), otherwise=_taken(field))
    transaction.put(ProfileRecord.of(user, password_hash, session))
    transaction.put(GateRecord.of(user))


def count_plan_consumer(transaction: Transaction, plan_id: str, change: int) -> None:
    """Adds to the transaction that the plan has one consumer more, or one less; Stale where the plan is gone."""
    transaction.update(
        PlanRecord.key(plan_id), [PlanRecord.consumers.add(change)], PlanRecord.pk.exists(), otherwise=Stale()
    )


def _move_claim(transaction: Transaction, old: NameRecord, new: NameRecord, field: str) -> None:
    if old.pk != new.pk:
        transaction.put(new, NameRecord.pk.does_not_exist(), otherwise=_taken(field))
        transaction.delete(old)


def _leave_roster(transaction: Transaction, user: User) -> None:
    transaction.update(
        RosterRecord.key(),
        [RosterRecord.ids.delete({user.id})],
        RosterRecord.ids.contains(user.id) & _MORE_THAN_ONE,
        otherwise=Forbidden("This is the last active ADMIN.", reason="LAST_ADMIN"),
    )


def _changes(before: User, after: User) -> list[Action]:
    changes: list[Action] = []
    if after.username != before.username:
        changes.append(ProfileRecord.username.set(after.username))
        changes.append(ProfileRecord.username_key.set(unique_form(after.username)))
    if after.email != before.email:
        changes.append(ProfileRecord.email.set(after.email))
        changes.append(ProfileRecord.email_key.set(unique_form(after.email)))
    for attribute, name in (
        (ProfileRecord.first_name, "first_name"),
        (ProfileRecord.last_name, "last_name"),
        (ProfileRecord.role, "role"),
        (ProfileRecord.is_active, "is_active"),
        (ProfileRecord.deactivated_by, "deactivated_by"),
        (ProfileRecord.email_verified_at, "email_verified_at"),
        (ProfileRecord.password_changed_at, "password_changed_at"),
    ):
        value: Any = getattr(after, name)
        if value != getattr(before, name):
            kept: Any = milliseconds(value) if isinstance(value, datetime) else value
            changes.append(attribute.remove() if kept is None else attribute.set(kept))
    return changes


def _taken(field: str) -> Conflict:
    return Conflict(f"This {field} is taken.", field=field)
