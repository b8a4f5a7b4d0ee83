"""Who is deleted is forgotten: nothing of the table tells of the person any more, and the audit still verifies."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.accounts.one_use import OneUse, Purpose, issue
from gatehouse.audit.chain import Sealing
from gatehouse.audit.trail import value_of
from gatehouse.audit.verification import Verification
from gatehouse.changes import PersonGone
from gatehouse.consumers.erasure import Erasure
from gatehouse.credentials.model import CredentialType
from gatehouse.credentials.service import NewCredential
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.mail.model import MailKind
from gatehouse.permissions import Caller
from gatehouse.storage import keys
from gatehouse.storage.account_changes import DynamoAccountChanges
from gatehouse.storage.audit import DynamoAuditEvents, event_of
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.changes import facts
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.mail import MailRecord
from gatehouse.storage.seals import DynamoChain
from gatehouse.storage.usage import DynamoUsageDays
from tests.contracts.faults import faults, unreachable
from tests.contracts.made_up import (
    a_notice,
    an_admin,
    consumers_on_the_table,
    credentials_on_the_table,
    people_on_the_table,
)
from tests.stores import Store
from tests.unit.fakes import AT_HOME, PASSWORD, START, StoppedClock, signed_in

PERSONAL = ("zora", "Zora", "Quill", "198.51.100.77", "192.0.2.1", "Firefox on Windows", "zoras-key", "zora's laptop")
"""What tells of her, as she gave it or as her requests did."""

ELSEWHERE = Origin("198.51.100.77", "Firefox on Windows", "r-2")
ERASURE = Erasure(DynamoBelongings(), DynamoAuditEvents())


class Life:
    """A person who has left traces everywhere, and an ADMIN who has dealt with her."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.people, self.consumers = people_on_the_table(clock), consumers_on_the_table(clock)
        self.admin = replace(signed_in(an_admin("root", DynamoConsumers())), address="203.0.113.200")
        signed = self.people.registration.register(
            {
                "username": "zora",
                "email": "zora@example.com",
                "password": PASSWORD,
                "first_name": "Zora",
                "last_name": "Quill",
            },
            AT_HOME,
        )
        assert signed is not None
        self.user_id = signed.user.id
        self.me = Caller(consumer_id=self.user_id, session_id=new_id(START), address=AT_HOME.address)
        self.people.accounts.login("zora@example.com", PASSWORD, ELSEWHERE)
        with pytest.raises(Unauthenticated):
            self.people.accounts.login("zora@example.com", "Wrong-Pass-1", ELSEWHERE)
        credentials = credentials_on_the_table(clock)
        chosen: NewCredential = {"type": CredentialType.KEY_AUTH, "key_id": "zoras-key", "key_secret": PASSWORD}
        credentials.create(self.me, {**chosen, "label": "zora's laptop"})
        self.people.emails.ask_for_change(self.me, AT_HOME, "zora@example.org", PASSWORD)
        self.people.passwords.ask_for_reset("zora@example.com", ELSEWHERE)
        self.consumers.update(self.admin, self.user_id, {"last_name": "Quill-Zora"})
        DynamoUsageDays().keep_day(self.user_id, 20_000, {"s": 3})

    def delete(self) -> PersonGone:
        """What the stream tells of her end."""
        self.consumers.delete(self.admin, self.user_id)
        told = [fact for item in events() for fact in facts(None, item, START) if isinstance(fact, PersonGone)]
        [gone] = told
        return gone


@pytest.fixture
def life(store: Store, clock: StoppedClock) -> Life:
    return Life(clock)


def events() -> Iterator[dict[str, Any]]:
    """The events' items, the oldest first."""
    items = [item for item in STORE[-1].items() if item["SK"]["S"] == keys.EVENT]
    return iter(sorted(items, key=lambda item: item["PK"]["S"]))


STORE: list[Store] = []


@pytest.fixture(autouse=True)
def _seen(store: Store) -> Iterator[None]:
    STORE.append(store)
    yield
    STORE.pop()


def traces(store: Store) -> list[tuple[str, str]]:
    """The keys of all items that tell of her, but for counters of addresses, which are nobody's and end by TTL."""
    found = [
        (item["PK"]["S"], item["SK"]["S"]) for item in store.items() if any(word in str(item) for word in PERSONAL)
    ]
    return [(pk, sk) for pk, sk in found if not pk.startswith(("TRY#address/", "REF#address/"))]


def seal_all(clock: StoppedClock) -> None:
    Sealing(DynamoChain(), clock).seal([event_of(item) for item in events()])


def test_nothing_is_left_that_tells_of_who_was_deleted_but_the_claim_on_the_key_id(store: Store, life: Life) -> None:
    seal_all(life.clock)
    gone = life.delete()
    assert gone == PersonGone(gone.event_id, life.user_id, "zora@example.com")

    ERASURE.forget(gone)

    assert traces(store) == [("KEY#zoras-key", "C")]
    told = [event_of(item) for item in events()]
    assert all(event.subject_id == life.user_id for event in told if event.actor.consumer_id == life.user_id)
    by_admin = [event for event in told if event.actor.consumer_id == life.admin.consumer_id]
    assert {event.actor.address and value_of(event.actor.address) for event in by_admin} == {"203.0.113.200"}


def test_the_chain_verifies_before_and_after(store: Store, life: Life) -> None:
    seal_all(life.clock)
    ERASURE.forget(life.delete())
    seal_all(life.clock)

    verdict = Verification(DynamoChain()).run(life.clock.now())

    assert (verdict.findings, verdict.waiting) == ((), 0)
    assert verdict.last == len(list(events()))


@pytest.mark.parametrize("operation", ["Query", "BatchWriteItem", "BatchGetItem", "UpdateItem"])
def test_an_erasure_that_is_interrupted_is_ended_by_the_next(store: Store, life: Life, operation: str) -> None:
    gone = life.delete()
    with faults(operation, [unreachable] * 3), pytest.raises(ServiceUnavailable):
        ERASURE.forget(gone)
    ERASURE.forget(gone)
    once = store.items()
    assert traces(store) == [("KEY#zoras-key", "C")]
    ERASURE.forget(gone)
    assert store.items() == once


def test_what_waits_for_others_stays(store: Store, clock: StoppedClock) -> None:
    belongings, changes = DynamoBelongings(), DynamoAccountChanges()
    link: OneUse
    for owner, to in (("me", "john@example.com"), ("other", "john+tag@example.com"), ("other", "ann@example.com")):
        _, link = issue(Purpose.RESET, owner, clock.now())
        changes.ask(link, [a_notice(MailKind.PASSWORD_CHANGED, to)])

    assert [kind for kind, _ in belongings.find_waiting("me", "john@example.com").mails] == [MailKind.PASSWORD_CHANGED]
    belongings.delete_waiting("me", "john@example.com")

    left = [MailRecord.from_raw_data(item).mail().to for item in store.items() if item["SK"]["S"] == keys.MAIL]
    assert sorted(left) == ["ann@example.com", "john+tag@example.com"]
    assert belongings.find_waiting("me", "john@example.com").links == []
    assert len(belongings.find_waiting("other", "ann@example.com").links) == 2
