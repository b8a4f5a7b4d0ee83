"""Every type of credential from its making to its end: what it tells, who comes in with it, and when nobody does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.model import Admitted
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.keys import ApiKey, hash_made_secret, is_made_secret_hash
from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import Credential, CredentialType, IssuedCredential
from gatehouse.errors import BadRequest, Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL
from gatehouse.wiring import Gatehouse
from tests.unit.credentials.programs import ENTRANCES
from tests.unit.fakes import (
    HASHER,
    HOME,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_house,
    the_settings,
)

TYPES = list(CredentialType)
WITH_SECRETS = [kind for kind in TYPES if kind is not CredentialType.JWT]
JWT = CredentialType.JWT


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return _cold(store, clock)


@pytest.fixture
def owner(store: MemoryStore) -> User:
    return store.add(a_user("owner"))


def _cold(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    """A function that has seen nothing yet."""
    return the_house(store, clock, the_settings(THROTTLE_LIMIT="1000"))


def _made(house: Gatehouse, owner: User, kind: CredentialType, **more: Any) -> tuple[Credential, str]:
    issued = house.credentials.create(signed_in(owner), {"type": kind, **more})
    assert issued.secret is not None
    return issued.credential, issued.secret


def _enter(house: Gatehouse, credential: Credential, secret: str) -> Admitted:
    return ENTRANCES[credential.type](house, credential, secret)


def _is_refused(house: Gatehouse, credential: Credential, secret: str) -> bool:
    try:
        _enter(house, credential, secret)
    except Unauthenticated:
        return True
    return False


@pytest.mark.parametrize("kind", TYPES)
def test_a_made_credential_comes_in_as_its_owners_with_its_scopes(
    house: Gatehouse, owner: User, kind: CredentialType
) -> None:
    credential, secret = _made(house, owner, kind, scopes=["users:read"])
    admitted = _enter(house, credential, secret)

    assert admitted.caller == Caller(
        consumer_id=owner.id,
        role=Role.USER,
        credential_id=credential.id,
        credential_number=1,
        credential_version=1,
        ends_at=START + timedelta(hours=1) if kind is CredentialType.OAUTH2 else credential.expires_at,
        scopes=frozenset({"users:read"}),
    )
    assert (admitted.credential, admitted.version) == (credential, 1)


@pytest.mark.parametrize("kind", WITH_SECRETS)
def test_a_made_secret_is_told_in_its_own_way_and_kept_as_a_digest(
    house: Gatehouse, store: MemoryStore, owner: User, kind: CredentialType
) -> None:
    credential, secret = _made(house, owner, kind, key_id="my-service")
    part = key_auth.parse(secret).secret if kind is CredentialType.KEY_AUTH else secret

    assert "." not in part
    assert store.secret_hashes[credential.id] == hash_made_secret(part)
    assert credential.expires_at is None


def test_a_jwt_leaves_nothing_secret_behind_and_ends_in_90_days(
    house: Gatehouse, store: MemoryStore, owner: User
) -> None:
    credential, token = _made(house, owner, JWT, key_id="my-service")

    assert store.secret_hashes == {credential.id: None}
    assert token.rpartition(".")[2] not in repr(store)
    assert credential.expires_at == START + timedelta(days=90)
    assert TOKENS.verify(CREDENTIAL, token, START).expires_at == credential.expires_at


@pytest.mark.parametrize("kind", WITH_SECRETS)
def test_a_chosen_secret_is_kept_with_bcrypt_and_not_told(
    house: Gatehouse, store: MemoryStore, owner: User, kind: CredentialType
) -> None:
    issued = house.credentials.create(
        signed_in(owner), {"type": kind, "key_id": "my-service", "key_secret": "Chosen+&41:x"}
    )
    kept = store.secret_hashes[issued.credential.id] or ""
    sent = "my-service.Chosen+&41:x" if kind is CredentialType.KEY_AUTH else "Chosen+&41:x"

    assert issued.secret is None
    assert not is_made_secret_hash(kept)
    assert HASHER.matches("Chosen+&41:x", kept)
    assert not _is_refused(house, issued.credential, sent)


def test_a_jwt_takes_no_chosen_secret_and_lasts_at_most_a_year(
    house: Gatehouse, store: MemoryStore, owner: User
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"key_id": "my-service", "key_secret": "Chosen-1"}, "keySecret"),
        ({"key_secret": "Chosen-1"}, "keySecret"),
        ({"expires_at": START + timedelta(days=365, milliseconds=1)}, "expiresAt"),
        ({"expires_at": START}, "expiresAt"),
    ]
    for fields, at_fault in wrong:
        with pytest.raises(BadRequest) as refusal:
            house.credentials.create(signed_in(owner), {"type": JWT, **fields})  # type: ignore[typeddict-item]
        assert refusal.value.field == at_fault
    assert store.credentials == {}


def test_a_jwt_can_be_shortened_and_not_lengthened(house: Gatehouse, owner: User, clock: StoppedClock) -> None:
    credential, token = _made(house, owner, JWT)
    me, soon = signed_in(owner), START + timedelta(hours=1)
    assert credential.expires_at is not None
    for later in (credential.expires_at + timedelta(seconds=1), None):
        with pytest.raises(BadRequest) as refusal:
            house.credentials.update(me, credential.id, {"expires_at": later})
        assert (refusal.value.field, "rotateCredential" in refusal.value.message) == ("expiresAt", True)
    assert house.credentials.update(me, credential.id, {"expires_at": credential.expires_at}) == credential

    assert house.credentials.update(me, credential.id, {"expires_at": soon}).expires_at == soon
    with pytest.raises(BadRequest):
        house.credentials.update(me, credential.id, {"expires_at": credential.expires_at})
    assert not _is_refused(house, credential, token)
    clock.advance(hours=1)
    assert _is_refused(house, credential, token)


def test_numbers_count_a_consumers_credentials_and_are_not_given_twice(house: Gatehouse, owner: User) -> None:
    made = [_made(house, owner, kind)[0] for kind in TYPES]
    house.credentials.delete(signed_in(owner), made[-1].id)

    assert [credential.number for credential in (*made, _made(house, owner, JWT)[0])] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("other", TYPES)
def test_a_secret_is_good_for_its_own_type_alone(
    house: Gatehouse, owner: User, kind: CredentialType, other: CredentialType
) -> None:
    credential, secret = _made(house, owner, kind)
    if kind is CredentialType.KEY_AUTH and other is not kind:
        secret = key_auth.parse(secret).secret
    elif other is CredentialType.KEY_AUTH and kind is not other:
        secret = f"{credential.key_id}.{secret}"

    assert _is_refused(house, replace(credential, type=other), secret) is (kind is not other)


type End = Callable[[Gatehouse, StoppedClock, Caller, Credential], object]

ENDS: dict[str, End] = {
    "delete": lambda house, _, admin, it: house.credentials.delete(admin, it.id),
    "disable": lambda house, _, admin, it: house.credentials.update(admin, it.id, {"is_active": False}),
    "expire": lambda _, clock, __, ___: clock.advance(hours=2),
    "end earlier": lambda house, clock, admin, it: (
        house.credentials.update(admin, it.id, {"expires_at": clock.now() + timedelta(seconds=1)}),
        clock.advance(seconds=1),
    ),
    "deactivate the owner": lambda house, _, admin, it: house.consumers.update(
        admin, it.consumer_id, {"is_active": False}
    ),
    "delete the owner": lambda house, _, admin, it: house.consumers.delete(admin, it.consumer_id),
    "rotate, no overlap": lambda house, _, admin, it: house.credentials.rotate(admin, it.id, 0),
    "rotate, overlap over": lambda house, clock, admin, it: (
        house.credentials.rotate(admin, it.id, 60),
        clock.advance(seconds=60),
    ),
    "rotate twice": lambda house, _, admin, it: [house.credentials.rotate(admin, it.id, None) for _ in range(2)],
}


@pytest.mark.parametrize("is_cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("kind", TYPES)
def test_what_has_ended_is_refused_on_the_next_request(
    house: Gatehouse,
    store: MemoryStore,
    clock: StoppedClock,
    owner: User,
    kind: CredentialType,
    end: End,
    is_cold: bool,
) -> None:
    admin = signed_in(store.add(a_user("root", role=Role.ADMIN)))
    credential, secret = _made(house, owner, kind, expires_at=START + timedelta(hours=2))
    assert not _is_refused(house, credential, secret)

    end(house, clock, admin, credential)

    assert _is_refused(_cold(store, clock) if is_cold else house, credential, secret)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_an_access_token_ends_with_its_client(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, owner: User, end: End
) -> None:
    admin = signed_in(store.add(a_user("root", role=Role.ADMIN)))
    credential, secret = _made(house, owner, CredentialType.OAUTH2, expires_at=START + timedelta(hours=2))
    client = house.admission.by_secret(CredentialType.OAUTH2, ApiKey.of(credential.key_id, secret), HOME)
    token = house.clients.issue(client, None).token
    house.admission.by_token(CLIENT_ACCESS, token)

    end(house, clock, admin, credential)

    for function in (house, _cold(store, clock)):
        with pytest.raises(Unauthenticated):
            function.admission.by_token(CLIENT_ACCESS, token)


def test_an_access_token_loses_what_is_withheld_from_a_client_whose_scopes_are_taken_away(
    house: Gatehouse, owner: User
) -> None:
    credential, secret = _made(house, owner, CredentialType.OAUTH2, scopes=["credentials:write", "users:read"])
    client = house.admission.by_secret(CredentialType.OAUTH2, ApiKey.of(credential.key_id, secret), HOME)
    token = house.clients.issue(client, "credentials:write users:read").token
    assert house.admission.by_token(CLIENT_ACCESS, token).caller.scopes == {"credentials:write", "users:read"}

    house.credentials.update(signed_in(owner), credential.id, {"scopes": None})

    assert house.admission.by_token(CLIENT_ACCESS, token).caller.scopes == {"users:read"}


@pytest.mark.parametrize("kind", TYPES)
def test_a_client_that_calls_without_pause_comes_through_a_rotation_unrefused(
    house: Gatehouse, clock: StoppedClock, owner: User, kind: CredentialType
) -> None:
    credential, old = _made(house, owner, kind)
    for _ in range(3):
        new = house.credentials.rotate(signed_in(owner), credential.id, 60).secret
        assert new is not None
        for secret in (old, new, old, new):
            assert _enter(house, credential, secret).caller.credential_id == credential.id
            clock.advance(seconds=14)
        clock.advance(seconds=4)
        assert _is_refused(house, credential, old)
        old = new


@pytest.mark.parametrize("kind", TYPES)
def test_the_secret_that_a_rotation_tells_is_made_and_of_its_type(
    house: Gatehouse, store: MemoryStore, owner: User, kind: CredentialType
) -> None:
    credential, _ = _made(house, owner, kind, key_id="my-service")
    issued: IssuedCredential = house.credentials.rotate(signed_in(owner), credential.id, 0)
    assert issued.secret is not None

    assert _enter(house, issued.credential, issued.secret).version == 2
    kept = store.secret_hashes[credential.id]
    assert kept is None if kind is JWT else is_made_secret_hash(kept or "")
