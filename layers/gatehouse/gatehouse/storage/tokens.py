"""Tokens in the table: which were taken back, and what else decides whether one still counts."""

from datetime import datetime

from gatehouse.audit.model import AuditEvent
from gatehouse.credentials.clients import Circumstances
from gatehouse.persistence import Stale
from gatehouse.storage.audit import add_event
from gatehouse.storage.credential_records import CredentialRecord, RevokedTokenRecord
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.table import read_together, store_faults
from gatehouse.storage.transactions import Transaction


class DynamoTokens:
    """The store of `credentials.clients`."""

    def circumstances(self, consumer_id: str, credential_id: str, token_id: str) -> Circumstances:
        with store_faults():
            profile, credential, revoked = read_together(
                ProfileRecord.key(consumer_id),
                CredentialRecord.key(consumer_id, credential_id),
                RevokedTokenRecord.key(token_id),
            )
        return Circumstances(
            owner=profile.user() if isinstance(profile, ProfileRecord) else None,
            credential=credential.credential() if isinstance(credential, CredentialRecord) else None,
            is_revoked=revoked is not None,
        )

    def revoke_token(
        self, consumer_id: str, token_id: str, expires_at: datetime, event: AuditEvent | None = None
    ) -> None:
        transaction = Transaction()
        transaction.put(
            RevokedTokenRecord.of(token_id, expires_at), RevokedTokenRecord.pk.does_not_exist(), otherwise=Stale()
        )
        transaction.update(
            GateRecord.key(consumer_id), [GateRecord.epoch.add(1)], GateRecord.pk.exists(), otherwise=Stale()
        )
        add_event(transaction, event)
        transaction.commit()
