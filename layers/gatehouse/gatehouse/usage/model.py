"""Usage: what remains now, and what was asked for on which day with which credential."""

from dataclasses import dataclass
from datetime import date

from gatehouse.admission.meters import Allowance
from gatehouse.plans.model import UsagePlan


@dataclass(frozen=True, kw_only=True)
class CredentialName:
    """A credential as usage tells it: its id, and the key id that its client knows."""

    credential_id: str
    key_id: str


@dataclass(frozen=True, kw_only=True)
class CredentialUsage:
    """How often a credential called on a day; without ids, all together that have been deleted since."""

    credential_id: str | None = None
    key_id: str | None = None
    requests: int


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """The requests of one day, in UTC: those of sessions, those of each credential, and all of them."""

    day: date
    requests: int
    sessions: int
    credentials: tuple[CredentialUsage, ...]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a consumer may still ask for, and what it has asked for.

    `sessions` and `credentials` are the two windows; `quota` is that of the plan. Days without a request are left out.
    """

    user_id: str
    plan: UsagePlan | None
    sessions: Allowance
    credentials: Allowance
    quota: Allowance | None
    days: tuple[UsageDay, ...]
