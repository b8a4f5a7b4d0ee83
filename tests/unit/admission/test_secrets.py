"""Whether a secret is right: which are hashed, which are remembered, and for how long."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gatehouse.admission.model import StoredCredential
from gatehouse.admission.secrets import REMEMBERED, Secrets
from gatehouse.consumers.model import Role
from gatehouse.credentials.keys import ApiKey, hash_made_secret, make_secret
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.rotation import rotated
from gatehouse.ids import new_id
from gatehouse.lately import Lately
from tests.unit.fakes import HASHER, HOME, START, the_guesses, the_settings
from tests.unit.lockouts import MemoryLockouts

CHOSEN = "Chosen-Secret-1"
CHOSEN_HASH = HASHER.hash(CHOSEN)
CREDENTIAL = Credential(
    id=new_id(START),
    consumer_id=new_id(START),
    type=CredentialType.KEY_AUTH,
    key_id="mobile-app",
    number=1,
    role=Role.USER,
    label=None,
    scopes=None,
    expires_at=None,
    created_at=START,
    updated_at=START,
)
OF_A_CHOSEN_SECRET = StoredCredential(credential=CREDENTIAL, secret_hash=CHOSEN_HASH)
RIGHT, WRONG = ApiKey("mobile-app", CHOSEN), ApiKey("mobile-app", "Wrong-Secret-1")


class CountingHasher:
    """Hashes, and counts how often."""

    def __init__(self) -> None:
        self.paid = 0

    def matches(self, password: str, hashed: str | None) -> bool:
        self.paid += 1
        return HASHER.matches(password, hashed)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def lockouts() -> MemoryLockouts:
    return MemoryLockouts()


@pytest.fixture
def secrets(hasher: Any, lockouts: MemoryLockouts) -> Secrets:
    guesses = the_guesses(lockouts, the_settings())
    return Secrets(hasher, lambda: guesses, Lately(), b"dies with the function")


def test_a_made_secret_is_known_without_a_cost(
    secrets: Secrets, hasher: CountingHasher, lockouts: MemoryLockouts
) -> None:
    secret = make_secret("mobile-app")
    stored = replace(OF_A_CHOSEN_SECRET, secret_hash=hash_made_secret(secret))
    assert secrets.recognise(ApiKey("mobile-app", secret), stored, START) == 1
    assert secrets.verify(ApiKey("mobile-app", secret), stored, HOME, START) == 1
    assert secrets.recognise(ApiKey("mobile-app", make_secret("mobile-app")), stored, START) is None
    assert (hasher.paid, lockouts.calls) == (0, [])


def test_a_chosen_secret_is_hashed_once_and_remembered_for_a_minute(secrets: Secrets, hasher: CountingHasher) -> None:
    assert secrets.recognise(RIGHT, OF_A_CHOSEN_SECRET, START) is None
    assert secrets.verify(RIGHT, OF_A_CHOSEN_SECRET, HOME, START) == 1
    last = START + REMEMBERED - timedelta(milliseconds=1)
    assert secrets.recognise(RIGHT, OF_A_CHOSEN_SECRET, last) == 1
    assert secrets.verify(RIGHT, OF_A_CHOSEN_SECRET, HOME, last) == 1
    assert hasher.paid == 1
    assert secrets.recognise(RIGHT, OF_A_CHOSEN_SECRET, START + REMEMBERED) is None
    assert timedelta(minutes=1) == REMEMBERED


def test_what_is_remembered_is_for_its_own_secret_and_its_own_hash(secrets: Secrets) -> None:
    secrets.verify(RIGHT, OF_A_CHOSEN_SECRET, HOME, START)
    another = replace(OF_A_CHOSEN_SECRET, secret_hash=HASHER.hash("Another-Secret-1"))
    assert secrets.recognise(WRONG, OF_A_CHOSEN_SECRET, START) is None
    assert secrets.recognise(RIGHT, another, START) is None
    assert secrets.verify(RIGHT, another, HOME, START) is None
    assert secrets.recognise(ApiKey("another-id", CHOSEN), OF_A_CHOSEN_SECRET, START) is None


def test_what_one_function_remembers_is_nothing_to_another(
    secrets: Secrets, hasher: CountingHasher, lockouts: MemoryLockouts
) -> None:
    secrets.verify(RIGHT, OF_A_CHOSEN_SECRET, HOME, START)
    other = replace(secrets, digest_key=b"of another function")
    assert other.recognise(RIGHT, OF_A_CHOSEN_SECRET, START) is None


def test_a_wrong_secret_costs_one_hash_whoever_made_the_right_one_and_whether_there_is_one(
    secrets: Secrets, hasher: CountingHasher, lockouts: MemoryLockouts
) -> None:
    made = replace(OF_A_CHOSEN_SECRET, secret_hash=hash_made_secret(make_secret("mobile-app")))
    of_a_token = replace(OF_A_CHOSEN_SECRET, secret_hash=None)
    calls = []
    for number, stored in enumerate((OF_A_CHOSEN_SECRET, made, of_a_token, None), start=1):
        lockouts.ledgers.clear()
        lockouts.calls.clear()
        assert secrets.verify(WRONG, stored, HOME, START) is None
        assert hasher.paid == number
        calls.append(lockouts.calls.copy())
    assert calls == [calls[0]] * 4


@pytest.mark.parametrize("stored", [None, OF_A_CHOSEN_SECRET], ids=["unknown", "known"])
def test_a_made_key_id_costs_no_hash_where_no_secret_was_chosen_for_it(
    secrets: Secrets, hasher: CountingHasher, lockouts: MemoryLockouts, stored: StoredCredential | None
) -> None:
    key_id = "gatehouse_0123456789abcdef"
    known = None if stored is None else replace(stored, secret_hash=hash_made_secret(make_secret(key_id)))
    assert secrets.verify(ApiKey(key_id, make_secret(key_id)), known, HOME, START) is None
    assert (hasher.paid, [subject.split("/")[0] for subject in lockouts.ledgers]) == (0, ["made"])


def both_versions(now: datetime) -> tuple[StoredCredential, ApiKey]:
    """A credential whose chosen secret was rotated a moment ago, for an hour, and the key with its made one."""
    secret = make_secret("mobile-app")
    credential = rotated(CREDENTIAL, timedelta(hours=1), now)
    stored = StoredCredential(credential=credential, secret_hash=hash_made_secret(secret), previous_hash=CHOSEN_HASH)
    return stored, ApiKey("mobile-app", secret)


def test_in_an_overlap_both_secrets_are_right_each_for_its_version(secrets: Secrets, hasher: CountingHasher) -> None:
    stored, new = both_versions(START)
    last = START + timedelta(hours=1, milliseconds=-1)
    assert [secrets.verify(key, stored, HOME, START) for key in (new, RIGHT, WRONG)] == [2, 1, None]
    assert [secrets.recognise(key, stored, START) for key in (new, RIGHT)] == [2, 1]
    assert [secrets.verify(key, stored, HOME, last) for key in (new, RIGHT)] == [2, 1]
    assert hasher.paid == 3


def test_behind_the_overlap_the_old_secret_is_wrong_though_it_is_remembered(
    secrets: Secrets, hasher: CountingHasher
) -> None:
    stored, new = both_versions(START)
    ends = START + timedelta(hours=1)
    secrets.verify(RIGHT, stored, HOME, ends - timedelta(seconds=1))
    assert [secrets.recognise(key, stored, ends) for key in (new, RIGHT)] == [2, None]
    assert [secrets.verify(key, stored, HOME, ends) for key in (new, RIGHT)] == [2, None]
    assert hasher.paid == 2
