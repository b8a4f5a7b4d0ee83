"""What may happen to a consumer, on a store in memory."""

from dataclasses import replace
from typing import Any

import pytest

from gatehouse.audit.recording import Recorder
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import DeactivatedBy, Kind, Role, User
from gatehouse.consumers.service import Consumers, UserChanges
from gatehouse.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GatehouseError,
    NotFound,
    ServiceUnavailable,
    TwoFactorRequired,
)
from gatehouse.ids import new_id
from gatehouse.mail.model import MailKind
from gatehouse.permissions import Caller
from tests.unit.fakes import (
    HASHER,
    PASSWORD,
    POLICY,
    START,
    MemoryStore,
    StoppedClock,
    a_user,
    no_code_needed,
    signed_in,
)
from tests.unit.post import the_writer

JANE: NewUser = {"username": "janedoe", "email": "jane@example.com", "password": PASSWORD}


@pytest.fixture
def consumers(store: MemoryStore, clock: StoppedClock) -> Consumers:
    return Consumers(store, clock, HASHER, POLICY, the_writer(clock), Recorder(clock), no_code_needed)


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


@pytest.fixture
def moderator(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("mod", role=Role.MODERATOR)))


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


def _writes(store: MemoryStore) -> list[str]:
    return [call for call in store.calls if call in ("update_user", "create_user", "delete_user")]


def test_an_unknown_and_a_malformed_id_are_not_found_alike(consumers: Consumers, admin: Caller) -> None:
    for id in (new_id(START), "", "x", "uuid-123", "0" * 10_000, "\x00", "\ud800", "C#1"):
        with pytest.raises(NotFound) as refusal:
            consumers.get(admin, id)
        assert refusal.value.message == "There is no such user."


def test_an_id_is_found_in_either_case(consumers: Consumers, admin: Caller, user: User) -> None:
    assert consumers.get(admin, user.id.upper()) == user


def test_what_a_user_may_not_know_of_is_not_found_like_what_is_not_there(consumers: Consumers, user: User) -> None:
    stranger = signed_in(a_user("stranger"))
    refusals = []
    for id in (user.id, new_id(START)):
        with pytest.raises(NotFound) as refusal:
            consumers.get(stranger, id)
        refusals.append((refusal.value.message, refusal.value.reason, refusal.value.field))

    assert refusals[0] == refusals[1]


# Who reactivates whom, by who switched the account off (contract §2).
REACTIVATIONS = [
    (Role.USER, "self", DeactivatedBy.OWNER, Forbidden),
    (Role.MODERATOR, Role.USER, DeactivatedBy.OWNER, None),
    (Role.MODERATOR, Role.USER, DeactivatedBy.MODERATOR, None),
    (Role.MODERATOR, Role.USER, DeactivatedBy.ADMIN, Forbidden),
    (Role.MODERATOR, Role.MODERATOR, DeactivatedBy.OWNER, Forbidden),
    (Role.MODERATOR, Role.ADMIN, DeactivatedBy.OWNER, Forbidden),
    (Role.MODERATOR, "self", DeactivatedBy.OWNER, Forbidden),
    (Role.ADMIN, Role.USER, DeactivatedBy.ADMIN, None),
    (Role.ADMIN, Role.MODERATOR, DeactivatedBy.OWNER, None),
    (Role.ADMIN, Role.ADMIN, DeactivatedBy.ADMIN, None),
]


@pytest.mark.parametrize(("role", "whom", "by", "expected"), REACTIVATIONS)
def test_who_may_switch_an_account_on_again_depends_on_who_switched_it_off(
    consumers: Consumers,
    store: MemoryStore,
    role: Role,
    whom: Role | str,
    by: DeactivatedBy,
    expected: type[GatehouseError] | None,
) -> None:
    me = store.add(a_user("me", role=role))
    target = store.add(a_user("target", role=role if whom == "self" else whom, is_active=False, deactivated_by=by))
    caller = replace(signed_in(me), consumer_id=target.id) if whom == "self" else signed_in(me)

    if expected is None:
        assert consumers.update(caller, target.id, {"is_active": True}) == replace(
            target, is_active=True, deactivated_by=None, revision=1
        )
    else:
        with pytest.raises(expected):
            consumers.update(caller, target.id, {"is_active": True})
        assert store.users[target.id] == target


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_who_switched_an_account_off_is_written_down(consumers: Consumers, store: MemoryStore, role: Role) -> None:
    user = store.add(a_user())
    me = store.add(a_user("me", role=role))

    assert consumers.update(signed_in(me), user.id, {"is_active": False}).deactivated_by is DeactivatedBy(role)


