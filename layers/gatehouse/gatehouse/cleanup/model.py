"""What the sweep finds, what it does about it, and what it tells in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gatehouse.consumers.inactivity import Activity, Stage
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential
from gatehouse.mail.model import Mail


@dataclass(frozen=True)
class Place:
    """Where the sweep looks: at a stage of a role, and there at one of the parts that it is spread over."""

    role: Role
    stage: Stage
    part: str


@dataclass(frozen=True, kw_only=True)
class Dormant:
    """A consumer that may be due, as it is now. `activity` is what the sweep finds it by.

    A sign-in writes the profile alone, so that the gate is not kept busy: `signed_in_at` may be later.
    """

    user: User
    activity: Activity
    signed_in_at: datetime | None = None

    def back(self) -> "Dormant | None":
        """The same with the sign-in as its last activity, where there was one since; else None."""
        if not self.user.is_active or self.signed_in_at is None or self.signed_in_at <= self.activity.active_at:
            return None
        return replace(self, activity=Activity(active_at=self.signed_in_at))


@dataclass(frozen=True, kw_only=True)
class Step:
    """A consumer goes from one stage into the next: `after` is the user then, `notice` what its mailbox is told."""

    before: Dormant
    after: User
    stage: Stage
    at: datetime
    notice: Mail | None = None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A credential whose end comes soon, as it is now; `is_told` is of the very end that it has now."""

    credential: Credential
    is_told: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run did, or in a dry run would have done.

    Of those `considered`, the `skipped` are not due: they came back, or were told too lately, or another run had
    them first. `expiring` are the credentials whose end was told, and `events_dropped` the events of the audit that
    were too old. The `failed` are in the log, and are tried again by the next run. `went_on` tells that time ran out:
    the next run goes on.
    """

    considered: int = 0
    warned: int = 0
    deactivated: int = 0
    anonymised: int = 0
    skipped: int = 0
    expiring: int = 0
    events_dropped: int = 0
    failed: int = 0
    went_on: bool = False
    dry_run: bool = False

    @property
    def did_something(self) -> bool:
        """Whether there is anything that was not so before."""
        done = (self.warned, self.deactivated, self.anonymised, self.expiring, self.events_dropped)
        return not self.dry_run and any(done)

    def as_json(self) -> Mapping[str, int | bool]:
        """The report in the words of logs and answers."""
        return {
            "considered": self.considered,
            "warned": self.warned,
            "deactivated": self.deactivated,
            "anonymised": self.anonymised,
            "skipped": self.skipped,
            "expiring": self.expiring,
            "eventsDropped": self.events_dropped,
            "failed": self.failed,
            "wentOn": self.went_on,
            "dryRun": self.dry_run,
        }
