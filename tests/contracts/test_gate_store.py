"""The port of the gate, `admission.gate.GateStore`, on every implementation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from gatehouse.admission.gate import GateStore
from gatehouse.admission.meters import Count, Limit, Meter, Step
from gatehouse.admission.model import AddressNotEntered, Entry, Gate, NotEntered
from gatehouse.clock import milliseconds
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.usage import DynamoUsage
from tests.contracts.made_up import at_once, changed
from tests.stores import Store
from tests.unit.fakes import HOME, START, MemoryStore, a_user

NOW = milliseconds(START)
TODAY = NOW // 86_400_000
ENDS = NOW + 60_000
LIMITS = {meter: Limit(meter, 25, timedelta(minutes=1)) for meter in Meter}


@dataclass(frozen=True)
class Keep:
    """An implementation, and the consumers whose gates it keeps."""

    gates: GateStore
    consumers: Any
    find: Callable[[str], Gate | None]


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def keep(request: pytest.FixtureRequest) -> Keep:
    if request.param == "memory":
        store = MemoryStore()
        return Keep(store.gates, store, store.gates.gates.get)
    request.getfixturevalue(f"{request.param}_store")
    return Keep(DynamoGates(), DynamoConsumers(), DynamoUsage().find_gate)


@pytest.fixture
def owner(keep: Keep) -> User:
    user = a_user("owner", role=Role.MODERATOR)
    keep.consumers.create_user(user, None)
    return user


def begins(meter: Meter, *, cost: int = 1, ends: int = ENDS) -> Step:
    return Step(LIMITS[meter], cost, turns=True, ends=ends)


def goes_on(meter: Meter, *, cost: int = 1, most: int = 25) -> Step:
    return Step(replace(LIMITS[meter], most=most), cost, turns=False, ends=ENDS)


def entry(*steps: Step, **changes: Any) -> Entry:
    """A call with its steps, on the day of the start, which has begun."""
    known = Entry(now=NOW, steps=steps, user="s", cost=1, day=TODAY, turns_day=False)
    return replace(known, **changes)


def first(*steps: Step, **changes: Any) -> Entry:
    """The day's first call."""
    return entry(*steps, turns_day=True, note="-", **changes)


def gate_of(owner: User, **changes: Any) -> Gate:
    standing = Standing(consumer_id=owner.id, is_active=True, role=owner.role, epoch=0, generation=0)
    return replace(Gate(standing=standing, counts={}), **changes)


def used(**counts: int) -> dict[Meter, Count]:
    """Counters that were begun at the start, by the names of their meters."""
    return {Meter[name.upper()]: Count(ENDS, n) for name, n in counts.items()}


def refused(keep: Keep, owner: User, entered: Entry, epoch: int | None = 0) -> Gate | None:
    """The gate as the refusal tells it; it is as it was."""
    before = keep.find(owner.id)
    with pytest.raises(NotEntered) as refusal:
        keep.gates.enter(owner.id, epoch, entered)
    assert keep.find(owner.id) == before
    return refusal.value.gate


# The gate of a consumer


def test_a_first_entry_begins_the_counters_that_it_names_and_the_day(keep: Keep, owner: User) -> None:
    entered = keep.gates.enter(owner.id, 0, first(begins(Meter.SESSIONS)))
    assert entered == gate_of(owner, counts=used(sessions=1), day=TODAY, usage={"s": 1}) == keep.find(owner.id)


def test_entries_add_up_and_leave_other_counters_as_they_are(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.SESSIONS)))
    keep.gates.enter(owner.id, 0, entry(begins(Meter.WINDOW), begins(Meter.BURST), begins(Meter.QUOTA), user="1"))
    keep.gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW), goes_on(Meter.QUOTA), user="12"))
    entered = keep.gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW, cost=7), user="1", cost=7))
    counts = used(sessions=1, window=9, burst=1, quota=2)
    assert entered == gate_of(owner, counts=counts, day=TODAY, usage={"s": 1, "1": 8, "12": 1}) == keep.find(owner.id)


def test_a_counter_that_has_ended_begins_anew(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.WINDOW, cost=3)))
    entered = keep.gates.enter(owner.id, 0, entry(begins(Meter.WINDOW, ends=ENDS + 60_000), now=ENDS))
    assert entered.counts == {Meter.WINDOW: Count(ENDS + 60_000, 1)}


def test_a_counter_goes_on_to_its_last_millisecond_and_its_last_call(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.WINDOW, cost=24)))
    entered = keep.gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW), now=ENDS - 1))
    assert entered.counts == used(window=25)