@pytest.mark.parametrize("role", Role)
def test_whoever_switches_themselves_off_did_so_as_the_owner(
    consumers: Consumers, store: MemoryStore, role: Role, admin: Caller
) -> None:
    me = store.add(a_user("me", role=role))

    assert consumers.update(signed_in(me), me.id, {"is_active": False}).deactivated_by is DeactivatedBy.OWNER


def test_switching_off_what_is_off_changes_nothing(consumers: Consumers, store: MemoryStore, moderator: Caller) -> None:
    off = store.add(a_user(is_active=False, deactivated_by=DeactivatedBy.ADMIN))

    assert consumers.update(moderator, off.id, {"is_active": False}) == off
    assert store.users[off.id] == off


@pytest.mark.parametrize("by", [DeactivatedBy.OWNER, DeactivatedBy.MODERATOR])
def test_an_admin_holds_what_others_switched_off(
    consumers: Consumers, store: MemoryStore, admin: Caller, moderator: Caller, by: DeactivatedBy
) -> None:
    off = store.add(a_user(is_active=False, deactivated_by=by))

    held = consumers.update(admin, off.id, {"is_active": False})
    assert held == replace(off, deactivated_by=DeactivatedBy.ADMIN, revision=1)
    with pytest.raises(Forbidden):
        consumers.update(moderator, off.id, {"is_active": True})


def test_a_program_gives_no_role(consumers: Consumers, store: MemoryStore, admin: Caller, user: User) -> None:
    program = replace(admin, session_id=None, credential_id="k", scopes=frozenset({"users:read", "users:write"}))

    assert consumers.create(program, JANE).role is Role.USER
    assert consumers.update(program, user.id, {"role": Role.USER, "first_name": "J"}).first_name == "J"
    for act in (
        lambda: consumers.create(program, {**JANE, "role": Role.MODERATOR}),
        lambda: consumers.update(program, user.id, {"role": Role.MODERATOR}),
        lambda: consumers.update(program, user.id, {"email": "new@example.com"}),
    ):
        with pytest.raises(Forbidden) as refusal:
            act()
        assert refusal.value.reason == "SCOPE"


def test_values_that_are_so_already_need_no_right_and_write_nothing(
    consumers: Consumers, store: MemoryStore, user: User
) -> None:
    same: UserChanges = {
        "username": user.username,
        "email": user.email,
        "first_name": None,
        "last_name": None,
        "role": Role.USER,
        "is_active": True,
    }

    assert consumers.update(signed_in(user), user.id, same) == user
    assert consumers.update(signed_in(user), user.id, {}) == user
    assert _writes(store) == []


def test_the_seeds_update_changes_the_names_of_whoever_sends_it(
    consumers: Consumers, clock: StoppedClock, user: User
) -> None:
    clock.advance(minutes=5)

    assert consumers.update(
        signed_in(user), user.id, {"first_name": "John", "last_name": "Smith", "is_active": True}
    ) == replace(user, first_name="John", last_name="Smith", updated_at=clock.now(), revision=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"first_name": "J"}, None),
        ({"is_active": False}, None),
        ({"role": Role.MODERATOR}, Forbidden),
        ({"email": "new@example.com"}, Forbidden),
        ({"username": "newname"}, Forbidden),
        ({"first_name": "J", "role": Role.ADMIN}, Forbidden),
    ],
    ids=str,
)
def test_a_moderator_changes_names_and_state_of_users_and_nothing_else(
    consumers: Consumers,
    store: MemoryStore,
    moderator: Caller,
    user: User,
    changes: UserChanges,
    expected: type[GatehouseError] | None,
) -> None:
    if expected is None:
        assert consumers.update(moderator, user.id, changes).revision == 1
    else:
        with pytest.raises(expected):
            consumers.update(moderator, user.id, changes)
        assert store.users[user.id] == user


