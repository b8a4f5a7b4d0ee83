"""Where the signing keys come from, and what is said where they do not."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.key_versions import key_versions
from gatehouse.outside.secrets import key_reader
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.signing.keys import InvalidKeySet, SigningKeys
from tests.unit.fakes import KEY, the_settings

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:jwt"
NEWER, OLDER = "newer-key-" * 4, "older-key-" * 4


class SecretsManager:
    """Answers with one secret, or fails."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.clients = 0

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:  # noqa: N803 - the service's own
        assert VersionStage == "AWSCURRENT"
        self.asked.append(SecretId)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"SecretString": self.answer}

    def create_client(self, service: str, **_: Any) -> "SecretsManager":
        assert service == "secretsmanager"
        self.clients += 1
        return self


def _kept(monkeypatch: pytest.MonkeyPatch, answer: str | Exception) -> SecretsManager:
    manager = SecretsManager(answer)
    monkeypatch.setattr(botocore.session, "get_session", lambda: manager)
    return manager


@pytest.fixture
def in_aws() -> Settings:
    return the_settings(JWT_SECRET="", JWT_SECRET_ARN=ARN)


def test_a_key_in_the_environment_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = _kept(monkeypatch, "")

    assert key_reader(the_settings(JWT_SECRET_ARN=ARN))() == SigningKeys("local", {"local": KEY})
    assert (manager.clients, manager.asked) == (0, [])


def test_the_secret_is_read_anew_each_time_with_one_client(monkeypatch: pytest.MonkeyPatch, in_aws: Settings) -> None:
    manager = _kept(monkeypatch, json.dumps({"current": "k2", "k1": OLDER, "k2": NEWER}))
    read = key_reader(in_aws)

    assert read() == SigningKeys("k2", {"k1": OLDER.encode(), "k2": NEWER.encode()})
    manager.answer = json.dumps({"current": "k2", "k2": NEWER})
    assert read() == SigningKeys("k2", {"k2": NEWER.encode()})
    assert (manager.clients, manager.asked) == (1, [ARN, ARN])


def test_a_secret_that_is_no_key_set_is_refused_and_not_told(monkeypatch: pytest.MonkeyPatch, in_aws: Settings) -> None:
    _kept(monkeypatch, json.dumps({"current": "k1", "k1": NEWER[:31]}))

    with pytest.raises(InvalidKeySet) as refusal:
        key_reader(in_aws)()
    assert str(refusal.value) == "Each signing key must have at least 32 bytes."


def test_without_any_key_the_settings_to_give_are_named() -> None:
    nothing = the_settings(JWT_SECRET="")

    with pytest.raises(InvalidSetting) as refusal:
        key_reader(nothing)
    assert str(refusal.value) == "Either JWT_SECRET or JWT_SECRET_ARN must be set."
    with pytest.raises(InvalidSetting) as refusal:
        key_versions(nothing)
    assert str(refusal.value) == "JWT_SECRET_ARN is not set."


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetSecretValue"),
        ConnectTimeoutError(endpoint_url="https://secretsmanager"),
        NoCredentialsError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_secrets_manager_that_does_not_answer_is_a_passing_fault(
    monkeypatch: pytest.MonkeyPatch, in_aws: Settings, fault: Exception
) -> None:
    _kept(monkeypatch, fault)

    with pytest.raises(ServiceUnavailable) as refusal:
        key_reader(in_aws)()
    assert refusal.value.__cause__ is fault
