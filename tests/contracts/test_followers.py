"""What the stream's function writes: each may be repeated, none goes back in time, and none brings back who is gone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gatehouse.clock import milliseconds
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential, Rotation
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.last_uses import DynamoLastUses
from gatehouse.storage.usage import DynamoUsage, DynamoUsageDays
from gatehouse.usage.days import day_of
from tests.contracts.made_up import a_credential
from tests.stores import Store
from tests.unit.fakes import START, a_user

DAY = milliseconds(START) // 86_400_000


@pytest.fixture
def user(store: Store) -> User:
    user = a_user()
    DynamoConsumers().create_user(user, None)
    return user


@pytest.fixture
def credential(user: User) -> Credential:
    return DynamoCredentials().create_credential(a_credential(user), "hash")


def kept(credential: Credential) -> Credential:
    found = DynamoCredentials().find_credential(credential.id)
    assert found is not None
    return found


def note(credential: Credential, version: int, at: datetime) -> None:
    DynamoLastUses().note_use(credential.consumer_id, credential.id, version, at)


def rotate(credential: Credential) -> None:
    rotation = Rotation(START, START + timedelta(hours=1))
    after = replace(credential, version=2, rotation=rotation, revision=credential.revision + 1)
    DynamoCredentials().rotate_credential(credential, after, "new hash")


def test_a_day_is_kept_for_400_days(store: Store, user: User) -> None:
    DynamoUsageDays().keep_day(user.id, DAY, {"1": 17, "s": 4})

    item = store.item(f"C#{user.id}", f"U#{day_of(DAY).isoformat()}")
    assert item is not None
    assert {name: item[name] for name in ("requests", "expires")} == {
        "requests": {"M": {"1": {"N": "17"}, "s": {"N": "4"}}},
        "expires": {"N": str((DAY + 400) * 86_400)},
    }
    assert DynamoUsage().find_days(user.id, day_of(DAY), day_of(DAY)) == {day_of(DAY): {"1": 17, "s": 4}}


def test_a_day_that_is_told_twice_is_kept_once(store: Store, user: User) -> None:
    DynamoUsageDays().keep_day(user.id, DAY, {"1": 17})
    before = store.items()
    DynamoUsageDays().keep_day(user.id, DAY, {"1": 17})

    assert store.items() == before


def test_a_day_of_somebody_who_is_gone_is_not_kept(store: Store, user: User) -> None:
    DynamoConsumers().delete_user(user)
    before = store.items()
    DynamoUsageDays().keep_day(user.id, DAY, {"1": 17})

    assert store.items() == before


def test_a_use_is_noted_about_once_an_hour_and_never_an_earlier_one(credential: Credential) -> None:
    seen = []
    for minutes in (0, 30, 59, 60, 10, 119, 120):
        note(credential, 1, START + timedelta(minutes=minutes))
        last = kept(credential).last_used_at
        assert last is not None
        seen.append((last - START) // timedelta(minutes=1))

    assert seen == [0, 0, 0, 60, 60, 60, 120]


def test_a_use_that_the_stream_tells_a_second_early_counts_as_an_hour_later(credential: Credential) -> None:
    note(credential, 1, START + timedelta(seconds=1))
    note(credential, 1, START + timedelta(hours=1))

    assert kept(credential).last_used_at == START + timedelta(hours=1)


def test_present_and_previous_secret_are_noted_apart(credential: Credential) -> None:
    rotate(credential)
    note(credential, 1, START + timedelta(minutes=1))
    note(credential, 2, START + timedelta(minutes=2))
    after = kept(credential)

    assert after.last_used_at == START + timedelta(minutes=2)
    assert after.rotation is not None
    assert after.rotation.previous_last_used_at == START + timedelta(minutes=1)


@pytest.mark.parametrize("version", [2, 7])
def test_a_secret_that_there_is_not_is_noted_nowhere(store: Store, credential: Credential, version: int) -> None:
    before = store.items()
    note(credential, version, START)

    assert store.items() == before


def test_a_use_of_a_credential_that_is_gone_brings_nothing_back(store: Store, credential: Credential) -> None:
    DynamoCredentials().delete_credential(credential)
    before = store.items()
    note(credential, 1, START)

    assert store.items() == before