BROKEN: dict[str, Entry] = {
    "begins though it goes on": entry(begins(Meter.WINDOW), now=ENDS - 1),
    "goes on though it has ended": entry(goes_on(Meter.WINDOW), now=ENDS),
    "goes on though it never began": entry(goes_on(Meter.BURST)),
    "above the limit": entry(goes_on(Meter.WINDOW, most=20)),
    "above the limit by its cost": entry(goes_on(Meter.WINDOW, cost=6)),
    "tells of a quota that is not nearly spent": entry(
        goes_on(Meter.WINDOW), goes_on(Meter.QUOTA), note="-", tells_quota=f"{ENDS} 25"
    ),
    "above a limit that was lowered": entry(goes_on(Meter.WINDOW, most=1)),
    "one of several": entry(goes_on(Meter.WINDOW), goes_on(Meter.SESSIONS, most=3), begins(Meter.BURST)),
    "the day begins though it has begun": first(goes_on(Meter.WINDOW)),
    "the day goes on though another begins": entry(goes_on(Meter.WINDOW), day=TODAY + 1),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_an_entry_that_one_clause_does_not_fit_is_refused_whole_and_told_how_the_gate_is(
    keep: Keep, owner: User, broken: Entry
) -> None:
    begun = (begins(Meter.WINDOW, cost=20), begins(Meter.SESSIONS, cost=3), begins(Meter.QUOTA, cost=18))
    entered = keep.gates.enter(owner.id, 0, first(*begun))
    assert refused(keep, owner, broken) == entered


def test_what_is_told_of_a_quota_stays_until_another_is_told(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.QUOTA, cost=18)))
    quota = goes_on(Meter.QUOTA)
    told = [
        keep.gates.enter(owner.id, 0, entered).quota_told
        for entered in (
            entry(quota),
            entry(quota, note="-", tells_quota=f"{ENDS} 25"),
            entry(quota),
            entry(begins(Meter.SESSIONS)),
            entry(begins(Meter.QUOTA, ends=ENDS + 1), now=ENDS, note="-", tells_quota=f"{ENDS + 1} 1"),
        )
    ]
    assert told == [None, f"{ENDS} 25", f"{ENDS} 25", f"{ENDS} 25", f"{ENDS + 1} 1"]
    found = keep.find(owner.id)
    assert found is not None
    assert found.quota_told == f"{ENDS + 1} 1"


def test_a_day_that_has_not_begun_does_not_go_on(keep: Keep, owner: User) -> None:
    assert refused(keep, owner, entry(begins(Meter.WINDOW))) == gate_of(owner)


def test_an_entry_at_another_epoch_is_refused_and_told_the_standing(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.WINDOW)))
    keep.consumers.update_user(owner, changed(owner, role=Role.USER), None)
    entered = entry(goes_on(Meter.WINDOW))
    told = refused(keep, owner, entered)
    assert told is not None
    standing = Standing(consumer_id=owner.id, is_active=True, role=Role.USER, epoch=1, generation=0)
    assert (told.standing, told.counts) == (standing, used(window=1))
    assert refused(keep, owner, entered, epoch=2) == told
    assert keep.gates.enter(owner.id, 1, entered).counts == used(window=2)


def test_an_entry_without_an_epoch_fits_any_but_needs_a_gate(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, None, first(begins(Meter.WINDOW)))
    off = changed(owner, is_active=False)
    keep.consumers.update_user(owner, off, None)
    assert keep.gates.enter(owner.id, None, entry(goes_on(Meter.WINDOW))).counts == used(window=2)
    keep.consumers.delete_user(off)
    assert refused(keep, owner, entry(goes_on(Meter.WINDOW)), epoch=None) is None


@pytest.mark.parametrize("epoch", [None, 0])
def test_a_gate_that_is_gone_is_told_as_none_and_not_made(keep: Keep, owner: User, epoch: int | None) -> None:
    keep.consumers.delete_user(owner)
    assert refused(keep, owner, first(begins(Meter.WINDOW)), epoch) is None
    assert keep.find(owner.id) is None


def test_a_call_by_a_slow_clock_counts_on_the_later_day(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.WINDOW)))
    entered = keep.gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW), day=TODAY - 1))
    assert (entered.day, entered.usage) == (TODAY, {"s": 2})


