"""Ends of credentials in the table: those that were not told yet stand in an index of their own, by time."""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from gatehouse.audit.model import AuditEvent
from gatehouse.cleanup.model import Ending
from gatehouse.clock import milliseconds
from gatehouse.credentials.model import Credential
from gatehouse.persistence import Page, Stale
from gatehouse.storage import keys
from gatehouse.storage.audit import add_event
from gatehouse.storage.credential_records import CredentialRecord
from gatehouse.storage.table import broke_its_condition, open_table, read_together, store_faults
from gatehouse.storage.transactions import Transaction


class DynamoExpiring:
    """The store of `cleanup.expiring`."""

    def parts(self) -> Sequence[str]:
        return keys.SHARDS

    def page_ending(self, part: str, until: datetime, first: int, after: str | None) -> Page[Ending]:
        with store_faults():
            answer = open_table().query(
                part,
                range_key_condition=Path(["endsAt"]) <= milliseconds(until),
                index_name=keys.CREDENTIALS_BY_END,
                limit=first,
                exclusive_start_key=None if after is None else _start(part, after),
            )
            found = read_together(*(CredentialRecord(entry["PK"]["S"], entry["SK"]["S"]) for entry in answer["Items"]))
        last = answer.get("LastEvaluatedKey")
        entries = [
            (f"{int(record.ends_at)} {record.pk} {record.sk}", _ending(record))
            for record in found
            if isinstance(record, CredentialRecord) and record.ends_at is not None and record.ends_shard is not None
        ]
        return Page(entries, None if last is None else _position(last))

    def tell_end(self, ending: Ending, event: AuditEvent | None = None) -> None:
        credential = ending.credential
        transaction = Transaction()
        transaction.update(
            CredentialRecord.key(credential.consumer_id, credential.id),
            [CredentialRecord.ends_shard.remove(), CredentialRecord.end_told.set(CredentialRecord.ends_at)],
            _as_read(credential),
            otherwise=Stale(),
        )
        add_event(transaction, event)
        transaction.commit()

    def pass_over(self, ending: Ending) -> None:
        credential = ending.credential
        record = CredentialRecord.key(credential.consumer_id, credential.id)
        with store_faults():
            try:
                record.update([CredentialRecord.ends_shard.remove()], _as_read(credential))
            except UpdateError as error:
                if broke_its_condition(error):
                    raise Stale from None
                raise


def _ending(record: CredentialRecord) -> Ending:
    return Ending(credential=record.credential(), is_told=record.end_told == record.ends_at)


def _as_read(credential: Credential) -> Condition:
    """What holds for as long as nobody has seen to it, and its end and whether it is on are as they were."""
    ends_at = None if credential.expires_at is None else milliseconds(credential.expires_at)
    condition: Condition = (
        CredentialRecord.ends_shard.exists()
        & (CredentialRecord.ends_at == ends_at)
        & (CredentialRecord.is_active == credential.is_active)
    )
    return condition


def _position(entry: dict[str, dict[str, str]]) -> str:
    return f"{entry['endsAt']['N']} {entry['PK']['S']} {entry['SK']['S']}"


def _start(part: str, position: str) -> dict[str, dict[str, str]]:
    ends_at, partition, sort = position.split()
    return {"PK": {"S": partition}, "SK": {"S": sort}, "endsShard": {"S": part}, "endsAt": {"N": ends_at}}
