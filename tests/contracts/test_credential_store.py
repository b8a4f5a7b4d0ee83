"""The port of credentials, `credentials.service.CredentialStore`, on every implementation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gatehouse.clock import milliseconds
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.credentials.service import MOST_ACTIVE, MOST_KEPT
from gatehouse.errors import Conflict
from gatehouse.persistence import Stale
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from tests.contracts.made_up import NOBODY, a_credential, at_once, standing_of
from tests.stores import Store
from tests.unit.fakes import START, a_user

CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()


@pytest.fixture
def owner(store: Store) -> User:
    user = a_user("owner")
    CONSUMERS.create_user(user, None)
    return user


def kept(owner: User, key_id: str = "mobile-app", **changes: object) -> Credential:
    return CREDENTIALS.create_credential(a_credential(owner, key_id, **changes), "hash")


def after(credential: Credential, **changes: object) -> Credential:
    return replace(credential, revision=credential.revision + 1, updated_at=START + timedelta(1), **changes)  # type: ignore[arg-type]


def rotated_once(credential: Credential, **changes: object) -> Credential:
    rotation = Rotation(START + timedelta(hours=1), START + timedelta(hours=2), credential.last_used_at)
    return after(credential, version=credential.version + 1, rotation=rotation, last_used_at=None, **changes)


def secrets_of(store: Store, credential: Credential) -> tuple[str | None, str | None]:
    """The hash of the credential's secret, and that of the one before."""
    item = store.item(f"C#{credential.consumer_id}", f"K#{credential.id}")
    assert item is not None
    present, previous = (item.get(name, {}).get("S") for name in ("secretHash", "previousHash"))
    return present, previous


def active(store: Store, owner: User) -> str:
    item = store.item(f"C#{owner.id}", "P")
    assert item is not None
    return str(item["credentials"]["N"])


def epoch_of(owner: User) -> int:
    standing = standing_of(owner.id)
    assert standing is not None
    return standing.epoch


def test_a_credential_is_found_by_its_id_as_it_was_kept(store: Store, owner: User) -> None:
    sparse = kept(owner)
    full = kept(
        owner,
        "another",
        role=Role.MODERATOR,
        label="Zoë's phone",
        scopes=("users:read", "usage:read"),
        expires_at=START + timedelta(days=1, milliseconds=1),
    )
    none = kept(owner, "no-scopes", scopes=())
    assert [CREDENTIALS.find_credential(c.id) for c in (sparse, full, none)] == [sparse, full, none]
    assert CREDENTIALS.find_user(owner.id) == owner


def test_an_unknown_credential_is_none(store: Store, owner: User) -> None:
    assert CREDENTIALS.find_credential(NOBODY) is None
    assert CREDENTIALS.find_credential(owner.id) is None


def test_a_taken_key_id_is_a_conflict_that_names_its_field_and_leaves_nothing(store: Store, owner: User) -> None:
    other = a_user("other")
    CONSUMERS.create_user(other, None)
    kept(owner)
    before = store.items()
    for person in (owner, other):
        with pytest.raises(Conflict) as refusal:
            CREDENTIALS.create_credential(a_credential(person), "hash")
        assert refusal.value.field == "keyId"
        assert store.items() == before


def test_a_key_id_is_never_used_again_after_its_credential_was_deleted(store: Store, owner: User) -> None:
    CREDENTIALS.delete_credential(kept(owner))
    before = store.items()
    with pytest.raises(Conflict) as refusal:
        CREDENTIALS.create_credential(a_credential(owner), "hash")
    assert refusal.value.field == "keyId"
    assert store.items() == before


def test_a_key_id_is_never_used_again_after_its_owner_was_deleted(store: Store, owner: User) -> None:
    other = a_user("other")
    CONSUMERS.create_user(other, None)
    credential = kept(owner)
    CONSUMERS.delete_user(owner)
    DynamoBelongings().delete_belongings(owner.id)
    assert CREDENTIALS.find_credential(credential.id) is None
    with pytest.raises(Conflict) as refusal:
        CREDENTIALS.create_credential(a_credential(other), "hash")
    assert refusal.value.field == "keyId"


def test_without_an_owner_a_credential_is_stale_and_leaves_nothing(store: Store, owner: User) -> None:
    CONSUMERS.delete_user(owner)
    before = store.items()
    with pytest.raises(Stale):
        CREDENTIALS.create_credential(a_credential(owner), "hash")
    assert store.items() == before


