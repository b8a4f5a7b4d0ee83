"""Where the keys that sign tokens come from: Secrets Manager in AWS, JWT_SECRET elsewhere."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.signing.keys import SigningKeys, parse

_LOCAL_KEY_ID = "local"


class Secret:
    """The secret that holds the key set, as `signing.keys` writes it."""

    def __init__(self, arn: str, region: str, client: Any = None) -> None:
        self._arn = arn
        self._region = region
        self._given = client

    def read(self) -> SigningKeys:
        """The current set; raises ServiceUnavailable, or InvalidKeySet."""
        try:
            told = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSCURRENT")
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The signing keys could not be read. Try again.") from error
        return parse(told["SecretString"])

    @cached_property
    def _client(self) -> Any:
        return self._given or secrets_manager(self._region)


def key_reader(settings: Settings) -> Callable[[], SigningKeys]:
    """What reads the keys of this deployment; raises InvalidSetting where it has none."""
    if settings.jwt_secret is not None:
        only = SigningKeys(_LOCAL_KEY_ID, {_LOCAL_KEY_ID: settings.jwt_secret.encode()})
        return lambda: only
    if settings.jwt_secret_arn is None:
        raise InvalidSetting("Either JWT_SECRET or JWT_SECRET_ARN must be set.")
    return Secret(settings.jwt_secret_arn, settings.region).read


def secrets_manager(region: str) -> Any:
    """botocore's client, which gives up before a function that waits for it must."""
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
    return botocore.session.get_session().create_client("secretsmanager", region_name=region, config=config)
