"""The configuration in the table, as the gate reads it; it imports this at every cold start, and nothing of changes."""

from typing import Any

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.accounts.admittance import Mode
from gatehouse.clock import optional_milliseconds, optional_moment
from gatehouse.configuration.model import NAMES, Overrides
from gatehouse.storage import keys
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults

_NUMBERS = tuple(name for name in NAMES if name not in ("registration_mode", "allowed_email_domains"))


class ConfigurationRecord(Record):
    """The one item of what is set over the deployment's values, which has only that."""

    throttle_limit = NumberAttribute(attr_name="throttleLimit", null=True)
    throttle_limit_moderator = NumberAttribute(attr_name="throttleLimitModerator", null=True)
    throttle_limit_admin = NumberAttribute(attr_name="throttleLimitAdmin", null=True)
    throttle_limit_anonymous = NumberAttribute(attr_name="throttleLimitAnonymous", null=True)
    registration_mode = UnicodeAttribute(attr_name="registrationMode", null=True)
    allowed_email_domains: ListAttribute[Any] = ListAttribute(attr_name="allowedEmailDomains", null=True)
    audit_retention_days = NumberAttribute(attr_name="auditRetentionDays", null=True)
    cleanup_notice_days = NumberAttribute(attr_name="cleanupNoticeDays", null=True)
    cleanup_warn_days = NumberAttribute(attr_name="cleanupWarnDays", null=True)
    cleanup_deactivate_days = NumberAttribute(attr_name="cleanupDeactivateDays", null=True)
    cleanup_anonymise_days = NumberAttribute(attr_name="cleanupAnonymiseDays", null=True)
    cleanup_warn_days_moderator = NumberAttribute(attr_name="cleanupWarnDaysModerator", null=True)
    cleanup_deactivate_days_moderator = NumberAttribute(attr_name="cleanupDeactivateDaysModerator", null=True)
    cleanup_anonymise_days_moderator = NumberAttribute(attr_name="cleanupAnonymiseDaysModerator", null=True)
    updated_at = NumberAttribute(attr_name="updatedAt", null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, overrides: Overrides) -> "ConfigurationRecord":
        domains = overrides.allowed_email_domains
        return cls(
            keys.CONFIGURATION,
            keys.CONFIGURATION_SORT,
            registration_mode=overrides.registration_mode,
            allowed_email_domains=None if domains is None else sorted(domains),
            updated_at=optional_milliseconds(overrides.updated_at),
            revision=overrides.revision,
            **{name: getattr(overrides, name) for name in _NUMBERS},
        )

    def overrides(self) -> Overrides:
        domains = self.allowed_email_domains
        numbers: dict[str, Any] = {name: getattr(self, name) for name in _NUMBERS}
        return Overrides(
            registration_mode=None if self.registration_mode is None else Mode(self.registration_mode),
            allowed_email_domains=None if domains is None else frozenset(domains),
            updated_at=optional_moment(self.updated_at),
            revision=int(self.revision),
            **{name: None if value is None else int(value) for name, value in numbers.items()},
        )


class DynamoConfiguration:
    """What the gate, and whoever else goes by it, asks of the configuration."""

    def find_overrides(self) -> Overrides:
        with store_faults():
            try:
                return ConfigurationRecord.get(
                    keys.CONFIGURATION, keys.CONFIGURATION_SORT, consistent_read=True
                ).overrides()
            except ConfigurationRecord.DoesNotExist:
                return Overrides()
