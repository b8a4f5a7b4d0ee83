"""Ends of credentials without a table: which are to be told, which were, and a store that fails when told to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gatehouse.audit.model import AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.expiring import Expiring
from gatehouse.cleanup.model import Ending, Report
from gatehouse.clock import Clock, milliseconds
from gatehouse.consumers.model import Role
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.persistence import Page, Stale
from tests.unit.fakes import START


@dataclass
class MemoryEndings:
    """The port `cleanup.expiring.EndingStore`, and what owners do meanwhile.

    `waiting` are those whose end was not seen to; `before` and `after` are told the name of each call, and may raise.
    """

    credentials: dict[str, Credential] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    told: dict[str, datetime | None] = field(default_factory=dict)
    events: list[AuditEvent] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None

    def keep(self, credential: Credential) -> Credential:
        """Keeps it, made or changed."""
        self.credentials[credential.id] = credential
        is_waiting = credential.is_active and credential.expires_at is not None
        (self.waiting.add if is_waiting else self.waiting.discard)(credential.id)
        return credential

    def parts(self) -> Sequence[str]:
        return ("0", "1")

    def page_ending(self, part: str, until: datetime, first: int, after: str | None) -> Page[Ending]:
        self._begin("page_ending")
        found = []
        for credential_id in self.waiting:
            credential = self.credentials[credential_id]
            ends_at = credential.expires_at
            if "01"[int(credential_id[-1], 16) % 2] == part and ends_at is not None and ends_at <= until:
                is_told = self.told.get(credential_id) == ends_at
                position = f"{milliseconds(ends_at):015} {credential_id}"
                found.append((position, Ending(credential=credential, is_told=is_told)))
        found = sorted((entry for entry in found if after is None or entry[0] > after), key=lambda entry: entry[0])
        self.after("page_ending")
        return Page(found[:first], found[first - 1][0] if len(found) > first else None)

    def tell_end(self, ending: Ending, event: AuditEvent | None = None) -> None:
        self._begin("tell_end")
        self._leave(ending)
        self.told[ending.credential.id] = ending.credential.expires_at
        if event is not None:
            self.events.append(event)
        self.after("tell_end")

    def pass_over(self, ending: Ending) -> None:
        self._begin("pass_over")
        self._leave(ending)
        self.after("pass_over")

    def _leave(self, ending: Ending) -> None:
        seen = ending.credential
        now = self.credentials.get(seen.id)
        if now is None or seen.id not in self.waiting:
            raise Stale
        if (now.expires_at, now.is_active) != (seen.expires_at, seen.is_active):
            raise Stale
        self.waiting.remove(seen.id)

    def _begin(self, name: str) -> None:
        self.before(name)
        self.calls.append(name)


def ending_in(number: int, left: timedelta | None, **changes: Any) -> Credential:
    """A credential that ends so long after START; None: never."""
    known: dict[str, Any] = {
        "id": f"00000000-0000-7000-8000-{number:012x}",
        "consumer_id": "00000000-0000-7000-8000-0000000000aa",
        "type": CredentialType.JWT,
        "key_id": f"key-{number}",
        "number": number,
        "role": Role.USER,
        "label": None,
        "scopes": None,
        "expires_at": None if left is None else START + left,
        "created_at": START,
        "updated_at": START,
    }
    return Credential(**known | changes)


def tell(store: MemoryEndings, clock: Clock, *, dry_run: bool = False, seconds: float = 900.0) -> Report:
    """The report of a run."""
    return Expiring(store, clock, Recorder(clock)).run(lambda: seconds, dry_run=dry_run)
