"""The first ADMIN: made once, with a password that is told once."""

import pytest

from gatehouse.bootstrap import Bootstrap
from gatehouse.consumers.model import Role
from gatehouse.errors import BadRequest, Conflict
from tests.unit.fakes import HASHER, PASSWORD, POLICY, MemoryStore, StoppedClock, a_user


@pytest.fixture
def bootstrap(store: MemoryStore, clock: StoppedClock) -> Bootstrap:
    return Bootstrap(store, clock, HASHER, POLICY)


def test_the_first_admin_is_made_with_the_password_that_was_given(bootstrap: Bootstrap, store: MemoryStore) -> None:
    made = bootstrap.create_first_admin("root@example.com", "root", PASSWORD)

    assert made.password is None
    assert store.users == {made.user.id: made.user}
    assert made.user.is_active_admin
    assert HASHER.matches(PASSWORD, store.hashes[made.user.id])


def test_without_one_a_password_is_made_that_keeps_every_rule(bootstrap: Bootstrap, store: MemoryStore) -> None:
    made = bootstrap.create_first_admin("root@example.com", "root")

    assert made.password is not None
    assert len(made.password) == 20
    POLICY.check(made.password, username="root", email="root@example.com")
    assert HASHER.matches(made.password, store.hashes[made.user.id])
    assert made.password not in repr(made)


def test_where_there_is_an_admin_no_other_is_made(bootstrap: Bootstrap, store: MemoryStore) -> None:
    there = store.add(a_user("boss", role=Role.ADMIN))

    with pytest.raises(Conflict):
        bootstrap.create_first_admin("root@example.com", "root", PASSWORD)
    assert store.users == {there.id: there}


@pytest.mark.parametrize(
    ("email", "username", "password"),
    [("root", "root", PASSWORD), ("root@example.com", "r", PASSWORD), ("root@example.com", "root", "weak")],
)
def test_what_breaks_a_rule_is_refused(
    bootstrap: Bootstrap, store: MemoryStore, email: str, username: str, password: str
) -> None:
    with pytest.raises(BadRequest):
        bootstrap.create_first_admin(email, username, password)
    assert store.users == {}
