"""Changes of the configuration in the table."""

from pynamodb.expressions.condition import Condition

from gatehouse.audit.model import AuditEvent
from gatehouse.configuration.model import Overrides
from gatehouse.persistence import Stale
from gatehouse.storage.audit import add_event
from gatehouse.storage.configuration import ConfigurationRecord, DynamoConfiguration
from gatehouse.storage.transactions import Transaction


class DynamoConfigurationChanges(DynamoConfiguration):
    """The store of `configuration.service`."""

    def keep_overrides(self, before: Overrides, after: Overrides, event: AuditEvent | None = None) -> None:
        is_as_read: Condition = ConfigurationRecord.revision == before.revision
        if before.revision == 0:
            is_as_read = ConfigurationRecord.pk.does_not_exist()
        transaction = Transaction()
        transaction.put(ConfigurationRecord.of(after), is_as_read, otherwise=Stale())
        add_event(transaction, event)
        transaction.commit()