def test_the_hundredth_active_credential_is_kept_and_the_next_is_stale(store: Store, owner: User) -> None:
    credentials = [kept(owner, f"key-{number:03}") for number in range(MOST_ACTIVE)]
    before = store.items()
    with pytest.raises(Stale):
        CREDENTIALS.create_credential(a_credential(owner, "one-more"), "hash")
    assert store.items() == before
    CREDENTIALS.delete_credential(credentials[0])
    kept(owner, "one-more")
    off = after(credentials[1], is_active=False)
    CREDENTIALS.update_credential(credentials[1], off)
    kept(owner, "two-more")
    before = store.items()
    with pytest.raises(Conflict, match="at most 100 active credentials"):
        CREDENTIALS.update_credential(off, after(off, is_active=True))
    assert store.items() == before


def test_the_five_hundredth_credential_is_kept_and_the_next_is_stale_until_one_is_deleted(
    store: Store, owner: User
) -> None:
    store.set_number(f"C#{owner.id}", "P", "kept", MOST_KEPT - 1)
    last = kept(owner, "last")
    off = after(last, is_active=False)
    CREDENTIALS.update_credential(last, off)
    before = store.items()
    with pytest.raises(Stale):
        CREDENTIALS.create_credential(a_credential(owner, "one-more"), "hash")
    assert store.items() == before
    CREDENTIALS.delete_credential(off)
    kept(owner, "one-more")
    profile = store.item(f"C#{owner.id}", "P")
    assert profile is not None
    assert (profile["kept"], profile["credentials"]) == ({"N": str(MOST_KEPT)}, {"N": "1"})


@pytest.mark.parametrize(
    "change",
    [
        {"label": "New", "scopes": ("users:write",), "expires_at": START + timedelta(7)},
        {"label": None, "scopes": None, "expires_at": None},
        {"scopes": ()},
        {"is_active": False, "disabled_by": DeactivatedBy.MODERATOR},
    ],
    ids=str,
)
def test_a_credential_is_found_as_it_was_changed_and_the_epoch_moves(
    store: Store, owner: User, change: dict[str, object]
) -> None:
    credential = kept(owner, label="Old", scopes=("users:read",), expires_at=START + timedelta(1))
    newer = after(credential, **change)
    CREDENTIALS.update_credential(credential, newer)
    assert CREDENTIALS.find_credential(credential.id) == newer
    assert epoch_of(owner) == 1


def test_a_credential_that_is_switched_on_again_is_as_one_that_never_was_off(store: Store, owner: User) -> None:
    credential = kept(owner)
    off = after(credential, is_active=False, disabled_by=DeactivatedBy.OWNER)
    on = after(off, is_active=True, disabled_by=None)
    CREDENTIALS.update_credential(credential, off)
    CREDENTIALS.update_credential(off, on)
    assert CREDENTIALS.find_credential(credential.id) == on
    assert active(store, owner) == "1"


def test_only_active_credentials_are_counted(store: Store, owner: User) -> None:
    counts = [active(store, owner)]
    one, two = kept(owner, "one"), kept(owner, "two")
    counts.append(active(store, owner))
    off = after(one, is_active=False)
    CREDENTIALS.update_credential(one, off)
    counts.append(active(store, owner))
    CREDENTIALS.delete_credential(off)
    counts.append(active(store, owner))
    CREDENTIALS.update_credential(two, after(two, label="still on"))
    counts.append(active(store, owner))
    CREDENTIALS.delete_credential(after(two))
    counts.append(active(store, owner))
    assert counts == ["0", "2", "1", "1", "1", "0"]


@pytest.mark.parametrize(
    "write",
    [
        lambda credential: CREDENTIALS.update_credential(credential, after(credential, label="Late")),
        lambda credential: CREDENTIALS.update_credential(credential, after(credential, is_active=False)),
        lambda credential: CREDENTIALS.rotate_credential(credential, rotated_once(credential), "new"),
        lambda credential: CREDENTIALS.delete_credential(credential),
    ],
    ids=["label", "state", "rotation", "deletion"],
)
@pytest.mark.parametrize("is_gone", [False, True], ids=["changed meanwhile", "deleted meanwhile"])
def test_what_was_decided_on_an_outdated_revision_is_stale_and_changes_nothing(
    store: Store, owner: User, write: Callable[[Credential], None], is_gone: bool
) -> None:
    outdated = kept(owner)
    newer = after(outdated, label="First come")
    CREDENTIALS.update_credential(outdated, newer)
    if is_gone:
        CREDENTIALS.delete_credential(newer)
    before = store.items()
    with pytest.raises(Stale):
        write(outdated)
    assert store.items() == before


