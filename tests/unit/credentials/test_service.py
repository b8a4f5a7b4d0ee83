"""What may happen to a credential, and that none gives more than the one it was made with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.credentials.issuing import Issuer
from gatehouse.credentials.keys import hash_made_secret
from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import Credential, CredentialQuery, CredentialType
from gatehouse.credentials.service import MOST_ACTIVE, CredentialChanges, Credentials, NewCredential
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
from gatehouse.permissions import Caller
from tests.unit.fakes import HASHER, START, TOKENS, MemoryStore, StoppedClock, a_user, no_code_needed, signed_in

KEY_AUTH = CredentialType.KEY_AUTH
SEED: NewCredential = {"type": KEY_AUTH, "key_id": "api-key-123", "key_secret": "secret"}
MADE: NewCredential = {"type": KEY_AUTH}


def _credentials(
    store: MemoryStore, clock: StoppedClock, *, self_service: bool = True, chosen_secrets: bool = True
) -> Credentials:
    return Credentials(
        store, clock, Issuer(HASHER, TOKENS, chosen_secrets), Recorder(clock), self_service, no_code_needed
    )


@pytest.fixture
def credentials(store: MemoryStore, clock: StoppedClock) -> Credentials:
    return _credentials(store, clock)


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


@pytest.fixture
def moderator(store: MemoryStore) -> User:
    return store.add(a_user("mod", role=Role.MODERATOR))


@pytest.fixture
def admin(store: MemoryStore) -> User:
    return store.add(a_user("root", role=Role.ADMIN))


def _held(store: MemoryStore, owner: User, **changes: Any) -> Credential:
    """A credential that the owner has already."""
    known = Credential(
        id=new_id(START),
        consumer_id=owner.id,
        type=KEY_AUTH,
        key_id=f"key-{len(store.credentials)}",
        number=len(store.credentials) + 1,
        role=owner.role,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    if changes.get("is_active") is False:
        changes = {"disabled_by": DeactivatedBy.OWNER, **changes}
    held = replace(known, **changes)
    store.credentials[held.id] = held
    store.secret_hashes[held.id] = "sha256$"
    return held


def _program(held: Credential) -> Caller:
    """Whoever comes with the credential."""
    return Caller(
        consumer_id=held.consumer_id,
        role=held.role,
        credential_id=held.id,
        credential_version=held.version,
        ends_at=held.expires_at,
        scopes=None if held.scopes is None else frozenset(held.scopes),
    )


def test_the_seeds_own_key_works_and_its_secret_is_not_told(
    credentials: Credentials, store: MemoryStore, user: User
) -> None:
    issued = credentials.create(signed_in(user), SEED)

    assert issued.secret is None
    assert issued.credential == Credential(
        id=issued.credential.id,
        consumer_id=user.id,
        type=KEY_AUTH,
        key_id="api-key-123",
        number=1,
        role=Role.USER,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    kept = store.secret_hashes[issued.credential.id] or ""
    assert kept.startswith("$2b$04$")
    assert HASHER.matches("secret", kept)


def test_a_made_key_is_told_once_and_kept_as_a_digest(credentials: Credentials, store: MemoryStore, user: User) -> None:
    issued = credentials.create(signed_in(user), MADE)

    assert issued.secret is not None
    key = key_auth.parse(issued.secret)
    assert key.key_id == issued.credential.key_id
    assert key.secret not in repr(store) + repr(issued)
    assert store.secret_hashes[issued.credential.id] == hash_made_secret(key.secret)


def test_a_chosen_key_id_goes_with_a_made_secret(credentials: Credentials, user: User) -> None:
    issued = credentials.create(signed_in(user), {**MADE, "key_id": "my-service"})

    assert issued.secret is not None
    assert key_auth.parse(issued.secret).key_id == "my-service"


def test_label_scopes_and_expiry_are_kept_and_scopes_stand_once(credentials: Credentials, user: User) -> None:
    ends = START + timedelta(days=1)
    made = credentials.create(
        signed_in(user),
        {**MADE, "label": "CI", "scopes": ["users:read", "orders:write", "users:read"], "expires_at": ends},
    ).credential

    assert (made.label, made.scopes, made.expires_at) == ("CI", ("users:read", "orders:write"), ends)


@pytest.mark.parametrize(
    ("change", "at_fault"),
    [
        ({"key_id": "ab"}, "keyId"),
        ({"key_id": ""}, "keyId"),
        ({"key_id": "gatehouse_mine"}, "keyId"),
        ({"key_id": None, "key_secret": "secret"}, "keyId"),
        ({"key_id": "abc", "key_secret": "short"}, "keySecret"),
        ({"key_id": "abc", "key_secret": ""}, "keySecret"),
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\x00b"}, "label"),
        ({"scopes": ["users"]}, "scopes"),
        ({"scopes": ["users:"]}, "scopes"),
        ({"scopes": ["Users:read"]}, "scopes"),
        ({"scopes": ["users:read users:write"]}, "scopes"),
        ({"scopes": ["*"]}, "scopes"),
        ({"scopes": ["users:*"]}, "scopes"),
        ({"scopes": ["users:read\n"]}, "scopes"),
        ({"scopes": [f"a{n}:read" for n in range(51)]}, "scopes"),
        ({"expires_at": START}, "expiresAt"),
        ({"expires_at": START - timedelta(days=1)}, "expiresAt"),
    ],
    ids=lambda change: ascii(change)[:40],
)
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_kept(
    credentials: Credentials, store: MemoryStore, user: User, change: Any, at_fault: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        credentials.create(signed_in(user), {**MADE, **change})

    assert refusal.value.field == at_fault
    assert store.credentials == {}


def test_chosen_secrets_can_be_switched_off(store: MemoryStore, clock: StoppedClock, user: User) -> None:
    strict = _credentials(store, clock, chosen_secrets=False)

    with pytest.raises(BadRequest) as refusal:
        strict.create(signed_in(user), SEED)
    assert refusal.value.field == "keySecret"
    assert "secret" not in refusal.value.message.split()
    assert strict.create(signed_in(user), {**MADE, "key_id": "my-service"}).secret is not None


def test_a_key_id_is_never_issued_again(credentials: Credentials, user: User) -> None:
    first = credentials.create(signed_in(user), SEED).credential
    with pytest.raises(Conflict):
        credentials.create(signed_in(user), SEED)
    credentials.delete(signed_in(user), first.id)
    with pytest.raises(Conflict):
        credentials.create(signed_in(user), SEED)


def test_the_101st_active_credential_is_one_too_many(credentials: Credentials, store: MemoryStore, user: User) -> None:
    held = [_held(store, user) for _ in range(MOST_ACTIVE)]
    off = _held(store, user, is_active=False)
    for act in (
        lambda: credentials.create(signed_in(user), MADE),
        lambda: credentials.update(signed_in(user), off.id, {"is_active": True}),
    ):
        with pytest.raises(Conflict) as refusal:
            act()
        assert refusal.value.message == (
            "A consumer has at most 100 active credentials, and 500 in all; delete some first."
        )

    credentials.update(signed_in(user), held[0].id, {"is_active": False})
    assert credentials.create(signed_in(user), MADE).secret is not None


def test_an_owner_who_is_deleted_meanwhile_gets_no_credential(
    credentials: Credentials, store: MemoryStore, user: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.create_credential

    def deleted_meanwhile(credential: Credential, *more: Any) -> Credential:
        store.users.pop(user.id, None)
        return write(credential, *more)

    monkeypatch.setattr(store, "create_credential", deleted_meanwhile)
    with pytest.raises(NotFound):
        credentials.create(signed_in(admin), {**MADE, "consumer_id": user.id})
    assert store.credentials == {}


@pytest.mark.parametrize("maker", ["user", "moderator", "admin"])
def test_a_credential_gets_the_lower_role_of_owner_and_maker(
    credentials: Credentials, store: MemoryStore, maker: str, request: pytest.FixtureRequest
) -> None:
    me: User = request.getfixturevalue(maker)

    assert credentials.create(signed_in(me), MADE).credential.role is me.role
    assert _role_for(credentials, store, me) is (Role.USER if maker == "admin" else None)


def _role_for(credentials: Credentials, store: MemoryStore, maker: User) -> Role | None:
    """The role of what the maker makes for a USER; None where that is refused."""
    other = store.add(a_user("other"))
    try:
        return credentials.create(signed_in(maker), {**MADE, "consumer_id": other.id}).credential.role
    except (Forbidden, NotFound):
        return None


@pytest.mark.parametrize(
    "consumer_id", ["", "uuid-123", new_id(START), "\x00"], ids=["empty", "word", "unknown", "nul"]
)
def test_a_consumer_who_is_unknown_is_not_found(credentials: Credentials, admin: User, consumer_id: str) -> None:
    with pytest.raises(NotFound):
        credentials.create(signed_in(admin), {**MADE, "consumer_id": consumer_id})
    with pytest.raises(NotFound):
        credentials.page(signed_in(admin), CredentialQuery(consumer_id=consumer_id), 10, None)


# What a program may do that came with this credential of an ADMIN, which ends in a day.
ENDS = START + timedelta(days=1)
OWN: Any = {"scopes": ("credentials:write", "users:read"), "expires_at": ENDS}
WITHIN: list[tuple[NewCredential, bool]] = [
    ({"scopes": ["users:read"], "expires_at": ENDS}, True),
    ({"scopes": ["credentials:write", "users:read"], "expires_at": ENDS}, True),
    ({"scopes": [], "expires_at": ENDS - timedelta(hours=1)}, True),
    ({"scopes": ["users:read"], "expires_at": ENDS + timedelta(milliseconds=1)}, False),
    ({"scopes": ["users:read"]}, False),
    ({"scopes": ["users:read", "users:write"], "expires_at": ENDS}, False),
    ({"scopes": ["orders:read"], "expires_at": ENDS}, False),
    ({"scopes": None, "expires_at": ENDS}, False),
    ({"expires_at": ENDS}, False),
]


@pytest.mark.parametrize(("asked", "allowed"), WITHIN, ids=str)
def test_a_credential_mints_nothing_beyond_itself(
    credentials: Credentials, store: MemoryStore, admin: User, user: User, asked: NewCredential, allowed: bool
) -> None:
    program = _program(_held(store, admin, **OWN))
    for owner in (admin, user):
        new: NewCredential = {**MADE, **asked, "consumer_id": owner.id}
        if allowed:
            assert credentials.create(program, new).credential.role is owner.role
        else:
            with pytest.raises(Forbidden) as refusal:
                credentials.create(program, new)
            assert refusal.value.reason == "SCOPE"


@pytest.mark.parametrize(("asked", "allowed"), WITHIN, ids=str)
def test_a_credential_widens_nothing_beyond_itself_itself_included(
    credentials: Credentials, store: MemoryStore, admin: User, asked: NewCredential, allowed: bool
) -> None:
    own = _held(store, admin, **OWN)
    wider: CredentialChanges = {"scopes": asked.get("scopes"), "expires_at": asked.get("expires_at")}
    for target in (own, _held(store, admin, scopes=(), expires_at=ENDS)):
        if allowed:
            credentials.update(_program(own), target.id, wider)
        else:
            with pytest.raises(Forbidden) as refusal:
                credentials.update(_program(own), target.id, wider)
            assert refusal.value.reason == "SCOPE"
            assert store.credentials[target.id] == target


def test_a_credential_of_a_lower_role_mints_no_higher_one(
    credentials: Credentials, store: MemoryStore, admin: User
) -> None:
    program = _program(_held(store, admin, role=Role.USER, scopes=("credentials:write",)))
    stronger = _held(store, admin, scopes=(), is_active=False)

    assert credentials.create(program, {**MADE, "scopes": []}).credential.role is Role.USER
    with pytest.raises(Forbidden):
        credentials.update(program, stronger.id, {"is_active": True})
    with pytest.raises(Forbidden):
        credentials.update(program, stronger.id, {"label": "mine now"})


def test_a_credential_switches_off_a_stronger_one_and_cannot_switch_it_on_again(
    credentials: Credentials, store: MemoryStore, admin: User
) -> None:
    program = _program(_held(store, admin, **OWN))
    stronger = _held(store, admin, scopes=None)

    assert credentials.update(program, stronger.id, {"is_active": False}).is_active is False
    with pytest.raises(Forbidden):
        credentials.update(program, stronger.id, {"is_active": True})


def test_a_credential_that_is_gone_meanwhile_mints_nothing(
    credentials: Credentials, store: MemoryStore, admin: User
) -> None:
    own = _held(store, admin, scopes=("credentials:write",))
    del store.credentials[own.id]

    with pytest.raises(Forbidden):
        credentials.create(_program(own), {**MADE, "scopes": []})


def test_a_credential_that_is_off_meanwhile_mints_nothing_and_does_not_switch_itself_on_again(
    credentials: Credentials, store: MemoryStore, admin: User
) -> None:
    own = _held(store, admin, scopes=("credentials:write",), is_active=False)

    with pytest.raises(Forbidden):
        credentials.create(_program(own), {**MADE, "scopes": []})
    changes: list[CredentialChanges] = [{"is_active": True}, {"scopes": []}]
    for change in changes:
        with pytest.raises(Forbidden):
            credentials.update(_program(own), own.id, change)
    assert list(store.credentials.values()) == [own]


def test_a_session_is_no_ceiling(credentials: Credentials, user: User) -> None:
    made = credentials.create(signed_in(user), {**MADE, "scopes": ["credentials:write"]}).credential

    assert credentials.update(signed_in(user), made.id, {"scopes": None}).scopes is None


# What a session may do whose role takes a second factor that it has not seen, or not lately.


def _lacking(owner: User) -> Caller:
    """An ADMIN's session that has seen no code."""
    return replace(signed_in(owner), role=Role.USER, lacks_factor=True)


