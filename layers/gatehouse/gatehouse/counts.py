"""What is counted, in the words of the domain: facts for whoever keeps figures, each of few possible values.

Whoever reads the figures pays for every value that a dimension takes. So a dimension's values are of a set that no
caller can add to: root fields of the schema, paths, codes of errors, stages of the cleanup.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

UNKNOWN = "unknown"
"""The operation that requests share of which none is known."""

SEVERAL = "several"
"""The operation of requests with more than one root field."""


class Counted(StrEnum):
    """What there are figures of; the names that alarms and the dashboard use."""

    SIGN_INS = "SignIns"
    FAILED_SIGN_INS = "FailedSignIns"
    LOCKOUTS = "Lockouts"
    TOKEN_REUSES = "TokenReuses"  # noqa: S105 - the name of a figure
    REGISTRATIONS = "Registrations"
    CREDENTIALS_ISSUED = "CredentialsIssued"
    CREDENTIALS_ENDED = "CredentialsEnded"
    ROLE_CHANGES = "RoleChanges"
    PROMOTIONS = "Promotions"
    CONFIGURATION_CHANGES = "ConfigurationChanges"
    LATENCY = "Latency"
    """In milliseconds, by operation; one for each request, so that it tells how many there were too."""
    ERRORS = "Errors"
    """By code."""
    REFUSED = "Refused"
    """Who was not let in, or not let do it."""
    THROTTLED = "Throttled"
    CLEANUP_RUNS = "CleanupRuns"
    """Runs that came to an end, for the time limit's sake too."""
    CLEANUP_FAILURES = "CleanupFailures"
    """Accounts that a run could not see to."""
    CLEANED_UP = "CleanedUp"
    """Accounts, by what was done."""

    @property
    def dimension(self) -> str | None:
        """What its facts are told apart by, beside their sum."""
        return _DIMENSIONS.get(self)

    @property
    def is_time(self) -> bool:
        """Whether its values are milliseconds, and not numbers of something."""
        return self is Counted.LATENCY


_DIMENSIONS: Mapping[Counted, str] = {
    Counted.LATENCY: "operation",
    Counted.ERRORS: "code",
    Counted.CLEANED_UP: "outcome",
}


@dataclass(frozen=True)
class Fact:
    """So much of something; `by` is its value in the dimension, and is there exactly where there is one."""

    what: Counted
    value: float = 1
    by: str | None = None

    def __post_init__(self) -> None:
        if (self.by is None) != (self.what.dimension is None):
            raise ValueError(f"{self.what} is told apart by {self.what.dimension}.")


class Counts(Protocol):
    """Where figures are kept."""

    def add(self, facts: Sequence[Fact]) -> None:
        """Counts them; never fails for what is in them."""


def operation(fields: Collection[str], known: Collection[str]) -> str:
    """The operation that a request with these root fields is counted as."""
    if len(fields) > 1 and all(name in known for name in fields):
        return SEVERAL
    return next((name for name in fields if len(fields) == 1 and name in known), UNKNOWN)
