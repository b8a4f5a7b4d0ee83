"""Who comes in with what, what they are told, and what a function remembers of it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.admission.service import Admission
from gatehouse.consumers.model import Role, User
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import ANONYMOUS, Caller
from gatehouse.plans.model import QuotaPeriod
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, SESSION
from gatehouse.wall.model import OwnKey
from gatehouse.wiring import Gatehouse
from tests.unit.credentials.programs import ENTRANCES
from tests.unit.fakes import (
    AT_HOME,
    HOME,
    PASSWORD,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_house,
    the_settings,
)
from tests.unit.plan_stores import a_plan

SEED = "5" * 32
SETTINGS = the_settings(GATEWAY_KEY_SEED=SEED, THROTTLE_LIMIT="10", THROTTLE_LIMIT_ANONYMOUS="3")
MINUTE = START + timedelta(minutes=1)
HOUR = timedelta(hours=1)
ADMIN = Caller(consumer_id=new_id(START), role=Role.ADMIN, session_id="s")


@pytest.fixture
def house(store: MemoryStore, clock: StoppedClock) -> Gatehouse:
    return the_house(store, clock, SETTINGS)


@pytest.fixture
def admission(house: Gatehouse) -> Admission:
    return house.admission


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user(role=Role.MODERATOR))


@pytest.fixture
def token(house: Gatehouse, user: User) -> str:
    return house.people.accounts.login(user.email, PASSWORD, AT_HOME).access_token


def make(house: Gatehouse, user: User, kind: CredentialType, **more: Any) -> tuple[Credential, str]:
    wanted: Any = {"type": kind, **more}
    made = house.credentials.create(signed_in(user), wanted)
    return made.credential, made.secret or more["key_secret"]


@pytest.fixture
def held(house: Gatehouse, user: User) -> tuple[Credential, ApiKey]:
    """A key of the user's that may read users."""
    credential, secret = make(house, user, CredentialType.KEY_AUTH, scopes=["users:read"])
    return credential, ApiKey(credential.key_id, secret.partition(".")[2])


def with_key(admission: Admission, key: ApiKey, address: str = HOME) -> Admitted:
    return admission.by_secret(CredentialType.KEY_AUTH, key, address)


def left(remaining: int, limit: int = 100) -> Allowance:
    return Allowance(limit=limit, remaining=remaining, resets_at=MINUTE)


# Who comes in


def test_nobody_comes_in_by_their_address_and_is_counted_by_it(admission: Admission) -> None:
    told = [admission.anonymous(HOME) for _ in range(4)]
    spent = Allowance(limit=3, remaining=0, resets_at=MINUTE, is_spent=True)
    assert [one.allowance for one in told] == [left(2, 3), left(1, 3), left(0, 3), spent]
    assert {(one.caller, one.gateway_key) for one in told} == {(ANONYMOUS, "anonymous" + SEED)}
    assert admission.anonymous("2001:db8::/64").allowance == left(2, 3)


def test_a_session_comes_in_as_its_person_with_the_role_and_the_limit_of_now(
    admission: Admission, house: Gatehouse, store: MemoryStore, user: User, token: str
) -> None:
    [session] = store.sessions.values()
    assert admission.by_session(token, HOME) == Admitted(
        caller=Caller(consumer_id=user.id, role=Role.MODERATOR, session_id=session.id, generation=0),
        allowance=left(99),
        gateway_key="shared" + SEED,
    )
    store.add(a_user("admin", role=Role.ADMIN))
    for number, (role, limit) in enumerate([(Role.USER, 10), (Role.ADMIN, 1000), (Role.MODERATOR, 100)], start=2):
        house.consumers.update(ADMIN, user.id, {"role": role})
        told = admission.by_session(token, HOME)
        assert (told.caller.role, told.allowance) == (role, left(limit - number, limit))


def test_an_old_session_token_comes_in_as_nobody_with_the_reason_and_costs_its_address(
    admission: Admission, clock: StoppedClock, store: MemoryStore, token: str
) -> None:
    clock.advance(hours=24)
    store.calls.clear()
    told = admission.by_session(token, HOME)
    assert told == Admitted(
        caller=Caller(refused_because="TOKEN_EXPIRED"),
        allowance=Allowance(limit=3, remaining=2, resets_at=MINUTE + 24 * HOUR),
        gateway_key="anonymous" + SEED,
    )
    assert (store.calls, store.gates.calls) == ([], ["enter_address"])


