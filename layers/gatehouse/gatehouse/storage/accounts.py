"""Accounts and sessions in the table."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from gatehouse.accounts.model import Account, Entrance, KeptSession, Session
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.audit.model import AuditEvent
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.consumers.model import User
from gatehouse.errors import Unauthenticated
from gatehouse.mail.model import Mail
from gatehouse.persistence import Stale
from gatehouse.storage import keys, lockout
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import ending_sessions
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.mail import add_mail
from gatehouse.storage.records import NameRecord, ProfileRecord, SessionRecord, spent_texts
from gatehouse.storage.table import broke_its_condition, is_busy, read_together, store_faults
from gatehouse.storage.transactions import Transaction
from gatehouse.storage.two_factor import has_secret, use_up

# A transaction takes 100 writes; the rest waits for the next sign-in's turn.
_MOST_PRUNED = 90
_MOST_PLACES = 50  # 8 bytes each; whoever has signed in from more begins anew
_NOBODY = "00000000-0000-7000-8000-000000000000"


class DynamoAccounts:
    """The store of `accounts.service`."""

    def find_account(self, unique_email: str) -> Account | None:
        with store_faults():
            try:
                claim = NameRecord.get(keys.email_claim(unique_email), keys.CLAIM, consistent_read=True)
                owner = claim.owner
            except NameRecord.DoesNotExist:
                owner = _NOBODY
        return self.find_account_of(owner)

    def find_account_of(self, user_id: str) -> Account | None:
        with store_faults():
            try:
                return ProfileRecord.get(keys.consumer(user_id), keys.PROFILE, consistent_read=True).account()
            except ProfileRecord.DoesNotExist:
                ProfileRecord.from_raw_data(_decoy()).account()  # to read one takes time, which would tell of it
                return None

    def open_session(
        self, account: Account, session: Session, entrance: Entrance, event: AuditEvent | None = None
    ) -> None:
        signed_in_at = ProfileRecord.signed_in_at.set(milliseconds(session.created_at))
        actions: list[Action] = [ProfileRecord.sessions.add(1), signed_in_at]
        if entrance.new_hash is not None:
            actions.append(ProfileRecord.password_hash.set(entrance.new_hash))
        if entrance.new_place is not None:
            here = {entrance.new_place}
            is_full = len(account.places) >= _MOST_PLACES
            actions.append(ProfileRecord.places.set(here) if is_full else ProfileRecord.places.add(here))
        as_it_was = (
            (ProfileRecord.is_active == True)  # noqa: E712 - builds a condition
            & (ProfileRecord.password_hash == account.password_hash)
            & (ProfileRecord.generation == account.generation)
            & (ProfileRecord.sessions < MOST_SESSIONS)
            & has_secret(account.factor.secret)
        )
        if entrance.proof is not None:
            using_up, unused = use_up(account.factor, entrance.proof)
            actions += using_up
            as_it_was &= unused
        transaction = Transaction()
        transaction.update(ProfileRecord.key(account.user.id), actions, as_it_was, otherwise=Stale())
        transaction.put(SessionRecord.of(session))
        lockout.forgive(transaction, entrance.ledger, session.origin.address, session.created_at)
        add_mail(transaction, entrance.notice)
        add_event(transaction, event)
        transaction.commit()

    def prune_sessions(self, account: Account, now: datetime, idle: timedelta, event: AuditEvent | None = None) -> None:
        user_id = account.user.id
        with store_faults():
            [gate] = read_together(GateRecord.key(user_id))
            [profile] = read_together(ProfileRecord.key(user_id))
            kept = _sessions_of(user_id)
        # Only a number that was read behind the epoch tells, together with it, that no session was opened since.
        as_counted = isinstance(profile, ProfileRecord) and profile.sessions == account.sessions
        if not (isinstance(gate, GateRecord) and as_counted):
            raise Stale
        live = [s for s in kept if now < s.ends_at(idle) and s.generation == account.generation]
        ended = [s for s in kept if s not in live]
        pruned = (ended + live[: max(0, len(live) - MOST_SESSIONS + 1)])[:_MOST_PRUNED]
        left = sum(s not in pruned for s in live)
        transaction = Transaction()
        for session in pruned:
            transaction.delete(SessionRecord.key(user_id, session.id))
        transaction.update(
            ProfileRecord.key(user_id),
            [ProfileRecord.sessions.set(left)],
            (ProfileRecord.sessions == account.sessions) & (ProfileRecord.generation == account.generation),
            otherwise=Stale(),
        )
        # The number of sessions may be back where it was, another having pruned before new sign-ins; the epoch is not.
        transaction.update(
            GateRecord.key(user_id), [GateRecord.epoch.add(1)], GateRecord.epoch == gate.epoch, otherwise=Stale()
        )
        add_event(transaction, event)
        transaction.commit()

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None:
        with store_faults():
            found = read_together(
                ProfileRecord.key(user_id), GateRecord.key(user_id), SessionRecord.key(user_id, session_id)
            )
        profile, gate, session = found
        if not (
            isinstance(profile, ProfileRecord) and isinstance(gate, GateRecord) and isinstance(session, SessionRecord)
        ):
            return None
        return KeptSession(session=session.session(), standing=gate.standing(), user=profile.user())

    def step_session(self, before: Session, after: Session) -> bool:
        actions: list[Action] = [
            SessionRecord.used_at.set(milliseconds(after.used_at)),
            SessionRecord.used.set(after.used),
            SessionRecord.next_digest.set(after.next_digest),
            SessionRecord.spent.set(spent_texts(after)),
        ]
        if after.used_digest is not None:
            actions.append(SessionRecord.used_digest.set(after.used_digest))
        as_before = (SessionRecord.used == before.used) & (SessionRecord.next_digest == before.next_digest)
        with store_faults():
            try:
                SessionRecord.key(before.user_id, before.id).update(actions, as_before)
            except UpdateError as error:
                if broke_its_condition(error) or is_busy(error):
                    return False
                raise
        return True

    def sessions_of(self, user_id: str) -> list[Session]:
        with store_faults():
            return _sessions_of(user_id)

    def end_session(
        self, user_id: str, session_id: str, notice: Mail | None = None, event: AuditEvent | None = None
    ) -> bool:
        already_ended = Stale()
        transaction = Transaction()
        transaction.delete(SessionRecord.key(user_id, session_id), SessionRecord.pk.exists(), otherwise=already_ended)
        transaction.update(
            GateRecord.key(user_id), [GateRecord.epoch.add(1)], GateRecord.pk.exists(), otherwise=already_ended
        )
        add_mail(transaction, notice)
        add_event(transaction, event)
        try:
            transaction.commit()
        except Stale:
            return False
        return True

    def end_sessions(self, user_id: str, event: AuditEvent | None = None, *, without_programs: bool = False) -> None:
        profile, gate = ending_sessions()
        transaction = Transaction()
        if without_programs:
            transaction.update(ProfileRecord.key(user_id), profile, ProfileRecord.credentials == 0, otherwise=Stale())
        else:
            transaction.update(ProfileRecord.key(user_id), profile, ProfileRecord.pk.exists(), otherwise=_ended())
        transaction.update(
            GateRecord.key(user_id), [*gate, GateRecord.epoch.add(1)], GateRecord.pk.exists(), otherwise=_ended()
        )
        add_event(transaction, event)
        transaction.commit()


def _sessions_of(user_id: str) -> list[Session]:
    found = SessionRecord.query(
        keys.consumer(user_id), SessionRecord.sk.startswith(keys.SESSION_PREFIX), consistent_read=True
    )
    return [record.session() for record in found]


@cache
def _decoy() -> dict[str, Any]:
    """A profile that nobody has."""
    beginning = from_milliseconds(0)
    nobody = User(
        id=_NOBODY,
        username=_NOBODY,
        email=f"{_NOBODY}@example.com",
        email_verified_at=beginning,
        password_changed_at=beginning,
        created_at=beginning,
        updated_at=beginning,
    )
    kept: dict[str, Any] = ProfileRecord.of(nobody, "-" * 60, None).serialize()
    return kept


def _ended() -> Unauthenticated:
    return Unauthenticated("The account is gone.")
