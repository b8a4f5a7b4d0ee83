"""The provisioner: makes API Gateway's keys agree with what the table says.

It goes by how a consumer stands now and not by what woke it, so that it may be told of a change twice, late or out of
order. The gate uses a consumer's own key only while that is on record. The record is made last and taken back first: an
interruption anywhere leaves a key that nobody uses yet, and never the use of a key that is not there.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from gatehouse.admission.meters import Throttle
from gatehouse.clock import Clock
from gatehouse.consumers.model import Role
from gatehouse.errors import ServiceUnavailable
from gatehouse.persistence import Stale
from gatehouse.plans.model import UsagePlan
from gatehouse.wall.model import OwnKey, own_key, tier_for

SETTLES_WITHIN = timedelta(minutes=5)
"""When API Gateway can be trusted to know a key that was made or moved; nothing tells when it really does."""

_SECONDS_FOR_REQUESTS_UNDER_WAY = 1.0
_ROUNDS = 5


class KeyExists(Exception):
    """There is a key of this value already."""


class NoRoom(Exception):
    """The account has as many keys as API Gateway allows."""


class Outcome(StrEnum):
    """What was done about a consumer's own key."""

    AGREES = "AGREES"
    GIVEN = "GIVEN"
    TAKEN_BACK = "TAKEN_BACK"
    NO_ROOM = "NO_ROOM"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A consumer, as far as its key goes by it: role, plan, whether it ever had a credential, and the key on record."""

    consumer_id: str
    role: Role
    plan_id: str | None
    plan: UsagePlan | None
    has_had_credentials: bool
    own_key: OwnKey | None


@dataclass(frozen=True)
class GatewayKey:
    """A key as API Gateway lists it: without its value."""

    id: str
    name: str
    enabled: bool


class WallStore(Protocol):
    """Where consumers are, and which keys are on record."""

    def find_holder(self, consumer_id: str) -> Holder | None:
        """The consumer as the store has it now; None where it is gone."""

    def holders(self) -> Iterator[Holder]:
        """All who have credentials, active or not; read in pages."""

    def put_on_record(self, holder: Holder, key: OwnKey) -> None:
        """Lets the gate use the key; raises Stale where the holder's role or plan has changed, or it is gone."""

    def take_off_record(self, consumer_id: str) -> None:
        """Makes the gate use no own key of the consumer's, who may be gone."""


class GatewayKeys(Protocol):
    """API Gateway's keys and their tiers. All raise ServiceUnavailable where it does not answer or is busy."""

    def find(self, name: str) -> GatewayKey | None: ...

    def named(self, prefix: str) -> Iterator[GatewayKey]:
        """All keys whose name begins so; read in pages."""

    def members(self, tier: int) -> Iterator[str]:
        """The ids of all keys in the tier; read in pages."""

    def tiers_of(self, key_id: str) -> frozenset[int]: ...

    def make(self, name: str, value: str) -> GatewayKey:
        """A new key, in no tier; raises KeyExists or NoRoom."""

    def delete(self, key_id: str) -> None:
        """Takes it away, out of its tier as well; it may be gone."""

    def join(self, key_id: str, tier: int) -> None: ...

    def leave(self, key_id: str, tier: int) -> None:
        """Takes it out of the tier, where it may not be any more."""


