"""OAuth2 clients: what their access tokens may do, for how long, who may look at a token, and who may end it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.clients import Clients, InvalidScope, LiveToken
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.errors import Forbidden, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, SESSION
from tests.unit.fakes import START, TOKENS, MemoryStore, StoppedClock, a_user

HOUR = timedelta(hours=1)
READER, WRITER = ("credentials:read",), ("credentials:write",)


@pytest.fixture
def clients(store: MemoryStore, clock: StoppedClock) -> Clients:
    return Clients(store, clock, TOKENS, Recorder(clock))


@pytest.fixture
def owner(store: MemoryStore) -> User:
    return store.add(a_user("owner"))


def _client(store: MemoryStore, owner: User, **changes: Any) -> Credential:
    """A client that the owner has already."""
    known = Credential(
        id=new_id(START),
        consumer_id=owner.id,
        type=CredentialType.OAUTH2,
        key_id=f"client-{len(store.credentials)}",
        number=len(store.credentials) + 1,
        role=owner.role,
        label=None,
        scopes=None,
        expires_at=None,
        created_at=START,
        updated_at=START,
    )
    held = replace(known, **changes)
    store.credentials[held.id] = held
    return held


def _admitted(client: Credential, version: int = 1) -> Admitted:
    """The client as the gate lets it in."""
    return Admitted(
        caller=_caller(client),
        allowance=Allowance(limit=10, remaining=9, resets_at=START),
        gateway_key="",
        credential=client,
        version=version,
    )


def _caller(client: Credential) -> Caller:
    scopes = None if client.scopes is None else frozenset(client.scopes)
    return Caller(consumer_id=client.consumer_id, role=client.role, credential_id=client.id, scopes=scopes)


def test_an_access_token_tells_its_client_its_version_and_its_hour(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client = _client(store, owner, version=2)
    given = clients.issue(_admitted(client, 2), None)
    claims = TOKENS.verify(CLIENT_ACCESS, given.token, START)

    assert (given.expires_in, given.scopes) == (3600, None)
    assert given.token not in repr(given)
    assert dict(claims.own) == {
        "iss": "gatehouse",
        "aud": "gatehouse/client",
        "sub": owner.id,
        "jti": claims.token_id,
        "iat": int(START.timestamp()),
        "exp": int((START + HOUR).timestamp()),
        "cid": client.id,
        "ver": 2,
        "client_id": client.key_id,
    }


def test_an_access_token_ends_with_its_client_or_with_the_secret_it_was_got_with(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    soon = {"version": 2, "rotation": Rotation(START, START + timedelta(seconds=90))}
    for changes, version, seconds in (
        ({"expires_at": START + timedelta(seconds=60)}, 1, 60),
        ({"expires_at": START + timedelta(days=1)}, 1, 3600),
        (soon, 1, 90),
        (soon, 2, 3600),
        ({**soon, "expires_at": START + timedelta(seconds=60)}, 1, 60),
    ):
        given = clients.issue(_admitted(_client(store, owner, **changes), version), None)
        claims = TOKENS.verify(CLIENT_ACCESS, given.token, START)
        assert (given.expires_in, claims.own["ver"]) == (seconds, version)
        assert claims.expires_at == START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("has", "asked", "given"),
    [
        (None, None, None),
        (None, "users:read", ("users:read",)),
        (None, "users:read orders:write users:read", ("users:read", "orders:write")),
        (("users:read", "orders:write"), None, ("users:read", "orders:write")),
        (("users:read", "orders:write"), "orders:write", ("orders:write",)),
        (("credentials:write",), "credentials:write", ("credentials:write",)),
        ((), None, ()),
    ],
)
def test_a_token_has_the_scopes_asked_for_or_all_of_its_clients(
    clients: Clients,
    store: MemoryStore,
    owner: User,
    has: tuple[str, ...] | None,
    asked: str | None,
    given: tuple[str, ...] | None,
) -> None:
    answer = clients.issue(_admitted(_client(store, owner, scopes=has)), asked)
    told = TOKENS.verify(CLIENT_ACCESS, answer.token, START).own.get("scope")

    assert answer.scopes == given
    assert told == (None if asked is None else " ".join(given or ()))


@pytest.mark.parametrize(
    ("has", "asked"),
    [
        (None, "credentials:write"),
        (None, "users:read system:write"),
        (None, "users"),
        (None, "*"),
        (None, " "),
        (None, "users:read  users:write"),
        (None, "users:read\tusers:write"),
        (None, 'users:"read"'),
        (("users:read",), "users:write"),
        (("users:read",), "users:read users:write"),
        ((), "users:read"),
    ],
)
def test_a_scope_that_the_client_does_not_have_is_refused_and_not_quoted(
    clients: Clients, store: MemoryStore, owner: User, has: tuple[str, ...] | None, asked: str
) -> None:
    with pytest.raises(InvalidScope) as refusal:
        clients.issue(_admitted(_client(store, owner, scopes=has)), asked)

    assert '"' not in refusal.value.message
    assert refusal.value.message in (
        "scope is a list of words such as users:read, with one space between.",
        "The client does not have this scope.",
    )


def test_whoever_is_no_client_gets_no_token(clients: Clients) -> None:
    nobody = Admitted(caller=Caller(), allowance=Allowance(limit=1, remaining=1, resets_at=START), gateway_key="")
    with pytest.raises(Unauthenticated):
        clients.issue(nobody, None)


def test_a_client_sees_what_its_own_token_is(clients: Clients, store: MemoryStore, owner: User) -> None:
    client = _client(store, owner, scopes=(*READER, "orders:read"))
    token = clients.issue(_admitted(client), "orders:read").token

    assert clients.introspect(_caller(client), token) == LiveToken(
        claims=TOKENS.verify(CLIENT_ACCESS, token, START), credential=client, scopes=("orders:read",)
    )


def test_a_token_is_not_told_more_scopes_than_its_client_has_left(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client = _client(store, owner)
    token = clients.issue(_admitted(client), "orders:read orders:write").token
    narrowed = replace(client, scopes=("orders:read", "users:read"))
    store.credentials[client.id] = narrowed
    live = clients.introspect(_caller(client), token)

    assert live is not None
    assert live.scopes == ("orders:read",)


def test_a_token_loses_what_is_withheld_from_a_client_whose_scopes_are_taken_away(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client = _client(store, owner, scopes=(*READER, *WRITER))
    token = clients.issue(_admitted(client), "credentials:read credentials:write").token
    store.credentials[client.id] = replace(client, scopes=None)
    live = clients.introspect(_caller(client), token)

    assert live is not None
    assert live.scopes == READER


type End = Callable[[MemoryStore, StoppedClock, Clients, Credential, str], object]


def _put(store: MemoryStore, client: Credential, **changes: Any) -> None:
    store.credentials[client.id] = replace(client, **changes)


def _deactivate(store: MemoryStore, client: Credential) -> None:
    store.users[client.consumer_id] = replace(store.users[client.consumer_id], is_active=False)


ENDS: dict[str, End] = {
    "too old": lambda _store, clock, _clients, _it, _token: clock.advance(hours=1),
    "disabled": lambda store, _clock, _clients, it, _token: _put(store, it, is_active=False),
    "expired": lambda store, _clock, _clients, it, _token: _put(store, it, expires_at=START),
    "deleted": lambda store, _clock, _clients, it, _token: store.credentials.pop(it.id),
    "rotated": lambda store, _clock, _clients, it, _token: _put(
        store, it, version=2, rotation=Rotation(START, START, 1)
    ),
    "owner inactive": lambda store, _clock, _clients, it, _token: _deactivate(store, it),
    "owner gone": lambda store, _clock, _clients, it, _token: store.users.pop(it.consumer_id),
    "revoked": lambda _store, _clock, clients, it, token: clients.revoke(_caller(it), token),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_token_that_has_ended_is_not_active(
    clients: Clients, store: MemoryStore, clock: StoppedClock, owner: User, end: End
) -> None:
    client = _client(store, owner)
    token = clients.issue(_admitted(client), None).token
    assert clients.introspect(_caller(client), token) is not None

    end(store, clock, clients, client, token)

    assert clients.introspect(_caller(client), token) is None


def test_a_long_lived_token_can_be_looked_at_as_well(clients: Clients, store: MemoryStore, owner: User) -> None:
    client = _client(store, owner)
    held = _client(store, owner, type=CredentialType.JWT, scopes=("users:read",), expires_at=START + 90 * HOUR)
    token = TOKENS.issue(CREDENTIAL, owner.id, {"cid": held.id, "ver": 1}, START, START + 90 * HOUR)
    live = clients.introspect(_caller(client), token)

    assert live == LiveToken(claims=TOKENS.verify(CREDENTIAL, token, START), credential=held, scopes=("users:read",))


def test_a_token_of_another_kind_than_its_credential_is_not_active(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client = _client(store, owner)
    for type_ in CredentialType:
        own = {"cid": _client(store, owner, type=type_).id, "ver": 1}
        for kind, takes in ((CLIENT_ACCESS, CredentialType.OAUTH2), (CREDENTIAL, CredentialType.JWT)):
            token = TOKENS.issue(kind, owner.id, own, START, START + HOUR)
            assert (clients.introspect(_caller(client), token) is not None) is (type_ is takes)


def test_what_is_no_token_of_a_program_is_not_active_and_costs_no_read(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client = _client(store, owner)
    session = TOKENS.issue(SESSION, owner.id, {"sid": new_id(START)}, START, START + HOUR)
    forged = clients.issue(_admitted(client), None).token[:-4] + "AAAA"
    for token in ("", "x", "a.b.c", session, forged, "\ud800", "x" * 100_000):
        assert clients.introspect(_caller(client), token) is None
        clients.revoke(_caller(client), token)

    assert store.calls == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("owned_by", Role)
def test_a_token_is_looked_at_and_ended_by_whoever_may_know_its_owners_credentials(
    clients: Clients, store: MemoryStore, role: Role, owned_by: Role
) -> None:
    of = _client(store, store.add(a_user("of", role=owned_by)))
    token = clients.issue(_admitted(of), None).token
    other = _client(store, store.add(a_user("other", role=role)), scopes=READER + WRITER)
    may = role is Role.ADMIN or (role is Role.MODERATOR and owned_by is Role.USER)

    assert (clients.introspect(_caller(other), token) is not None) is may
    clients.revoke(_caller(other), token)
    assert bool(store.revoked_tokens) is may


def test_looking_takes_a_scope_and_ending_the_tokens_of_others_another(
    clients: Clients, store: MemoryStore, owner: User
) -> None:
    client, other = _client(store, owner, scopes=("orders:read",)), _client(store, owner)
    own, others = (clients.issue(_admitted(each), None).token for each in (client, other))
    for token in (own, others):
        with pytest.raises(Forbidden):
            clients.introspect(_caller(client), token)
    with pytest.raises(Forbidden):
        clients.revoke(_caller(client), others)
    assert store.revoked_tokens == set()

    clients.revoke(_caller(client), own)
    assert store.revoked_tokens == {TOKENS.verify(CLIENT_ACCESS, own, START).token_id}


def test_a_token_is_ended_once_and_the_epoch_moves_once(clients: Clients, store: MemoryStore, owner: User) -> None:
    client = _client(store, owner)
    token = clients.issue(_admitted(client), None).token
    clients.revoke(_caller(client), token)
    epoch = store.gates.gates[owner.id].standing.epoch
    clients.revoke(_caller(client), token)

    assert store.gates.gates[owner.id].standing.epoch == epoch == 1