def test_an_admin_changes_everything_at_once(consumers: Consumers, admin: Caller, user: User) -> None:
    changes: UserChanges = {
        "username": "Johnny",
        "email": "johnny@example.com",
        "first_name": "J",
        "last_name": "D",
        "role": Role.MODERATOR,
        "is_active": False,
    }

    assert consumers.update(admin, user.id, changes) == replace(
        user, **changes, deactivated_by=DeactivatedBy.ADMIN, email_verified_at=START, revision=1
    )


def test_who_had_an_email_before_is_told_that_it_was_changed_and_of_nothing_else(
    consumers: Consumers, store: MemoryStore, admin: Caller, user: User
) -> None:
    consumers.update(admin, user.id, {"first_name": "J", "username": "johnny"})
    assert store.mailroom.to(user.email) == []
    consumers.update(admin, user.id, {"email": "johnny@example.com"})

    assert store.mailroom.to(user.email) == [MailKind.EMAIL_CHANGED]
    assert store.mailroom.to("johnny@example.com") == []


def test_an_email_is_changed_by_who_has_given_a_fresh_code_and_names_by_anybody(
    store: MemoryStore, clock: StoppedClock, admin: Caller, user: User
) -> None:
    def refuse(_caller: Caller) -> None:
        raise TwoFactorRequired("This takes a code.", reason="CODE_NEEDED")

    strict = Consumers(store, clock, HASHER, POLICY, the_writer(clock), Recorder(clock), refuse)
    with pytest.raises(TwoFactorRequired):
        strict.update(admin, user.id, {"email": "johnny@example.com"})
    assert store.users[user.id] == user
    assert strict.update(admin, user.id, {"first_name": "J"}).first_name == "J"


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_a_role_above_user_is_given_by_who_has_given_a_fresh_code_alone(
    store: MemoryStore, clock: StoppedClock, admin: Caller, user: User, role: Role
) -> None:
    def refuse(_caller: Caller) -> None:
        raise TwoFactorRequired("This takes a code.", reason="CODE_NEEDED")

    strict, before = (
        Consumers(store, clock, HASHER, POLICY, the_writer(clock), Recorder(clock), refuse),
        dict(store.users),
    )
    with pytest.raises(TwoFactorRequired):
        strict.create(admin, {**JANE, "role": role})
    with pytest.raises(TwoFactorRequired):
        strict.update(admin, user.id, {"role": role})
    assert store.users == before
    assert strict.create(admin, JANE).role is Role.USER


@pytest.mark.parametrize("name", ["username", "email", "role", "is_active"])
def test_what_every_consumer_has_cannot_be_taken_away(
    consumers: Consumers, user: User, admin: Caller, name: Any
) -> None:
    with pytest.raises(BadRequest) as refusal:
        consumers.update(admin, user.id, {name: None})

    assert refusal.value.field == ("isActive" if name == "is_active" else name)


def test_a_name_is_taken_away_with_null(consumers: Consumers, store: MemoryStore) -> None:
    user = store.add(a_user(first_name="John", last_name="Doe"))

    assert consumers.update(signed_in(user), user.id, {"first_name": None}) == replace(
        user, first_name=None, revision=1
    )


def test_a_name_that_another_has_is_a_conflict_and_ones_own_in_another_case_is_not(
    consumers: Consumers, store: MemoryStore, user: User
) -> None:
    other = store.add(a_user("other"))

    with pytest.raises(Conflict):
        consumers.update(signed_in(user), user.id, {"username": other.username.upper()})
    assert consumers.update(signed_in(user), user.id, {"username": "JOHN"}).username == "JOHN"


@pytest.mark.parametrize("changes", [{"role": Role.USER}, {"is_active": False}], ids=str)
def test_the_last_active_admin_stays(
    consumers: Consumers, store: MemoryStore, admin: Caller, changes: UserChanges
) -> None:
    assert admin.consumer_id is not None
    for act in (
        lambda: consumers.update(admin, admin.consumer_id or "", changes),
        lambda: consumers.delete(admin, admin.consumer_id or ""),
    ):
        with pytest.raises(Forbidden) as refusal:
            act()
        assert refusal.value.reason == "LAST_ADMIN"
    assert store.users[admin.consumer_id].is_active_admin