REFUSED_WITHOUT_A_FACTOR: dict[str, Callable[[Credentials, Caller, Credential], object]] = {
    "rotate": lambda credentials, caller, own: credentials.rotate(caller, own.id, 0),
    "widen": lambda credentials, caller, own: credentials.update(caller, own.id, {"scopes": ["users:write"]}),
    "label": lambda credentials, caller, own: credentials.update(caller, own.id, {"label": "x"}),
    "switch on": lambda credentials, caller, own: credentials.update(caller, own.id, {"is_active": True}),
}


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
@pytest.mark.parametrize("act", REFUSED_WITHOUT_A_FACTOR.values(), ids=REFUSED_WITHOUT_A_FACTOR.keys())
def test_a_session_that_lacks_its_factor_gets_at_no_credential_of_a_higher_role(
    credentials: Credentials,
    store: MemoryStore,
    admin: User,
    role: Role,
    act: Callable[[Credentials, Caller, Credential], object],
) -> None:
    strong = _held(store, admin, role=role, is_active=act is not REFUSED_WITHOUT_A_FACTOR["switch on"])
    with pytest.raises(TwoFactorRequired) as refusal:
        act(credentials, _lacking(admin), strong)
    assert refusal.value.reason == "ENABLE_TWO_FACTOR"
    assert store.credentials[strong.id] == strong


