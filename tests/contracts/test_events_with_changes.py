"""Every change of state is written in one transaction with its event: both, or neither, and once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.factors import StepProof, TurningOn
from gatehouse.accounts.lockout import account as counted_at
from gatehouse.accounts.model import Account
from gatehouse.audit.model import AuditEvent
from gatehouse.consumers.model import Role, User
from gatehouse.errors import Conflict, ServiceUnavailable, Unauthenticated
from gatehouse.mail.model import MailKind
from gatehouse.mail.writing import MailboxFull
from gatehouse.persistence import Stale
from gatehouse.storage.configuration_changes import DynamoConfigurationChanges
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.mail import DynamoMails
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.tokens import DynamoTokens
from gatehouse.storage.usage import DynamoUsage
from tests.contracts.faults import PatientTime, faults, lost, unreachable
from tests.contracts.made_up import a_credential, a_notice, changed, entrance
from tests.contracts.worlds import (
    SECRET,
    InMemory,
    OnTheTable,
    World,
    a_link,
    a_mail,
    a_person,
    account_of,
    began,
    changing,
    kept_link,
    refused,
    turn_on,
)
from tests.stores import Store
from tests.unit.audit.logs import an_event
from tests.unit.fakes import START, a_user
from tests.unit.plan_stores import MemoryPlans, MemoryUsage, a_plan

IDLE = timedelta(days=7)
FIRST, SECOND = an_event(1), an_event(2)

type Act = Callable[[AuditEvent], object]


@dataclass(frozen=True)
class Stores:
    """Every store that changes state, on one implementation, and somebody whose state it is."""

    world: World
    tokens: Any
    plans: Any
    usage: Any
    configuration: Any
    others: Any
    """The first ADMIN's, and that of notices."""
    john: User

    def plan(self) -> Any:
        plan = a_plan()
        self.plans.create_plan(plan)
        return plan

    def credential(self) -> Any:
        return self.world.programs.create_credential(a_credential(self.john), "hash")

    def account(self) -> Account:
        return account_of(self.world, self.john)

    def holder(self) -> Any:
        [session, *_] = self.world.accounts.sessions_of(self.john.id)
        return self.world.factors.find_holder(self.john.id, session.id), session.id

    def gone(self) -> None:
        """John is deleted."""
        self.world.consumers.delete_user(self.account().user)

    def full(self) -> None:
        """So many mails go to Jo that there is no room for more."""
        for _ in range(3):
            self.world.changes.ask(a_link()[1], [a_mail()])


def make_stores(world: World) -> Stores:
    john = a_person(world)
    if isinstance(world, InMemory):
        store = world.store
        return Stores(world, store, MemoryPlans(store), MemoryUsage(store), store.configuration, store, john)
    return Stores(
        world, DynamoTokens(), DynamoPlanChanges(), DynamoUsage(), DynamoConfigurationChanges(), _Others(), john
    )


class _Others(DynamoConsumers, DynamoMails):
    pass


@pytest.fixture
def stores(world: World) -> Stores:
    return make_stores(world)


# What each makes is made ready first, and done when it is called with an event.


def creates_a_user(s: Stores) -> Act:
    return lambda event: s.world.consumers.create_user(a_user("jane"), "hash", event)


def creates_the_first_admin(s: Stores) -> Act:
    return lambda event: s.others.create_first_admin(a_user("root", role=Role.ADMIN), "hash", a_link()[1], event)


def updates_a_user(s: Stores) -> Act:
    after = changed(s.john, email="new@example.com")
    return lambda event: s.world.consumers.update_user(s.john, after, a_notice(), event)


def deletes_a_user(s: Stores) -> Act:
    return lambda event: s.world.consumers.delete_user(s.john, event)


def creates_an_account(s: Stores) -> Act:
    jane = a_user("jane")
    new = NewAccount(user=jane, password_hash="hash", session=began(jane)[0], uses=kept_link(s.world)[1], mail=a_mail())
    return lambda event: s.world.changes.create_account(new, START, event)


def changes_an_account(s: Stores) -> Act:
    after = changing(s.world, s.john, password_hash="another", mails=(a_notice(MailKind.PASSWORD_CHANGED),))
    return lambda event: s.world.changes.change_account(after, START, event)


def asks(s: Stores) -> Act:
    return lambda event: s.world.changes.ask(a_link()[1], [a_mail()], event)


def opens_a_session(s: Stores) -> Act:
    account = s.account()
    return lambda event: s.world.accounts.open_session(account, began(s.john)[0], entrance(of=s.john), event)


