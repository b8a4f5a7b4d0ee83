"""Usage in the table: a gate's counters and its day, and the days before it, one small item each."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from pynamodb.attributes import MapAttribute, NumberAttribute

from gatehouse.admission.model import Gate
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.persistence import Stale
from gatehouse.storage import keys
from gatehouse.storage.audit import add_event
from gatehouse.storage.consumers import find_user
from gatehouse.storage.credential_records import CredentialRecord
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.plan_changes import USED_BY_CREDENTIALS
from gatehouse.storage.plans import DynamoPlans
from gatehouse.storage.records import ProfileRecord
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Transaction
from gatehouse.usage.days import day_of
from gatehouse.usage.model import CredentialName

_KEPT_DAYS = 400
_SECONDS_OF_A_DAY = 86_400

_USED_BY_SESSIONS = (GateRecord.sessions_ends, GateRecord.sessions_used)


class UsageDayRecord(Record):
    """The requests of a consumer on a day, by the credentials' numbers."""

    requests: MapAttribute[str, Any] = MapAttribute()
    expires = NumberAttribute()  # seconds: the table's TTL attribute


class DynamoUsage(DynamoPlans):
    """The store of `usage.service`."""

    def find_user(self, user_id: str) -> User | None:
        return find_user(user_id)

    def find_credential(self, credential_id: str) -> Credential | None:
        return DynamoCredentials().find_credential(credential_id)

    def find_gate(self, user_id: str) -> Gate | None:
        with store_faults():
            try:
                return GateRecord.get(keys.gate(user_id), keys.GATE, consistent_read=True).gate()
            except GateRecord.DoesNotExist:
                return None

    def find_days(self, user_id: str, first: date, last: date) -> Mapping[date, Mapping[str, int]]:
        between = UsageDayRecord.sk.between(keys.usage_day(first), keys.usage_day(last))
        with store_faults():
            return {
                keys.day_of_usage(record.sk): {user: int(n) for user, n in record.requests.as_dict().items()}
                for record in UsageDayRecord.query(keys.consumer(user_id), between, consistent_read=True)
            }

    def find_names(self, user_id: str, numbers: Collection[str]) -> Mapping[str, CredentialName]:
        """Looks at the consumer's credentials, the newest first, until all of the numbers are found."""
        names: dict[str, CredentialName] = {}
        if not numbers:
            return names
        own = CredentialRecord.sk.startswith(keys.CREDENTIAL_PREFIX)
        with store_faults():
            for record in CredentialRecord.query(
                keys.consumer(user_id), own, consistent_read=True, scan_index_forward=False
            ):
                if (number := str(int(record.number))) in numbers:
                    names[number] = CredentialName(credential_id=keys.credential_id(record.sk), key_id=record.key_id)
                    if len(names) == len(numbers):
                        break
        return names

    def reset_gate(self, user_id: str, event: AuditEvent | None = None) -> None:
        transaction = Transaction()
        transaction.update(
            GateRecord.key(user_id),
            [attribute.remove() for attribute in (*_USED_BY_SESSIONS, *USED_BY_CREDENTIALS)],
            GateRecord.pk.exists(),
            otherwise=Stale(),
        )
        add_event(transaction, event)
        transaction.commit()


class DynamoUsageDays:
    """Where the days go that are over."""

    def keep_day(self, consumer_id: str, day: int, requests: Mapping[str, int]) -> None:
        """Keeps the requests of a day, counted from the epoch; nothing where the consumer is gone. May be repeated."""
        record = UsageDayRecord(
            keys.consumer(consumer_id),
            keys.usage_day(day_of(day)),
            requests=dict(requests),
            expires=(day + _KEPT_DAYS) * _SECONDS_OF_A_DAY,
        )
        transaction = Transaction()
        transaction.check(ProfileRecord.key(consumer_id), ProfileRecord.pk.exists(), otherwise=Stale())
        transaction.put(record)
        with suppress(Stale):
            transaction.commit()
