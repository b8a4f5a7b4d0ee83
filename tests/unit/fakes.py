"""The house without a table: a clock that moves when it is told to, and a store in plain dictionaries."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatehouse.accounts.model import Account, KeptSession, Session
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.service import MOST_SESSIONS, Accounts
from gatehouse.accounts.tokens import SessionTokens, SigningKeys
from gatehouse.admission.model import KeyClaim, StoredKey
from gatehouse.admission.service import Admission
from gatehouse.bootstrap import Bootstrap
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.credentials.service import MOST_ACTIVE, Credentials, too_many_active
from gatehouse.cursors import Cursors
from gatehouse.errors import Conflict, Forbidden
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.persistence import Page, Stale
from gatehouse.settings import Settings
from gatehouse.wiring import Gatehouse

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "SecurePass123!"
KEY = b"unit-test-signing-key-of-32-byte"
SCHEMA = Path(__file__).parents[2] / "schema"

HASHER = PasswordHasher(rounds=4)
POLICY = PasswordPolicy(8, frozenset({"lower", "upper", "digit", "symbol"}))
PASSWORD_HASH = HASHER.hash(PASSWORD)
TOKENS = SessionTokens(lambda: SigningKeys("k1", {"k1": KEY}), "gatehouse", 3600)


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
    secret_hashes: dict[str, str] = field(default_factory=dict)
    used_key_ids: dict[str, KeyClaim] = field(default_factory=dict)
    belongings_deleted: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    stale: int = 0

    def add(self, user: User, password_hash: str | None = PASSWORD_HASH) -> User:
        self.users[user.id] = user
        self.hashes[user.id] = password_hash
        self.counts[user.id] = self.generations[user.id] = 0
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

    def create_user(self, user: User, password_hash: str | None) -> None:
        self._write("create_user")
        self._refuse_taken(user)
        self.add(user, password_hash)

    def create_first_admin(self, user: User, password_hash: str) -> None:
        if any(u.is_active_admin for u in self.users.values()):
            raise Conflict("There is an ADMIN already.")
        self.create_user(user, password_hash)

    def update_user(self, before: User, after: User) -> None:
        self._write("update_user")
        if self.users.get(before.id) != before:
            raise Stale
        self._refuse_taken(after)
        self._keep_an_admin(before, after)
        if before.is_active and not after.is_active:
            self.generations[after.id] += 1
        self.users[after.id] = after

    def delete_user(self, user: User) -> None:
        self._write("delete_user")
        if self.users.get(user.id) != user:
            raise Stale
        self._keep_an_admin(user, None)
        del self.users[user.id]

    def delete_belongings(self, user_id: str) -> None:
        self.belongings_deleted.append(user_id)

    # accounts

    def create_account(self, user: User, password_hash: str, session: Session) -> None:
        self.create_user(user, password_hash)
        self.sessions[session.id] = session
        self.counts[user.id] = 1

    def find_account(self, unique_email: str) -> Account | None:
        self.calls.append("find_account")
        user = next((u for u in self.users.values() if unique_form(u.email) == unique_email), None)
        if user is None:
            return None
        return Account(
            user=user,
            password_hash=self.hashes[user.id],
            sessions=self.counts[user.id],
            generation=self.generations[user.id],
        )

    def open_session(self, account: Account, session: Session, new_hash: str | None) -> None:
        self._write("open_session")
        if account != self.find_account(unique_form(account.user.email)) or account.sessions >= MOST_SESSIONS:
            raise Stale
        self.counts[account.user.id] += 1
        self.sessions[session.id] = session
        if new_hash is not None:
            self.hashes[account.user.id] = new_hash

    def prune_sessions(self, account: Account, now: datetime) -> None:
        self.calls.append("prune_sessions")
        own = [s for s in self.sessions.values() if s.user_id == account.user.id]
        live = [s for s in sorted(own, key=lambda s: s.created_at) if now < s.expires_at][-(MOST_SESSIONS - 1) :]
        for session in own:
            if session not in live:
                del self.sessions[session.id]
        self.counts[account.user.id] = len(live)

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None:
        standing, session = self.standing_with_session(user_id, session_id)
        if standing is None or session is None:
            return None
        return KeptSession(session=session, standing=standing, user=self.users[user_id])

    def step_session(self, before: Session, after: Session) -> bool:
        try:
            self._write("step_session")
        except Stale:
            return False
        if self.sessions.get(before.id) != before:
            return False
        self.sessions[after.id] = after
        return True

    def end_session(self, user_id: str, session_id: str) -> None:
        self.sessions.pop(session_id, None)

    # credentials

    def find_credential(self, credential_id: str) -> Credential | None:
        return self.credentials.get(credential_id)

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]:
        owners = (None, *self.users) if query.consumer_id is None else (query.consumer_id,)
        found = [c for c in self.credentials.values() if c.consumer_id in owners and query.admits(c)]
        rest = [c for c in sorted(found, key=lambda c: c.id, reverse=True) if after is None or c.id < after]
        return Page([(c.id, c) for c in rest[:first]], rest[first - 1].id if len(rest) > first else None)

    def create_credential(self, credential: Credential, secret_hash: str) -> None:
        self._write("create_credential")
        if credential.key_id in self.used_key_ids:
            raise Conflict("This keyId is taken, or was once.", field="keyId")
        if credential.consumer_id not in self.users or self._active(credential.consumer_id) >= MOST_ACTIVE:
            raise Stale
        self.credentials[credential.id] = credential
        self.secret_hashes[credential.id] = secret_hash
        self.used_key_ids[credential.key_id] = KeyClaim(consumer_id=credential.consumer_id, credential_id=credential.id)

    def update_credential(self, before: Credential, after: Credential) -> None:
        self._write("update_credential")
        if self.credentials.get(before.id) != before:
            raise Stale
        if after.is_active and not before.is_active and self._active(after.consumer_id) >= MOST_ACTIVE:
            raise too_many_active()
        self.credentials[after.id] = after

    def delete_credential(self, credential: Credential) -> None:
        self._write("delete_credential")
        if self.credentials.pop(credential.id, None) != credential:
            raise Stale

    # admission

    def standing_with_session(self, user_id: str, session_id: str) -> tuple[Standing | None, Session | None]:
        self.calls.append("standing_with_session")
        return self._standing(user_id), self.sessions.get(session_id)

    def find_key_claim(self, key_id: str) -> KeyClaim | None:
        self.calls.append("find_key_claim")
        return self.used_key_ids.get(key_id)

    def standing_with_key(self, claim: KeyClaim) -> tuple[Standing | None, StoredKey | None]:
        self.calls.append("standing_with_key")
        credential = self.credentials.get(claim.credential_id)
        stored = (
            None
            if credential is None
            else StoredKey(credential=credential, secret_hash=self.secret_hashes[credential.id])
        )
        return self._standing(claim.consumer_id), stored

    def note_use(self, claim: KeyClaim, now: datetime) -> None:
        self.calls.append("note_use")
        credential = self.credentials[claim.credential_id]
        self.credentials[credential.id] = replace(credential, last_used_at=now)

    def _write(self, name: str) -> None:
        self.calls.append(name)
        if self.stale > 0:
            self.stale -= 1
            raise Stale

    def _standing(self, user_id: str) -> Standing | None:
        user = self.users.get(user_id)
        if user is None:
            return None
        return Standing(
            consumer_id=user.id,
            is_active=user.is_active,
            role=user.role,
            epoch=0,
            generation=self.generations[user.id],
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


def the_settings(**environment: str) -> Settings:
    """Settings as the environment would give them, with those of the tests where nothing else is said."""
    given = {
        "TABLE_NAME": "gatehouse-unit",
        "JWT_SECRET": KEY.decode(),
        "BCRYPT_ROUNDS": "4",
        "SCHEMA_DIRECTORY": str(SCHEMA),
    }
    return Settings.from_environment({**given, **environment})


def the_house(store: MemoryStore, clock: StoppedClock, settings: Settings | None = None) -> Gatehouse:
    """The whole object graph on the store in memory."""
    settings = settings or the_settings()
    policy = PasswordPolicy(settings.password_min_length, settings.password_classes)
    return Gatehouse(
        settings=settings,
        clock=clock,
        accounts=Accounts(store, clock, HASHER, policy, TOKENS, timedelta(seconds=settings.refresh_token_ttl)),
        admission=Admission(store, clock, HASHER, TOKENS),
        consumers=Consumers(store, clock, HASHER, policy),
        credentials=Credentials(store, clock, HASHER, settings.self_service_credentials, settings.allow_chosen_secrets),
        cursors=Cursors(lambda: (KEY,)),
        bootstrap=Bootstrap(store, clock, HASHER, policy),
    )


ROLES = (Role.USER, Role.MODERATOR, Role.ADMIN)
