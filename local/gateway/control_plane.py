"""API Gateway's control plane, as far as keys and usage plans go: in memory, and as strict as AWS.

It stands where botocore's client for `apigateway` would, with the same methods, arguments, answers and errors. What is
made is listed at once, and works only some time later.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import count
from threading import RLock
from typing import Any, Concatenate

from botocore.exceptions import ClientError

from gatehouse.clock import Clock

SETTLES_AFTER = timedelta(seconds=60)
"""How long a key is unknown at the API after it was made or moved. AWS promises nothing; minutes were reported."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SHORTEST, _LONGEST = 20, 128
_MOST_KEYS = 10_000
_MOST_PLANS_OF_A_KEY = 10
_CREATIONS_PER_SECOND = 5
_PAGE, _LARGEST_PAGE = 25, 500
_STATUS = {
    "BadRequestException": 400,
    "NotFoundException": 404,
    "ConflictException": 409,
    "LimitExceededException": 429,
    "TooManyRequestsException": 429,
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A usage plan: the stages it is for, each by API and name, requests a second and at once, and a quota."""

    id: str
    name: str
    stages: frozenset[tuple[str, str]]
    rate: float | None = None
    burst: int | None = None
    quota: int | None = None
    period: str | None = None


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key, and from when on it works."""

    id: str
    name: str
    value: str = field(repr=False)
    enabled: bool
    tags: Mapping[str, str]
    works_from: datetime


class Refused(ClientError):
    """The error that botocore raises for a refusal of API Gateway's."""

    def __init__(self, code: str, message: str, operation: str) -> None:
        response: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": _STATUS[code]},
        }
        super().__init__(response, operation)


def _alone[**P, R](method: "Callable[Concatenate[ControlPlane, P], R]") -> "Callable[Concatenate[ControlPlane, P], R]":
    """One call at a time."""

    @wraps(method)
    def alone(plane: "ControlPlane", /, *arguments: P.args, **keywords: P.kwargs) -> R:
        with plane.lock:
            return method(plane, *arguments, **keywords)

    return alone


