"""What can be configured while the system runs: the deployment's values, those set over them, and what is in force."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime

from gatehouse.accounts.admittance import Mode
from gatehouse.consumers.inactivity import FEWEST_DAYS, Days, Rules
from gatehouse.consumers.model import Role


@dataclass(frozen=True, kw_only=True)
class Values:
    """Requests in a window by role, how accounts are opened, and after how many days what is kept or not used goes.

    The names are those of the settings. Of the cleanup's days, 0 to deactivate after leaves consumers of the role
    alone, and 0 to anonymise after leaves what was deactivated as it is.
    """

    throttle_limit: int
    throttle_limit_moderator: int
    throttle_limit_admin: int
    throttle_limit_anonymous: int
    registration_mode: Mode
    allowed_email_domains: frozenset[str]
    audit_retention_days: int
    cleanup_notice_days: int
    cleanup_warn_days: int
    cleanup_deactivate_days: int
    cleanup_anonymise_days: int
    cleanup_warn_days_moderator: int
    cleanup_deactivate_days_moderator: int
    cleanup_anonymise_days_moderator: int

    @property
    def limits(self) -> Mapping[Role, int]:
        """The requests of each role in a window."""
        return {
            Role.USER: self.throttle_limit,
            Role.MODERATOR: self.throttle_limit_moderator,
            Role.ADMIN: self.throttle_limit_admin,
        }

    @property
    def cleanup(self) -> Rules:
        """The days of the cleanup. Where the deployment's do not fit to those set, the later step is put off."""
        by_role = {
            Role.USER: _days(self.cleanup_warn_days, self.cleanup_deactivate_days, self.cleanup_anonymise_days),
            Role.MODERATOR: _days(
                self.cleanup_warn_days_moderator,
                self.cleanup_deactivate_days_moderator,
                self.cleanup_anonymise_days_moderator,
            ),
        }
        return Rules(
            by_role={role: days for role, days in by_role.items() if days is not None},
            notice_days=self.cleanup_notice_days,
        )


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What is set over the deployment's values; None: that is not."""

    throttle_limit: int | None = None
    throttle_limit_moderator: int | None = None
    throttle_limit_admin: int | None = None
    throttle_limit_anonymous: int | None = None
    registration_mode: Mode | None = None
    allowed_email_domains: frozenset[str] | None = None
    audit_retention_days: int | None = None
    cleanup_notice_days: int | None = None
    cleanup_warn_days: int | None = None
    cleanup_deactivate_days: int | None = None
    cleanup_anonymise_days: int | None = None
    cleanup_warn_days_moderator: int | None = None
    cleanup_deactivate_days_moderator: int | None = None
    cleanup_anonymise_days_moderator: int | None = None
    updated_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Effective(Values):
    """What is in force; `overridden` names what does not come from the deployment."""

    overridden: tuple[str, ...] = ()
    updated_at: datetime | None = None
    """When it was last set, by whoever; None: never."""


NAMES = tuple(field.name for field in fields(Values))
"""What can be set."""


def effective(defaults: Values, overrides: Overrides) -> Effective:
    """The deployment's values with the overrides in their place."""
    known = {name: getattr(defaults, name) for name in NAMES}
    over = {name: value for name in NAMES if (value := getattr(overrides, name)) is not None}
    return Effective(**(known | over), overridden=tuple(over), updated_at=overrides.updated_at)


def without_updates(overrides: Overrides) -> Overrides:
    """The overrides alone: two that say the same are equal, whenever they were set."""
    return replace(overrides, updated_at=None, revision=0)


def _days(warn: int, deactivate: int, anonymise: int) -> Days | None:
    if deactivate == 0:
        return None
    deactivate = max(deactivate, warn + 1, FEWEST_DAYS + 1)
    return Days(
        warn=max(warn, FEWEST_DAYS),
        deactivate=deactivate,
        anonymise=max(anonymise, deactivate + 1) if anonymise else None,
    )
