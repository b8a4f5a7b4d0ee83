"""The credentials of one account, all of them at once: told in a mail, switched off, or removed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from gatehouse.audit import told
from gatehouse.audit.acting import Who
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import DeactivatedBy
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.errors import ServiceUnavailable
from gatehouse.permissions import Maker
from gatehouse.persistence import Page, Stale

_PAGE = 100
_ROUNDS = 10  # of a page each: a consumer keeps at most 500 credentials


class ProgramStore(Protocol):
    """Where credentials are kept; changing one raises Stale where it is not as it was."""

    def page_credentials(self, query: CredentialQuery, first: int, after: str | None) -> Page[Credential]: ...

    def update_credential(
        self, before: Credential, after: Credential, maker: Maker | None, event: AuditEvent
    ) -> None: ...

    def delete_credential(self, credential: Credential, event: AuditEvent) -> None: ...


@dataclass(frozen=True)
class Programs:
    """What happens to all credentials of an account; each of them has its event, by `who`."""

    store: ProgramStore
    recorder: Recorder

    def live(self, user_id: str, now: datetime) -> list[Credential]:
        """Those that still sign in, the newest first."""
        return [credential for credential in self._all(user_id) if credential.is_in_force(now)]

    def remove(self, user_id: str, who: Who) -> None:
        """Ends all for good; may be interrupted and begun again. Raises ServiceUnavailable where others make more."""
        for _ in range(_ROUNDS):
            found = self._page(user_id, None).entries
            if not found:
                return
            for _, credential in found:
                event = self.recorder.of_credential(
                    AuditAction.CREDENTIAL_DELETED, who, credential, before=told.credential(credential)
                )
                try:
                    self.store.delete_credential(credential, event)
                except Stale:
                    continue  # it comes up again, if it is still there
        raise _changing()

    def switch_off(self, user_id: str, who: Who, now: datetime) -> None:
        """Switches off all that are on, as their owner would; raises ServiceUnavailable as above."""
        for _ in range(_ROUNDS):
            live = [credential for credential in self._all(user_id) if credential.is_active]
            if not live:
                return
            for credential in live:
                off = replace(
                    credential,
                    is_active=False,
                    disabled_by=DeactivatedBy.OWNER,
                    updated_at=now,
                    revision=credential.revision + 1,
                )
                changes = told.credential(credential), told.credential(off)
                event = self.recorder.of_credential(AuditAction.CREDENTIAL_UPDATED, who, off, *changes)
                try:
                    self.store.update_credential(credential, off, None, event)
                except Stale:
                    continue
        raise _changing()

    def _all(self, user_id: str) -> Iterator[Credential]:
        page = self._page(user_id, None)
        yield from (credential for _, credential in page.entries)
        while page.next_position is not None:
            page = self._page(user_id, page.next_position)
            yield from (credential for _, credential in page.entries)

    def _page(self, user_id: str, after: str | None) -> Page[Credential]:
        return self.store.page_credentials(CredentialQuery(consumer_id=user_id), _PAGE, after)


def _changing() -> ServiceUnavailable:
    return ServiceUnavailable("The credentials of this account are being changed by others. Try again.")