def test_a_session_that_lacks_its_factor_switches_a_higher_credential_off_and_has_a_users_own(
    credentials: Credentials, store: MemoryStore, admin: User
) -> None:
    strong, weak = _held(store, admin), _held(store, admin, role=Role.USER)

    assert credentials.update(_lacking(admin), strong.id, {"is_active": False}).is_active is False
    assert credentials.update(_lacking(admin), weak.id, {"scopes": ["users:read"]}).scopes == ("users:read",)
    assert credentials.rotate(_lacking(admin), weak.id, 0).credential.role is Role.USER
    assert credentials.create(_lacking(admin), MADE).credential.role is Role.USER


WIDER: dict[str, CredentialChanges] = {
    "scopes": {"scopes": ["users:write"]},
    "no scopes": {"scopes": None},
    "later end": {"expires_at": ENDS + timedelta(days=1)},
    "no end": {"expires_at": None},
    "switched on": {"is_active": True},
    "switched off and wider": {"is_active": False, "scopes": ["users:write"]},
}


@pytest.mark.parametrize("change", WIDER.values(), ids=WIDER.keys())
def test_a_credential_is_given_more_by_a_session_that_has_lately_seen_a_code_alone(
    store: MemoryStore, clock: StoppedClock, user: User, change: CredentialChanges
) -> None:
    def refuse(_caller: Caller) -> None:
        raise TwoFactorRequired("This takes a code.", reason="CODE_NEEDED")

    stale = Credentials(store, clock, Issuer(HASHER, TOKENS, True), Recorder(clock), True, refuse)
    held = _held(store, user, scopes=("users:read",), expires_at=ENDS, is_active=change.get("is_active") is not True)
    with pytest.raises(TwoFactorRequired):
        stale.update(signed_in(user), held.id, change)
    assert store.credentials[held.id] == held
    assert stale.update(signed_in(user), held.id, {"label": "x"}).label == "x"
    assert stale.update(signed_in(user), held.id, {"is_active": False}).is_active is False


