"""The house without a table: a clock that moves when it is told to, and a store in plain dictionaries."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from gatehouse.accounts import lockout
from gatehouse.accounts.challenges import Challenges
from gatehouse.accounts.changes import AccountChange, NewAccount
from gatehouse.accounts.guard import Addresses, Guard
from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import Lockout, LockoutStore
from gatehouse.accounts.model import Account, Entrance, KeptSession, Origin, Session, place
from gatehouse.accounts.one_use import OneUse, OneUseToken, not_valid
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.accounts.tokens import SessionTokens
from gatehouse.admission.gate import Counter, GateStore
from gatehouse.admission.guesses import Guesses
from gatehouse.admission.lookup import AdmissionStore, Lookup
from gatehouse.admission.memory import Memory
from gatehouse.admission.meters import Throttle
from gatehouse.admission.model import Gate, KeyClaim, StoredCredential
from gatehouse.admission.secrets import Secrets
from gatehouse.admission.service import Admission
from gatehouse.audit.failed_sign_ins import FailedSignIns
from gatehouse.audit.forbidden import ForbiddenCalls
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import Refusals
from gatehouse.audit.trail import Trail
from gatehouse.bootstrap import Bootstrap
from gatehouse.clock import Clock
from gatehouse.configuration.memory import RememberedConfiguration
from gatehouse.configuration.model import effective
from gatehouse.configuration.service import Configuration
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.clients import Circumstances, Clients
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.credentials.service import MOST_ACTIVE, Credentials, too_many_active
from gatehouse.cursors import Cursors
from gatehouse.errors import Conflict, Forbidden, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail
from gatehouse.mail.sealing import Seal
from gatehouse.permissions import Caller, CallersProgram, Maker
from gatehouse.persistence import Page, Stale
from gatehouse.plans.memory import RememberedPlans
from gatehouse.plans.model import UsagePlan
from gatehouse.plans.service import Plans
from gatehouse.settings import Settings
from gatehouse.tokens import Tokens
from gatehouse.usage.service import Usages
from gatehouse.wiring import Gatehouse, configured
from gatehouse.wiring.configured import Current
from gatehouse.wiring.people import People, Stores, build_people
from tests.unit.configurations import MemoryConfiguration
from tests.unit.events import Events, KeptEvents
from tests.unit.factors import MemoryFactors
from tests.unit.gates import MemoryGates
from tests.unit.lockouts import MemoryLockouts
from tests.unit.mailroom import MemoryMailroom
from tests.unit.plan_stores import MemoryPlans, MemoryUsage
from tests.unit.rings import a_ring

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "SecurePass123!"
KEY = b"unit-test-signing-key-of-32-byte"
SCHEMA = Path(__file__).parents[2] / "schema"

HASHER = PasswordHasher(rounds=4)
POLICY = PasswordPolicy(8, frozenset({"lower", "upper", "digit", "symbol"}))
PASSWORD_HASH = HASHER.hash(PASSWORD)
RING = a_ring("k1", {"k1": KEY})
TOKENS = Tokens(RING, "gatehouse")
SESSION_TOKENS = SessionTokens(TOKENS, 3600)
CHALLENGES = Challenges(TOKENS)
HOME = "192.0.2.1"
"""The address that requests come from where nothing else is said."""
AT_HOME = Origin(HOME, "Firefox on Windows")


class StoppedClock:
    """Stands still between two moves."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


def a_user(name: str = "john", **changes: Any) -> User:
    """A user of that name, an active USER where nothing else is said."""
    known = User(id=new_id(START), username=name, email=f"{name}@example.com", created_at=START, updated_at=START)
    return replace(known, **changes)


def signed_in(user: User) -> Caller:
    """The user, with a session."""
    return Caller(consumer_id=user.id, role=user.role, session_id=new_id(START))


