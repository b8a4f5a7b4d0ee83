"""The gate: who comes in with which credential, and that what has ended counts on the next request."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gatehouse.accounts.service import Accounts
from gatehouse.admission.model import KeyClaim
from gatehouse.admission.service import USED_AT_MOST_EVERY, Admission
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.service import Credentials
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.permissions import Caller
from tests.unit.fakes import HASHER, PASSWORD, POLICY, START, TOKENS, MemoryStore, StoppedClock, a_user, signed_in


@pytest.fixture
def admission(store: MemoryStore, clock: StoppedClock) -> Admission:
    return Admission(store, clock, HASHER, TOKENS)


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user(role=Role.MODERATOR))


@pytest.fixture
def token(store: MemoryStore, clock: StoppedClock, user: User) -> str:
    return Accounts(store, clock, HASHER, POLICY, TOKENS, timedelta(days=30)).login(user.email, PASSWORD).access_token


@pytest.fixture
def key(store: MemoryStore, clock: StoppedClock, user: User) -> str:
    made = Credentials(store, clock, HASHER, True, True).create(
        signed_in(user), {"type": CredentialType.KEY_AUTH, "scopes": ["users:read"]}
    )
    store.calls.clear()
    return made.secret or ""


def _change(store: MemoryStore, **changes: Any) -> None:
    """Changes the one credential there is."""
    [held] = store.credentials.values()
    store.credentials[held.id] = replace(held, **changes)


def test_a_session_comes_in_as_its_person_with_the_role_of_now(
    admission: Admission, store: MemoryStore, user: User, token: str
) -> None:
    [session] = store.sessions.values()
    assert admission.by_session(token) == Caller(consumer_id=user.id, role=Role.MODERATOR, session_id=session.id)

    for role in Role:
        store.users[user.id] = replace(user, role=role)
        assert admission.by_session(token).role is role


ENDINGS: dict[str, Callable[[MemoryStore, User], None]] = {
    "signed out": lambda store, user: store.sessions.clear(),
    "switched off": lambda store, user: store.update_user(user, replace(user, is_active=False)),
    "deleted": lambda store, user: store.users.clear(),
    "all sessions ended": lambda store, user: store.generations.update({user.id: 1}),
}


@pytest.mark.parametrize("ends", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_session_that_has_ended_counts_on_the_next_request(
    admission: Admission, store: MemoryStore, user: User, token: str, ends: Callable[[MemoryStore, User], None]
) -> None:
    admission.by_session(token)
    ends(store, user)

    with pytest.raises(Unauthenticated):
        admission.by_session(token)


def test_a_session_token_that_is_only_too_old_comes_in_as_nobody_with_the_reason(
    admission: Admission, store: MemoryStore, clock: StoppedClock, token: str
) -> None:
    clock.advance(seconds=3600)
    store.calls.clear()

    assert admission.by_session(token) == Caller(refused_because="TOKEN_EXPIRED")
    assert store.calls == []


def test_a_forged_token_is_refused_before_anything_is_read(
    admission: Admission, store: MemoryStore, token: str
) -> None:
    store.calls.clear()
    for forged in (token[:-3] + "AAA", "", "a.b.c", token.rpartition(".")[0] + "."):
        with pytest.raises(Unauthenticated):
            admission.by_session(forged)
    assert store.calls == []


def test_a_session_costs_one_read(admission: Admission, store: MemoryStore, token: str) -> None:
    store.calls.clear()
    admission.by_session(token)

    assert store.calls == ["standing_with_session"]


def test_a_key_comes_in_with_its_scopes_and_the_lower_role(
    admission: Admission, store: MemoryStore, user: User, key: str
) -> None:
    [held] = store.credentials.values()
    expected = Caller(consumer_id=user.id, role=Role.MODERATOR, credential_id=held.id, scopes=frozenset({"users:read"}))
    assert admission.by_key(key) == expected

    for role, acts_as in ((Role.USER, Role.USER), (Role.ADMIN, Role.MODERATOR)):
        store.users[user.id] = replace(user, role=role)
        assert admission.by_key(key) == replace(expected, role=acts_as)


def test_absent_scopes_are_not_an_empty_list_of_them(admission: Admission, store: MemoryStore, key: str) -> None:
    _change(store, scopes=None)
    assert admission.by_key(key).scopes is None
    _change(store, scopes=())
    assert admission.by_key(key).scopes == frozenset()


@pytest.mark.parametrize(
    "ends",
    [
        lambda store, user: _change(store, is_active=False),
        lambda store, user: _change(store, expires_at=START),
        lambda store, user: store.credentials.clear(),
        lambda store, user: store.update_user(user, replace(user, is_active=False)),
        lambda store, user: store.users.clear(),
    ],
    ids=["disabled", "expired", "deleted", "owner switched off", "owner deleted"],
)
def test_a_key_that_has_ended_counts_on_the_next_request(
    admission: Admission, store: MemoryStore, user: User, key: str, ends: Callable[[MemoryStore, User], None]
) -> None:
    admission.by_key(key)
    ends(store, user)

    with pytest.raises(Unauthenticated):
        admission.by_key(key)


def test_another_secret_is_refused(admission: Admission, store: MemoryStore, clock: StoppedClock, user: User) -> None:
    Credentials(store, clock, HASHER, True, True).create(
        signed_in(user), {"type": CredentialType.KEY_AUTH, "key_id": "api-key-123", "key_secret": "secret"}
    )

    assert admission.by_key("api-key-123.secret").consumer_id == user.id
    for wrong in ("api-key-123.Secret", "api-key-123.secret1", "api-key-124.secret", "api-key-123.secre!"):
        with pytest.raises(Unauthenticated):
            admission.by_key(wrong)


def test_a_wrong_secret_tells_nothing_of_the_key(admission: Admission, store: MemoryStore, key: str) -> None:
    _change(store, is_active=False, key_id="api-key-123")
    [held] = store.credentials.values()
    store.used_key_ids["api-key-123"] = KeyClaim(consumer_id=held.consumer_id, credential_id=held.id)
    refusals = set()
    for guess in ("api-key-123.wrong-secret", "nobodys-key.wrong-secret"):
        with pytest.raises(Unauthenticated) as refusal:
            admission.by_key(guess)
        refusals.add((refusal.value.message, refusal.value.reason))

    assert refusals == {("The API key is not valid.", None)}


def test_the_last_use_is_written_once_an_hour(
    admission: Admission, store: MemoryStore, clock: StoppedClock, key: str
) -> None:
    written: list[datetime | None] = []

    def last_used(held: Credential) -> datetime | None:
        return held.last_used_at

    for minutes in (0, 59, 1, 30):
        clock.advance(minutes=minutes)
        admission.by_key(key)
        written += map(last_used, store.credentials.values())

    hour = START + timedelta(hours=1)
    assert written == [START, START, hour, hour]
    assert timedelta(hours=1) == USED_AT_MOST_EVERY
    assert store.calls.count("note_use") == 2


def test_a_use_that_cannot_be_written_down_keeps_nobody_out(
    admission: Admission,
    store: MemoryStore,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def out_of_reach(_claim: KeyClaim, _now: datetime) -> None:
        raise ServiceUnavailable("The store did not answer. Try again.")

    monkeypatch.setattr(store, "note_use", out_of_reach)

    assert admission.by_key(key).credential_id is not None
    assert caplog.messages == ["lastUsedAt was not written"]


def test_a_store_that_does_not_answer_is_no_refusal(
    admission: Admission, store: MemoryStore, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(_user_id: str, _session_id: str) -> None:
        raise ServiceUnavailable("The store did not answer. Try again.")

    monkeypatch.setattr(store, "standing_with_session", out_of_reach)
    with pytest.raises(ServiceUnavailable):
        admission.by_session(token)