@dataclass(frozen=True, kw_only=True)
class Wall:
    """The use cases of one deployment, which `seed` tells from others. Each raises ServiceUnavailable: to be repeated.

    `throttle` tells what credentials without a plan may ask for.
    """

    store: WallStore
    keys: GatewayKeys
    clock: Clock
    seed: str
    throttle: Callable[[], Throttle]
    sleep: Callable[[float], None] = time.sleep

    @property
    def prefix(self) -> str:
        """What the names of this deployment's own keys begin with."""
        return f"{self.seed}-"

    def tier_of(self, holder: Holder | None) -> int | None:
        """The tier that the consumer's own key belongs in; None where it is to have no key."""
        if holder is None or not holder.has_had_credentials:
            return None
        if holder.plan is not None:
            return tier_for(holder.plan.rate_limit, holder.plan.window_seconds)
        throttle = self.throttle()
        return tier_for(throttle.by_role[holder.role], throttle.window_seconds)

    def provision(self, consumer_id: str) -> Outcome:
        """Sees to the consumer's key; a key on record in the right tier is taken to be there."""
        return self._settle(consumer_id, trusts_record=True)

    def put_right(self, consumer_id: str) -> Outcome:
        """Sees to the consumer's key as API Gateway has it, whatever is on record."""
        return self._settle(consumer_id, trusts_record=False)

    def _settle(self, consumer_id: str, *, trusts_record: bool) -> Outcome:
        """Acts until the consumer stands as it stood when it was acted on: somebody else may be at it too."""
        outcome, acted_for = Outcome.AGREES, None
        for _ in range(_ROUNDS):
            holder = self.store.find_holder(consumer_id)
            tier = self.tier_of(holder)
            if outcome is not Outcome.AGREES and tier == acted_for:
                return outcome
            try:
                latest = self._act(consumer_id, holder, tier, trusts_record)
            except Stale:
                outcome, trusts_record = Outcome.AGREES, False
                continue
            if latest is Outcome.AGREES:
                return outcome
            outcome, acted_for, trusts_record = latest, tier, False
        raise ServiceUnavailable("This consumer is being changed by others. Try again.")

    def _act(self, consumer_id: str, holder: Holder | None, tier: int | None, trusts_record: bool) -> Outcome:
        if holder is None or tier is None:
            return self._take_back(consumer_id, holder)
        if trusts_record and holder.own_key is not None and holder.own_key.tier == tier:
            return Outcome.AGREES
        return self._give(holder, tier)

    def _take_back(self, consumer_id: str, holder: Holder | None) -> Outcome:
        if holder is not None and holder.own_key is not None:
            self.store.take_off_record(consumer_id)
        key = self.keys.find(self._name(consumer_id))
        if key is None:
            return Outcome.AGREES
        self.keys.delete(key.id)
        return Outcome.TAKEN_BACK

    def _give(self, holder: Holder, tier: int) -> Outcome:
        key = self.keys.find(self._name(holder.consumer_id))
        tiers = self.keys.tiers_of(key.id) if key is not None and key.enabled else frozenset()
        if tiers == {tier} and holder.own_key is not None and holder.own_key.tier == tier:
            return Outcome.AGREES
        if tiers != {tier} and holder.own_key is not None:
            self._stop_use(holder.consumer_id)
        if key is not None and not key.enabled:  # somebody switched it off
            self.keys.delete(key.id)
            key = None
        if key is None:
            try:
                key = self._make(holder.consumer_id)
            except NoRoom:
                return Outcome.NO_ROOM
        for other in tiers - {tier}:
            self.keys.leave(key.id, other)
        if tier not in tiers:
            self.keys.join(key.id, tier)
        self.store.put_on_record(holder, OwnKey(tier, self.clock.now() + SETTLES_WITHIN))
        return Outcome.GIVEN

    def _make(self, consumer_id: str) -> GatewayKey:
        name = self._name(consumer_id)
        try:
            return self.keys.make(name, own_key(self.seed, consumer_id))
        except KeyExists as error:
            # A key that was made a moment ago, by a call whose answer was lost, may not be listed yet.
            key = self.keys.find(name)
            if key is None:
                raise ServiceUnavailable("The key is there, and not listed yet. Try again.") from error
            return key

    def _stop_use(self, consumer_id: str) -> None:
        """Makes the gate use no own key any more, and waits for what it has let in with it."""
        self.store.take_off_record(consumer_id)
        self.sleep(_SECONDS_FOR_REQUESTS_UNDER_WAY)

    def _name(self, consumer_id: str) -> str:
        return f"{self.prefix}{consumer_id}"
