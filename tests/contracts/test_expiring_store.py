"""The port `cleanup.expiring.EndingStore` on every implementation: which ends are found, told and passed over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import SYSTEM, AuditAction, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.expiring import EndingStore, Expiring
from gatehouse.cleanup.model import Ending, Report
from gatehouse.credentials.model import Credential, Rotation
from gatehouse.ids import new_id
from gatehouse.persistence import Stale
from gatehouse.storage import keys
from gatehouse.storage.audit import event_of
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.expiring import DynamoExpiring
from tests.contracts.faults import PatientTime, faults, lost, none
from tests.contracts.made_up import a_credential
from tests.stores import Store, cost_of
from tests.unit.endings import MemoryEndings
from tests.unit.fakes import START, StoppedClock, a_user

DAY = timedelta(days=1)
WEEK = 7 * DAY
OWNER = a_user("owner")
CREDENTIALS = DynamoCredentials()


@dataclass
class Keys:
    """A store of ends, and how owners make and change credentials there."""

    store: EndingStore
    make: Callable[[Credential], Credential]
    change: Callable[[Credential, Credential], object]

    def add(self, name: str, left: timedelta | None) -> Credential:
        expires_at = None if left is None else START + left
        return self.make(a_credential(OWNER, name, id=new_id(START), expires_at=expires_at))

    def changed(self, before: Credential, **changes: Any) -> Credential:
        after = replace(before, revision=before.revision + 1, **changes)
        self.change(before, after)
        return after

    def ending(self, first: int = 100) -> list[Ending]:
        """All that end within the week, read in pages."""
        found: list[Ending] = []
        for part in self.store.parts():
            after = None
            while True:
                page = self.store.page_ending(part, START + WEEK, first, after)
                found += [ending for _, ending in page.entries]
                after = page.next_position
                if after is None:
                    break
        return sorted(found, key=lambda ending: ending.credential.key_id)

    def tell(self, ending: Ending) -> None:
        event = Recorder(StoppedClock()).of_credential(AuditAction.CREDENTIAL_EXPIRING, ITSELF, ending.credential)
        self.store.tell_end(ending, event)


def on_the_table() -> Keys:
    DynamoConsumers().create_user(OWNER, None)
    return Keys(
        DynamoExpiring(),
        lambda credential: CREDENTIALS.create_credential(credential, "hash"),
        CREDENTIALS.update_credential,
    )


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def kept(request: pytest.FixtureRequest) -> Keys:
    if request.param == "memory":
        memory = MemoryEndings()
        return Keys(memory, memory.keep, lambda _, after: memory.keep(after))
    request.getfixturevalue(f"{request.param}_store")
    return on_the_table()


def test_what_ends_within_the_week_is_found_whatever_the_page(kept: Keys) -> None:
    soon = [kept.add(f"soon-{number}", number * DAY) for number in range(1, 8)]
    kept.add("later", WEEK + timedelta(milliseconds=1))
    kept.add("never", None)

    for first in (1, 3, 100):
        assert kept.ending(first) == [Ending(credential=credential) for credential in soon]


def test_an_end_that_was_told_is_found_no_more_until_it_is_changed(kept: Keys) -> None:
    key = kept.add("key", DAY)
    [ending] = kept.ending()
    kept.tell(ending)
    assert kept.ending() == []
    with pytest.raises(Stale):
        kept.tell(ending)

    renamed = kept.changed(key, label="another")
    assert kept.ending() == [Ending(credential=renamed, is_told=True)]
    moved = kept.changed(renamed, expires_at=START + 2 * DAY)
    assert kept.ending() == [Ending(credential=moved)]
    kept.changed(moved, expires_at=None)
    assert kept.ending() == []


def test_one_that_is_passed_over_is_found_again_when_it_is_changed(kept: Keys) -> None:
    key = kept.add("key", DAY)
    [ending] = kept.ending()
    kept.store.pass_over(ending)
    assert kept.ending() == []
    with pytest.raises(Stale):
        kept.store.pass_over(ending)

    on = kept.changed(key, label="another")
    assert kept.ending() == [Ending(credential=on)]


def test_one_that_is_off_is_found_only_once_it_is_on_again(kept: Keys) -> None:
    off = kept.changed(kept.add("key", DAY), is_active=False)
    assert kept.ending() == []

    on = kept.changed(off, is_active=True)
    assert kept.ending() == [Ending(credential=on)]


@pytest.mark.parametrize("change", [{"expires_at": START + 3 * DAY}, {"expires_at": None}, {"is_active": False}])
def test_one_that_was_changed_meanwhile_is_neither_told_nor_passed_over(kept: Keys, change: dict[str, Any]) -> None:
    key = kept.add("key", DAY)
    [ending] = kept.ending()
    changed = kept.changed(key, **change)
    for see_to in (kept.tell, kept.store.pass_over):
        with pytest.raises(Stale):
            see_to(ending)

    waiting = changed.is_active and changed.expires_at is not None
    assert kept.ending() == ([Ending(credential=changed)] if waiting else [])


def test_one_that_is_deleted_is_not_told(store: Store) -> None:
    kept = on_the_table()
    key = kept.add("key", DAY)
    [ending] = kept.ending()
    CREDENTIALS.delete_credential(key)

    assert kept.ending() == []
    with pytest.raises(Stale):
        kept.tell(ending)
    assert events_in(store) == []


def test_a_rotation_keeps_an_end_told_and_tells_a_new_one(store: Store) -> None:
    kept = on_the_table()
    key = kept.add("key", DAY)
    kept.tell(*kept.ending())

    def rotated(before: Credential, **changes: Any) -> Credential:
        rotation = Rotation(START, START + timedelta(hours=1))
        after = replace(before, revision=before.revision + 1, version=before.version + 1, rotation=rotation, **changes)
        CREDENTIALS.rotate_credential(before, after, "hash")
        return after

    same = rotated(key)
    assert kept.ending() == [Ending(credential=same, is_told=True)]
    moved = rotated(same, expires_at=START + 2 * DAY)
    assert kept.ending() == [Ending(credential=moved)]


def test_a_run_tells_each_end_with_its_event(store: Store, clock: StoppedClock) -> None:
    kept = on_the_table()
    soon = [kept.add(f"soon-{number}", number * DAY) for number in range(1, 4)]
    kept.changed(kept.add("off", DAY), is_active=False)
    kept.add("ended", -DAY)
    expiring = Expiring(DynamoExpiring(), clock, Recorder(clock))

    assert expiring.run(lambda: 900.0, dry_run=True) == Report(expiring=3, dry_run=True)
    assert expiring.run(lambda: 900.0) == Report(expiring=3)
    assert expiring.run(lambda: 900.0) == Report()
    events = events_in(store)
    assert {event.target for event in events} == {Target(TargetType.CREDENTIAL, key.id) for key in soon}
    assert {(event.action, event.actor, event.subject_id) for event in events} == {
        (AuditAction.CREDENTIAL_EXPIRING, SYSTEM, OWNER.id)
    }
    assert [item for item in store.items() if "endsShard" in item] == []


def test_an_end_whose_telling_was_lost_is_told_once(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    kept = on_the_table()
    for number in range(4):
        kept.add(f"soon-{number}", DAY)
    expiring = Expiring(DynamoExpiring(), clock, Recorder(clock))

    with faults("TransactWriteItems", [none, *[lost] * 3]):
        assert expiring.run(lambda: 900.0) == Report(expiring=3, failed=1)
    assert expiring.run(lambda: 900.0) == Report()
    assert len(events_in(dynoxide_store)) == 4


def test_a_run_costs_four_queries_and_what_ends_whatever_else_there_is(
    dynoxide_store: Store, clock: StoppedClock
) -> None:
    kept = on_the_table()
    kept.add("soon", DAY)
    expiring = Expiring(DynamoExpiring(), clock, Recorder(clock))

    def dry() -> Report:
        return expiring.run(lambda: 900.0, dry_run=True)

    alone = cost_of(dry)
    for number in range(60):
        kept.add(f"key-{number}", (None, 90 * DAY)[number % 2])

    assert cost_of(dry) == alone
    assert alone.calls == {"Query": len(keys.SHARDS), "BatchGetItem": 1}


def events_in(store: Store) -> list[Any]:
    return [event_of(item) for item in store.items() if item["PK"]["S"].startswith("EV#")]