def test_a_key_comes_in_with_its_scopes_and_the_lower_role(
    admission: Admission, house: Gatehouse, store: MemoryStore, user: User, held: tuple[Credential, ApiKey]
) -> None:
    credential, key = held
    expected = Caller(
        consumer_id=user.id,
        role=Role.MODERATOR,
        credential_id=credential.id,
        credential_number=1,
        credential_version=1,
        scopes=frozenset({"users:read"}),
    )
    assert with_key(admission, key) == Admitted(
        caller=expected, allowance=left(99), gateway_key="shared" + SEED, credential=credential, version=1
    )
    store.add(a_user("admin", role=Role.ADMIN))
    for role, acts_as in ((Role.USER, Role.USER), (Role.ADMIN, Role.MODERATOR)):
        house.consumers.update(ADMIN, user.id, {"role": role})
        assert with_key(admission, key).caller == replace(expected, role=acts_as)


@pytest.mark.parametrize(("scopes", "told"), [(None, None), ([], frozenset()), (["a:b", "c:d"], {"a:b", "c:d"})])
@pytest.mark.parametrize("kind", CredentialType)
def test_a_credential_of_each_type_comes_in_with_its_scopes(
    house: Gatehouse, user: User, kind: CredentialType, scopes: list[str] | None, told: frozenset[str] | None
) -> None:
    credential, secret = make(house, user, kind, scopes=scopes)
    admitted = ENTRANCES[kind](house, credential, secret)
    assert (admitted.caller.credential_id, admitted.caller.scopes) == (credential.id, told)
    assert (admitted.credential, admitted.version) == (credential, 1)


@pytest.mark.parametrize("kind", [CredentialType.KEY_AUTH, CredentialType.BASIC_AUTH, CredentialType.OAUTH2])
def test_a_credential_comes_in_by_its_own_door_only(house: Gatehouse, user: User, kind: CredentialType) -> None:
    make(house, user, kind, key_id="mobile-app", key_secret="Chosen-Secret-1")
    for door in (CredentialType.KEY_AUTH, CredentialType.BASIC_AUTH, CredentialType.OAUTH2):
        key = ApiKey("mobile-app", "Chosen-Secret-1")
        if door is kind:
            assert house.admission.by_secret(door, key, HOME).caller.consumer_id == user.id
        else:
            with pytest.raises(Unauthenticated, match="The key is not valid"):
                house.admission.by_secret(door, key, HOME)


@pytest.mark.parametrize("kind", [CREDENTIAL, CLIENT_ACCESS], ids=lambda kind: kind.typ)
def test_a_token_is_taken_for_a_credential_of_its_own_type_only(house: Gatehouse, user: User, kind: Any) -> None:
    fits = {CREDENTIAL.typ: CredentialType.JWT, CLIENT_ACCESS.typ: CredentialType.OAUTH2}[kind.typ]
    for credential_type in CredentialType:
        credential, _ = make(house, user, credential_type)
        token = TOKENS.issue(kind, user.id, {"cid": credential.id, "ver": 1}, START, START + HOUR)
        if credential_type is fits:
            assert house.admission.by_token(kind, token).caller.credential_id == credential.id
        else:
            with pytest.raises(Unauthenticated):
                house.admission.by_token(kind, token)


@pytest.mark.parametrize("version", [0, 2, -1])
def test_a_token_of_a_version_that_does_not_count_is_refused(house: Gatehouse, user: User, version: int) -> None:
    credential, right = make(house, user, CredentialType.JWT)
    forged = TOKENS.issue(CREDENTIAL, user.id, {"cid": credential.id, "ver": version}, START, START + HOUR)
    house.admission.by_token(CREDENTIAL, right)
    with pytest.raises(Unauthenticated):
        house.admission.by_token(CREDENTIAL, forged)


def test_an_access_token_has_at_most_the_scopes_that_it_was_made_for_and_that_its_client_still_has(
    house: Gatehouse, user: User
) -> None:
    client, _ = make(house, user, CredentialType.OAUTH2, scopes=["users:read", "orders:read"])
    own = {"cid": client.id, "ver": 1, "scope": "orders:read orders:write"}
    token = TOKENS.issue(CLIENT_ACCESS, user.id, own, START, START + HOUR)
    assert house.admission.by_token(CLIENT_ACCESS, token).caller.scopes == frozenset({"orders:read"})
    house.credentials.update(signed_in(user), client.id, {"scopes": ["users:read"]})
    assert house.admission.by_token(CLIENT_ACCESS, token).caller.scopes == frozenset()


