"""The sessions of a person, looked at and ended by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from gatehouse.accounts.changes import AccountFinder
from gatehouse.accounts.model import Account, KeptSession, Session
from gatehouse.accounts.programs import Programs
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, AuditEvent, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.errors import NotFound, ServiceUnavailable, Unauthenticated
from gatehouse.ids import parse_id
from gatehouse.mail.model import Mail
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

_ATTEMPTS = 5


class SessionStore(Protocol):
    """Where sessions are kept."""

    def find_session(self, user_id: str, session_id: str) -> KeptSession | None: ...

    def sessions_of(self, user_id: str) -> Sequence[Session]:
        """Every session that is kept of the user, the oldest first; some may have ended."""

    def end_session(self, user_id: str, session_id: str, notice: Mail | None, event: AuditEvent) -> bool:
        """Ends the session; False, and no notice, where it had ended. Counts on the next request."""

    def end_sessions(self, user_id: str, event: AuditEvent, *, without_programs: bool = False) -> None:
        """Ends all sessions of the user; counts on the next request.

        Raises Stale where no credential is to be on, and one is.
        """


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """The use cases. A session that is not used for `idle` has ended."""

    store: SessionStore
    finder: AccountFinder
    programs: Programs
    recorder: Recorder
    clock: Clock
    idle: timedelta

    def list(self, caller: Caller) -> list[Session]:
        """The caller's live sessions, the one used last first."""
        require(caller, Action.READ_SESSIONS)
        user_id = caller.consumer_id or ""
        account = self.finder.find_account_of(user_id)
        kept = self.store.sessions_of(user_id)
        live = [session for session in kept if account is not None and self._is_live(session, account)]
        return sorted(live, key=lambda session: (session.used_at, session.id), reverse=True)

    def revoke(self, caller: Caller, session_id: str) -> Session:
        """The caller's session that has ended; raises NotFound."""
        require(caller, Action.END_SESSION)
        user_id, known = caller.consumer_id or "", parse_id(session_id)
        found = None if known is None else self.store.find_session(user_id, known)
        if found is None or not found.session.is_in_force(found.standing, self.clock.now(), self.idle):
            raise _no_such_session()
        target = Target(TargetType.SESSION, found.session.id)
        event = self.recorder.event(
            AuditAction.SESSION_REVOKED, acting.caller(caller), subject_id=user_id, target=target
        )
        if not self.store.end_session(user_id, found.session.id, None, event):
            raise _no_such_session()
        return found.session

    def revoke_all(self, caller: Caller, *, include_credentials: bool) -> None:
        """Ends all sessions of the caller, this one too, and first, where asked to, switches off their credentials."""
        require(caller, Action.END_SESSION)
        user_id = caller.consumer_id or ""
        event = self.recorder.event(
            AuditAction.SESSIONS_REVOKED,
            acting.caller(caller),
            subject_id=user_id,
            after={"includeCredentials": include_credentials},
        )
        if not include_credentials:
            self.store.end_sessions(user_id, event)
            return
        for _ in range(_ATTEMPTS):
            self.programs.switch_off(user_id, acting.caller(caller), self.clock.now())
            try:
                self.store.end_sessions(user_id, event, without_programs=True)
            except Stale:
                if self.finder.find_account_of(user_id) is None:
                    raise Unauthenticated("The account is gone.") from None
                continue  # another was made by one of these sessions
            return
        raise ServiceUnavailable("Credentials are being made by others. Try again.")

    def _is_live(self, session: Session, account: Account) -> bool:
        return session.generation == account.generation and self.clock.now() < session.ends_at(self.idle)


def _no_such_session() -> NotFound:
    return NotFound("There is no such session.")
