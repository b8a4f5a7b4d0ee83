"""What can be configured while the system runs, as each part goes by it; imported where it is made."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gatehouse.clock import Clock
from gatehouse.errors import BadRequest
from gatehouse.settings import InvalidSetting, Settings

if TYPE_CHECKING:
    from gatehouse.accounts.admittance import Admittance
    from gatehouse.admission.meters import Throttle
    from gatehouse.configuration.memory import RememberedConfiguration
    from gatehouse.configuration.model import Effective, Values
    from gatehouse.consumers.inactivity import Rules

type Current = Callable[[], Values]
"""Tells the configuration that is in force; it may raise ServiceUnavailable."""


def deployed(settings: Settings) -> "Values":
    """What the deployment says."""
    from gatehouse.accounts.admittance import Mode
    from gatehouse.configuration.model import NAMES, Values

    told = {name: getattr(settings, name) for name in NAMES}
    return Values(**(told | {"registration_mode": Mode(settings.registration_mode)}))


def read(settings: Settings) -> "Callable[[], Effective]":
    """What reads the table that is connected: for work that is not undone, and goes by no memory."""
    from gatehouse.configuration.model import effective
    from gatehouse.storage.configuration import DynamoConfiguration

    store, defaults = DynamoConfiguration(), deployed(settings)
    return lambda: effective(defaults, store.find_overrides())


def remembered(settings: Settings, clock: Clock) -> "RememberedConfiguration":
    """What requests go by."""
    from gatehouse.configuration.memory import RememberedConfiguration

    return RememberedConfiguration(read(settings), clock)


def throttle(settings: Settings, current: Current) -> "Callable[[], Throttle]":
    """How much each role, and each address without a name, may ask for."""
    from gatehouse.admission.meters import Throttle

    def in_force() -> Throttle:
        values = current()
        return Throttle(
            window_seconds=settings.throttle_ttl, by_role=values.limits, anonymous=values.throttle_limit_anonymous
        )

    return in_force


def admittance(current: Current) -> "Callable[[], Admittance]":
    """How accounts are opened."""
    from gatehouse.accounts.admittance import Admittance

    def in_force() -> Admittance:
        values = current()
        return Admittance(values.registration_mode, values.allowed_email_domains)

    return in_force


def cleanup_rules(settings: Settings) -> "Callable[[], Rules]":
    """The days of each role; raises InvalidSetting where the deployment's contradict one another."""
    from gatehouse.configuration.fields import check_days
    from gatehouse.configuration.model import NAMES

    try:
        check_days(deployed(settings), NAMES)
    except BadRequest as error:
        raise InvalidSetting(f"CLEANUP_*_DAYS: {error.message}") from None
    current = read(settings)
    return lambda: current().cleanup


def retention_days(settings: Settings) -> Callable[[], int]:
    """How long events of the audit are kept."""
    current = read(settings)
    return lambda: current().audit_retention_days