def test_a_wrong_secret_tells_nothing_of_the_key(house: Gatehouse, user: User) -> None:
    credential, _ = make(house, user, CredentialType.KEY_AUTH, key_id="api-key-123", key_secret="Chosen-Secret-1")
    house.credentials.update(signed_in(user), credential.id, {"is_active": False})
    refusals = set()
    for key_id in ("api-key-123", "nobodys-key"):
        with pytest.raises(Unauthenticated) as refusal:
            with_key(house.admission, ApiKey(key_id, "wrong-secret"))
        refusals.add((refusal.value.message, refusal.value.reason))
    assert refusals == {("The key is not valid.", "WRONG_SECRET")}


def test_another_secret_is_refused_also_where_the_right_one_is_remembered(house: Gatehouse, user: User) -> None:
    make(house, user, CredentialType.KEY_AUTH, key_id="api-key-123", key_secret="secret")
    assert with_key(house.admission, ApiKey("api-key-123", "secret")).caller.consumer_id == user.id
    for key_id, secret in (("api-key-123", "Secret"), ("api-key-123", "secret1"), ("api-key-124", "secret")):
        with pytest.raises(Unauthenticated):
            with_key(house.admission, ApiKey(key_id, secret))


def test_a_key_id_that_is_a_token_s_id_gets_nothing_of_the_token_and_gives_it_nothing(
    house: Gatehouse, store: MemoryStore, user: User
) -> None:
    _, token = make(house, user, CredentialType.JWT)
    own = house.admission.by_token(CREDENTIAL, token)
    token_id = TOKENS.verify(CREDENTIAL, token, START).token_id
    stranger = store.add(a_user("stranger"))
    make(house, stranger, CredentialType.KEY_AUTH, key_id=token_id, key_secret="Chosen-Secret-1")
    assert with_key(house.admission, ApiKey(token_id, "Chosen-Secret-1")).caller.consumer_id == stranger.id
    assert house.admission.by_token(CREDENTIAL, token).caller == own.caller


# What they are told


def test_sessions_share_one_window_and_credentials_another(house: Gatehouse, store: MemoryStore) -> None:
    user = store.add(a_user("jane"))
    tokens = [house.people.accounts.login(user.email, PASSWORD, AT_HOME).access_token for _ in range(2)]
    keys = [make(house, user, CredentialType.KEY_AUTH)[1].split(".") for _ in range(2)]
    calls: list[Callable[[], Admitted]] = [
        *(partial(house.admission.by_session, token, HOME) for token in tokens),
        *(partial(with_key, house.admission, ApiKey(*key)) for key in keys),
    ]
    told = [call().allowance.remaining for call in calls * 6]
    of_sessions, of_keys = [told[n] for n in range(24) if n % 4 < 2], [told[n] for n in range(24) if n % 4 >= 2]
    assert of_sessions == of_keys == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]
    assert [call().allowance.is_spent for call in calls] == [True] * 4


def test_a_plan_counts_for_credentials_alone(
    house: Gatehouse, store: MemoryStore, user: User, token: str, held: tuple[Credential, ApiKey]
) -> None:
    plan = a_plan(rate_limit=30, window_seconds=10, quota_limit=12, quota_period=QuotaPeriod.DAY)
    store.plans[plan.id] = plan
    house.plans.assign(ADMIN, user.id, plan.id)
    told = with_key(house.admission, held[1])
    midnight = START.replace(hour=0) + timedelta(days=1)
    assert (told.allowance, told.plan_id) == (Allowance(limit=12, remaining=11, resets_at=midnight), plan.id)
    told = house.admission.by_session(token, HOME)
    assert (told.allowance, told.plan_id) == (left(99), None)


def test_a_plan_that_is_gone_leaves_the_limit_of_the_role(
    house: Gatehouse, store: MemoryStore, user: User, held: tuple[Credential, ApiKey]
) -> None:
    gate = store.gates.gates[user.id]
    store.gates.gates[user.id] = replace(gate, standing=replace(gate.standing, plan_id=new_id(START)))
    told = with_key(house.admission, held[1])
    assert (told.allowance, told.plan_id) == (left(99), None)