@dataclass
class MemoryStore:
    """Every port of the domain rooms at once; keeps what it is given and refuses what the table would refuse.

    `stale` makes that many of the next writes find that the world has moved on.
    """

    users: dict[str, User] = field(default_factory=dict)
    hashes: dict[str, str | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    secret_hashes: dict[str, str | None] = field(default_factory=dict)
    previous_hashes: dict[str, str | None] = field(default_factory=dict)
    revoked_tokens: set[str] = field(default_factory=set)
    numbered: dict[str, int] = field(default_factory=dict)
    gates: MemoryGates = field(default_factory=MemoryGates)
    lockouts: MemoryLockouts = field(default_factory=MemoryLockouts)
    factors: MemoryFactors = field(default_factory=MemoryFactors)
    mailroom: MemoryMailroom = field(default_factory=MemoryMailroom)
    places: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    plans: dict[str, UsagePlan] = field(default_factory=dict)
    configuration: MemoryConfiguration = field(default_factory=MemoryConfiguration)
    usage_days: dict[tuple[str, date], dict[str, int]] = field(default_factory=dict)
    used_key_ids: dict[str, KeyClaim] = field(default_factory=dict)
    audit: KeptEvents = field(default_factory=KeptEvents)
    calls: list[str] = field(default_factory=list)
    stale: int = 0

    def __post_init__(self) -> None:
        self.factors.users = self.users
        self.factors.audit = self.lockouts.audit = self.configuration.audit = self.audit
        self.audit.calls = self.calls

    @property
    def events(self) -> Events:
        """Those that were kept, in their order."""
        return self.audit.in_order()

    def add(self, user: User, password_hash: str | None = PASSWORD_HASH) -> User:
        self.users[user.id] = user
        self.hashes[user.id] = password_hash
        self.counts[user.id] = self.generations[user.id] = self.numbered[user.id] = 0
        self._stand(user.id, epoch=0)
        return user

    # consumers, and the first ADMIN

    def find_user(self, user_id: str) -> User | None:
        self.calls.append("find_user")
        return self.users.get(user_id)

    def page_users(self, query: UserQuery, first: int, after: str | None) -> Page[User]:
        self.calls.append("page_users")
        in_order = sorted((u for u in self.users.values() if query.admits(u)), key=lambda u: u.id, reverse=True)
        rest = [u for u in in_order if after is None or u.id < after]
        return Page([(u.id, u) for u in rest[:first]], rest[first - 1].id if len(rest) > first else None)

    def create_user(self, user: User, password_hash: str | None, event: AuditEvent | None = None) -> None:
        self._write("create_user")
        self._refuse_taken(user)
        self.add(user, password_hash)
        self.audit.add(event)

    def create_first_admin(
        self, user: User, password_hash: str | None, makes: OneUse | None = None, event: AuditEvent | None = None
    ) -> None:
        if any(u.is_active_admin for u in self.users.values()):
            raise Conflict("There is an ADMIN already.")
        self.create_user(user, password_hash, event)
        self.mailroom.keep(makes, [])

    def update_user(self, before: User, after: User, notice: Mail | None, event: AuditEvent | None = None) -> None:
        self._write("update_user")
        self._change(before, after)
        if before.is_active and not after.is_active:
            self.generations[after.id] += 1
        if (before.role, before.is_active) != (after.role, after.is_active):
            self._move_epoch(after.id)
        self.mailroom.keep(None, [] if notice is None else [notice])
        self.audit.add(event)

    def _change(self, before: User, after: User) -> None:
        self._refuse_change(before, after)
        self.users[after.id] = after

    def _refuse_change(self, before: User, after: User) -> None:
        if self.users.get(before.id) != before:
            raise Stale
        self._keep_an_admin(before, after)
        self._refuse_taken(after)

    def delete_user(self, user: User, event: AuditEvent | None = None) -> None:
        self._write("delete_user")
        if self.users.get(user.id) != user:
            raise Stale
        self._keep_an_admin(user, None)
        del self.users[user.id]
        del self.gates.gates[user.id]
        if user.plan_id is not None:
            plan = self.plans[user.plan_id]
            self.plans[plan.id] = replace(plan, consumers=plan.consumers - 1)
        self.audit.add(event)

    # accounts

    def create_account(self, new: NewAccount, now: datetime, event: AuditEvent | None = None) -> None:
        if new.invited_by is not None:
            inviter = self.users.get(new.invited_by)
            if inviter is None or not inviter.is_active_admin:
                raise not_valid()
        self.mailroom.refuse_used(new.uses, now)
        self._refuse_taken(new.user)
        self.mailroom.keep(new.makes, [] if new.mail is None else [new.mail])
        self.mailroom.use_up(new.uses, now)
        self.create_user(new.user, new.password_hash)
        if new.session is not None:
            self._keep(new.session)
            self.places[new.user.id].add(place(new.user.id, new.session.origin.address))
            self.counts[new.user.id] = 1
        self.audit.add(event)

    def change_account(self, change: AccountChange, now: datetime, event: AuditEvent | None = None) -> None:
        self._write("change_account")
        before, after = change.before, change.after
        self.mailroom.refuse_used(change.uses, now)
        if not self._is_as(before):
            raise Stale
        if change.without_programs and any(c.consumer_id == before.user.id for c in self.credentials.values()):
            raise Stale
        self._refuse_change(before.user, after.user)
        self.mailroom.keep(None, change.mails)
        self.mailroom.use_up(change.uses, now)
        self.users[after.user.id] = after.user
        self.hashes[after.user.id] = after.password_hash
        removes_factor = before.factor.is_known and not after.factor.is_known
        if removes_factor:
            del self.factors.factors[after.user.id]
        if before.generation != after.generation:
            self.generations[after.user.id] += 1
            self.counts[after.user.id] = 0
        if change.session is not None:
            self._keep(change.session)
            self.counts[after.user.id] = 1
        if change.forgives:
            self.lockouts.forget(lockout.account(after.user.id).name)
        stood, stands = ((one.user.role, one.user.is_active, one.generation) for one in (before, after))
        if stood != stands or removes_factor:
            self._move_epoch(after.user.id)
        self.audit.add(event)

    def _is_as(self, before: Account) -> bool:
        """Whether the account is as before in all that a change of it is decided on."""
        user = self.users.get(before.user.id)
        if user is None:
            return False
        now, then = (
            (one.user, one.password_hash, one.generation, one.factor.secret) for one in (self._account(user), before)
        )
        return now == then

    def ask(self, kept: OneUse, mails: Sequence[Mail], event: AuditEvent | None = None) -> None:
        self.calls.append("ask")
        self.mailroom.keep(kept, mails)
        self.audit.add(event)

    def keep_notice(self, mail: Mail | None, event: AuditEvent | None = None) -> None:
        self.calls.append("keep_notice")
        self.mailroom.keep(None, [] if mail is None else [mail])
        self.audit.add(event)

    def get_one_use(self, token: OneUseToken, now: datetime) -> OneUse:
        return self.mailroom.get_one_use(token, now)

    def find_account(self, unique_email: str) -> Account | None:
        self.calls.append("find_account")
        user = next((u for u in self.users.values() if unique_form(u.email) == unique_email), None)
        return None if user is None else self._account(user)

    def find_account_of(self, user_id: str) -> Account | None:
        self.calls.append("find_account_of")
        return self._account(self.users[user_id]) if user_id in self.users else None

    def _account(self, user: User) -> Account:
        return Account(
            user=user,
            password_hash=self.hashes[user.id],
            sessions=self.counts[user.id],
            generation=self.generations[user.id],
            factor=self.factors.factor(user.id),
            places=frozenset(self.places[user.id]),
        )

    def open_session(
        self, account: Account, session: Session, entrance: Entrance, event: AuditEvent | None = None
    ) -> None:
        self._write("open_session")
        if account != self.find_account(unique_form(account.user.email)) or account.sessions >= MOST_SESSIONS:
            raise Stale
        if entrance.proof is not None:
            self.factors.use_up(account.user, account.factor, entrance.proof)
        self.counts[account.user.id] += 1
        self._keep(session)
        if entrance.new_hash is not None:
            self.hashes[account.user.id] = entrance.new_hash
        if entrance.new_place is not None:
            self.places[account.user.id].add(entrance.new_place)
        self.mailroom.keep(None, [] if entrance.notice is None else [entrance.notice])
        self.lockouts.forgive(entrance.ledger, session.origin.address)
        self.audit.add(event)

    def _keep(self, session: Session) -> None:
        self.sessions[session.id] = session
        self.factors.sessions[session.id] = session.created_at
        if session.proved_at is not None:
            self.factors.proved[session.id] = session.proved_at

    def prune_sessions(self, account: Account, now: datetime, idle: timedelta, event: AuditEvent | None = None) -> None:
        self.calls.append("prune_sessions")
        if account.user.id not in self.users or self.counts[account.user.id] != account.sessions:
            raise Stale
        own = [s for s in self.sessions.values() if s.user_id == account.user.id]
        live = [s for s in sorted(own, key=lambda s: s.created_at) if now < s.ends_at(idle)][-(MOST_SESSIONS - 1) :]
        for session in own:
            if session not in live:
                del self.sessions[session.id]
        self.counts[account.user.id] = len(live)
        self._move_epoch(account.user.id)
        self.audit.add(event)

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None:
        gate, session = self.gates.gates.get(user_id), self._session(user_id, session_id)
        if gate is None or session is None:
            return None
        return KeptSession(session=session, standing=gate.standing, user=self.users[user_id])

    def step_session(self, before: Session, after: Session) -> bool:
        try:
            self._write("step_session")
        except Stale:
            return False
        if self.sessions.get(before.id) != before:
            return False
        self.sessions[after.id] = after
        return True

    def sessions_of(self, user_id: str) -> list[Session]:
        return sorted((s for s in self.sessions.values() if s.user_id == user_id), key=lambda s: s.id)

    def end_session(
        self, user_id: str, session_id: str, notice: Mail | None = None, event: AuditEvent | None = None
    ) -> bool:
        if user_id not in self.users or self._session(user_id, session_id) is None:
            return False
        del self.sessions[session_id]
        self._move_epoch(user_id)
        self.mailroom.keep(None, [] if notice is None else [notice])
        self.audit.add(event)
        return True

    def end_sessions(self, user_id: str, event: AuditEvent | None = None, *, without_programs: bool = False) -> None:
        if user_id not in self.users:
            raise Unauthenticated("The account is gone.")
        if without_programs and self._active(user_id):
            raise Stale
        self.generations[user_id] += 1
        self.counts[user_id] = 0
        self._move_epoch(user_id)
        self.audit.add(event)

    # credentials

    def find_credential(self, credential_id: str) -> Credential | None:
        return self.credentials.get(credential_id)

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]:
        owners = (None, *self.users) if query.consumer_id is None else (query.consumer_id,)
        found = [c for c in self.credentials.values() if c.consumer_id in owners and query.admits(c)]
        rest = [c for c in sorted(found, key=lambda c: c.id, reverse=True) if after is None or c.id < after]
        return Page([(c.id, c) for c in rest[:first]], rest[first - 1].id if len(rest) > first else None)

    def create_credential(
        self,
        credential: Credential,
        secret_hash: str | None,
        maker: Maker | None = None,
        event: AuditEvent | None = None,
    ) -> Credential:
        self._write("create_credential")
        self._refuse_ended(maker)
        if credential.key_id in self.used_key_ids:
            raise Conflict("This keyId is taken, or was once.", field="keyId")
        if credential.consumer_id not in self.users or self._active(credential.consumer_id) >= MOST_ACTIVE:
            raise Stale
        self.numbered[credential.consumer_id] += 1
        kept = replace(credential, number=self.numbered[credential.consumer_id])
        self.credentials[credential.id] = kept
        self.secret_hashes[credential.id] = secret_hash
        self.used_key_ids[credential.key_id] = KeyClaim(consumer_id=credential.consumer_id, credential_id=credential.id)
        self.audit.add(event)
        return kept

    def rotate_credential(
        self,
        before: Credential,
        after: Credential,
        secret_hash: str | None,
        maker: Maker | None = None,
        event: AuditEvent | None = None,
    ) -> None:
        self._write("rotate_credential")
        self._refuse_ended(maker)
        if self.credentials.get(before.id) != before:
            raise Stale
        self.credentials[after.id] = after
        self.previous_hashes[after.id], self.secret_hashes[after.id] = self.secret_hashes[before.id], secret_hash
        self._move_epoch(after.consumer_id)
        self.audit.add(event)

    def _refuse_ended(self, maker: Maker | None) -> None:
        if maker is None:
            return
        if isinstance(maker, CallersProgram):
            credential = self.credentials.get(maker.credential_id)
            if credential is None or not credential.is_active:
                raise Unauthenticated("The credential has ended.")
        elif maker.id not in self.sessions or maker.generation != self.generations[maker.user_id]:
            raise Unauthenticated("The session has ended.")

    def update_credential(
        self, before: Credential, after: Credential, maker: Maker | None = None, event: AuditEvent | None = None
    ) -> None:
        self._write("update_credential")
        self._refuse_ended(maker)
        if self.credentials.get(before.id) != before:
            raise Stale
        if after.is_active and not before.is_active and self._active(after.consumer_id) >= MOST_ACTIVE:
            raise too_many_active()
        self.credentials[after.id] = after
        self._move_epoch(after.consumer_id)
        self.audit.add(event)

    def delete_credential(self, credential: Credential, event: AuditEvent | None = None) -> None:
        self._write("delete_credential")
        if self.credentials.pop(credential.id, None) != credential:
            raise Stale
        self._move_epoch(credential.consumer_id)
        self.audit.add(event)

    # OAuth2 clients

    def circumstances(self, consumer_id: str, credential_id: str, token_id: str) -> Circumstances:
        self.calls.append("circumstances")
        credential = self.credentials.get(credential_id)
        return Circumstances(
            owner=self.users.get(consumer_id),
            credential=credential if credential and credential.consumer_id == consumer_id else None,
            is_revoked=token_id in self.revoked_tokens,
        )

    def revoke_token(
        self, consumer_id: str, token_id: str, expires_at: datetime, event: AuditEvent | None = None
    ) -> None:
        self._write("revoke_token")
        if token_id in self.revoked_tokens or consumer_id not in self.users:
            raise Stale
        self.revoked_tokens.add(token_id)
        self._move_epoch(consumer_id)
        self.audit.add(event)

    # admission

    def find_claim(self, key_id: str) -> KeyClaim | None:
        self.calls.append("find_claim")
        return self.used_key_ids.get(key_id)

    def find_gate_and_session(self, user_id: str, session_id: str) -> tuple[Gate | None, Session | None]:
        self.calls.append("find_gate_and_session")
        return self.gates.gates.get(user_id), self._session(user_id, session_id)

    def find_gate_and_credential(self, claim: KeyClaim | None) -> tuple[Gate | None, StoredCredential | None]:
        self.calls.append("find_gate_and_credential")
        return (None, None) if claim is None else (self.gates.gates.get(claim.consumer_id), self._stored(claim))

    def find_gate_and_token(self, claim: KeyClaim, token_id: str) -> tuple[Gate | None, StoredCredential | None, bool]:
        self.calls.append("find_gate_and_token")
        return self.gates.gates.get(claim.consumer_id), self._stored(claim), token_id in self.revoked_tokens

    def _session(self, user_id: str, session_id: str) -> Session | None:
        session = self.sessions.get(session_id)
        return session if session is not None and session.user_id == user_id else None

    def _stored(self, claim: KeyClaim) -> StoredCredential | None:
        credential = self.credentials.get(claim.credential_id)
        if credential is None or credential.consumer_id != claim.consumer_id:
            return None
        return StoredCredential(
            credential=credential,
            secret_hash=self.secret_hashes[credential.id],
            previous_hash=self.previous_hashes.get(credential.id),
        )

    def _write(self, name: str) -> None:
        self.calls.append(name)
        if self.stale > 0:
            self.stale -= 1
            raise Stale

    def _move_epoch(self, user_id: str) -> None:
        if (gate := self.gates.gates.get(user_id)) is not None:
            self._stand(user_id, gate.standing.epoch + 1)

    def _stand(self, user_id: str, epoch: int) -> None:
        user = self.users[user_id]
        self.gates.stand(
            Standing(
                consumer_id=user.id,
                is_active=user.is_active,
                role=user.role,
                epoch=epoch,
                generation=self.generations[user.id],
                plan_id=user.plan_id,
            )
        )

    def _active(self, user_id: str) -> int:
        return sum(c.consumer_id == user_id and c.is_active for c in self.credentials.values())

    def _refuse_taken(self, user: User) -> None:
        for other in self.users.values():
            if other.id == user.id:
                continue
            if unique_form(other.email) == unique_form(user.email):
                raise Conflict("This email is taken.", field="email")
            if unique_form(other.username) == unique_form(user.username):
                raise Conflict("This username is taken.", field="username")

    def _keep_an_admin(self, before: User, after: User | None) -> None:
        leaves = before.is_active_admin and not (after is not None and after.is_active_admin)
        if leaves and sum(u.is_active_admin for u in self.users.values()) == 1:
            raise Forbidden("This is the last active ADMIN.", reason="LAST_ADMIN")


