"""Where the keys that sign tokens come from: Secrets Manager in AWS, JWT_SECRET elsewhere."""

import json
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.settings import SHORTEST_KEY_BYTES, InvalidSetting, Settings
from gatehouse.tokens import SigningKeys

_LOCAL_KEY_ID = "local"


def signing_keys(settings: Settings) -> SigningKeys:
    """The keys of this deployment; raises InvalidSetting where there are none, or one is too short.

    The secret is a JSON object of keys by their id, with `current` naming the one that signs. Raises ServiceUnavailable
    when Secrets Manager does not answer.
    """
    if settings.jwt_secret is not None:
        return SigningKeys(_LOCAL_KEY_ID, {_LOCAL_KEY_ID: settings.jwt_secret.encode()})
    if settings.jwt_secret_arn is None:
        raise InvalidSetting("Either JWT_SECRET or JWT_SECRET_ARN must be set.")
    kept = json.loads(_secret_string(settings.jwt_secret_arn, settings.region))
    current = kept.pop("current", None)
    keys = {key_id: key.encode() for key_id, key in kept.items()}
    if current not in keys or any(len(key) < SHORTEST_KEY_BYTES for key in keys.values()):
        raise InvalidSetting(f"The JWT secret needs its current key, and keys of at least {SHORTEST_KEY_BYTES} bytes.")
    return SigningKeys(current, keys)


def _secret_string(arn: str, region: str) -> str:
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
    client: Any = botocore.session.get_session().create_client("secretsmanager", region_name=region, config=config)
    try:
        return str(client.get_secret_value(SecretId=arn)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise ServiceUnavailable("The signing keys could not be read. Try again.") from error