def test_the_consumer_s_own_gateway_key_counts_once_it_is_usable_and_in_the_tier_of_the_limit(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, user: User, token: str, held: tuple[Credential, ApiKey]
) -> None:
    shared, own = "shared" + SEED, hashlib.sha256(f"{SEED}:{user.id}".encode()).hexdigest()

    def told(tier: int, usable_at: float) -> str:
        own_key = OwnKey(tier, START + timedelta(seconds=usable_at))
        store.gates.gates[user.id] = replace(store.gates.gates[user.id], own_key=own_key)
        return with_key(house.admission, held[1]).gateway_key

    # Twice the 100 requests a minute of a MODERATOR, at once or spread out, are the tier of 4 a second.
    assert [told(4, 1), told(2, 0), told(8, 0), told(4, 0)] == [shared, shared, shared, own]
    assert house.admission.by_session(token, HOME).gateway_key == shared


@pytest.mark.parametrize("cost", [1, 5, 9])
def test_a_charge_is_counted_against_window_and_quota_and_told(
    house: Gatehouse, store: MemoryStore, user: User, held: tuple[Credential, ApiKey], cost: int
) -> None:
    plan = a_plan(rate_limit=10, burst_limit=1, quota_limit=100, quota_period=QuotaPeriod.DAY, meters_cost=True)
    store.plans[plan.id] = plan
    house.plans.assign(ADMIN, user.id, plan.id)
    caller = with_key(house.admission, held[1]).caller
    assert house.admission.charge(caller, plan, cost) == left(9 - cost, 10)
    assert store.gates.gates[user.id].usage == {"1": 1 + cost}


@pytest.mark.parametrize("cost", [10, 11, 1_000])
def test_a_charge_that_does_not_fit_is_spent_and_counts_nothing(
    house: Gatehouse, store: MemoryStore, user: User, held: tuple[Credential, ApiKey], cost: int
) -> None:
    plan = a_plan(rate_limit=10, meters_cost=True)
    store.plans[plan.id] = plan
    house.plans.assign(ADMIN, user.id, plan.id)
    caller = with_key(house.admission, held[1]).caller
    before = store.gates.gates[user.id]
    assert house.admission.charge(caller, plan, cost).is_spent
    assert store.gates.gates[user.id] == before


def test_a_charge_of_a_consumer_that_is_gone_is_refused(
    house: Gatehouse, store: MemoryStore, user: User, held: tuple[Credential, ApiKey]
) -> None:
    caller = with_key(house.admission, held[1]).caller
    store.delete_user(user)
    with pytest.raises(ServiceUnavailable):
        house.admission.charge(caller, a_plan(), 2)


# What a function remembers


def calls_of(store: MemoryStore, call: Callable[[], object]) -> list[str]:
    store.calls.clear()
    store.gates.calls.clear()
    call()
    return store.calls + store.gates.calls


def test_first_sight_is_a_reading_or_two_and_a_write_and_then_a_write(
    house: Gatehouse, store: MemoryStore, user: User, token: str, held: tuple[Credential, ApiKey]
) -> None:
    _, jwt = make(house, user, CredentialType.JWT)
    calls: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: house.admission.by_session(token, HOME), ["find_gate_and_session"]),
        (lambda: with_key(house.admission, held[1]), ["find_claim", "find_gate_and_credential"]),
        (lambda: house.admission.by_token(CREDENTIAL, jwt), ["find_gate_and_token"]),
    ]
    for call, readings in calls:
        assert calls_of(store, call) == [*readings, "enter"]
        assert calls_of(store, call) == ["enter"]


def test_what_is_remembered_is_forgotten_when_it_has_ended(
    house: Gatehouse, store: MemoryStore, user: User, token: str, held: tuple[Credential, ApiKey]
) -> None:
    _, jwt = make(house, user, CredentialType.JWT)
    calls: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: house.admission.by_session(token, HOME), ["find_gate_and_session"]),
        (lambda: with_key(house.admission, held[1]), ["find_claim", "find_gate_and_credential"]),
        (lambda: house.admission.by_token(CREDENTIAL, jwt), ["find_gate_and_token"]),
    ]
    for call, _ in calls:
        call()
    house.consumers.update(signed_in(user), user.id, {"is_active": False})

    def refused(call: Callable[[], object]) -> None:
        with pytest.raises(Unauthenticated):
            call()

    for call, readings in calls:
        assert calls_of(store, partial(refused, call)) == [*readings, "enter"]
        assert calls_of(store, partial(refused, call)) == readings


