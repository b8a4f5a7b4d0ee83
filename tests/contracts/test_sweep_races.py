"""The sweep while people come back, by sign-ins and by requests: who came back is not touched, and all others are."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from threading import Semaphore

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.model import Step
from gatehouse.cleanup.service import Sweep
from gatehouse.consumers.inactivity import Activity, Rules, Stage
from gatehouse.consumers.model import User
from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import CredentialType
from gatehouse.credentials.service import NewCredential
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from gatehouse.mail.model import MailKind
from gatehouse.permissions import Caller
from gatehouse.storage import keys
from gatehouse.storage.audit import event_of
from gatehouse.storage.gate_records import GateRecord
from gatehouse.storage.sweep import DynamoSweep
from tests.contracts.made_up import credentials_on_the_table
from tests.contracts.towns import Town
from tests.contracts.worlds import mails_in
from tests.stores import Store
from tests.unit.fakes import HOME, START, StoppedClock
from tests.unit.sweeps import AT_ONCE, RULES, PlainNotices

pytestmark = pytest.mark.long

SWEEPS, PEOPLE = 3, 24
STEPS = {
    MailKind.ACCOUNT_EXISTS: AuditAction.ACCOUNT_WARNED,
    MailKind.ACCOUNT_LOCKED: AuditAction.ACCOUNT_DEACTIVATED,
}
"""What the mails of `PlainNotices` tell of."""
LONG_AGO = START - timedelta(days=100)


@dataclass(frozen=True)
class Dormant:
    """Somebody whom nobody has seen for long, and the two ways they may come back."""

    user: User
    ways: Sequence[Callable[[], object]]


class Watched(DynamoSweep):
    """The store of the sweep; each step that begins lets somebody come back."""

    def __init__(self, may_come: Semaphore, parts: Sequence[str]) -> None:
        self._may_come, self._parts = may_come, parts

    def parts(self) -> Sequence[str]:
        return self._parts

    def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
        self._may_come.release()
        super().take_step(step, event)


def somebody(town: Town, number: int) -> Dormant:
    """A person with a password and a key, each used last 100 days ago."""
    user = town.add(f"person{number}", created_at=LONG_AGO)
    owner = Caller(consumer_id=user.id, session_id=new_id(LONG_AGO))
    made = credentials_on_the_table(StoppedClock(LONG_AGO)).create(owner, NewCredential(type=CredentialType.KEY_AUTH))
    key = key_auth.parse(made.secret or "")
    from_somewhere = Origin(f"198.51.100.{number}", "curl")
    signing_in = partial(town.login, user, origin=from_somewhere)
    calling = partial(town.admission.by_secret, CredentialType.KEY_AUTH, key, HOME)
    return Dormant(user, (signing_in, calling))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rules", [AT_ONCE, RULES], ids=["without notice", "with a warning first"])
def test_nobody_who_came_back_is_touched(dynoxide_store: Store, clock: StoppedClock, rules: Rules, seed: int) -> None:
    town, may_come = Town(dynoxide_store, clock), Semaphore(0)
    random = Random(seed)  # noqa: S311 - who comes back when and how, no secret
    people = [somebody(town, number) for number in range(PEOPLE)]
    comers = random.sample(people, PEOPLE)
    parts = sorted({person.user.id[-1] for person in people})
    sweep = Sweep(Watched(may_come, parts), clock, lambda: rules, PlainNotices(clock), Recorder(clock))

    def come_back(way: Callable[[], object]) -> bool:
        """Whether they were let in."""
        may_come.acquire(timeout=10)
        try:
            way()
        except Unauthenticated:
            return False
        return True

    with ThreadPoolExecutor(SWEEPS + PEOPLE) as threads:
        returns = [threads.submit(come_back, random.choice(person.ways)) for person in comers]
        runs = [threads.submit(sweep.run, lambda: 900.0) for _ in range(SWEEPS)]
        reports = [run.result() for run in runs]
        for _ in people:
            may_come.release()
        are_back = [each.result() for each in returns]
    quiet = Sweep(DynamoSweep(), clock, lambda: rules, PlainNotices(clock), Recorder(clock))
    last = quiet.run(lambda: 900.0)

    assert all(report.failed == 0 for report in (*reports, last))
    for person, is_back in zip(comers, are_back, strict=True):
        user, activity = town_knows(town, person.user)
        if is_back:
            assert (user.is_active, activity) == (True, Activity(active_at=START))
            assert steps_of(dynoxide_store, user) in ([], ["ACCOUNT_WARNED"])
        else:
            assert (user.is_active, activity and activity.stage) == (False, Stage.DEACTIVATED)
            assert steps_of(dynoxide_store, user) == ["ACCOUNT_DEACTIVATED"]
    told = Counter(mail.to for mail in mails_in(dynoxide_store) if mail.kind in STEPS)
    assert told == Counter({p.user.email: n for p in people if (n := len(steps_of(dynoxide_store, p.user)))})


def steps_of(store: Store, user: User) -> list[str]:
    """The steps that the audit tells of."""
    events = [event_of(item) for item in store.items() if item["PK"]["S"].startswith("EV#")]
    return [event.action.value for event in events if event.subject_id == user.id and event.action in STEPS.values()]


def town_knows(town: Town, user: User) -> tuple[User, Activity | None]:
    """The user as it is, and what the sweep knows of it."""
    now = town.people.unlocking.store.find_user(user.id)
    assert now is not None
    return now, GateRecord.get(keys.gate(user.id), keys.GATE, consistent_read=True).activity()
