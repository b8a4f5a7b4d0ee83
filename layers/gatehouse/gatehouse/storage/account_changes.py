"""Accounts as they are made and changed in the table, each time with all that goes with it."""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from gatehouse.accounts import lockout as subjects
from gatehouse.accounts.changes import AccountChange, NewAccount
from gatehouse.accounts.one_use import OneUse, OneUseToken, not_valid
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import Role
from gatehouse.mail.model import Mail
from gatehouse.storage import lockout, one_use
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import change_consumer, ending_sessions, new_consumer
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.mail import add_mail
from gatehouse.storage.records import ProfileRecord, SessionRecord
from gatehouse.storage.transactions import Transaction
from gatehouse.storage.two_factor import has_secret, removing_factor


class DynamoAccountChanges:
    """The port `accounts.changes.AccountChanges`."""

    def create_account(self, new: NewAccount, now: datetime, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        if new.uses is not None:
            one_use.use_up(transaction, new.uses, now)
        if new.invited_by is not None:
            is_admin = (GateRecord.role == Role.ADMIN) & (GateRecord.is_active == True)  # noqa: E712 - builds a condition
            transaction.check(GateRecord.key(new.invited_by), is_admin, otherwise=not_valid())
        new_consumer(transaction, new.user, new.password_hash, new.session)
        _keep(transaction, new.makes, [] if new.mail is None else [new.mail])
        add_event(transaction, event)
        transaction.commit()

    def change_account(self, change: AccountChange, now: datetime, event: AuditEvent | None = None) -> None:
        before, after = change.before, change.after
        transaction = Transaction()
        if change.uses is not None:
            one_use.use_up(transaction, change.uses, now)
        profile, gate = _actions(change)
        change_consumer(transaction, before.user, after.user, profile=profile, gate=gate, condition=_as_before(change))
        if change.session is not None:
            transaction.put(SessionRecord.of(change.session))
        if change.forgives:
            lockout.forget(transaction, subjects.account(before.user.id).name)
        _keep(transaction, None, change.mails)
        add_event(transaction, event)
        transaction.commit()

    def ask(self, kept: OneUse, mails: Sequence[Mail], event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        _keep(transaction, kept, mails)
        add_event(transaction, event)
        transaction.commit()

    def get_one_use(self, token: OneUseToken, now: datetime) -> OneUse:
        return one_use.get_one_use(token, now)


def _keep(transaction: Transaction, kept: OneUse | None, mails: Sequence[Mail]) -> None:
    if kept is not None:
        one_use.add_one_use(transaction, kept)
    for mail in mails:
        add_mail(transaction, mail)


def _as_before(change: AccountChange) -> Condition:
    """What must hold of the profile beside its revision, which not every change of an account raises."""
    before = change.before
    as_before: Condition = (
        (ProfileRecord.generation == before.generation) & _is(before.password_hash) & has_secret(before.factor.secret)
    )
    if change.without_programs:
        as_before &= ProfileRecord.kept == 0
    return as_before


def _actions(change: AccountChange) -> tuple[Sequence[Action], Sequence[Action]]:
    """What changes of profile and gate beside the user."""
    before, after = change.before, change.after
    profile: list[Action] = []
    gate: list[Action] = []
    if after.password_hash is not None and after.password_hash != before.password_hash:
        profile.append(ProfileRecord.password_hash.set(after.password_hash))
    if before.factor.is_known and not after.factor.is_known:
        profile += removing_factor()
        gate.append(GateRecord.two_factor.remove())
    if after.generation != before.generation:
        of_profile, of_gate = ending_sessions(begun=0 if change.session is None else 1)
        profile += of_profile
        gate += of_gate
    return profile, gate


def _is(password_hash: str | None) -> Condition:
    none: Condition = ProfileRecord.password_hash.does_not_exist()
    this: Condition = ProfileRecord.password_hash == password_hash
    return none if password_hash is None else this
