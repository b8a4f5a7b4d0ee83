"""The ports of events: how they are kept, listed and erased, on every implementation, and what a page costs."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import digest_of
from gatehouse.audit.listing import EventQuery
from gatehouse.audit.model import AuditAction, AuditEvent, Outcome, Personal
from gatehouse.storage import keys
from gatehouse.storage.audit import DynamoAuditEvents, EventRecord, add_event, event_of
from gatehouse.storage.transactions import Transaction
from tests.contracts.audits import A_STRANGER, ALL_SORTS, AN_ADMIN, SALT, all_of, keep, told
from tests.contracts.made_up import at_once
from tests.stores import Cost, Store, cost_of
from tests.unit.audit.kept import MemoryEvents
from tests.unit.audit.logs import ADMIN, PERSON
from tests.unit.fakes import START

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters())
VALUES = SCALARS | st.lists(SCALARS).map(tuple)
TOLD = st.dictionaries(st.text(), VALUES | st.builds(Personal, VALUES, st.binary(min_size=32, max_size=32)))


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def kept(request: pytest.FixtureRequest) -> Any:
    """No events yet, on each implementation in turn."""
    if request.param == "memory":
        return MemoryEvents()
    request.getfixturevalue(f"{request.param}_store")
    return DynamoAuditEvents()


def written(kept: Any, *events: AuditEvent) -> Any:
    for event in events:
        kept.keep_event(event)
    return kept


def ids(events: list[AuditEvent]) -> list[str]:
    return [event.id for event in events]


def test_events_come_back_as_they_were_and_so_do_their_digests(kept: Any) -> None:
    written(kept, *ALL_SORTS)
    found = [kept.find_event(event.id) for event in ALL_SORTS]
    assert found == ALL_SORTS
    assert [digest_of(event) for event in found] == [digest_of(event) for event in ALL_SORTS]
    assert kept.find_event(told(99).id) is None


@given(before=TOLD, after=TOLD)
def test_every_value_comes_back_as_it_was(before: Any, after: Any) -> None:
    event = told(1, before=before, after=after)
    back = event_of(EventRecord.of(event).serialize())
    assert back == event
    assert digest_of(back) == digest_of(event)


def test_an_event_is_kept_once(kept: Any) -> None:
    written(kept, told(1), told(1, action=AuditAction.FORBIDDEN))
    assert all_of(kept, EventQuery()) == [told(1)]


def test_it_is_one_item_that_has_only_what_the_event_tells(store: Store) -> None:
    transaction = Transaction()
    add_event(transaction, None)
    add_event(transaction, told(18, after={"role": "ADMIN"}))
    transaction.commit()
    assert store.items() == [
        {
            "PK": {"S": "EV#019ca945-5050-7000-8000-000000000012"},
            "SK": {"S": "E"},
            "at": {"N": "1772366418000"},
            "action": {"S": "SIGNED_OUT"},
            "outcome": {"S": "SUCCESS"},
            "actor": {"S": '{"kind":"SYSTEM","role":null,"sessionId":null,"credentialId":null,"address":null}'},
            "before": {"S": "{}"},
            "after": {"S": '{"role":"ADMIN"}'},
            "actionShard": {"S": "SIGNED_OUT#2"},
            "auditShard": {"S": "2"},
        }
    ]


QUERIES = [
    EventQuery(),
    EventQuery(subject_id=PERSON),
    EventQuery(subject_id=PERSON, actor_id=ADMIN),
    EventQuery(subject_id=PERSON, action=AuditAction.SIGN_IN_FAILED),
    EventQuery(actor_id=ADMIN),
    EventQuery(actor_id=ADMIN, action=AuditAction.FORBIDDEN),
    EventQuery(actor_id=ADMIN, outcome=Outcome.REFUSED),
    EventQuery(action=AuditAction.SIGNED_OUT),
    EventQuery(action=AuditAction.SIGN_IN_FAILED, outcome=Outcome.SUCCESS),
    EventQuery(outcome=Outcome.REFUSED),
    EventQuery(subject_id="nobody"),
    EventQuery(after=START + timedelta(seconds=3)),
    EventQuery(before=START + timedelta(seconds=3)),
    EventQuery(after=START + timedelta(seconds=2), before=START + timedelta(seconds=5)),
    EventQuery(after=START + timedelta(seconds=2, microseconds=1), before=START + timedelta(seconds=4, microseconds=1)),
    EventQuery(subject_id=PERSON, after=START + timedelta(seconds=4)),
    EventQuery(after=START, before=START),
    EventQuery(after=START + timedelta(seconds=5), before=START + timedelta(seconds=2)),
]


@pytest.mark.parametrize("first", [1, 2, 100])
def test_a_list_has_those_that_are_asked_for_the_newest_first(kept: Any, first: int) -> None:
    written(kept, *ALL_SORTS)
    for query in QUERIES:
        wanted = [event for event in reversed(ALL_SORTS) if query.admits(event)]
        assert ids(all_of(kept, query, first)) == ids(wanted), query


def test_a_moment_belongs_to_what_begins_and_not_to_what_ends_with_it() -> None:
    assert EventQuery(after=told(3).at).admits(told(3))
    assert not EventQuery(before=told(3).at).admits(told(3))


def test_a_page_looks_at_no_more_than_four_times_its_length_and_the_next_goes_on(dynoxide_store: Store) -> None:
    events = [told(number, subject_id=PERSON) for number in range(1, 61)]
    keep(*events, told(0, subject_id=PERSON, outcome=Outcome.REFUSED))
    kept, query = DynamoAuditEvents(), EventQuery(subject_id=PERSON, outcome=Outcome.REFUSED)
    page = kept.page_events(query, 5, None)
    assert (page.entries, page.next_position) == ([], keys.event(events[-20].id))
    assert cost_of(partial(kept.page_events, query, 5, None)).calls == {"Query": 4, "BatchGetItem": 4}
    assert ids(all_of(kept, query, 5)) == [told(0).id]


def test_a_page_costs_the_same_among_a_thousand_events_and_ten_thousand(dynoxide_store: Store) -> None:
    queries = {
        EventQuery(): 4,
        EventQuery(subject_id=PERSON): 1,
        EventQuery(actor_id=ADMIN): 1,
        EventQuery(action=AuditAction.SIGNED_OUT): 4,
        EventQuery(after=START + timedelta(seconds=100)): 4,
    }

    def cost(query: EventQuery) -> list[Cost]:
        """That of the first page, and of the one after it."""
        position = DynamoAuditEvents().page_events(query, 50, None).next_position
        return [cost_of(partial(DynamoAuditEvents().page_events, query, 50, after)) for after in (None, position)]

    def costs(first: int, last: int) -> dict[EventQuery, list[Cost]]:
        keep(*(told(number, subject_id=PERSON, actor=AN_ADMIN) for number in range(first, last)))
        return {query: cost(query) for query in queries}

    small, large = costs(0, 1000), costs(1000, 10_000)
    assert small == large
    for query, number in queries.items():
        assert [page.calls for page in small[query]] == [{"Query": number, "BatchGetItem": 1}] * 2


def test_what_is_no_event_of_ours_is_in_no_list(dynoxide_store: Store) -> None:
    keep(*ALL_SORTS)
    items = dynoxide_store.items()
    event = next(item for item in items if item["PK"]["S"] == keys.event(ALL_SORTS[1].id))
    changes: list[dict[str, Any]] = [
        {"before": {"S": "no json"}},
        {"before": {"S": '{"a": 1}'}},
        {"action": {"S": "NOTHING"}},
        {"at": {"S": "now"}},
        {"actor": {"S": "[]"}},
        {"auditShard": {"S": "9"}},
        {"actionShard": {"S": "USER_DELETED#2"}},
        {"more": {"BOOL": True}},
        {"PK": {"S": "EV#" + ALL_SORTS[1].id.upper()}},
        {"PK": {"S": "EV#0"}},
    ]
    kept = DynamoAuditEvents()
    for change in changes:
        changed = [item for item in items if item is not event] + [event | change]
        dynoxide_store.put_back(changed, dynoxide_store.items())
        for query in (EventQuery(), EventQuery(subject_id=PERSON), EventQuery(actor_id=ADMIN)):
            wanted = [one for one in reversed(ALL_SORTS) if query.admits(one) and one is not ALL_SORTS[1]]
            assert ids(all_of(kept, query)) == ids(wanted)
        assert kept.find_event(ALL_SORTS[1].id) is None
        kept.erase(PERSON)


def test_erasing_takes_out_what_tells_of_the_person_and_nothing_else(kept: Any) -> None:
    written(kept, *ALL_SORTS)
    changed = [event for event in ALL_SORTS if event.without(PERSON) != event]
    assert kept.erase(PERSON) == len(changed) == 2
    assert kept.erase(PERSON) == 0
    assert [kept.find_event(event.id) for event in ALL_SORTS] == [event.without(PERSON) for event in ALL_SORTS]
    assert kept.erase(ADMIN) == 2
    assert [kept.find_event(event.id) for event in ALL_SORTS] == [
        event.without(PERSON).without(ADMIN) for event in ALL_SORTS
    ]
    assert ids(all_of(kept, EventQuery(subject_id=PERSON))) == [told(4).id, told(2).id]
    assert kept.erase("nobody") == 0


def test_erasing_goes_through_all_there_is(dynoxide_store: Store) -> None:
    about = {"username": Personal("jane", SALT)}
    keep(*(told(number, subject_id=PERSON, after=about) for number in range(250)))
    keep(*(told(number, actor=AN_ADMIN) for number in range(1000, 1120)))
    kept = DynamoAuditEvents()
    assert (kept.erase(PERSON), kept.erase(ADMIN)) == (250, 120)
    told_still = [item["PK"]["S"] for item in dynoxide_store.items() if "jane" in str(item) or "192.0.2" in str(item)]
    assert told_still == []


def test_two_who_are_erased_at_the_same_time_are_both_erased(dynoxide_store: Store) -> None:
    events = [
        told(number, actor=AN_ADMIN, subject_id=PERSON, after={"email": Personal("jane@example.com", SALT)})
        for number in range(40)
    ]
    keep(*events)
    kept = DynamoAuditEvents()
    assert at_once([partial(kept.erase, person) for person in (PERSON, ADMIN, PERSON)])[1] == 40
    assert all_of(kept, EventQuery(), 100) == [event.without(PERSON).without(ADMIN) for event in reversed(events)]


def test_what_is_dropped_while_it_is_erased_stays_dropped(dynoxide_store: Store, monkeypatch: Any) -> None:
    event = told(1, actor=A_STRANGER, subject_id=PERSON)
    keep(event)
    without = AuditEvent.without

    def dropping(self: AuditEvent, person_id: str) -> AuditEvent:
        EventRecord.key(event.id).delete()
        return without(self, person_id)

    monkeypatch.setattr(AuditEvent, "without", dropping)
    assert DynamoAuditEvents().erase(PERSON) == 0
    assert dynoxide_store.items() == []