type FindPlan = Callable[[str], UsagePlan | None]


def _no_plan(_plan_id: str) -> UsagePlan | None:
    return None


def the_settings(**environment: str) -> Settings:
    """Settings as the environment would give them, with those of the tests where nothing else is said."""
    given = {
        "TABLE_NAME": "gatehouse-unit",
        "JWT_SECRET": KEY.decode(),
        "BCRYPT_ROUNDS": "4",
        "SCHEMA_DIRECTORY": str(SCHEMA),
    }
    return Settings.from_environment({**given, **environment})


def no_code_needed(_caller: Caller) -> None:
    """For those who have no second factor."""


def the_guard(lockouts: LockoutStore, settings: Settings) -> Guard:
    """What stands before every password, as a function has it that has seen nothing yet."""
    rules = Rules(
        per_address=settings.guess_limit,
        in_all=settings.guess_limit_account,
        first_lock=timedelta(seconds=settings.guess_seconds),
    )
    return Guard(Lockout(lockouts, rules), Addresses(lockouts, settings.guess_limit_address, rules.first_lock))


def the_guesses(lockouts: LockoutStore, settings: Settings, refusals: Refusals | None = None) -> Guesses:
    """What stands before every chosen secret, as a function has it that has seen nothing yet."""
    rules = Rules(per_address=settings.guess_limit, first_lock=timedelta(seconds=settings.guess_seconds))
    addresses, made = (
        Addresses(lockouts, settings.guess_limit_address, rules.first_lock, name) for name in ("address", "made")
    )
    failed = FailedSignIns(Recorder(StoppedClock()), refusals or Refusals(KeptEvents()))
    return Guesses(Guard(Lockout(lockouts, rules), addresses), made, failed)


