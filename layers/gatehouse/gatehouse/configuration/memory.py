"""The configuration as a function remembers it, so that a request does not read what the one before it read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.clock import Clock
from gatehouse.configuration.model import Effective
from gatehouse.errors import ServiceUnavailable

REMEMBERED_FOR = timedelta(seconds=60)
"""How long what is set may take to be in force."""

ASKED_AGAIN_AFTER = timedelta(seconds=5)
"""How soon a store that did not answer is asked again: not by every request, for each would wait for it."""


@dataclass(frozen=True)
class _Known:
    values: Effective
    since: datetime
    until: datetime


@dataclass
class RememberedConfiguration:
    """Asks `read` what is in force, once a minute; it may raise ServiceUnavailable."""

    read: Callable[[], Effective]
    clock: Clock
    _known: _Known | None = field(default=None, init=False, repr=False)

    def current(self) -> Effective:
        """What was in force at most a minute ago, or, while the store does not answer, when it last did.

        Raises ServiceUnavailable where nothing was read yet: what the deployment says may be more than an ADMIN allows.
        """
        now, known = self.clock.now(), self._known
        if known is not None and known.since <= now < known.until:
            return known.values
        try:
            values, remembered_for = self.read(), REMEMBERED_FOR
        except ServiceUnavailable:
            if known is None:
                raise
            values, remembered_for = known.values, ASKED_AGAIN_AFTER
        self._known = _Known(values, now, now + remembered_for)
        return values
