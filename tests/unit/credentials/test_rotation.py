"""Rotation: what it leaves, how long the old secret works, and that no credential rotates beyond itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.keys import hash_made_secret
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.credentials.rotation import rotated
from gatehouse.credentials.service import Credentials
from gatehouse.errors import BadRequest, Conflict, Forbidden, ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing
from gatehouse.tokens import CREDENTIAL, Tokens
from tests.unit.fakes import HASHER, START, TOKENS, MemoryStore, StoppedClock, a_user, no_code_needed, signed_in

DAY = timedelta(days=1)
KEY_AUTH, JWT = CredentialType.KEY_AUTH, CredentialType.JWT


@pytest.fixture
def credentials(store: MemoryStore, clock: StoppedClock) -> Credentials:
    return Credentials(store, clock, Issuer(HASHER, TOKENS, chosen_secrets=True), Recorder(clock), True, no_code_needed)


@pytest.fixture
def owner(store: MemoryStore) -> User:
    return store.add(a_user("owner", role=Role.ADMIN))


def _held(store: MemoryStore, owner: User, **changes: Any) -> Credential:
    """A credential that the owner has already."""
    known = Credential(
        id=new_id(START),
        consumer_id=owner.id,
        type=KEY_AUTH,
        key_id=f"key-{len(store.credentials)}",
        number=len(store.credentials) + 1,
        role=owner.role,
        label="CI",
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    held = replace(known, **changes)
    store.credentials[held.id] = held
    store.secret_hashes[held.id] = "the hash there was"
    return held


def _program(held: Credential) -> Caller:
    """Whoever comes with the credential."""
    scopes = None if held.scopes is None else frozenset(held.scopes)
    return Caller(
        consumer_id=held.consumer_id,
        role=held.role,
        credential_id=held.id,
        credential_version=held.version,
        ends_at=held.expires_at,
        scopes=scopes,
    )


def test_a_rotation_tells_when_it_was_and_what_became_of_the_secret_before(
    credentials: Credentials, store: MemoryStore, clock: StoppedClock, owner: User
) -> None:
    used_at = START - timedelta(hours=3)
    held = _held(store, owner, last_used_at=used_at, expires_at=START + 9 * DAY)
    clock.advance(days=1)
    now = clock.now()
    issued = credentials.rotate(signed_in(owner), held.id, None)

    assert issued.credential == store.credentials[held.id]
    assert issued.credential == replace(
        held,
        version=2,
        rotation=Rotation(now, now + DAY, used_at),
        last_used_at=None,
        updated_at=now,
        revision=1,
    )
    assert issued.secret is not None
    assert issued.secret not in repr(issued)
    assert store.previous_hashes[held.id] == "the hash there was"
    assert store.secret_hashes[held.id] == hash_made_secret(issued.secret.partition(".")[2])


def test_only_the_secret_before_the_present_one_has_an_overlap(store: MemoryStore, owner: User) -> None:
    first = _held(store, owner)
    second = rotated(first, DAY, START)
    third = rotated(second, DAY, START + timedelta(hours=1))

    def counting(credential: Credential, now: datetime) -> list[int]:
        return [version for version in range(1, 5) if credential.takes_version(version, now)]

    assert counting(first, START) == [1]
    assert counting(second, START + DAY - timedelta(milliseconds=1)) == [1, 2]
    assert counting(second, START + DAY) == [2]
    assert counting(third, START + timedelta(hours=1)) == [2, 3]
    assert counting(third, START + timedelta(hours=25)) == [3]
    assert counting(rotated(first, timedelta(), START), START) == [2]


def test_a_jwt_lasts_as_long_again_as_it_was_given_each_time(
    credentials: Credentials, store: MemoryStore, clock: StoppedClock, owner: User
) -> None:
    held = _held(store, owner, type=JWT, expires_at=START + 90 * DAY)
    for days in (30, 60):
        clock.advance(days=30)
        issued = credentials.rotate(signed_in(owner), held.id, None)
        ends = START + (days + 90) * DAY
        assert issued.credential.expires_at == ends
        assert issued.secret is not None
        assert TOKENS.verify(CREDENTIAL, issued.secret, clock.now()).expires_at == ends


@pytest.mark.parametrize("kind", CredentialType)
@pytest.mark.parametrize("changes", [{"is_active": False}, {"expires_at": START}], ids=["disabled", "expired"])
def test_what_is_not_in_force_is_not_rotated(
    credentials: Credentials, store: MemoryStore, owner: User, kind: CredentialType, changes: dict[str, Any]
) -> None:
    held = _held(store, owner, **{"type": kind, "expires_at": START + DAY, **changes})
    with pytest.raises(Conflict):
        credentials.rotate(signed_in(owner), held.id, None)

    assert store.credentials[held.id] == held


@pytest.mark.parametrize("seconds", [-1, 2_592_001])
def test_an_overlap_is_at_most_30_days(credentials: Credentials, store: MemoryStore, owner: User, seconds: int) -> None:
    held = _held(store, owner)
    with pytest.raises(BadRequest) as refusal:
        credentials.rotate(signed_in(owner), held.id, seconds)

    assert refusal.value.field == "overlapSeconds"
    assert store.credentials[held.id] == held
    rotation = credentials.rotate(signed_in(owner), held.id, 2_592_000).credential.rotation
    assert rotation == Rotation(START, START + 30 * DAY)


# What a program may rotate that came with this credential of an ADMIN, which ends in a day.
OWN: dict[str, Any] = {"scopes": ("credentials:write", "users:read"), "expires_at": START + DAY}
WITHIN: list[tuple[dict[str, Any], bool]] = [
    (OWN, True),
    ({"scopes": ("users:read",), "expires_at": START + DAY}, True),
    ({"scopes": (), "expires_at": START + timedelta(hours=1)}, True),
    ({"scopes": ("users:read",), "expires_at": START + DAY, "role": Role.USER}, True),
    ({"scopes": ("users:read",), "expires_at": START + timedelta(hours=1), "type": JWT}, True),
    ({"scopes": ("users:read",), "expires_at": START + 2 * DAY, "type": JWT}, False),
    ({"scopes": ("users:read",)}, False),
    ({"scopes": ("users:read", "users:write"), "expires_at": START + DAY}, False),
    ({"scopes": None, "expires_at": START + DAY}, False),
]


@pytest.mark.parametrize(("target", "allowed"), WITHIN, ids=str)
def test_a_credential_rotates_nothing_beyond_itself(
    credentials: Credentials, store: MemoryStore, owner: User, target: dict[str, Any], allowed: bool
) -> None:
    program, held = _program(_held(store, owner, **OWN)), _held(store, owner, **target)
    if allowed:
        assert credentials.rotate(program, held.id, None).credential.version == 2
        return
    with pytest.raises(Forbidden) as refusal:
        credentials.rotate(program, held.id, None)
    assert refusal.value.reason == "SCOPE"
    assert store.credentials[held.id] == held


def test_a_credential_rotates_itself_but_a_jwt_does_not_outlive_itself(
    credentials: Credentials, store: MemoryStore, clock: StoppedClock, owner: User
) -> None:
    key, jwt = _held(store, owner, **OWN), _held(store, owner, **OWN, type=JWT)
    clock.advance(minutes=1)

    assert credentials.rotate(_program(key), key.id, None).secret is not None
    with pytest.raises(Forbidden):
        credentials.rotate(_program(jwt), jwt.id, None)


def test_an_earlier_secret_does_not_rotate_its_own_credential(
    credentials: Credentials, store: MemoryStore, owner: User
) -> None:
    before = _held(store, owner, **OWN)
    credentials.rotate(signed_in(owner), before.id, None)
    with pytest.raises(Forbidden) as refusal:
        credentials.rotate(_program(before), before.id, 0)

    assert refusal.value.reason == "SCOPE"
    assert store.credentials[before.id].version == 2


@pytest.mark.parametrize("scopes", [None, (), ("users:write", "credentials:read")], ids=str)
def test_without_the_scope_a_credential_rotates_not_even_itself(
    credentials: Credentials, store: MemoryStore, owner: User, scopes: tuple[str, ...] | None
) -> None:
    held = _held(store, owner, scopes=scopes)
    with pytest.raises(Forbidden) as refusal:
        credentials.rotate(_program(held), held.id, None)

    assert refusal.value.reason == "SCOPE"


def test_a_credential_of_a_lower_role_rotates_no_higher_one(
    credentials: Credentials, store: MemoryStore, owner: User
) -> None:
    program = _program(_held(store, owner, role=Role.USER, scopes=("credentials:write",)))
    stronger = _held(store, owner, scopes=())
    with pytest.raises(Forbidden):
        credentials.rotate(program, stronger.id, None)

    assert store.credentials[stronger.id] == stronger


def test_an_admin_rotates_anybodys_and_others_their_own(
    credentials: Credentials, store: MemoryStore, owner: User
) -> None:
    user = store.add(a_user("john"))
    moderator = store.add(a_user("mod", role=Role.MODERATOR))
    held = _held(store, user)

    assert credentials.rotate(signed_in(owner), held.id, None).credential.version == 2
    assert credentials.rotate(signed_in(user), held.id, None).credential.version == 3
    with pytest.raises(Forbidden):
        credentials.rotate(signed_in(moderator), held.id, None)


def test_without_a_key_to_sign_with_nothing_is_made_or_rotated(
    store: MemoryStore, clock: StoppedClock, owner: User
) -> None:
    def no_keys() -> SigningKeys:
        raise ServiceUnavailable("The signing keys could not be read. Try again.")

    credentials = Credentials(
        store,
        clock,
        Issuer(HASHER, Tokens(KeyRing(no_keys, clock), "gatehouse"), chosen_secrets=True),
        Recorder(clock),
        True,
        no_code_needed,
    )
    held = _held(store, owner, type=JWT, expires_at=START + DAY)
    with pytest.raises(ServiceUnavailable):
        credentials.create(signed_in(owner), {"type": JWT})
    with pytest.raises(ServiceUnavailable):
        credentials.rotate(signed_in(owner), held.id, None)

    assert store.credentials == {held.id: held}
