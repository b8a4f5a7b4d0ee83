"""Second factors in the table: on the profile, with what a session has seen of them, and on the gate that one is on.

A code is used up in the condition of the write that acts on it: a step only grows, a recovery code is in its set once.
"""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from gatehouse.accounts.factors import Factor, Holder, Proof, RecoveryProof, StepProof, TurningOn
from gatehouse.audit.model import AuditEvent
from gatehouse.clock import milliseconds
from gatehouse.mail.model import Mail
from gatehouse.persistence import Stale
from gatehouse.storage.audit import add_event
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.mail import add_mail
from gatehouse.storage.records import ProfileRecord, SessionRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import read_together, store_faults
from gatehouse.storage.transactions import Transaction


class DynamoTwoFactor:
    """The store of `accounts.two_factor`."""

    def find_holder(self, user_id: str, session_id: str | None) -> Holder | None:
        wanted: list[Record] = [ProfileRecord.key(user_id)]
        if session_id is not None:
            wanted.append(SessionRecord.key(user_id, session_id))
        with store_faults():
            profile, *sessions = read_together(*wanted)
        session = sessions[0] if sessions else None
        if not isinstance(profile, ProfileRecord):
            return None
        known = session.session() if isinstance(session, SessionRecord) else None
        if known is not None and known.generation != profile.generation:
            known = None
        return Holder(
            user=profile.user(),
            factor=profile.factor(),
            generation=int(profile.generation),
            signed_in_at=None if known is None else known.created_at,
            proved_at=None if known is None else known.proved_at,
        )

    def keep_pending(self, holder: Holder, secret: bytes, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        _update(transaction, holder, [ProfileRecord.totp_pending.set(secret)], has_secret(holder.factor.secret))
        add_event(transaction, event)
        transaction.commit()

    def turn_on(
        self,
        holder: Holder,
        session_id: str,
        turning_on: TurningOn,
        notice: Mail,
        event: AuditEvent | None = None,
    ) -> None:
        factor = holder.factor
        if factor.pending is None:
            raise Stale
        transaction = Transaction()
        _update(
            transaction,
            holder,
            [
                ProfileRecord.totp_secret.set(factor.pending),
                ProfileRecord.totp_pending.remove(),
                ProfileRecord.totp_step.set(turning_on.step),
                ProfileRecord.recovery.set(set(turning_on.recovery)),
            ],
            has_secret(factor.secret) & (ProfileRecord.totp_pending == factor.pending),
        )
        _prove_session(transaction, holder, session_id, turning_on.now)
        _stand(transaction, holder, GateRecord.two_factor.set(True))
        add_mail(transaction, notice)
        add_event(transaction, event)
        transaction.commit()

    def prove(
        self, holder: Holder, session_id: str, proof: Proof, now: datetime, event: AuditEvent | None = None
    ) -> None:
        transaction = Transaction()
        actions, condition = use_up(holder.factor, proof)
        _update(transaction, holder, actions, condition)
        _prove_session(transaction, holder, session_id, now)
        _stand(transaction, holder)
        add_event(transaction, event)
        transaction.commit()

    def turn_off(self, holder: Holder, proof: Proof | None, notice: Mail, event: AuditEvent | None = None) -> None:
        factor = holder.factor
        condition = has_secret(factor.secret)
        if proof is not None:
            condition &= use_up(factor, proof)[1]
        transaction = Transaction()
        _update(
            transaction,
            holder,
            removing_factor(),
            condition,
        )
        _stand(transaction, holder, GateRecord.two_factor.remove())
        add_mail(transaction, notice)
        add_event(transaction, event)
        transaction.commit()


def use_up(factor: Factor, proof: Proof) -> tuple[Sequence[Action], Condition]:
    """What a profile's update has to do, and what must hold for it, so that the code works this once."""
    match proof:
        case StepProof(step):
            unused = (ProfileRecord.totp_secret == factor.secret) & (ProfileRecord.totp_step < step)
            return [ProfileRecord.totp_step.set(step)], unused
        case RecoveryProof(digest):
            return [ProfileRecord.recovery.delete({digest})], ProfileRecord.recovery.contains(digest)


def removing_factor() -> list[Action]:
    """What a profile's update has to do, so that nothing is left of a second factor."""
    return [
        ProfileRecord.totp_secret.remove(),
        ProfileRecord.totp_pending.remove(),
        ProfileRecord.totp_step.remove(),
        ProfileRecord.recovery.remove(),
    ]


def has_secret(secret: bytes | None) -> Condition:
    """That the profile is there, and has this secret, or none."""
    without: Condition = ProfileRecord.pk.exists() & ProfileRecord.totp_secret.does_not_exist()
    with_it: Condition = ProfileRecord.totp_secret == secret
    return without if secret is None else with_it


def _update(transaction: Transaction, holder: Holder, actions: Sequence[Action], condition: Condition) -> None:
    as_known = condition & (ProfileRecord.generation == holder.generation)
    transaction.update(ProfileRecord.key(holder.user.id), actions, as_known, otherwise=Stale())


def _prove_session(transaction: Transaction, holder: Holder, session_id: str, now: datetime) -> None:
    transaction.update(
        SessionRecord.key(holder.user.id, session_id),
        [SessionRecord.proved_at.set(milliseconds(now))],
        SessionRecord.pk.exists(),
        otherwise=Stale(),
    )


def _stand(transaction: Transaction, holder: Holder, *changes: Action) -> None:
    """Adds to the transaction that nothing counts any more that a function remembers of the user."""
    actions = [*changes, GateRecord.epoch.add(1)]
    transaction.update(GateRecord.key(holder.user.id), actions, GateRecord.pk.exists(), otherwise=Stale())
