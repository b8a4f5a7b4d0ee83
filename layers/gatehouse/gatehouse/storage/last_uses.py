"""When a session or a credential was last used, in the table: of its present secret, and of the one before it."""

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from gatehouse.clock import milliseconds
from gatehouse.storage.credential_records import CredentialRecord
from gatehouse.storage.records import SessionRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import broke_its_condition, store_faults

# An hour, but for what is lost where the stream tells times to the second.
_AT_MOST_EVERY = timedelta(hours=1) - timedelta(seconds=5)


class DynamoLastUses:
    """Notes uses, forward in time only and about once an hour."""

    def note_use(self, consumer_id: str, credential_id: str, version: int, at: datetime) -> None:
        """The secret of that version was used; nothing where the credential is gone, or that secret is."""
        record = CredentialRecord.key(consumer_id, credential_id)
        for secret, attribute in (
            (CredentialRecord.version == version, CredentialRecord.last_used_at),
            (CredentialRecord.version == version + 1, CredentialRecord.previous_last_used_at),
        ):
            if _note(record, secret, attribute, at):
                return

    def note_session_use(self, consumer_id: str, session_id: str, at: datetime) -> None:
        """The session was used; nothing where it is gone."""
        _note(SessionRecord.key(consumer_id, session_id), SessionRecord.pk.exists(), SessionRecord.used_at, at)


def _note(record: Record, secret: Condition, attribute: NumberAttribute, at: datetime) -> bool:
    due = attribute.does_not_exist() | (attribute <= milliseconds(at - _AT_MOST_EVERY))
    with store_faults():
        try:
            record.update([attribute.set(milliseconds(at))], secret & due)
        except UpdateError as error:
            if broke_its_condition(error):
                return False
            raise
    return True
