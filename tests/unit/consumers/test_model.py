"""Roles in their order, and who counts as an active ADMIN."""

import pytest

from gatehouse.consumers.model import Role
from tests.unit.fakes import ROLES, a_user


@pytest.mark.parametrize("left", ROLES)
@pytest.mark.parametrize("right", ROLES)
def test_of_two_roles_the_lower_is_the_one_that_may_do_less(left: Role, right: Role) -> None:
    assert left.lower_of(right) is ROLES[min(ROLES.index(left), ROLES.index(right))]


def test_only_an_active_admin_counts_among_the_admins() -> None:
    assert [a_user(role=role, is_active=active).is_active_admin for role in ROLES for active in (True, False)] == [
        False,
        False,
        False,
        False,
        True,
        False,
    ]
