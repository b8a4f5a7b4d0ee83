"""What the gate reads: one batch of strongly consistent reads a request, after a key id was looked up."""

from datetime import datetime

from pynamodb.exceptions import UpdateError

from gatehouse.accounts.model import Session
from gatehouse.admission.model import KeyClaim, StoredKey
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Standing
from gatehouse.storage import keys
from gatehouse.storage.records import CredentialRecord, GateRecord, KeyClaimRecord, SessionRecord
from gatehouse.storage.table import broke_its_condition, read_together, store_faults


class DynamoAdmission:
    """The store of `admission.service`."""

    def standing_with_session(self, user_id: str, session_id: str) -> tuple[Standing | None, Session | None]:
        with store_faults():
            gate, session = read_together(GateRecord.key(user_id), SessionRecord.key(user_id, session_id))
        return (
            gate.standing() if isinstance(gate, GateRecord) else None,
            session.session() if isinstance(session, SessionRecord) else None,
        )

    def find_key_claim(self, key_id: str) -> KeyClaim | None:
        with store_faults():
            try:
                return KeyClaimRecord.get(keys.key_claim(key_id), keys.CLAIM, consistent_read=True).claim()
            except KeyClaimRecord.DoesNotExist:
                return None

    def standing_with_key(self, claim: KeyClaim) -> tuple[Standing | None, StoredKey | None]:
        with store_faults():
            gate, credential = read_together(
                GateRecord.key(claim.consumer_id), CredentialRecord.key(claim.consumer_id, claim.credential_id)
            )
        return (
            gate.standing() if isinstance(gate, GateRecord) else None,
            StoredKey(credential=credential.credential(), secret_hash=credential.secret_hash)
            if isinstance(credential, CredentialRecord)
            else None,
        )

    def note_use(self, claim: KeyClaim, now: datetime) -> None:
        record = CredentialRecord.key(claim.consumer_id, claim.credential_id)
        with store_faults():
            try:
                record.update([CredentialRecord.last_used_at.set(milliseconds(now))], CredentialRecord.pk.exists())
            except UpdateError as error:
                if not broke_its_condition(error):
                    raise