def the_throttle(settings: Settings | None = None) -> Callable[[], Throttle]:
    """What tells how much may be asked for where nothing is configured."""
    known = settings or the_settings()
    return configured.throttle(known, partial(configured.deployed, known))


def the_admission(
    store: AdmissionStore,
    gates: GateStore,
    lockouts: LockoutStore,
    clock: Clock,
    settings: Settings | None = None,
    find_plan: FindPlan = _no_plan,
    current: Current | None = None,
) -> Admission:
    """The gate as a function has it that has seen nothing yet; nothing is configured unless `current` tells it."""
    settings = settings or the_settings()
    memory, idle = Memory(), timedelta(seconds=settings.session_idle_ttl)
    kept = Refusals(store.audit) if isinstance(store, MemoryStore) else None
    guesses = the_guesses(lockouts, settings, kept)
    verifier = Secrets(HASHER, lambda: guesses, memory.verified, b"dies with the function")
    return Admission(
        clock=clock,
        tokens=TOKENS,
        lookup=Lookup(store, verifier, memory, idle),
        counter=Counter(gates, memory),
        memory=memory,
        throttle=configured.throttle(settings, current or partial(configured.deployed, settings)),
        find_plan=find_plan,
        key_seed=settings.gateway_key_seed,
        trusted_proxies=settings.trusted_proxies,
        factor_roles=frozenset(map(Role, settings.two_factor_roles)),
    )


