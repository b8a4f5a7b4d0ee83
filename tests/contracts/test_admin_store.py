"""The port of the first ADMIN, `bootstrap.AdminStore`, on every implementation."""

from functools import partial

import pytest

from gatehouse.consumers.model import Role, Standing
from gatehouse.errors import Conflict
from gatehouse.storage.consumers import DynamoConsumers
from tests.contracts.made_up import an_admin, at_once, changed, standing_of
from tests.stores import Store
from tests.unit.fakes import a_user

ADMINS = DynamoConsumers()


def test_the_first_admin_is_kept_with_standing_and_a_place_on_the_roster(store: Store) -> None:
    admin = a_user("root", role=Role.ADMIN)
    ADMINS.create_first_admin(admin, "hash")
    assert ADMINS.find_user(admin.id) == admin
    assert standing_of(admin.id) == Standing(
        consumer_id=admin.id, is_active=True, role=Role.ADMIN, epoch=0, generation=0
    )
    assert store.item("ROSTER", "R") == {"PK": {"S": "ROSTER"}, "SK": {"S": "R"}, "ids": {"SS": [admin.id]}}


def test_where_there_is_an_admin_another_first_one_is_a_conflict_and_leaves_nothing(store: Store) -> None:
    an_admin("someone", ADMINS)
    before = store.items()
    with pytest.raises(Conflict, match="There is an ADMIN already"):
        ADMINS.create_first_admin(a_user("root", role=Role.ADMIN), "hash")
    assert store.items() == before


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_taken_name_is_a_conflict_that_names_its_field_and_leaves_no_roster(store: Store, field: str) -> None:
    taken = a_user("taken")
    ADMINS.create_user(taken, None)
    before = store.items()
    with pytest.raises(Conflict) as refusal:
        ADMINS.create_first_admin(a_user("root", role=Role.ADMIN, **{field: getattr(taken, field).upper()}), "hash")
    assert refusal.value.field == field
    assert store.items() == before


def test_the_first_admin_cannot_leave_before_there_is_a_second(store: Store) -> None:
    first = a_user("root", role=Role.ADMIN)
    ADMINS.create_first_admin(first, "hash")
    an_admin("second", ADMINS)
    ADMINS.update_user(first, changed(first, role=Role.USER), None)
    with pytest.raises(Conflict):
        ADMINS.create_first_admin(a_user("late", role=Role.ADMIN), "hash")


def test_of_many_first_admins_at_once_one_is_made_and_nothing_is_left_of_the_others(dynoxide_store: Store) -> None:
    admins = [a_user(f"root{number}", role=Role.ADMIN) for number in range(12)]
    answers = at_once([partial(ADMINS.create_first_admin, admin, "hash") for admin in admins])
    (winner,) = [admin for admin, answer in zip(admins, answers, strict=True) if answer is None]
    assert sum(isinstance(answer, Conflict) for answer in answers) == 11
    assert dynoxide_store.stored_keys() == [
        (f"C#{winner.id}", "P"),
        (f"E#{winner.email}", "C"),
        (f"G#{winner.id}", "G"),
        (f"N#{winner.username}", "C"),
        ("ROSTER", "R"),
    ]