def test_a_new_day_begins_with_nothing_used_and_leaves_the_old_one_to_what_was_before(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.QUOTA), user="7", cost=3))
    keep.gates.enter(owner.id, 0, entry(goes_on(Meter.QUOTA)))
    before = keep.find(owner.id)
    after = keep.gates.enter(owner.id, 0, first(goes_on(Meter.QUOTA), day=TODAY + 1, user="8"))
    assert before is not None
    assert (before.day, before.usage) == (TODAY, {"7": 3, "s": 1})
    assert (after.day, after.usage, after.counts) == (TODAY + 1, {"8": 1}, used(quota=3))


def test_entries_at_once_never_exceed_the_limit_and_each_is_told_its_own_count(keep: Keep, owner: User) -> None:
    keep.gates.enter(owner.id, 0, first(begins(Meter.WINDOW)))
    answers = at_once([partial(keep.gates.enter, owner.id, 0, entry(goes_on(Meter.WINDOW)))] * 40)
    told = [answer.counts[Meter.WINDOW].used for answer in answers if isinstance(answer, Gate)]
    assert sorted(told) == list(range(2, 26))
    assert [type(answer) for answer in answers if not isinstance(answer, Gate)] == [NotEntered] * 16


# What a gate's write looks like to the stream


def item_of(store: Store, owner: User) -> dict[str, Any]:
    item = store.item(f"G#{owner.id}", "G")
    assert item is not None
    return {name: next(iter(value.values())) for name, value in item.items() if name in ("day", "usage", "note")}


def test_only_a_write_with_a_note_leaves_one(store: Store) -> None:
    gates, owner = DynamoGates(), a_user("owner")
    DynamoConsumers().create_user(owner, None)
    gates.enter(owner.id, 0, first(begins(Meter.WINDOW)))
    assert item_of(store, owner) == {"day": str(TODAY), "usage": {"s": {"N": "1"}}, "note": "-"}
    gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW)))
    assert item_of(store, owner) == {"day": str(TODAY), "usage": {"s": {"N": "2"}}}
    gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW), user="3", note="an-id 2"))
    image = {"day": str(TODAY), "usage": {"s": {"N": "2"}, "3": {"N": "1"}}, "note": "an-id 2"}
    assert item_of(store, owner) == image
    with pytest.raises(NotEntered):
        gates.enter(owner.id, 0, entry(goes_on(Meter.WINDOW, most=3)))
    assert item_of(store, owner) == image


# The gate of an address


def test_an_address_is_counted_and_begins_anew_when_its_window_has_ended(keep: Keep) -> None:
    assert keep.gates.enter_address(HOME, begins(Meter.WINDOW), NOW) == Count(ENDS, 1)
    assert keep.gates.enter_address(HOME, goes_on(Meter.WINDOW), ENDS - 1) == Count(ENDS, 2)
    assert keep.gates.enter_address("2001:db8::/64", begins(Meter.WINDOW), NOW) == Count(ENDS, 1)
    assert keep.gates.enter_address(HOME, begins(Meter.WINDOW, ends=ENDS + 1), ENDS) == Count(ENDS + 1, 1)


@pytest.mark.parametrize(
    ("step", "now"),
    [
        (begins(Meter.WINDOW), ENDS - 1),
        (goes_on(Meter.WINDOW), ENDS),
        (goes_on(Meter.WINDOW, most=1), NOW),
    ],
    ids=["begins though it goes on", "goes on though it has ended", "above the limit"],
)
def test_an_address_whose_counter_is_otherwise_is_refused_and_told_how_it_is(keep: Keep, step: Step, now: int) -> None:
    keep.gates.enter_address(HOME, begins(Meter.WINDOW), NOW)
    for _ in range(2):
        with pytest.raises(AddressNotEntered) as refusal:
            keep.gates.enter_address(HOME, step, now)
        assert refusal.value.counts == {Meter.WINDOW: Count(ENDS, 1)}


def test_an_address_that_never_called_has_no_counter_to_go_on(keep: Keep) -> None:
    with pytest.raises(AddressNotEntered) as refusal:
        keep.gates.enter_address(HOME, goes_on(Meter.WINDOW), NOW)
    assert refusal.value.counts == {}


def test_an_address_is_forgotten_an_hour_after_its_window(store: Store) -> None:
    gates = DynamoGates()
    gates.enter_address(HOME, begins(Meter.WINDOW, ends=ENDS + 999), NOW)
    gates.enter_address(HOME, Step(LIMITS[Meter.WINDOW], 1, turns=False, ends=ENDS + 999), NOW)
    assert store.items() == [
        {
            "PK": {"S": f"IP#{HOME}"},
            "SK": {"S": "G"},
            "wEnds": {"N": str(ENDS + 999)},
            "wUsed": {"N": "2"},
            "expires": {"N": str(ENDS // 1000 + 3600)},
        }
    ]
