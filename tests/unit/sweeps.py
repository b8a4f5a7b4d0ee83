"""The sweep without a table: consumers in a dictionary, a store that dies when told to, two runs that take turns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Condition, Lock, Thread

from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.model import Dormant, Place, Report, Step
from gatehouse.cleanup.service import Sweep
from gatehouse.clock import Clock, milliseconds
from gatehouse.consumers.inactivity import Activity, Days, Rules, Stage, begins_afresh
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.persistence import Page, Stale
from tests.unit.fakes import START, StoppedClock

AT_ONCE = Rules(
    by_role={
        Role.USER: Days(warn=76, deactivate=90, anonymise=365),
        Role.MODERATOR: Days(warn=150, deactivate=180),
    },
    notice_days=0,
)
RULES = replace(AT_ONCE, notice_days=7)


class Killed(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass(frozen=True)
class Kept:
    """A consumer as it is kept; `activity` None: the sweep does not look at it."""

    user: User
    activity: Activity | None
    belongings: frozenset[str] = frozenset()
    signed_in_at: datetime | None = None


@dataclass
class MemorySweep:
    """The port `cleanup.service.SweepStore`, and what a consumer does meanwhile.

    `before` and `after` are told the name of each call, and may raise, or do what others do just then.
    """

    kept: dict[str, Kept] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, user: User, activity: Activity | None, *belongings: str) -> User:
        self.kept[user.id] = Kept(user, activity, frozenset(belongings))
        return user

    def parts(self) -> Sequence[str]:
        return ("0", "1")

    def page_dormant(self, place: Place, until: datetime, first: int, after: str | None) -> Page[Dormant]:
        with self._called("page_dormant"):
            found = self._found(place, until)
            rest = [(position, dormant) for position, dormant in found if after is None or position > after]
            return Page(rest[:first], rest[first - 1][0] if len(rest) > first else None)

    def note_return(self, before: Dormant, after: Dormant) -> None:
        with self._called("note_return"):
            self.kept[before.user.id] = replace(self._found_as(before), activity=after.activity)

    def take_step(self, step: Step, event: AuditEvent | None = None) -> None:
        with self._called("take_step"):
            kept = self._as_before(step.before)
            activity = replace(step.before.activity, stage=step.stage, stage_at=step.at)
            self.kept[step.after.id] = replace(kept, user=step.after, activity=activity)
            if step.notice is not None:
                self.mails.append(step.notice)
            if event is not None:
                self.events.append(event)

    def clear(self, anonymised: Dormant) -> None:
        for belonging in sorted(self.kept[anonymised.user.id].belongings):
            with self._called("delete"):
                kept = self.kept[anonymised.user.id]
                self.kept[anonymised.user.id] = replace(kept, belongings=kept.belongings - {belonging})
        with self._called("leave"):
            self.kept[anonymised.user.id] = replace(self._found_as(anonymised), activity=None)

    def come_back(self, user_id: str, now: datetime) -> bool:
        """Whether the consumer is back: by a use of anything, or a new password where the sweep had switched it off."""
        with self._lock:
            kept = self.kept[user_id]
            user = kept.user
            if kept.activity is None or kept.activity.stage is Stage.ANONYMISED:
                return False
            if user.deactivated_by is DeactivatedBy.SWEEP:
                user = replace(user, is_active=True, deactivated_by=None, revision=user.revision + 1)
            self.kept[user_id] = replace(kept, user=user, activity=begins_afresh(user.role, user.is_active, now))
            return True

    def sign_in(self, user_id: str, now: datetime) -> bool:
        """Whether the consumer has signed in, and done no more: which nobody can who is switched off."""
        with self._lock:
            kept = self.kept[user_id]
            if kept.user.is_active:
                self.kept[user_id] = replace(kept, signed_in_at=now)
            return kept.user.is_active

    def told(self) -> list[tuple[str, MailKind]]:
        """Who was told what, in order of the addresses."""
        return sorted((mail.to, mail.kind) for mail in self.mails)

    def recorded(self) -> list[tuple[str | None, AuditAction]]:
        """What was done to whom, in order of their ids."""
        return sorted((event.subject_id, event.action) for event in self.events)

    def state(self) -> tuple[object, ...]:
        """All that is kept; ids of mails and events aside, which are random."""
        return dict(self.kept), self.told(), self.recorded()

    def copy(self) -> "MemorySweep":
        return MemorySweep(kept=dict(self.kept))

    def _found(self, place: Place, until: datetime) -> list[tuple[str, Dormant]]:
        found = []
        for kept in self.kept.values():
            user, activity = kept.user, kept.activity
            if activity is None or Place(user.role, activity.stage, part_of(user)) != place:
                continue
            if activity.active_at <= until:
                position = f"{milliseconds(activity.active_at):015} {user.id}"
                found.append((position, Dormant(user=user, activity=activity, signed_in_at=kept.signed_in_at)))
        return sorted(found, key=lambda entry: entry[0])

    def _as_before(self, before: Dormant) -> Kept:
        kept = self._found_as(before)
        if (kept.user.revision, kept.signed_in_at) != (before.user.revision, before.signed_in_at):
            raise Stale
        return kept

    def _found_as(self, before: Dormant) -> Kept:
        """The consumer, where that is what the sweep finds it by."""
        kept = self.kept[before.user.id]
        if (kept.user.role, kept.activity) != (before.user.role, before.activity):
            raise Stale
        return kept

    @contextmanager
    def _called(self, name: str) -> Iterator[None]:
        self.before(name)
        self.calls.append(name)
        with self._lock:
            yield
        self.after(name)


@dataclass
class MemoryJournal:
    """The port `cleanup.scheduled.Journal`; is `down` when told to be."""

    events: list[AuditEvent] = field(default_factory=list)
    down: bool = False

    def keep_event(self, event: AuditEvent) -> None:
        if self.down:
            raise ServiceUnavailable("The store did not answer.")
        self.events.append(event)


def part_of(user: User) -> str:
    return "01"[int(user.id[-1], 16) % 2]


@dataclass(frozen=True)
class PlainNotices:
    """The port `cleanup.service.Notices`, in mails of other kinds."""

    clock: Clock

    def of_warning(self, user: User, deactivation_after: datetime) -> Mail:
        return self._mail(MailKind.ACCOUNT_EXISTS, user, day=deactivation_after.date().isoformat())

    def of_deactivation(self, user: User) -> Mail:
        return self._mail(MailKind.ACCOUNT_LOCKED, user)

    def _mail(self, kind: MailKind, user: User, **words: str) -> Mail:
        now = self.clock.now()
        return Mail(id=new_id(now), kind=kind, to=user.email, words=words, created_at=now)


def the_sweep(store: MemorySweep, clock: Clock, rules: Rules = RULES) -> Sweep:
    return Sweep(store, clock, lambda: rules, PlainNotices(clock), Recorder(clock))


def run(store: MemorySweep, clock: Clock | None = None, rules: Rules = RULES, *, dry_run: bool = False) -> Report:
    """The report of a run that has all the time there is."""
    return the_sweep(store, clock or StoppedClock(), rules).run(lambda: 900.0, dry_run=dry_run)


def a_consumer(
    number: int,
    *,
    unused: timedelta,
    stage: Stage = Stage.ACTIVE,
    in_stage: timedelta = timedelta(days=400),
    role: Role = Role.USER,
) -> tuple[User, Activity]:
    """A consumer that was active last so long before START, and is in its stage for so long."""
    is_active = stage in (Stage.ACTIVE, Stage.WARNED)
    user = User(
        id=f"00000000-0000-7000-8000-{number:012x}",
        username=f"person{number}",
        email=f"person{number}@example.com",
        role=role,
        is_active=is_active,
        deactivated_by=None if is_active else DeactivatedBy.SWEEP,
        created_at=START - timedelta(days=1_000),
        updated_at=START - timedelta(days=1_000),
    )
    stage_at = None if stage is Stage.ACTIVE else START - in_stage
    return user, Activity(active_at=START - unused, stage=stage, stage_at=stage_at)


class Turns:
    """Lets two threads make their store calls in the order of a schedule; when one has ended, the other goes on."""

    def __init__(self, schedule: Sequence[int]) -> None:
        self._schedule = list(schedule)
        self._ended: set[int] = set()
        self._turn = Condition()

    def take(self, who: int) -> None:
        """Returns when it is their turn."""
        with self._turn:
            self._turn.wait_for(lambda: self._next() in (who, None), timeout=5)
            if self._schedule:
                self._schedule.pop(0)
            self._turn.notify_all()

    def end(self, who: int) -> None:
        with self._turn:
            self._ended.add(who)
            self._turn.notify_all()

    def _next(self) -> int | None:
        while self._schedule and self._schedule[0] in self._ended:
            self._schedule.pop(0)
        return self._schedule[0] if self._schedule else None


def run_two(store: MemorySweep, clock: Clock, rules: Rules, schedule: Sequence[int]) -> list[Report]:
    """The reports of two runs on one store, whose calls take turns."""
    turns, reports = Turns(schedule), dict[int, Report]()

    def work(who: int) -> None:
        own = MemorySweep(store.kept, store.mails, store.events, before=lambda _: turns.take(who))
        own._lock = store._lock
        try:
            reports[who] = run(own, clock, rules)
        finally:
            turns.end(who)

    threads = [Thread(target=work, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [reports[0], reports[1]]