# Without self-service the seed's table holds to the letter: a USER manages no credentials.
OWN_ACTS: dict[str, Callable[[Credentials, Caller, Credential], object]] = {
    "create": lambda credentials, caller, _: credentials.create(caller, MADE),
    "update": lambda credentials, caller, own: credentials.update(caller, own.id, {"label": "x"}),
    "disable": lambda credentials, caller, own: credentials.update(caller, own.id, {"is_active": False}),
    "rotate": lambda credentials, caller, own: credentials.rotate(caller, own.id, None),
    "delete": lambda credentials, caller, own: credentials.delete(caller, own.id),
}


@pytest.mark.parametrize("act", OWN_ACTS.values(), ids=OWN_ACTS.keys())
@pytest.mark.parametrize("role", Role)
def test_without_self_service_a_user_manages_none_of_their_own(
    store: MemoryStore, clock: StoppedClock, role: Role, act: Callable[[Credentials, Caller, Credential], object]
) -> None:
    me = store.add(a_user("me", role=role))
    own = _held(store, me)
    strict = _credentials(store, clock, self_service=False)

    assert strict.get(signed_in(me), own.id) == own
    assert strict.page(signed_in(me), CredentialQuery(consumer_id=me.id), 10, None).entries == [(own.id, own)]
    if role is not Role.USER:
        act(strict, signed_in(me), own)
    else:
        with pytest.raises(Forbidden) as refusal:
            act(strict, signed_in(me), own)
        assert refusal.value.reason == "SELF_SERVICE"
        assert store.credentials == {own.id: own}


