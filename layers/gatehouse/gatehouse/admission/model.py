"""What the gate looks at and answers with: a consumer's gate, a credential with its hashes, who was admitted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatehouse.admission.meters import Allowance, Count, Meter, Step
from gatehouse.consumers.model import Role, Standing
from gatehouse.credentials.model import Credential
from gatehouse.permissions import Caller
from gatehouse.wall.model import OwnKey


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A consumer's gate as the store had it: standing, counters, and the requests of `day` (days since the epoch)."""

    standing: Standing
    counts: Mapping[Meter, Count]
    day: int | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    own_key: OwnKey | None = None
    quota_told: str | None = None
    """The quota of which it was told last that it is nearly spent, as `meters.quota_to_tell` has it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a request writes at a gate: a step of each counter, and `cost` more for its `user` on that day.

    `now` is in milliseconds. `note` is what the stream is to see to; `plan_id` is the plan that must still be assigned.
    `role` is the consumer's at the entry's epoch: the day's first is activity, which the cleanup looks for by role.
    `tells_quota` is the quota that the entry tells to be nearly spent, as `meters.quota_to_tell` has it.
    """

    now: int
    steps: tuple[Step, ...]
    user: str
    cost: int
    day: int
    turns_day: bool
    note: str | None = None
    plan_id: str | None = None
    role: Role | None = None
    tells_quota: str | None = None


class NotEntered(Exception):
    """The gate is not as the entry took it to be: it is as told, or gone."""

    def __init__(self, gate: Gate | None) -> None:
        super().__init__()
        self.gate = gate


class AddressNotEntered(Exception):
    """The same for an address, of which there are only counters."""

    def __init__(self, counts: Mapping[Meter, Count]) -> None:
        super().__init__()
        self.counts = counts


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """Which credential of which consumer a key id belongs to, for ever."""

    consumer_id: str
    credential_id: str


@dataclass(frozen=True, kw_only=True)
class StoredCredential:
    """A credential, with the hashes of its present secret and of the one before it."""

    credential: Credential
    secret_hash: str | None = field(repr=False)
    previous_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """Who is calling, and what they may still ask for; where `allowance` is spent, not even this.

    `gateway_key` is the value of the API Gateway key that the request counts under.
    """

    caller: Caller
    allowance: Allowance
    gateway_key: str = field(repr=False)
    plan_id: str | None = None
    credential: Credential | None = None
    version: int | None = None
