"""The versions of the secret that holds the key set: what a rotation makes of them, and a command."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.secrets import secrets_manager
from gatehouse.persistence import Stale
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.signing.keys import SigningKeys, parse, render

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
_NOTHING_PENDING = ("ResourceNotFoundException", "InvalidRequestException")
"""What is said of a version without a value, and of one that has lost the label meanwhile."""


class SecretVersions:
    """What `signing.rotation` and `signing.command` keep the key set in.

    Secrets Manager moves the label AWSCURRENT only away from the version that it is told, so that of two changes at
    once one is refused.
    """

    def __init__(self, arn: str, region: str, client: Any = None) -> None:
        self._arn = arn
        self._region = region
        self._given = client

    def current(self) -> tuple[str, SigningKeys]:
        told = self._call(self._client.get_secret_value, VersionStage=_CURRENT)
        return told["VersionId"], parse(told["SecretString"])

    def is_pending(self, version: str) -> bool:
        labels = self._call(self._client.describe_secret).get("VersionIdsToStages", {})
        return _PENDING in labels.get(version, ())

    def pending(self, version: str) -> SigningKeys | None:
        try:
            told = self._client.get_secret_value(SecretId=self._arn, VersionId=version, VersionStage=_PENDING)
        except (BotoCoreError, ClientError) as error:
            if _code(error) in _NOTHING_PENDING:
                return None
            raise _unavailable(error) from error
        return parse(told["SecretString"])

    def put_pending(self, version: str, keys: SigningKeys) -> None:
        try:
            self._put(version, keys)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "ResourceExistsException":
                raise _unavailable(error) from error

    def make_current(self, version: str, instead_of: str) -> None:
        try:
            self._client.update_secret_version_stage(
                SecretId=self._arn, VersionStage=_CURRENT, MoveToVersionId=version, RemoveFromVersionId=instead_of
            )
        except (BotoCoreError, ClientError) as error:
            # It is refused as well where it was done before and only the answer was lost.
            now_current = self.current()[0]
            if now_current == version:
                return
            if now_current != instead_of:
                raise Stale from error
            raise _unavailable(error) from error

    def abandon(self, version: str) -> None:
        try:
            self._client.update_secret_version_stage(
                SecretId=self._arn, VersionStage=_PENDING, RemoveFromVersionId=version
            )
        except (BotoCoreError, ClientError) as error:
            if self.is_pending(version):
                raise _unavailable(error) from error

    def replace(self, instead_of: str, keys: SigningKeys) -> None:
        # The label AWSPENDING goes to this version, which ends a rotation that is under way.
        version = str(uuid4())
        self.put_pending(version, keys)
        try:
            self.make_current(version, instead_of)
        except Stale:
            self.abandon(version)
            raise

    def _put(self, version: str, keys: SigningKeys) -> None:
        self._client.put_secret_value(
            SecretId=self._arn, ClientRequestToken=version, SecretString=render(keys), VersionStages=[_PENDING]
        )

    def _call(self, operation: Callable[..., Any], **arguments: str) -> Any:
        try:
            return operation(SecretId=self._arn, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    @cached_property
    def _client(self) -> Any:
        return self._given or secrets_manager(self._region)


def key_versions(settings: Settings) -> SecretVersions:
    """Those of this deployment's secret; raises InvalidSetting where it has none."""
    if settings.jwt_secret_arn is None:
        raise InvalidSetting("JWT_SECRET_ARN is not set.")
    return SecretVersions(settings.jwt_secret_arn, settings.region)


def _code(error: Exception) -> str | None:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


def _unavailable(error: Exception) -> ServiceUnavailable:
    return ServiceUnavailable(f"Secrets Manager did not do it ({_code(error) or type(error).__name__}). Try again.")