def test_without_self_service_a_moderator_still_disables_a_users(
    store: MemoryStore, clock: StoppedClock, user: User, moderator: User
) -> None:
    strict = _credentials(store, clock, self_service=False)

    assert not strict.update(signed_in(moderator), _held(store, user).id, {"is_active": False}).is_active


def test_a_moderator_disables_and_deletes_a_users_credential_and_does_nothing_else_to_it(
    credentials: Credentials, store: MemoryStore, user: User, moderator: User
) -> None:
    held = _held(store, user)
    refused: list[CredentialChanges] = [
        {"label": "x"},
        {"scopes": []},
        {"expires_at": ENDS},
        {"is_active": False, "label": "x"},
    ]
    for changes in refused:
        with pytest.raises(Forbidden):
            credentials.update(signed_in(moderator), held.id, changes)
    with pytest.raises(Forbidden):
        credentials.rotate(signed_in(moderator), held.id, None)
    assert store.credentials[held.id] == held

    off = credentials.update(signed_in(moderator), held.id, {"is_active": False})
    assert off == replace(held, is_active=False, disabled_by=DeactivatedBy.MODERATOR, revision=1)
    with pytest.raises(Forbidden):
        credentials.update(signed_in(moderator), held.id, {"is_active": True})
    assert credentials.delete(signed_in(moderator), held.id) == off


@pytest.mark.parametrize(
    ("owner", "viewer", "expected"),
    [
        ("user", "user", None),
        ("user", "moderator", None),
        ("user", "admin", None),
        ("moderator", "user", NotFound),
        ("moderator", "moderator", None),
        ("admin", "user", NotFound),
        ("admin", "moderator", NotFound),
        ("admin", "admin", None),
    ],
)
def test_a_credential_that_one_may_not_read_is_not_found(
    credentials: Credentials,
    store: MemoryStore,
    owner: str,
    viewer: str,
    expected: type[GatehouseError] | None,
    request: pytest.FixtureRequest,
) -> None:
    held = _held(store, request.getfixturevalue(owner))
    caller = signed_in(request.getfixturevalue(viewer))
    if expected is None:
        assert credentials.get(caller, held.id) == held
        return
    for act in (
        lambda: credentials.get(caller, held.id),
        lambda: credentials.update(caller, held.id, {"is_active": False}),
        lambda: credentials.rotate(caller, held.id, None),
        lambda: credentials.delete(caller, held.id),
        lambda: credentials.get(caller, new_id(START)),
    ):
        with pytest.raises(expected) as refusal:
            act()
        assert refusal.value.message == "There is no such credential."


