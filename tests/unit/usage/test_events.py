"""Usage that is set back is told, and usage that is read is not."""

import pytest

from gatehouse.audit.model import AuditAction
from gatehouse.consumers.model import Role, User
from gatehouse.errors import Forbidden, NotFound
from gatehouse.permissions import Caller
from gatehouse.usage.service import Usages
from tests.unit.events import an_expected, by
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, the_house
from tests.unit.people import REQUEST, asking


@pytest.fixture
def usage(store: MemoryStore, clock: StoppedClock) -> Usages:
    return the_house(store, clock).usage


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return asking(store.add(a_user("root", role=Role.ADMIN)))


def test_a_reset_is_told_with_whose_usage_it_was(usage: Usages, store: MemoryStore, admin: Caller, user: User) -> None:
    usage.reset(admin, user.id)

    assert store.events.told() == [
        an_expected(AuditAction.USAGE_RESET, at=START, actor=by(admin), subject_id=user.id, correlation_id=REQUEST)
    ]


def test_what_is_read_and_what_is_refused_is_not_told(
    usage: Usages, store: MemoryStore, admin: Caller, user: User
) -> None:
    usage.of(admin, user.id, None, None)
    usage.explain(admin, user.id, None, "me", None)
    with pytest.raises(NotFound):
        usage.reset(admin, "nobody")
    with pytest.raises(Forbidden):
        usage.reset(asking(user), user.id)

    assert store.events == []