class ControlPlane:
    """One account's keys, and the plans of one stack. Safe for threads.

    `creations_per_second` None sets no pace, `settles_after` zero makes everything work at once.
    """

    def __init__(
        self,
        clock: Clock,
        plans: Iterable[Plan],
        *,
        settles_after: timedelta = SETTLES_AFTER,
        creations_per_second: int | None = _CREATIONS_PER_SECOND,
        most_keys: int = _MOST_KEYS,
    ) -> None:
        self.lock = RLock()
        self.settles_after = settles_after
        self.creations_per_second = creations_per_second
        self._clock = clock
        self._most_keys = most_keys
        self._plans = {plan.id: plan for plan in plans}
        self._keys: dict[str, Key] = {}
        self._ids: dict[str, str] = {}
        self._members: dict[str, dict[str, datetime]] = {plan_id: {} for plan_id in self._plans}
        self._creations: deque[datetime] = deque()
        self._numbers = count(1)

    @_alone
    def add_of_stack(self, name: str, value: str, plan_ids: Iterable[str]) -> None:
        """A key that a stack made with its plans, long enough ago to work."""
        key = self._add(name, value, enabled=True, tags={}, works_from=_LONG_AGO)
        for plan_id in plan_ids:
            self._members[plan_id][key.id] = _LONG_AGO

    @_alone
    def in_force(self, value: str, stage: tuple[str, str]) -> tuple[Key, Plan] | None:
        """The key of this value and its plan for the stage; None where there is none, or none that works by now."""
        now = self._clock.now()
        key = self._keys.get(self._ids.get(value, ""))
        if key is None or not key.enabled or key.works_from > now:
            return None
        for plan in self._plans.values():
            since = self._members[plan.id].get(key.id)
            if stage in plan.stages and since is not None and since <= now:
                return key, plan
        return None

    # The client's operations, which have botocore's names and arguments

    @_alone
    def create_api_key(
        self, *, name: str, value: str, enabled: bool = False, tags: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        operation = "CreateApiKey"
        self._keep_pace(operation)
        if not _SHORTEST <= len(value) <= _LONGEST:
            message = f"API Key value should be between {_SHORTEST} and {_LONGEST} characters"
            raise Refused("BadRequestException", message, operation)
        if value in self._ids:
            raise Refused("ConflictException", "API Key already exists", operation)
        if len(self._keys) >= self._most_keys:
            raise Refused("LimitExceededException", "Maximum number of API keys reached", operation)
        key = self._add(name, value, enabled=enabled, tags=tags or {}, works_from=self._later())
        return {**_told(key), "value": value}

    @_alone
    def get_api_keys(self, *, nameQuery: str = "", limit: int = _PAGE, position: str | None = None) -> dict[str, Any]:
        found = [_told(key) for key in self._keys.values() if key.name.startswith(nameQuery)]
        return _page(found, limit, position, "GetApiKeys")

    @_alone
    def delete_api_key(self, *, apiKey: str) -> None:
        self._key(apiKey, "DeleteApiKey")
        del self._ids[self._keys.pop(apiKey).value]
        for members in self._members.values():
            members.pop(apiKey, None)

    @_alone
    def get_usage_plans(
        self, *, keyId: str | None = None, limit: int = _PAGE, position: str | None = None
    ) -> dict[str, Any]:
        operation = "GetUsagePlans"
        if keyId is not None:
            self._key(keyId, operation)
        found = [
            {"id": plan.id, "name": plan.name}
            for plan in self._plans.values()
            if keyId is None or keyId in self._members[plan.id]
        ]
        return _page(found, limit, position, operation)

    @_alone
    def get_usage_plan_keys(
        self, *, usagePlanId: str, limit: int = _PAGE, position: str | None = None
    ) -> dict[str, Any]:
        operation = "GetUsagePlanKeys"
        members = self._members[self._plan(usagePlanId, operation).id]
        found = [{"id": key_id, "type": "API_KEY", "name": self._keys[key_id].name} for key_id in members]
        return _page(found, limit, position, operation)

    @_alone
    def create_usage_plan_key(self, *, usagePlanId: str, keyId: str, keyType: str) -> dict[str, Any]:
        operation = "CreateUsagePlanKey"
        plan, key = self._plan(usagePlanId, operation), self._key(keyId, operation)
        if keyType != "API_KEY":
            raise Refused("BadRequestException", "Invalid key type", operation)
        others = [self._plans[plan_id] for plan_id, members in self._members.items() if key.id in members]
        if plan in others:
            raise Refused("ConflictException", "The key is in this usage plan already", operation)
        if any(plan.stages & other.stages for other in others):
            raise Refused("ConflictException", "The key is in another usage plan for the same stage", operation)
        if len(others) >= _MOST_PLANS_OF_A_KEY:
            raise Refused("LimitExceededException", "The key is in as many usage plans as it may be", operation)
        self._members[plan.id][key.id] = self._later()
        return {"id": key.id, "type": keyType, "name": key.name, "value": key.value}

    @_alone
    def delete_usage_plan_key(self, *, usagePlanId: str, keyId: str) -> None:
        operation = "DeleteUsagePlanKey"
        members = self._members[self._plan(usagePlanId, operation).id]
        if keyId not in members:
            raise Refused("NotFoundException", "Invalid Usage Plan Key identifier specified", operation)
        del members[keyId]

    def _add(self, name: str, value: str, *, enabled: bool, tags: Mapping[str, str], works_from: datetime) -> Key:
        key_id = f"key{next(self._numbers):07}"
        key = Key(id=key_id, name=name, value=value, enabled=enabled, tags=dict(tags), works_from=works_from)
        self._keys[key_id] = key
        self._ids[value] = key_id
        return key

    def _keep_pace(self, operation: str) -> None:
        if self.creations_per_second is None:
            return
        now = self._clock.now()
        while self._creations and now - self._creations[0] >= timedelta(seconds=1):
            self._creations.popleft()
        if len(self._creations) >= self.creations_per_second:
            raise Refused("TooManyRequestsException", "Too Many Requests", operation)
        self._creations.append(now)

    def _later(self) -> datetime:
        return self._clock.now() + self.settles_after

    def _key(self, key_id: str, operation: str) -> Key:
        if key_id not in self._keys:
            raise Refused("NotFoundException", "Invalid API Key identifier specified", operation)
        return self._keys[key_id]

    def _plan(self, plan_id: str, operation: str) -> Plan:
        if plan_id not in self._plans:
            raise Refused("NotFoundException", "Invalid Usage Plan ID specified", operation)
        return self._plans[plan_id]


def _told(key: Key) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "enabled": key.enabled, "tags": dict(key.tags)}


def _page(items: list[dict[str, Any]], limit: int, position: str | None, operation: str) -> dict[str, Any]:
    """A page that goes on behind the item whose id is the position."""
    if not 1 <= limit <= _LARGEST_PAGE:
        raise Refused("BadRequestException", f"limit must be from 1 to {_LARGEST_PAGE}", operation)
    in_order = sorted(items, key=lambda item: str(item["id"]))
    behind = [item for item in in_order if position is None or item["id"] > position]
    page = behind[:limit]
    more = {"position": page[-1]["id"]} if len(behind) > limit else {}
    return {"items": page, **more}