def the_people(
    store: MemoryStore,
    clock: Clock,
    settings: Settings,
    lockouts: LockoutStore | None = None,
    current: Current | None = None,
) -> People:
    """What people meet who sign up and sign in."""
    stores = Stores(
        accounts=store,
        changes=store,
        programs=store,
        users=store,
        factors=store.factors,
        lockouts=lockouts or store.lockouts,
        notices=store,
        refusals=Refusals(store.audit),
    )
    return build_people(
        settings, clock, TOKENS, Seal(RING), stores, current=current or partial(configured.deployed, settings)
    )


def the_house(store: MemoryStore, clock: StoppedClock, settings: Settings | None = None) -> Gatehouse:
    """The whole object graph on the store in memory."""
    settings = settings or the_settings()
    policy = PasswordPolicy(settings.password_min_length, settings.password_classes)
    plans = RememberedPlans(MemoryPlans(store).find_plan, clock)
    defaults, overrides = configured.deployed(settings), store.configuration.find_overrides
    remembered = RememberedConfiguration(lambda: effective(defaults, overrides()), clock)
    admission = the_admission(store, store.gates, store.lockouts, clock, settings, plans.find, remembered.current)
    people = the_people(store, clock, settings, current=remembered.current)
    house, recorder = Gatehouse(settings, clock), Recorder(clock)
    vars(house).update(
        people=people,
        admission=admission,
        consumers=Consumers(store, clock, HASHER, policy, people.writer, recorder, people.two_factor.require_fresh),
        credentials=Credentials(
            store,
            clock,
            Issuer(HASHER, TOKENS, settings.allow_chosen_secrets),
            recorder,
            settings.self_service_credentials,
            people.two_factor.require_fresh,
        ),
        clients=Clients(store, clock, TOKENS, recorder),
        forbidden_calls=ForbiddenCalls(recorder, people.refusals),
        trail=Trail(store.audit, store),
        plans=Plans(MemoryPlans(store), clock, recorder),
        remembered_plans=plans,
        configuration=Configuration(store.configuration, clock, recorder, defaults, people.two_factor.require_fresh),
        remembered_configuration=remembered,
        usage=Usages(
            MemoryUsage(store),
            clock,
            recorder,
            admission.throttle,
            settings.self_service_credentials,
        ),
        cursors=Cursors(lambda: (KEY,)),
        bootstrap=Bootstrap(
            store=store,
            finder=store,
            changes=store,
            clock=clock,
            hasher=HASHER,
            policy=policy,
            recorder=recorder,
            app_url=settings.app_url,
        ),
    )

    return house


ROLES = (Role.USER, Role.MODERATOR, Role.ADMIN)
