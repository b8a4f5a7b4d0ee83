"""API Gateway's keys and usage plans, over its control plane."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.wall.service import GatewayKey, KeyExists, NoRoom

_PAGE = 500
_BUSY = frozenset({"ConflictException", "TooManyRequestsException"})
"""What API Gateway says when it is busy: of two changes of its plans at the same time it refuses one as a conflict."""


class _NotThere(Exception):
    """What was to be taken away is not there."""


_GONE = {"NotFoundException": _NotThere}


class ApiGatewayKeys:
    """The control plane of `wall.service`. `plans` names the usage plan of each tier; `tags` are for new keys.

    `wait` is called before every call. No call is tried again here: a second try would not be waited for.
    """

    def __init__(
        self,
        region: str,
        plans: Mapping[int, str],
        tags: Mapping[str, str],
        wait: Callable[[], None],
        client: Any = None,
    ) -> None:
        self._region = region
        self._plans = plans
        self._tiers = {plan: tier for tier, plan in plans.items()}
        self._tags = dict(tags)
        self._wait = wait
        self._given = client

    def find(self, name: str) -> GatewayKey | None:
        # The documentation does not say whether a name asked for is a whole one or a beginning.
        found = self._pages("get_api_keys", nameQuery=name)
        return next((_key(item) for item in found if item.get("name") == name), None)

    def named(self, prefix: str) -> Iterator[GatewayKey]:
        return (_key(item) for item in self._pages("get_api_keys") if item.get("name", "").startswith(prefix))

    def members(self, tier: int) -> Iterator[str]:
        return (item["id"] for item in self._pages("get_usage_plan_keys", usagePlanId=self._plans[tier]))

    def tiers_of(self, key_id: str) -> frozenset[int]:
        plans = self._pages("get_usage_plans", keyId=key_id)
        return frozenset(self._tiers[item["id"]] for item in plans if item["id"] in self._tiers)

    def make(self, name: str, value: str) -> GatewayKey:
        meaning = {"ConflictException": KeyExists, "LimitExceededException": NoRoom}
        return _key(self._call("create_api_key", meaning, name=name, value=value, enabled=True, tags=self._tags))

    def delete(self, key_id: str) -> None:
        with suppress(_NotThere):
            self._call("delete_api_key", _GONE, apiKey=key_id)

    def join(self, key_id: str, tier: int) -> None:
        self._call("create_usage_plan_key", {}, usagePlanId=self._plans[tier], keyId=key_id, keyType="API_KEY")

    def leave(self, key_id: str, tier: int) -> None:
        with suppress(_NotThere):
            self._call("delete_usage_plan_key", _GONE, usagePlanId=self._plans[tier], keyId=key_id)

    def _pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        position: dict[str, str] = {}
        while True:
            page = self._call(operation, {}, limit=_PAGE, **arguments, **position)
            yield from page.get("items", [])
            if not page.get("position"):
                return
            position = {"position": page["position"]}

    def _call(self, operation: str, meaning: Mapping[str, type[Exception]], **arguments: Any) -> Any:
        """What the operation answers; raises what a code of API Gateway's means, or ServiceUnavailable."""
        self._wait()
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in meaning:
                raise meaning[code] from error
            if code in _BUSY or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise ServiceUnavailable("API Gateway takes no more calls just now. Try again.") from error
            raise
        except BotoCoreError as error:
            raise ServiceUnavailable("API Gateway did not answer. Try again.") from error

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
        return botocore.session.get_session().create_client("apigateway", region_name=self._region, config=config)


def _key(item: Mapping[str, Any]) -> GatewayKey:
    return GatewayKey(item["id"], item.get("name", ""), item.get("enabled", True))
