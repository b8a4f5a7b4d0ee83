"""Second factors: what is kept of them, and that each code is used up by the write that acts on it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from gatehouse.accounts.factors import Factor, Holder, Proof, RecoveryProof, StepProof, TurningOn
from gatehouse.accounts.two_factor import TwoFactorStore
from gatehouse.consumers.model import User
from gatehouse.ids import new_id
from gatehouse.persistence import Stale
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.two_factor import DynamoTwoFactor
from tests.contracts.made_up import a_notice, a_session, keep_account, standing_of
from tests.stores import Store, cost_of
from tests.unit.factors import MemoryFactors
from tests.unit.fakes import START, a_user

SECRET, OTHER = b"a secret of 20 bytes", b"another of 20 bytes."
CODES = frozenset({b"1" * 32, b"2" * 32, b"3" * 32})
STEP = 59_000_000
LATER = START + timedelta(minutes=3)


class World(Protocol):
    """A store, and a user in it who is signed in."""

    keep: TwoFactorStore
    user: User
    session_id: str

    def delete_user(self) -> None: ...

    def end_session(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.keep = self.store = MemoryFactors()
        self.user, self.session_id = a_user("john"), new_id(START)
        self.store.users[self.user.id] = self.user
        self.store.sessions[self.session_id] = START

    def delete_user(self) -> None:
        del self.store.users[self.user.id]

    def end_session(self) -> None:
        del self.store.sessions[self.session_id]


class OnTheTable:
    def __init__(self) -> None:
        self.keep = DynamoTwoFactor()
        self.user = a_user("john")
        session = a_session(self.user)
        self.session_id = session.id
        keep_account(self.user, session)

    def delete_user(self) -> None:
        DynamoConsumers().delete_user(self.user)

    def end_session(self) -> None:
        DynamoAccounts().end_session(self.user.id, self.session_id)


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return InMemory()
    request.getfixturevalue(f"{request.param}_store")
    return OnTheTable()


def holder_of(world: World) -> Holder:
    holder = world.keep.find_holder(world.user.id, world.session_id)
    assert holder is not None
    return holder


def with_it(world: World) -> User:
    """The user, as one who has a second factor is told."""
    return replace(world.user, two_factor_enabled=True)


def turn_on(world: World, secret: bytes = SECRET) -> Holder:
    world.keep.keep_pending(holder_of(world), secret)
    world.keep.turn_on(holder_of(world), world.session_id, TurningOn(STEP, CODES, START), a_notice())
    return holder_of(world)


def test_there_is_no_factor_before_there_is_one(world: World) -> None:
    assert holder_of(world) == Holder(user=world.user, factor=Factor(), signed_in_at=START, proved_at=None)
    without = world.keep.find_holder(world.user.id, None)
    assert without == Holder(user=world.user, factor=Factor(), signed_in_at=None, proved_at=None)
    assert world.keep.find_holder(world.user.id, new_id(START)) == without
    assert world.keep.find_holder(new_id(START), None) is None


def test_what_is_pending_is_kept_beside_what_is_on(world: World) -> None:
    world.keep.keep_pending(holder_of(world), OTHER)
    world.keep.keep_pending(holder_of(world), SECRET)
    assert holder_of(world).factor == Factor(pending=SECRET)
    on = Factor(secret=SECRET, step=STEP, recovery=CODES)
    assert turn_on(world) == Holder(user=with_it(world), factor=on, signed_in_at=START, proved_at=START)
    world.keep.keep_pending(holder_of(world), OTHER)
    assert holder_of(world).factor == replace(on, pending=OTHER)


def test_what_is_turned_on_replaces_all_that_was(world: World) -> None:
    turn_on(world)
    world.keep.keep_pending(holder_of(world), OTHER)
    world.keep.turn_on(
        holder_of(world), world.session_id, TurningOn(STEP - 9, frozenset({b"9" * 32}), LATER), a_notice()
    )
    factor = Factor(secret=OTHER, step=STEP - 9, recovery=frozenset({b"9" * 32}))
    assert holder_of(world) == Holder(user=with_it(world), factor=factor, signed_in_at=START, proved_at=LATER)


def test_a_step_is_used_up_with_all_before_it(world: World) -> None:
    before = turn_on(world)
    world.keep.prove(before, world.session_id, StepProof(STEP + 2), LATER)
    after = holder_of(world)
    assert after == replace(before, factor=replace(before.factor, step=STEP + 2), proved_at=LATER)
    for step in (STEP, STEP + 1, STEP + 2):
        for holder in (before, after):
            with pytest.raises(Stale):
                world.keep.prove(holder, world.session_id, StepProof(step), LATER)
            with pytest.raises(Stale):
                world.keep.turn_off(holder, StepProof(step), a_notice())
    assert holder_of(world) == after


def test_a_recovery_code_is_used_up_alone_and_the_last_one_too(world: World) -> None:
    before = turn_on(world)
    left = set(CODES)
    for digest in sorted(CODES):
        world.keep.prove(before, world.session_id, RecoveryProof(digest), LATER)
        left.remove(digest)
        assert holder_of(world).factor.recovery == left
        with pytest.raises(Stale):
            world.keep.prove(before, world.session_id, RecoveryProof(digest), LATER)
        with pytest.raises(Stale):
            world.keep.turn_off(before, RecoveryProof(digest), a_notice())
    assert holder_of(world).factor == Factor(secret=SECRET, step=STEP)


@pytest.mark.parametrize("proof", [StepProof(STEP + 1), RecoveryProof(b"2" * 32), None], ids=str)
def test_turning_it_off_leaves_nothing_of_it(world: World, proof: Proof | None) -> None:
    turn_on(world)
    world.keep.keep_pending(holder_of(world), OTHER)
    world.keep.turn_off(holder_of(world), proof, a_notice())
    assert holder_of(world).factor == Factor()


def test_what_is_only_pending_can_be_turned_off(world: World) -> None:
    world.keep.keep_pending(holder_of(world), SECRET)
    world.keep.turn_off(holder_of(world), None, a_notice())
    assert holder_of(world).factor == Factor()


def turned_off(world: World) -> None:
    world.keep.turn_off(holder_of(world), None, a_notice())


def replaced(world: World) -> None:
    world.keep.keep_pending(holder_of(world), OTHER)
    world.keep.turn_on(holder_of(world), world.session_id, TurningOn(STEP - 1, CODES, START), a_notice())


@pytest.mark.parametrize("meanwhile", [turned_off, replaced, lambda world: world.delete_user()])
@pytest.mark.parametrize(
    "act",
    [
        lambda world, holder: world.keep.keep_pending(holder, b"third"),
        lambda world, holder: world.keep.turn_on(holder, world.session_id, TurningOn(STEP, CODES, LATER), a_notice()),
        lambda world, holder: world.keep.prove(holder, world.session_id, StepProof(STEP + 1), LATER),
        lambda world, holder: world.keep.turn_off(holder, StepProof(STEP + 1), a_notice()),
        lambda world, holder: world.keep.turn_off(holder, None, a_notice()),
    ],
)
def test_what_has_changed_meanwhile_is_left_as_it_is(
    world: World, meanwhile: Callable[[World], None], act: Callable[[World, Holder], None]
) -> None:
    turn_on(world)
    world.keep.keep_pending(holder_of(world), b"pending")
    before = holder_of(world)
    meanwhile(world)
    held = world.keep.find_holder(world.user.id, world.session_id)
    with pytest.raises(Stale):
        act(world, before)
    assert world.keep.find_holder(world.user.id, world.session_id) == held


def test_another_secret_that_is_pending_meanwhile_is_not_confirmed(world: World) -> None:
    world.keep.keep_pending(holder_of(world), SECRET)
    before = holder_of(world)
    world.keep.keep_pending(before, OTHER)
    with pytest.raises(Stale):
        world.keep.turn_on(before, world.session_id, TurningOn(STEP, CODES, LATER), a_notice())
    assert holder_of(world).factor == Factor(pending=OTHER)


def test_for_a_session_that_has_ended_nothing_is_used_up(world: World) -> None:
    before = turn_on(world)
    world.keep.keep_pending(before, OTHER)
    pending = holder_of(world)
    world.end_session()
    with pytest.raises(Stale):
        world.keep.prove(before, world.session_id, StepProof(STEP + 1), LATER)
    with pytest.raises(Stale):
        world.keep.turn_on(pending, world.session_id, TurningOn(STEP, CODES, LATER), a_notice())
    left = world.keep.find_holder(world.user.id, None)
    assert left is not None
    assert left.factor == pending.factor


# What only a table has: its items, the gate, and what it costs.


@pytest.mark.parametrize(
    "act",
    [
        lambda world, holder: world.keep.keep_pending(holder, b"third"),
        lambda world, holder: world.keep.turn_on(holder, world.session_id, TurningOn(STEP, CODES, LATER), a_notice()),
        lambda world, holder: world.keep.prove(holder, world.session_id, StepProof(STEP + 1), LATER),
        lambda world, holder: world.keep.turn_off(holder, StepProof(STEP + 1), a_notice()),
    ],
    ids=["keep_pending", "turn_on", "prove", "turn_off"],
)
def test_a_session_that_ended_with_all_others_is_none_any_more_and_what_it_began_changes_nothing(
    store: Store, act: Callable[[World, Holder], None]
) -> None:
    world = OnTheTable()
    turn_on(world)
    world.keep.keep_pending(holder_of(world), OTHER)
    before = holder_of(world)
    DynamoAccounts().end_sessions(world.user.id)
    ended = store.items()

    assert holder_of(world) == replace(before, generation=1, signed_in_at=None, proved_at=None)
    with pytest.raises(Stale):
        act(world, before)
    assert store.items() == ended


def test_the_gate_knows_of_it_and_moves_on_with_it(store: Store) -> None:
    world = OnTheTable()

    def gate() -> tuple[object, int]:
        item = store.item(f"G#{world.user.id}", "G")
        standing = standing_of(world.user.id)
        assert item is not None
        assert standing is not None
        return item.get("twoFactor"), standing.epoch

    seen = [gate()]
    holder = turn_on(world)
    seen.append(gate())
    world.keep.prove(holder, world.session_id, StepProof(STEP + 1), LATER)
    seen.append(gate())
    world.keep.turn_off(holder_of(world), None, a_notice())
    seen.append(gate())
    assert seen == [(None, 0), ({"BOOL": True}, 1), ({"BOOL": True}, 2), (None, 3)]


def test_the_profile_has_the_secret_and_digests_and_nothing_when_it_is_off(store: Store) -> None:
    world = OnTheTable()
    before = store.item(f"C#{world.user.id}", "P")
    turn_on(world)
    profile = store.item(f"C#{world.user.id}", "P")
    assert before is not None
    assert profile is not None
    kept = {"totpSecret": {"B": SECRET}, "totpStep": {"N": str(STEP)}}
    recovery = profile.pop("recovery")
    assert sorted(recovery["BS"]) == sorted(CODES)
    assert profile == {**before, **kept}
    world.keep.turn_off(holder_of(world), None, a_notice())
    assert store.item(f"C#{world.user.id}", "P") == before


def test_other_stores_read_and_change_a_user_with_a_second_factor_as_any_other(store: Store) -> None:
    world = OnTheTable()
    turn_on(world)
    user = with_it(world)
    consumers = DynamoConsumers()
    assert consumers.find_user(user.id) == user
    after = replace(user, first_name="Jo", revision=user.revision + 1)
    consumers.update_user(user, after, None)
    assert holder_of(world).user == after
    assert holder_of(world).factor.is_on


def test_it_is_read_at_once_and_written_in_one_transaction(dynoxide_store: Store) -> None:
    world = OnTheTable()
    holder = turn_on(world)
    one_read, one_transaction = {"BatchGetItem": 1}, {"TransactWriteItems": 1}
    assert cost_of(lambda: holder_of(world)).calls == one_read
    assert cost_of(lambda: world.keep.keep_pending(holder, OTHER)).calls == one_transaction
    prove = cost_of(lambda: world.keep.prove(holder, world.session_id, StepProof(STEP + 1), LATER))
    assert prove.calls == one_transaction
    assert cost_of(lambda: world.keep.turn_off(holder_of(world), None, a_notice())).calls == one_read | one_transaction