def test_whose_credentials_a_list_tells_depends_on_the_role(
    credentials: Credentials, store: MemoryStore, user: User, moderator: User, admin: User
) -> None:
    held = {owner.id: _held(store, owner) for owner in (user, moderator, admin)}

    def told(caller: User, consumer_id: str | None = None) -> list[Credential]:
        page = credentials.page(signed_in(caller), CredentialQuery(consumer_id=consumer_id), 10, None)
        return sorted((entry for _, entry in page.entries), key=lambda c: c.key_id)

    assert told(user) == [held[user.id]]
    assert told(admin) == list(held.values())
    assert told(moderator, user.id.upper()) == [held[user.id]]
    with pytest.raises(BadRequest) as refusal:
        told(moderator)
    assert refusal.value.field == "consumerId"
    with pytest.raises(Forbidden):
        told(moderator, admin.id)
    with pytest.raises(NotFound):
        told(user, moderator.id)


@pytest.mark.parametrize(
    ("switcher", "by"),
    [("user", DeactivatedBy.OWNER), ("moderator", DeactivatedBy.MODERATOR), ("admin", DeactivatedBy.ADMIN)],
)
def test_what_others_switched_off_its_owner_does_not_switch_on_again(
    credentials: Credentials,
    store: MemoryStore,
    user: User,
    admin: User,
    request: pytest.FixtureRequest,
    switcher: str,
    by: DeactivatedBy,
) -> None:
    held = _held(store, user)
    caller = signed_in(request.getfixturevalue(switcher))
    off = credentials.update(caller, held.id, {"is_active": False})
    assert off == replace(held, is_active=False, disabled_by=by, revision=1)

    if by is DeactivatedBy.OWNER:
        again = credentials.update(signed_in(user), held.id, {"is_active": True})
    else:
        with pytest.raises(Forbidden) as refusal:
            credentials.update(signed_in(user), held.id, {"is_active": True})
        assert refusal.value.reason == "ROLE"
        again = credentials.update(signed_in(admin), held.id, {"is_active": True})
    assert again == replace(held, revision=2)


def test_a_value_that_is_so_already_is_no_change(credentials: Credentials, store: MemoryStore, user: User) -> None:
    held = _held(store, user, label="CI")

    assert credentials.update(signed_in(user), held.id, {"label": "CI", "is_active": True}) == held
    assert "update_credential" not in store.calls


def test_whether_it_is_active_cannot_be_unknown(credentials: Credentials, store: MemoryStore, user: User) -> None:
    with pytest.raises(BadRequest) as refusal:
        credentials.update(signed_in(user), _held(store, user).id, {"is_active": None})

    assert refusal.value.field == "isActive"


@pytest.mark.parametrize("act", ["update", "rotate", "delete"])
def test_a_change_that_met_another_is_decided_anew_and_after_five_gives_up(
    credentials: Credentials, store: MemoryStore, user: User, act: str
) -> None:
    held = [_held(store, user), _held(store, user)]

    def attempt(number: int) -> Credential:
        if act == "delete":
            return credentials.delete(signed_in(user), held[number].id)
        if act == "rotate":
            return credentials.rotate(signed_in(user), held[number].id, None).credential
        return credentials.update(signed_in(user), held[number].id, {"label": "x"})

    store.stale = 4
    assert attempt(0).id == held[0].id
    store.stale = 5
    with pytest.raises(ServiceUnavailable):
        attempt(1)
    assert store.stale == 0
    assert store.credentials[held[1].id] == held[1]


def test_a_credential_is_in_force_until_its_end_and_while_it_is_active(store: MemoryStore, user: User) -> None:
    held = _held(store, user, expires_at=ENDS)

    assert held.is_in_force(ENDS - timedelta(milliseconds=1))
    assert not held.is_in_force(ENDS)
    assert not replace(held, is_active=False).is_in_force(START)
    assert replace(held, expires_at=None).is_in_force(ENDS + timedelta(days=10_000))
