"""The four steps on Secrets Manager: in order, repeated, interrupted at any call, and overtaken by other changes."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from gatehouse.errors import Conflict, ServiceUnavailable, Unauthenticated
from gatehouse.outside.key_versions import SecretVersions
from gatehouse.outside.secrets import Secret
from gatehouse.signing.command import KeysByCommand
from gatehouse.signing.keys import KEPT_FOR, SigningKeys, render
from gatehouse.signing.ring import KeyRing
from gatehouse.signing.rotation import Rotation
from gatehouse.tokens import SESSION, Tokens
from tests.key_secrets import FIRST_KEY, REGION, STEPS, Dying, KeySecret, key_secret
from tests.unit.fakes import START, StoppedClock

FAULTS = [
    ReadTimeoutError(endpoint_url="https://secretsmanager"),
    ClientError({"Error": {"Code": "InternalServiceError", "Message": "injected"}}, "AnyOperation"),
]


@pytest.fixture
def secret() -> Iterator[KeySecret]:
    with key_secret() as made:
        yield made


@pytest.fixture
def versions(secret: KeySecret) -> SecretVersions:
    return SecretVersions(secret.arn, REGION, secret.client)


@pytest.fixture
def rotation(versions: SecretVersions, clock: StoppedClock) -> Rotation:
    return Rotation(versions, clock, "gatehouse")


@pytest.fixture
def command(versions: SecretVersions, clock: StoppedClock) -> KeysByCommand:
    return KeysByCommand(versions, clock)


def rotate(secret: KeySecret, rotation: Rotation) -> str:
    version = secret.begin()
    for step in STEPS:
        rotation.step(step, version)
    return version


def test_the_four_steps_make_a_new_key_the_current_one(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand
) -> None:
    before = secret.labelled["AWSCURRENT"]
    version = rotate(secret, rotation)

    keys = command.show()
    assert keys == SigningKeys(
        keys.current,
        {"k1": FIRST_KEY.encode(), keys.current: keys.keys[keys.current]},
        {keys.current: START},
        {"k1": START},
    )
    assert secret.labelled["AWSCURRENT"] == version
    assert secret.labelled["AWSPREVIOUS"] == before
    assert secret.is_at_rest


def test_every_step_may_be_repeated_and_changes_nothing_then(
    secret: KeySecret, rotation: Rotation, versions: SecretVersions
) -> None:
    version = secret.begin()
    for step in STEPS:
        rotation.step(step, version)
        once = (secret.labelled, versions.current(), versions.pending(version))
        rotation.step(step, version)
        assert (secret.labelled, versions.current(), versions.pending(version)) == once

    for step in STEPS:
        rotation.step(step, version)
    assert (secret.labelled, versions.current(), versions.pending(version)) == once


def test_rotations_in_a_row_keep_each_key_until_its_last_token_has_expired(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand, clock: StoppedClock
) -> None:
    made = ["k1"]
    for _ in range(6):
        rotate(secret, rotation)
        made.append(command.show().current)
        # The first stopped on the first day, the second on the 90th, and so on; each is kept for 366 more.
        assert set(command.show().keys) == set(made[-6:] if clock.now() >= START + KEPT_FOR else made)
        clock.advance(days=90)

    assert len(made) == 7


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_dies_at_any_call_can_be_taken_again(
    secret: KeySecret, rotation: Rotation, clock: StoppedClock, step: str, after: bool, fault: Exception
) -> None:
    for at in itertools.count():
        version = secret.begin()
        dying = Dying(secret.client, at, fault, after=after)
        interrupted = Rotation(SecretVersions(secret.arn, REGION, dying), clock, "gatehouse")
        for name in STEPS:
            if name == step:
                with suppress(ServiceUnavailable):
                    interrupted.step(name, version)
            rotation.step(name, version)
        assert secret.labelled["AWSCURRENT"] == version
        assert secret.is_at_rest
        if not dying.has_failed:
            break
    assert at >= 2


def test_two_functions_that_take_the_first_step_at_once_agree_on_a_key(
    secret: KeySecret, versions: SecretVersions, clock: StoppedClock
) -> None:
    version = secret.begin()

    class Overtaken(SecretVersions):
        """Finds nothing pending, and meanwhile the other function has put its own."""

        def put_pending(self, version: str, keys: SigningKeys) -> None:
            Rotation(versions, clock, "gatehouse").step("createSecret", version)
            raised = ClientError({"Error": {"Code": "ResourceExistsException", "Message": "exists"}}, "PutSecretValue")
            self._client = Dying(secret.client, 0, raised, after=False)
            super().put_pending(version, keys)

    Rotation(Overtaken(secret.arn, REGION, secret.client), clock, "gatehouse").step("createSecret", version)
    first = versions.pending(version)
    for step in STEPS:
        Rotation(versions, clock, "gatehouse").step(step, version)
    assert versions.current() == (version, first)


@pytest.mark.parametrize("done", range(1, 4))
def test_a_key_that_is_retired_during_a_rotation_does_not_come_back_with_it(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand, done: int
) -> None:
    rotate(secret, rotation)
    version = secret.begin()
    for step in STEPS[:done]:
        rotation.step(step, version)
    command.retire("k1")
    for step in STEPS[done:]:
        with pytest.raises(Conflict):
            rotation.step(step, version)
    assert "k1" not in command.show().keys
    assert secret.is_at_rest

    rotate(secret, rotation)
    assert "k1" not in command.show().keys


@pytest.mark.parametrize("step", ["createSecret", "testSecret", "finishSecret"])
def test_a_change_that_leaves_the_rotation_pending_is_noticed_and_the_next_begins_anew(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand, versions: SecretVersions, step: str
) -> None:
    """As where somebody edits the secret by hand."""
    version = secret.begin()
    rotation.step("createSecret", version)
    secret.client.put_secret_value(SecretId=secret.arn, SecretString=render(SigningKeys("mine", {"mine": b"m" * 32})))
    with pytest.raises(Conflict, match="changed during the rotation"):
        rotation.step(step, version)
    assert not versions.is_pending(version)
    assert secret.is_at_rest

    rotate(secret, rotation)
    assert set(command.show().keys) == {"mine", command.show().current}


@pytest.mark.parametrize("at", range(4))
def test_a_key_that_is_retired_between_any_two_calls_of_the_last_step_stays_so(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand, clock: StoppedClock, at: int
) -> None:
    version = secret.begin()
    for step in STEPS[:3]:
        rotation.step(step, version)

    class Between:
        left = at

        def __getattr__(self, name: str) -> object:
            self.left -= 1
            if self.left == -1:
                command.retire("k1")
            return getattr(secret.client, name)

    overtaken = Rotation(SecretVersions(secret.arn, REGION, Between()), clock, "gatehouse")
    with pytest.raises(Conflict):
        overtaken.step("finishSecret", version)
    assert "k1" not in command.show().keys
    assert secret.is_at_rest


def test_a_version_that_no_rotation_makes_is_refused(secret: KeySecret, rotation: Rotation) -> None:
    before = secret.labelled
    for step in STEPS:
        with pytest.raises(Conflict):
            rotation.step(step, "00000000-0000-0000-0000-000000000000")
    with pytest.raises(KeyError):
        rotation.step("dropSecret", secret.begin())

    assert secret.labelled["AWSCURRENT"] == before["AWSCURRENT"]


def test_secrets_manager_may_try_the_function_out_with_the_keys_that_there_are(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand
) -> None:
    version = secret.begin()
    secret.client.put_secret_value(
        SecretId=secret.arn,
        ClientRequestToken=version,
        SecretString=render(command.show()),
        VersionStages=["AWSPENDING"],
    )
    rotation.step("testSecret", version)


def test_nobody_is_logged_out_by_a_rotation_and_a_leaked_key_is_out_in_half_a_minute(
    secret: KeySecret, rotation: Rotation, command: KeysByCommand, clock: StoppedClock
) -> None:
    tokens = Tokens(KeyRing(Secret(secret.arn, REGION, secret.client).read, clock), "gatehouse")
    token = tokens.issue(SESSION, "u", {"sid": "s"}, clock.now(), clock.now() + timedelta(days=7))
    rotate(secret, rotation)
    for seconds in (0, 29, 30, 150):
        clock.moment = START + timedelta(seconds=seconds)
        assert tokens.verify(SESSION, token, clock.now()).subject == "u"
    assert tokens.ring.signing()[0] == command.show().current

    command.retire("k1")
    clock.advance(seconds=30)
    with pytest.raises(Unauthenticated):
        tokens.verify(SESSION, token, clock.now())