def test_a_deleted_credential_leaves_the_claim_on_its_key_id_alone_and_moves_the_epoch(
    store: Store, owner: User
) -> None:
    before = store.stored_keys()
    CREDENTIALS.delete_credential(kept(owner))
    assert sorted(set(store.stored_keys()) - set(before)) == [("KEY#mobile-app", "C")]
    assert epoch_of(owner) == 1
    assert active(store, owner) == "0"


def test_the_hash_of_a_secret_is_not_part_of_what_is_found(store: Store, owner: User) -> None:
    credential = CREDENTIALS.create_credential(a_credential(owner), "the-hash-of-a-secret")
    assert "the-hash-of-a-secret" not in repr(CREDENTIALS.find_credential(credential.id))


def test_a_rotation_keeps_the_hash_there_was_as_the_one_before_and_moves_the_epoch(store: Store, owner: User) -> None:
    first = kept(owner, scopes=("users:read",), expires_at=START + timedelta(days=1))
    second = rotated_once(first)
    CREDENTIALS.rotate_credential(first, second, "second hash")
    assert CREDENTIALS.find_credential(first.id) == second
    assert secrets_of(store, first) == ("second hash", "hash")
    assert epoch_of(owner) == 1
    third = rotated_once(second, expires_at=START + timedelta(days=2))
    CREDENTIALS.rotate_credential(second, third, "third hash")
    assert CREDENTIALS.find_credential(first.id) == third
    assert secrets_of(store, first) == ("third hash", "second hash")
    assert epoch_of(owner) == 2


def test_a_rotation_moves_the_last_use_to_the_secret_before(store: Store, owner: User) -> None:
    first = kept(owner)
    store.set_number(f"C#{owner.id}", f"K#{first.id}", "lastUsedAt", milliseconds(START))
    used = CREDENTIALS.find_credential(first.id)
    assert used == replace(first, last_used_at=START)
    second = rotated_once(used)
    CREDENTIALS.rotate_credential(used, second, "second hash")
    found = CREDENTIALS.find_credential(first.id)
    assert found == second
    assert (found.last_used_at, found.rotation and found.rotation.previous_last_used_at) == (None, START)
    third = rotated_once(found)
    CREDENTIALS.rotate_credential(found, third, "third hash")
    assert CREDENTIALS.find_credential(first.id) == third


def test_a_credential_without_a_secret_is_kept_and_rotated_without_one(store: Store, owner: User) -> None:
    ends = START + timedelta(days=90)
    first = CREDENTIALS.create_credential(a_credential(owner, type=CredentialType.JWT, expires_at=ends), None)
    assert CREDENTIALS.find_credential(first.id) == first
    second = rotated_once(first, expires_at=ends + timedelta(days=1))
    CREDENTIALS.rotate_credential(first, second, None)
    assert CREDENTIALS.find_credential(first.id) == second
    assert secrets_of(store, first) == (None, None)


def test_a_change_leaves_what_a_rotation_left(store: Store, owner: User) -> None:
    first = kept(owner)
    second = rotated_once(first)
    CREDENTIALS.rotate_credential(first, second, "second hash")
    changed = after(second, label="after")
    CREDENTIALS.update_credential(second, changed)
    assert CREDENTIALS.find_credential(first.id) == changed
    assert secrets_of(store, first) == ("second hash", "hash")


def test_numbers_go_up_from_one_for_each_owner_and_are_never_given_again(store: Store, owner: User) -> None:
    other = a_user("other")
    CONSUMERS.create_user(other, None)
    first, second = kept(owner, "one"), kept(owner, "two")
    CREDENTIALS.delete_credential(second)
    with pytest.raises(Conflict):
        kept(owner, "two")
    assert [c.number for c in (first, second, kept(owner, "three"), kept(other, "four"))] == [1, 2, 3, 1]


def test_sixteen_creations_at_once_get_sixteen_numbers(store: Store, owner: User) -> None:
    creations = [partial(kept, owner, f"key-{number:02}") for number in range(16)]
    made = at_once(creations)
    assert sorted(credential.number for credential in made) == list(range(1, 17))
    assert [CREDENTIALS.find_credential(credential.id) for credential in made] == made
    assert active(store, owner) == "16"


def test_of_rotations_at_once_one_is_kept(store: Store, owner: User) -> None:
    first = kept(owner)
    rotations = [
        partial(CREDENTIALS.rotate_credential, first, rotated_once(first), f"hash {number}") for number in range(8)
    ]
    answers = at_once(rotations)
    assert sorted(str(type(answer)) for answer in answers if answer is not None) == [str(Stale)] * 7
    assert secrets_of(store, first) == (f"hash {answers.index(None)}", "hash")
    assert epoch_of(owner) == 1