def test_a_gate_whose_epoch_always_moves_is_503(
    house: Gatehouse, store: MemoryStore, user: User, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = store.gates.enter

    def moved_before(*told: Any) -> Any:
        store._move_epoch(user.id)
        return enter(*told)

    monkeypatch.setattr(store.gates, "enter", moved_before)
    with pytest.raises(ServiceUnavailable):
        house.admission.by_session(token, HOME)


def test_a_use_is_noted_once_an_hour_for_each_version_of_a_secret(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, user: User, held: tuple[Credential, ApiKey]
) -> None:
    credential, key = held
    for minutes in (0, 59, 1, 59, 1):
        clock.advance(minutes=minutes)
        with_key(house.admission, key)
    assert store.gates.notes == [f"{credential.id} 1"] * 3
    issued = house.credentials.rotate(signed_in(user), credential.id, 3_600)
    assert issued.secret is not None
    new = ApiKey(credential.key_id, issued.secret.partition(".")[2])
    for shown in (new, key, new, key):
        with_key(house.admission, shown)
    assert store.gates.notes[3:] == [f"{credential.id} 2"]


def test_a_use_that_was_written_down_an_hour_ago_is_not_noted_again_by_a_function_that_reads_so(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, held: tuple[Credential, ApiKey]
) -> None:
    credential, key = held
    store.credentials[credential.id] = replace(credential, last_used_at=START)
    clock.advance(minutes=59)
    with_key(house.admission, key)
    assert store.gates.notes == ["-"]  # the day's first call is noted, without a use
    clock.advance(minutes=1)
    with_key(house.admission, key)
    assert store.gates.notes == ["-", f"{credential.id} 1"]


def test_a_call_over_the_limit_is_no_use(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, user: User, held: tuple[Credential, ApiKey]
) -> None:
    plan = a_plan(rate_limit=1, window_seconds=5_400)
    store.plans[plan.id] = plan
    house.plans.assign(ADMIN, user.id, plan.id)
    for hours in (0, 1, 0.5):
        clock.advance(hours=hours)
        with_key(house.admission, held[1])
    assert store.gates.notes == [f"{held[0].id} 1"] * 2


def test_the_day_s_first_call_is_noted_whoever_makes_it_and_a_session_s_use_at_most_hourly(
    house: Gatehouse, store: MemoryStore, clock: StoppedClock, user: User, token: str
) -> None:
    [session] = store.sessions.values()
    noted = []
    for minutes in (0, 59, 1, 59, 571, 30, 29, 1):
        clock.advance(minutes=minutes)
        fresh = TOKENS.issue(SESSION, user.id, {"sid": session.id}, clock.now(), clock.now() + HOUR)
        before = len(store.gates.notes)
        house.admission.by_session(fresh, HOME)
        noted.append(store.gates.notes[before:])
    use = [f"{session.id} s"]
    assert noted == [["-"], [], use, [], use, ["-"], [], use]
    assert store.gates.gates[user.id].usage == {"s": 3}


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "down"])
def test_a_store_that_does_not_answer_is_no_refusal(
    admission: Admission, store: MemoryStore, token: str, lost: bool
) -> None:
    calls: list[Callable[[], Admitted]] = [
        partial(admission.by_session, token, HOME),
        partial(admission.anonymous, HOME),
    ]
    for call in calls:
        store.gates.lost, store.gates.down = int(lost), int(not lost)
        with pytest.raises(ServiceUnavailable):
            call()
        assert not call().allowance.is_spent


def test_no_secret_shows(house: Gatehouse, user: User) -> None:
    _, secret = make(house, user, CredentialType.KEY_AUTH, key_id="api-key-123", key_secret="Chosen-Secret-1")
    with_key(house.admission, ApiKey("api-key-123", secret))
    admitted = with_key(house.admission, ApiKey("api-key-123", secret))
    known = house.admission.memory.verified.find("api-key-123 1")
    stored = house.admission.memory.credentials.find("api-key-123")
    assert known is not None
    assert stored is not None
    for shown in (repr(admitted), repr(known), repr(stored), repr(ApiKey("api-key-123", secret))):
        assert secret not in shown
        assert "$2b$" not in shown
        assert SEED not in shown
    assert secret.encode() not in known.digest