@pytest.mark.parametrize("act", ["update", "delete"])
def test_a_change_that_met_another_is_decided_anew_and_after_five_gives_up(
    consumers: Consumers, store: MemoryStore, admin: Caller, act: str
) -> None:
    def attempt(name: str) -> User:
        target = store.add(a_user(name))
        if act == "delete":
            return consumers.delete(admin, target.id)
        return consumers.update(admin, target.id, {"first_name": "J"})

    store.stale = 4
    assert attempt("first").username == "first"
    store.stale = 5
    with pytest.raises(ServiceUnavailable):
        attempt("second")
    assert store.stale == 0
    assert store.users[next(u.id for u in store.users.values() if u.username == "second")].first_name is None


def test_a_right_that_was_lost_between_two_tries_is_missed_at_the_second(
    consumers: Consumers, store: MemoryStore, moderator: Caller, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.update_user

    def promoted_meanwhile(*change: Any) -> None:
        store.users[user.id] = replace(user, role=Role.ADMIN, revision=1)
        write(*change)

    monkeypatch.setattr(store, "update_user", promoted_meanwhile)
    with pytest.raises(Forbidden):
        consumers.update(moderator, user.id, {"first_name": "J"})


def test_an_admin_makes_a_consumer_of_any_role_and_kind(
    consumers: Consumers, store: MemoryStore, admin: Caller
) -> None:
    made = consumers.create(admin, {**JANE, "first_name": "Jane", "role": Role.MODERATOR, "kind": Kind.PARTNER})

    assert made == User(
        id=made.id,
        username="janedoe",
        email="jane@example.com",
        first_name="Jane",
        role=Role.MODERATOR,
        kind=Kind.PARTNER,
        email_verified_at=START,
        password_changed_at=START,
        created_at=START,
        updated_at=START,
    )
    assert store.users[made.id] == made
    assert HASHER.matches(PASSWORD, store.hashes[made.id])


def test_role_and_kind_that_are_null_are_the_defaults(consumers: Consumers, admin: Caller) -> None:
    made = consumers.create(admin, {**JANE, "role": None, "kind": None})

    assert (made.role, made.kind) == (Role.USER, Kind.USER)


@pytest.mark.parametrize("kind", [Kind.APPLICATION, Kind.SERVICE, Kind.PARTNER])
def test_only_a_person_needs_a_password(consumers: Consumers, store: MemoryStore, admin: Caller, kind: Kind) -> None:
    made = consumers.create(admin, {"username": "svc", "email": "svc@example.com", "kind": kind})
    assert store.hashes[made.id] is None

    with pytest.raises(BadRequest) as refusal:
        consumers.create(admin, {"username": "person", "email": "person@example.com", "kind": Kind.USER})
    assert refusal.value.field == "password"


def test_a_password_is_checked_whatever_the_kind(consumers: Consumers, store: MemoryStore, admin: Caller) -> None:
    with pytest.raises(BadRequest):
        consumers.create(admin, {**JANE, "password": "", "kind": Kind.SERVICE})
    assert _writes(store) == []


def test_deleting_ends_the_user(consumers: Consumers, store: MemoryStore, admin: Caller, user: User) -> None:
    assert consumers.delete(admin, user.id) == user
    assert user.id not in store.users


def test_whoever_may_not_delete_leaves_everything_as_it_is(
    consumers: Consumers, store: MemoryStore, moderator: Caller, user: User
) -> None:
    for caller, id in ((moderator, user.id), (signed_in(user), user.id), (moderator, new_id(START))):
        with pytest.raises(Forbidden):
            consumers.delete(caller, id)
    assert user.id in store.users


def test_a_list_is_refused_before_the_store_is_asked(consumers: Consumers, store: MemoryStore, user: User) -> None:
    with pytest.raises(Forbidden):
        consumers.page(signed_in(user), UserQuery(), 10, None)
    assert store.calls == []
