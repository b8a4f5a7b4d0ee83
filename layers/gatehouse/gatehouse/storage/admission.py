"""What the gate reads at first sight: a gate and what stands behind it, as they were at one moment."""

from gatehouse.accounts.model import Session
from gatehouse.admission.model import Gate, KeyClaim, StoredCredential
from gatehouse.storage import keys
from gatehouse.storage.credential_records import CredentialRecord, KeyClaimRecord, RevokedTokenRecord
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.records import SessionRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import read_at_once, store_faults

# Who asks for a key id that nobody has gets the same reads.
_NOBODY = KeyClaim(
    consumer_id="00000000-0000-7000-8000-000000000000", credential_id="00000000-0000-7000-8000-000000000000"
)


class DynamoAdmission:
    """The store of `admission.lookup`."""

    def find_gate_and_session(self, user_id: str, session_id: str) -> tuple[Gate | None, Session | None]:
        with store_faults():
            gate, session = read_at_once(GateRecord.key(user_id), SessionRecord.key(user_id, session_id))
        return _gate(gate), session.session() if isinstance(session, SessionRecord) else None

    def find_claim(self, key_id: str) -> KeyClaim | None:
        with store_faults():
            try:
                return KeyClaimRecord.get(keys.key_claim(key_id), keys.CLAIM, consistent_read=True).claim()
            except KeyClaimRecord.DoesNotExist:
                return None

    def find_gate_and_credential(self, claim: KeyClaim | None) -> tuple[Gate | None, StoredCredential | None]:
        wanted = claim or _NOBODY
        with store_faults():
            gate, credential = read_at_once(
                GateRecord.key(wanted.consumer_id), CredentialRecord.key(wanted.consumer_id, wanted.credential_id)
            )
        return _gate(gate), _stored(credential)

    def find_gate_and_token(self, claim: KeyClaim, token_id: str) -> tuple[Gate | None, StoredCredential | None, bool]:
        with store_faults():
            gate, credential, revoked = read_at_once(
                GateRecord.key(claim.consumer_id),
                CredentialRecord.key(claim.consumer_id, claim.credential_id),
                RevokedTokenRecord.key(token_id),
            )
        return _gate(gate), _stored(credential), revoked is not None


def _gate(record: Record | None) -> Gate | None:
    return record.gate() if isinstance(record, GateRecord) else None


def _stored(record: Record | None) -> StoredCredential | None:
    return record.stored() if isinstance(record, CredentialRecord) else None
