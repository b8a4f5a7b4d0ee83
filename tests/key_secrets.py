"""The secret of the signing keys on moto's Secrets Manager, and what Secrets Manager itself does in a rotation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import botocore.session
from moto import mock_aws
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

REGION = "us-east-1"
FIRST_KEY = "first-key-" * 7
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@dataclass(frozen=True)
class KeySecret:
    """A secret, with the key set that CloudFormation makes."""

    client: Any
    arn: str

    def begin(self) -> str:
        """What a rotation begins with: a version that is pending and has no value."""
        version = str(uuid4())
        secret = get_backend("secretsmanager")[DEFAULT_ACCOUNT_ID][REGION].secrets[self.arn]
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[version] = {"createdate": 0, "version_id": version, "version_stages": ["AWSPENDING"]}
        return version

    @property
    def labelled(self) -> dict[str, str]:
        """The version of each label."""
        versions = self.client.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        return {label: version for version, labels in versions.items() for label in labels}

    @property
    def is_at_rest(self) -> bool:
        """Whether Secrets Manager would begin another rotation: none is pending."""
        labelled = self.labelled
        return labelled.get("AWSPENDING", labelled["AWSCURRENT"]) == labelled["AWSCURRENT"]


@contextmanager
def key_secret() -> Iterator[KeySecret]:
    """One in an account of its own."""
    with mock_aws():
        client: Any = botocore.session.get_session().create_client("secretsmanager", REGION)
        made = client.create_secret(Name="jwt", SecretString=json.dumps({"current": "k1", "k1": FIRST_KEY}))
        yield KeySecret(client, made["ARN"])


class Dying:
    """A client of which one call fails, before it takes effect or after."""

    def __init__(self, client: Any, at: int, fault: Exception, *, after: bool) -> None:
        self._client = client
        self._left = at
        self._fault = fault
        self._after = after

    @property
    def has_failed(self) -> bool:
        return self._left < 0

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self._left -= 1
            if self._left == -1 and not self._after:
                raise self._fault
            answer = getattr(self._client, name)(**arguments)
            if self._left == -1:
                raise self._fault
            return answer

        return call
