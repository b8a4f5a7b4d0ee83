"""The port of consumers, `consumers.service.ConsumerStore`, on every implementation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.consumers.model import DeactivatedBy, Kind, Role, Standing, User
from gatehouse.errors import Conflict, Forbidden
from gatehouse.persistence import Stale
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from tests.contracts.made_up import (
    NOBODY,
    a_credential,
    a_session,
    an_admin,
    changed,
    entrance,
    keep_account,
    standing_of,
)
from tests.stores import Store
from tests.unit.fakes import START, a_user

CONSUMERS = DynamoConsumers()

FULL = a_user(
    "Full.Name",
    email="Full.Name@Example.com",
    first_name="Zoë",
    last_name="O'Neill",
    role=Role.MODERATOR,
    kind=Kind.PARTNER,
    is_active=False,
    deactivated_by=DeactivatedBy.MODERATOR,
    created_at=START + timedelta(milliseconds=123),
    updated_at=START + timedelta(milliseconds=456),
)


def roster(store: Store) -> set[str]:
    item = store.item("ROSTER", "R")
    return set() if item is None else set(item["ids"]["SS"])


def kept(name: str, **changes: object) -> User:
    user = a_user(name, **changes)
    CONSUMERS.create_user(user, "hash")
    return user


@pytest.mark.parametrize("user", [a_user("sparse"), FULL, a_user("boss", role=Role.ADMIN)], ids=lambda u: u.username)
def test_a_user_is_found_as_it_was_kept(store: Store, user: User) -> None:
    CONSUMERS.create_user(user, None)
    assert CONSUMERS.find_user(user.id) == user
    assert standing_of(user.id) == Standing(
        consumer_id=user.id, is_active=user.is_active, role=user.role, epoch=0, generation=0
    )


def test_a_user_is_four_items_and_an_admin_stands_on_the_roster_as_well(store: Store) -> None:
    user = kept("Anna", role=Role.ADMIN)
    assert store.stored_keys() == [
        (f"C#{user.id}", "P"),
        ("E#anna@example.com", "C"),
        (f"G#{user.id}", "G"),
        ("N#anna", "C"),
        ("ROSTER", "R"),
    ]


def test_an_unknown_user_is_none(store: Store) -> None:
    assert CONSUMERS.find_user(NOBODY) is None
    assert standing_of(NOBODY) is None


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize(
    ("taken", "field"),
    [
        ({"email": "TAKEN@example.com"}, "email"),
        ({"username": "TakeN"}, "username"),
        ({"email": "taken@EXAMPLE.com", "username": "TAKEN"}, "email"),
    ],
)
def test_a_name_taken_in_any_case_is_a_conflict_that_names_its_field_and_leaves_nothing(
    store: Store, taken: dict[str, str], field: str, role: Role
) -> None:
    kept("taken")
    before = store.items()
    with pytest.raises(Conflict) as refusal:
        CONSUMERS.create_user(a_user("late", role=role, **taken), "hash")
    assert (refusal.value.field, refusal.value.message) == (field, f"This {field} is taken.")
    assert store.items() == before


def test_an_email_and_a_username_of_one_spelling_do_not_collide(store: Store) -> None:
    one = kept("one", username="same")
    other = kept("other", email="same")
    assert [CONSUMERS.find_user(user.id) for user in (one, other)] == [one, other]


@pytest.mark.parametrize(
    "change",
    [
        {"first_name": "Ann", "last_name": "Lee"},
        {"first_name": None, "last_name": None},
        {"username": "Renamed"},
        {"email": "Renamed@example.com"},
        {"username": "BEFORE", "email": "Before@Example.COM"},
        {"role": Role.ADMIN},
        {"is_active": False, "deactivated_by": DeactivatedBy.OWNER},
        {"role": Role.MODERATOR, "username": "everything", "email": "every@thing.org", "first_name": None},
    ],
    ids=str,
)
def test_a_user_is_found_as_it_was_changed(store: Store, change: dict[str, object]) -> None:
    before = kept("before", first_name="First", last_name="Last")
    after = changed(before, **change)
    CONSUMERS.update_user(before, after, None)
    assert CONSUMERS.find_user(before.id) == after
    standing = standing_of(before.id)
    assert standing is not None
    assert (standing.role, standing.is_active) == (after.role, after.is_active)


def test_a_changed_user_lies_in_the_table_as_one_that_was_made_so(store: Store) -> None:
    before = kept("before", first_name="First")
    after = changed(before, username="After", email="after@example.com", first_name=None, last_name="Last")
    CONSUMERS.update_user(before, after, None)
    as_changed = store.items()
    CONSUMERS.delete_user(after)
    CONSUMERS.create_user(replace(after, revision=0), "hash")
    profile = (f"C#{after.id}", "P")
    store.set_number(*profile, "revision", after.revision)
    assert store.items() == as_changed


def test_a_new_name_is_taken_and_the_old_one_is_free_at_once(store: Store) -> None:
    before = kept("before")
    after = changed(before, username="after", email="after@example.com")
    CONSUMERS.update_user(before, after, None)
    for field in ("username", "email"):
        with pytest.raises(Conflict) as refusal:
            CONSUMERS.create_user(a_user("late", **{field: getattr(after, field)}), None)
        assert refusal.value.field == field
    assert CONSUMERS.find_user(kept("before").id) is not None


def test_names_may_be_swapped_by_way_of_a_third(store: Store) -> None:
    one, other = kept("one"), kept("other")
    for user, name in ((one, "third"), (other, "one")):
        CONSUMERS.update_user(user, changed(user, username=name), None)
    third = changed(one, username="third")
    CONSUMERS.update_user(third, changed(third, username="other"), None)
    found = [CONSUMERS.find_user(user.id) for user in (one, other)]
    assert [user and user.username for user in found] == ["other", "one"]


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_change_to_a_taken_name_is_a_conflict_that_names_its_field_and_changes_nothing(
    store: Store, field: str
) -> None:
    taken, user = kept("taken"), kept("user")
    before = store.items()
    after = changed(user, **{field: getattr(taken, field).upper()}, role=Role.ADMIN, first_name="New")
    with pytest.raises(Conflict) as refusal:
        CONSUMERS.update_user(user, after, None)
    assert refusal.value.field == field
    assert store.items() == before


@pytest.mark.parametrize(
    "write",
    [
        lambda user: CONSUMERS.update_user(user, changed(user, first_name="Late"), None),
        lambda user: CONSUMERS.update_user(user, changed(user, username="late", email="late@example.com"), None),
        lambda user: CONSUMERS.update_user(user, changed(user, role=Role.ADMIN), None),
        lambda user: CONSUMERS.update_user(user, changed(user, is_active=False), None),
        lambda user: CONSUMERS.delete_user(user),
    ],
    ids=["names", "username and email", "role", "state", "deletion"],
)
@pytest.mark.parametrize("is_gone", [False, True], ids=["changed meanwhile", "deleted meanwhile"])
def test_what_was_decided_on_an_outdated_revision_is_stale_and_changes_nothing(
    store: Store, write: Callable[[User], None], is_gone: bool
) -> None:
    outdated = kept("user")
    newer = changed(outdated, last_name="First Come")
    CONSUMERS.update_user(outdated, newer, None)
    if is_gone:
        CONSUMERS.delete_user(newer)
    before = store.items()
    with pytest.raises(Stale):
        write(outdated)
    assert store.items() == before


def test_a_change_of_standing_moves_the_epoch_and_no_other_change_does(store: Store) -> None:
    user = kept("user")
    epochs = []
    for change in (
        {"first_name": "New"},
        {"username": "renamed", "email": "renamed@example.com"},
        {"role": Role.MODERATOR},
        {"is_active": False},
        {"is_active": True},
        {"role": Role.ADMIN},
    ):
        after = changed(user, **change)
        CONSUMERS.update_user(user, after, None)
        standing = standing_of(user.id)
        assert standing is not None
        epochs.append(standing.epoch)
        user = after
    assert epochs == [0, 0, 1, 2, 3, 4]


def test_switching_off_ends_all_sessions_and_switching_on_again_revives_none(store: Store) -> None:
    accounts = DynamoAccounts()
    user = a_user("user")
    keep_account(user, a_session(user))
    off = changed(user, is_active=False)
    CONSUMERS.update_user(user, off, None)
    account = accounts.find_account(user.email)
    assert account is not None
    assert (account.sessions, account.generation) == (0, 1)
    on = changed(off, is_active=True)
    CONSUMERS.update_user(off, on, None)
    standing = standing_of(user.id)
    assert standing == Standing(consumer_id=user.id, is_active=True, role=Role.USER, epoch=2, generation=1)


def test_the_roster_holds_exactly_the_active_admins(store: Store) -> None:
    first, second = an_admin("first", CONSUMERS), kept("second")
    kept("idle", role=Role.ADMIN, is_active=False)
    held = [roster(store)]
    for change in (
        {"role": Role.ADMIN},
        {"is_active": False},
        {"role": Role.USER},
        {"role": Role.ADMIN},
        {"is_active": True},
        {"first_name": "New"},
        {"role": Role.MODERATOR},
        {"role": Role.ADMIN},
    ):
        after = changed(second, **change)
        CONSUMERS.update_user(second, after, None)
        second = after
        held.append(roster(store))
    CONSUMERS.delete_user(second)
    held.append(roster(store))
    alone, both = {first.id}, {first.id, second.id}
    assert held == [alone, both, alone, alone, alone, both, both, alone, both, alone]


@pytest.mark.parametrize(
    "leave",
    [
        lambda admin: CONSUMERS.update_user(admin, changed(admin, role=Role.MODERATOR), None),
        lambda admin: CONSUMERS.update_user(admin, changed(admin, is_active=False), None),
        lambda admin: CONSUMERS.delete_user(admin),
    ],
    ids=["demoted", "switched off", "deleted"],
)
def test_the_last_active_admin_stays(store: Store, leave: Callable[[User], None]) -> None:
    admin = an_admin("last", CONSUMERS)
    kept("idle", role=Role.ADMIN, is_active=False)
    before = store.items()
    with pytest.raises(Forbidden) as refusal:
        leave(admin)
    assert refusal.value.reason == "LAST_ADMIN"
    assert store.items() == before
    an_admin("next", CONSUMERS)
    leave(admin)
    assert admin.id not in roster(store)


def test_an_inactive_admin_can_be_deleted_however_few_there_are(store: Store) -> None:
    an_admin("last", CONSUMERS)
    idle = kept("idle", role=Role.ADMIN, is_active=False)
    CONSUMERS.delete_user(idle)
    assert CONSUMERS.find_user(idle.id) is None


def test_deleting_frees_the_names_and_leaves_nothing_of_a_user_without_belongings(store: Store) -> None:
    before = store.items()
    user = kept("user")
    CONSUMERS.delete_user(user)
    DynamoBelongings().delete_belongings(user.id)
    assert store.items() == before
    again = kept("USER")
    assert CONSUMERS.find_user(again.id) == again


def test_after_a_deletion_neither_gate_nor_account_is_left_to_come_in_by(store: Store) -> None:
    accounts = DynamoAccounts()
    user = a_user("user")
    session = a_session(user)
    keep_account(user, session)
    CONSUMERS.delete_user(user)
    assert standing_of(user.id) is None
    assert accounts.find_account(user.email) is None
    assert accounts.find_session(user.id, session.id) is None


def test_belongings_are_all_removed_but_for_the_claims_on_key_ids(store: Store) -> None:
    accounts, credentials = DynamoAccounts(), DynamoCredentials()
    neighbour, user = a_user("neighbour"), a_user("user")
    for person in (neighbour, user):
        keep_account(person, a_session(person))
        credentials.create_credential(a_credential(person, f"key-of-{person.username}"), "hash")
    others = [item for item in store.items() if neighbour.id in str(item)]
    account = accounts.find_account(user.email)
    assert account is not None
    for _ in range(30):
        accounts.open_session(account, a_session(user), entrance(of=user))
    for number in range(20):
        credentials.create_credential(a_credential(user, f"key-{number:02}"), "hash")
    CONSUMERS.delete_user(user)
    DynamoBelongings().delete_belongings(user.id)
    claims = [f"KEY#key-{number:02}" for number in range(20)] + ["KEY#key-of-user"]
    assert [item for item in store.items() if neighbour.id in str(item)] == others
    assert [key for key, item in zip(store.stored_keys(), store.items(), strict=True) if item not in others] == [
        (claim, "C") for claim in claims
    ]


def test_removing_belongings_twice_is_once(store: Store) -> None:
    user = kept("user")
    DynamoCredentials().create_credential(a_credential(user), "hash")
    CONSUMERS.delete_user(user)
    DynamoBelongings().delete_belongings(user.id)
    once = store.items()
    DynamoBelongings().delete_belongings(user.id)
    assert store.items() == once
