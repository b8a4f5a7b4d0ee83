"""Each change of a credential is told as it is: who made it, whose it is, and what is another than before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.programs import Programs
from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import SYSTEM, AuditAction, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.credentials.service import CredentialChanges, NewCredential
from gatehouse.errors import GatehouseError
from gatehouse.permissions import Caller
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, TokenKind
from gatehouse.wiring import Gatehouse
from tests.unit.events import an_expected, by, personal
from tests.unit.fakes import HOME, START, TOKENS, MemoryStore, StoppedClock, the_house
from tests.unit.people import REQUEST, Town, asking

SECRET = "a-secret-that-somebody-chose"
MADE: NewCredential = {"type": CredentialType.KEY_AUTH, "key_id": "mobile-app", "key_secret": SECRET}


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return the_house(store, clock)


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock)


@pytest.fixture
def john(town: Town) -> User:
    return town.add("john")


@pytest.fixture
def owner(john: User) -> Caller:
    return asking(john)


@pytest.fixture
def admin(town: Town) -> Caller:
    return asking(town.add("root", role=Role.ADMIN))


def target(credential: Credential) -> Target:
    return Target(TargetType.CREDENTIAL, credential.id)


def test_a_credential_that_is_made_is_told_with_all_but_its_secret(
    house: Gatehouse, store: MemoryStore, admin: Caller, john: User
) -> None:
    given: NewCredential = {
        **MADE,
        "consumer_id": john.id,
        "label": "John's phone",
        "scopes": ["users:read"],
        "expires_at": START + timedelta(days=30),
    }

    made = house.credentials.create(admin, given).credential

    assert store.events.told() == [
        an_expected(
            AuditAction.CREDENTIAL_CREATED,
            at=START,
            actor=by(admin),
            subject_id=john.id,
            target=target(made),
            after={
                "type": "KEY_AUTH",
                "keyId": personal("mobile-app"),
                "label": personal("John's phone"),
                "role": "USER",
                "scopes": ("users:read",),
                "expiresAt": "2026-03-31T12:00:00.000Z",
                "isActive": True,
            },
            correlation_id=REQUEST,
        )
    ]


def test_a_credential_that_is_changed_is_told_with_what_was_changed_alone(
    house: Gatehouse, store: MemoryStore, town: Town, owner: Caller, john: User
) -> None:
    held = town.give(john, label="phone", scopes=("users:read",))

    house.credentials.update(owner, held.id, {"label": None, "scopes": ["users:read", "me:read"], "is_active": False})

    [event] = store.events.told()
    assert event == an_expected(
        AuditAction.CREDENTIAL_UPDATED,
        at=START,
        actor=by(owner),
        subject_id=john.id,
        target=target(held),
        before={"label": personal("phone"), "scopes": ("users:read",), "isActive": True},
        after={"label": None, "scopes": store.credentials[held.id].scopes, "isActive": False},
        correlation_id=REQUEST,
    )
    assert event.after["scopes"] != event.before["scopes"]


@pytest.mark.parametrize("changes", [{}, {"label": "phone"}, {"is_active": True, "scopes": ["users:read"]}])
def test_where_nothing_is_changed_nothing_is_told(
    house: Gatehouse, store: MemoryStore, town: Town, owner: Caller, john: User, changes: CredentialChanges
) -> None:
    held = town.give(john, label="phone", scopes=("users:read",))

    assert house.credentials.update(owner, held.id, changes) == held
    assert store.events == []


def test_a_rotation_is_told_with_the_versions_and_the_end_of_the_overlap(
    house: Gatehouse, store: MemoryStore, town: Town, owner: Caller, john: User
) -> None:
    held = town.give(john)
    for _ in range(2):
        house.credentials.rotate(owner, held.id, 3600)
        town.clock.advance(minutes=1)

    ends = ("2026-03-01T13:00:00.000Z", "2026-03-01T13:01:00.000Z")
    assert store.events.told() == [
        an_expected(
            AuditAction.CREDENTIAL_ROTATED,
            at=START + timedelta(minutes=number),
            actor=by(owner),
            subject_id=john.id,
            target=target(held),
            before={"version": number + 1, "overlapEndsAt": ends[0] if number else None},
            after={"version": number + 2, "overlapEndsAt": ends[number]},
            correlation_id=REQUEST,
        )
        for number in range(2)
    ]


def test_the_rotation_of_a_token_is_told_with_its_other_end(
    house: Gatehouse, store: MemoryStore, town: Town, owner: Caller, john: User
) -> None:
    held = town.give(john, type=CredentialType.JWT, expires_at=START + timedelta(days=1))
    town.clock.advance(hours=1)
    house.credentials.rotate(owner, held.id, 60)

    [event] = store.events
    assert (event.before["expiresAt"], event.after["expiresAt"]) == (
        "2026-03-02T12:00:00.000Z",
        "2026-03-02T13:00:00.000Z",
    )


def test_a_credential_that_is_deleted_is_told_with_what_it_was(
    house: Gatehouse, store: MemoryStore, town: Town, owner: Caller, john: User
) -> None:
    held = town.give(john)

    house.credentials.delete(owner, held.id)

    assert store.events.told() == [
        an_expected(
            AuditAction.CREDENTIAL_DELETED,
            at=START,
            actor=by(owner),
            subject_id=john.id,
            target=target(held),
            before={"type": "KEY_AUTH", "keyId": personal("john-1"), "role": "USER", "isActive": True},
            correlation_id=REQUEST,
        )
    ]


REFUSED: dict[str, Callable[[Gatehouse, Caller, str], object]] = {
    "a taken key id": lambda house, owner, _: [house.credentials.create(owner, MADE) for _ in range(2)],
    "no label": lambda house, owner, _: house.credentials.create(owner, {**MADE, "label": "x" * 1000}),
    "not in force": lambda house, owner, held: house.credentials.rotate(owner, held, None),
    "nobody's": lambda house, owner, _: house.credentials.delete(owner, "nobody"),
    "by nobody": lambda house, _, held: house.credentials.update(Caller(), held, {"label": "x"}),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_a_change_that_is_refused_is_not_told_as_one(
    house: Gatehouse,
    store: MemoryStore,
    town: Town,
    owner: Caller,
    john: User,
    refused: Callable[[Gatehouse, Caller, str], object],
) -> None:
    held = town.give(john, is_active=False)

    with pytest.raises(GatehouseError):
        refused(house, owner, held.id)

    assert [event.action for event in store.events] == [AuditAction.CREDENTIAL_CREATED] * (len(store.credentials) - 1)


def a_token(client: Credential, kind: TokenKind = CLIENT_ACCESS) -> str:
    own = {"cid": client.id, "ver": 1, "client_id": client.key_id}
    return TOKENS.issue(kind, client.consumer_id, own, START, START + timedelta(hours=1))


def of_program(client: Credential) -> Caller:
    return Caller(
        consumer_id=client.consumer_id,
        role=client.role,
        credential_id=client.id,
        address=HOME,
        correlation_id=REQUEST,
    )


@pytest.mark.parametrize("kind", [CLIENT_ACCESS, CREDENTIAL], ids=["access token", "JWT"])
def test_a_token_that_is_revoked_is_told_once_with_whose_it_is(
    house: Gatehouse, store: MemoryStore, town: Town, john: User, kind: TokenKind
) -> None:
    client = town.give(john, type=CredentialType.OAUTH2)
    token = a_token(client, kind)

    for _ in range(2):
        house.clients.revoke(of_program(client), token)

    assert store.events.told() == [
        an_expected(
            AuditAction.TOKEN_REVOKED,
            at=START,
            actor=by(of_program(client)),
            subject_id=john.id,
            target=target(client),
            correlation_id=REQUEST,
        )
    ]


def test_a_token_that_stays_as_it_is_is_not_told(house: Gatehouse, store: MemoryStore, town: Town, john: User) -> None:
    client, other = town.give(john, type=CredentialType.OAUTH2), town.give(town.add("jane"), type=CredentialType.OAUTH2)
    program = replace(of_program(client), scopes=frozenset({"credentials:write"}))

    for token in ("", "made-up", a_token(other), a_token(replace(other, consumer_id="nobody"))):
        house.clients.revoke(program, token)

    assert store.events == []


def test_of_all_credentials_that_are_switched_off_or_removed_each_is_told(
    town: Town, store: MemoryStore, clock: StoppedClock, john: User
) -> None:
    live, off = town.give(john), town.give(john, 2, is_active=False)
    programs = Programs(store, Recorder(clock))

    programs.switch_off(john.id, ITSELF, START)
    programs.remove(john.id, ITSELF)

    known = {"at": START, "actor": SYSTEM, "subject_id": john.id}
    held = [{"type": "KEY_AUTH", "keyId": personal(f"john-{n}"), "role": "USER", "isActive": False} for n in (1, 2)]
    assert store.events.told() == [
        an_expected(
            AuditAction.CREDENTIAL_UPDATED,
            **known,
            target=target(live),
            before={"isActive": True},
            after={"isActive": False},
        ),
        an_expected(AuditAction.CREDENTIAL_DELETED, **known, target=target(off), before=held[1]),
        an_expected(AuditAction.CREDENTIAL_DELETED, **known, target=target(live), before=held[0]),
    ]