def prunes_sessions(s: Stores) -> Act:
    account = s.account()
    return lambda event: s.world.accounts.prune_sessions(account, START, IDLE, event)


def ends_a_session(s: Stores) -> Act:
    [session] = s.world.accounts.sessions_of(s.john.id)
    return lambda event: s.world.accounts.end_session(s.john.id, session.id, a_notice(), event)


def ends_all_sessions(s: Stores) -> Act:
    return lambda event: s.world.accounts.end_sessions(s.john.id, event)


def ends_all_sessions_where_no_program_is_on(s: Stores) -> Act:
    return lambda event: s.world.accounts.end_sessions(s.john.id, event, without_programs=True)


def creates_a_credential(s: Stores) -> Act:
    credential = a_credential(s.john)
    return lambda event: s.world.programs.create_credential(credential, "hash", None, event)


def updates_a_credential(s: Stores) -> Act:
    before = s.credential()
    after = replace(before, is_active=False, revision=1)
    return lambda event: s.world.programs.update_credential(before, after, None, event)


def rotates_a_credential(s: Stores) -> Act:
    before = s.credential()
    after = replace(before, version=2, revision=1)
    return lambda event: s.world.programs.rotate_credential(before, after, "another", None, event)


def deletes_a_credential(s: Stores) -> Act:
    credential = s.credential()
    return lambda event: s.world.programs.delete_credential(credential, event)


def revokes_a_token(s: Stores) -> Act:
    return lambda event: s.tokens.revoke_token(s.john.id, "a-token", START + timedelta(hours=1), event)


def keeps_a_pending_factor(s: Stores) -> Act:
    holder, _ = s.holder()
    return lambda event: s.world.factors.keep_pending(holder, SECRET, event)


def turns_a_factor_on(s: Stores) -> Act:
    s.world.factors.keep_pending(s.holder()[0], SECRET)
    holder, session_id = s.holder()
    turning_on = TurningOn(1, frozenset({b"1" * 32}), START)
    return lambda event: s.world.factors.turn_on(holder, session_id, turning_on, a_notice(), event)


def proves_a_factor(s: Stores) -> Act:
    turn_on(s.world, s.john)
    holder, session_id = s.holder()
    return lambda event: s.world.factors.prove(holder, session_id, StepProof(2), START, event)


def turns_a_factor_off(s: Stores) -> Act:
    turn_on(s.world, s.john)
    holder, _ = s.holder()
    return lambda event: s.world.factors.turn_off(holder, StepProof(2), a_notice(), event)


def unlocks(s: Stores) -> Act:
    return lambda event: s.world.lockouts.forget(counted_at(s.john.id).name, event)


def notes_a_lock(s: Stores) -> Act:
    return lambda event: s.others.keep_notice(a_notice(MailKind.ACCOUNT_LOCKED), event)


def notes_a_lock_without_a_mail(s: Stores) -> Act:
    return lambda event: s.others.keep_notice(None, event)


def creates_a_plan(s: Stores) -> Act:
    return lambda event: s.plans.create_plan(a_plan(), event)


def updates_a_plan(s: Stores) -> Act:
    plan = s.plan()
    return lambda event: s.plans.update_plan(plan, replace(plan, name="platinum", revision=1), event)


def deletes_a_plan(s: Stores) -> Act:
    plan = s.plan()
    return lambda event: s.plans.delete_plan(plan, event)


def assigns_a_plan(s: Stores) -> Act:
    after = changed(s.john, plan_id=s.plan().id)
    return lambda event: s.plans.assign_plan(s.john, after, event)


def resets_usage(s: Stores) -> Act:
    return lambda event: s.usage.reset_gate(s.john.id, event)


def sets_the_configuration(s: Stores) -> Act:
    before = s.configuration.find_overrides()
    after = replace(before, throttle_limit=5, revision=1)
    return lambda event: s.configuration.keep_overrides(before, after, event)


ONCE: dict[Callable[[Stores], Act], type[Exception]] = {
    creates_a_user: Conflict,
    creates_the_first_admin: Conflict,
    updates_a_user: Stale,
    deletes_a_user: Stale,
    changes_an_account: Stale,
    creates_a_credential: Conflict,
    updates_a_credential: Stale,
    rotates_a_credential: Stale,
    deletes_a_credential: Stale,
    revokes_a_token: Stale,
    turns_a_factor_on: Stale,
    proves_a_factor: Stale,
    turns_a_factor_off: Stale,
    creates_a_plan: Conflict,
    updates_a_plan: Stale,
    deletes_a_plan: Stale,
    assigns_a_plan: Stale,
    sets_the_configuration: Stale,
}
"""What the same change again is refused with."""

