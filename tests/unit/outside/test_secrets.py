"""Where the signing keys come from, and what is said where they do not."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.secrets import signing_keys
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.tokens import SigningKeys
from tests.unit.fakes import KEY, the_settings

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:jwt"
NEWER, OLDER = "newer-key-" * 4, "older-key-" * 4


class SecretsManager:
    """Answers with one secret, or fails."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - the service's own word
        self.asked.append(SecretId)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"SecretString": self.answer}

    def create_client(self, service: str, **_: Any) -> "SecretsManager":
        assert service == "secretsmanager"
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

    assert signing_keys(the_settings(JWT_SECRET_ARN=ARN)) == SigningKeys("local", {"local": KEY})
    assert manager.asked == []


def test_the_secret_names_the_key_that_signs_and_the_older_ones(
    monkeypatch: pytest.MonkeyPatch, in_aws: Settings
) -> None:
    manager = _kept(monkeypatch, json.dumps({"current": "k2", "k1": OLDER, "k2": NEWER}))

    assert signing_keys(in_aws) == SigningKeys("k2", {"k1": OLDER.encode(), "k2": NEWER.encode()})
    assert manager.asked == [ARN]


@pytest.mark.parametrize(
    "secret",
    [
        {"current": "k1"},
        {"current": "k2", "k1": NEWER},
        {"k1": NEWER},
        {"current": "k1", "k1": "x" * 31},
        {"current": "k1", "k1": NEWER, "k0": "x" * 31},
    ],
    ids=str,
)
def test_a_secret_without_its_current_key_or_with_a_short_one_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, in_aws: Settings, secret: dict[str, str]
) -> None:
    _kept(monkeypatch, json.dumps(secret))

    with pytest.raises(InvalidSetting) as refusal:
        signing_keys(in_aws)
    assert str(refusal.value) == "The JWT secret needs its current key, and keys of at least 32 bytes."


def test_without_any_key_the_settings_to_give_are_named() -> None:
    with pytest.raises(InvalidSetting) as refusal:
        signing_keys(the_settings(JWT_SECRET=""))

    assert str(refusal.value) == "Either JWT_SECRET or JWT_SECRET_ARN must be set."


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
        signing_keys(in_aws)
    assert refusal.value.__cause__ is fault
