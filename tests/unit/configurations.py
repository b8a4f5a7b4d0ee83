"""A configuration in memory, and the values of a deployment."""

from dataclasses import dataclass, field, replace
from typing import Any

from gatehouse.accounts.admittance import Mode
from gatehouse.audit.model import AuditEvent
from gatehouse.configuration.model import Overrides, Values
from gatehouse.persistence import Stale
from tests.unit.events import Events, KeptEvents

DEFAULTS = Values(
    throttle_limit=10,
    throttle_limit_moderator=100,
    throttle_limit_admin=1_000,
    throttle_limit_anonymous=30,
    registration_mode=Mode.OPEN,
    allowed_email_domains=frozenset(),
    audit_retention_days=365,
    cleanup_notice_days=0,
    cleanup_warn_days=76,
    cleanup_deactivate_days=90,
    cleanup_anonymise_days=0,
    cleanup_warn_days_moderator=76,
    cleanup_deactivate_days_moderator=90,
    cleanup_anonymise_days_moderator=0,
)


@dataclass
class MemoryConfiguration:
    """The store of `configuration.service`. `others` are what others set, each just before one of our writes."""

    kept: Overrides = field(default_factory=Overrides)
    others: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    audit: KeptEvents = field(default_factory=KeptEvents)

    @property
    def events(self) -> Events:
        return self.audit.in_order()

    def find_overrides(self) -> Overrides:
        self.reads += 1
        return self.kept

    def keep_overrides(self, before: Overrides, after: Overrides, event: AuditEvent | None = None) -> None:
        if self.others:
            self.kept = replace(self.kept, **self.others.pop(0), revision=self.kept.revision + 1)
        if self.kept.revision != before.revision:
            raise Stale
        self.kept = after
        self.audit.add(event)