AGAIN = (
    asks,
    ends_all_sessions,
    ends_all_sessions_where_no_program_is_on,
    keeps_a_pending_factor,
    unlocks,
    notes_a_lock,
    notes_a_lock_without_a_mail,
    resets_usage,
)
"""What may be done again, and is told again then."""

BROKEN: dict[Callable[[Stores], Act], tuple[Callable[[Stores], object], type[Exception]]] = {
    asks: (Stores.full, MailboxFull),
    opens_a_session: (Stores.gone, Stale),
    prunes_sessions: (Stores.gone, Stale),
    ends_all_sessions: (Stores.gone, Unauthenticated),
    ends_all_sessions_where_no_program_is_on: (Stores.credential, Stale),
    keeps_a_pending_factor: (Stores.gone, Stale),
    resets_usage: (Stores.gone, Stale),
}
"""What meets these: something else, which it is refused by."""

EVERY = (*ONCE, *AGAIN, creates_an_account, opens_a_session, prunes_sessions, ends_a_session)


def name_of(of: object) -> str | None:
    return getattr(of, "__name__", None)


@pytest.mark.parametrize("ready", EVERY, ids=name_of)
def test_a_change_is_written_with_its_event_as_it_was_given(stores: Stores, ready: Callable[[Stores], Act]) -> None:
    act = ready(stores)
    before = stores.world.everything()

    act(FIRST)

    assert stores.world.events() == [FIRST]
    assert stores.world.everything() != before


@pytest.mark.parametrize(("ready", "error"), ONCE.items(), ids=name_of)
def test_a_change_that_was_made_is_refused_again_and_not_told_again(
    stores: Stores, ready: Callable[[Stores], Act], error: type[Exception]
) -> None:
    act = ready(stores)
    act(FIRST)

    refused(stores.world, lambda: act(SECOND), error)
    assert stores.world.events() == [FIRST]


@pytest.mark.parametrize("ready", AGAIN, ids=name_of)
def test_what_may_be_done_again_is_told_again(stores: Stores, ready: Callable[[Stores], Act]) -> None:
    act = ready(stores)
    act(FIRST)
    act(SECOND)

    assert stores.world.events() == [FIRST, SECOND]


@pytest.mark.parametrize(("ready", "broken"), BROKEN.items(), ids=name_of)
def test_a_change_that_is_refused_is_not_told(
    stores: Stores, ready: Callable[[Stores], Act], broken: tuple[Callable[[Stores], object], type[Exception]]
) -> None:
    act = ready(stores)
    break_it, error = broken
    break_it(stores)

    refused(stores.world, lambda: act(FIRST), error)
    assert stores.world.events() == []


def test_a_link_that_was_used_opens_no_other_account_and_is_not_told_again(stores: Stores) -> None:
    act = creates_an_account(stores)
    act(FIRST)

    refused(stores.world, lambda: act(SECOND), Exception)
    assert stores.world.events() == [FIRST]


def test_a_session_ends_once_and_is_told_of_once(stores: Stores) -> None:
    act = ends_a_session(stores)

    assert [act(FIRST), act(SECOND)] == [True, False]
    assert stores.world.events() == [FIRST]


@pytest.mark.parametrize("ready", EVERY, ids=name_of)
def test_a_change_and_its_event_are_one_call_that_is_repeated_without_a_second_effect(
    dynoxide_store: Store, patient_time: PatientTime, ready: Callable[[Stores], Act]
) -> None:
    stores = make_stores(OnTheTable(dynoxide_store))
    act = ready(stores)
    with faults("TransactWriteItems", [lost]) as sent:
        act(FIRST)

    first, *again = sent
    assert again == [first]
    assert [put["Put"]["Item"]["PK"] for put in first["TransactItems"] if "Put" in put].count(
        {"S": f"EV#{FIRST.id}"}
    ) == 1
    assert stores.world.events() == [FIRST]


@pytest.mark.parametrize("ready", EVERY, ids=name_of)
def test_where_the_store_does_not_answer_there_is_neither(
    dynoxide_store: Store, patient_time: PatientTime, ready: Callable[[Stores], Act]
) -> None:
    stores = make_stores(OnTheTable(dynoxide_store))
    act = ready(stores)
    with faults("TransactWriteItems", [unreachable] * 10):
        refused(stores.world, lambda: act(FIRST), ServiceUnavailable)
