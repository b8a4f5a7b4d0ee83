"""The sweep: whoever is due is warned, deactivated or anonymised, one step a run.

Every write holds only where the consumer is in the stage, and was last active, as it was read: who comes back before
it is left alone, and of two runs at once one takes the step. Who has taken a step has left the stage. So a run that was
cut off, wherever that was, needs to remember nothing: the next one finds what is left.

Who has signed in and done nothing else is found once by their activity before that, and then by the sign-in.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from gatehouse.audit import told
from gatehouse.audit.acting import ITSELF
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.cleanup.deadline import OutOfTime, require_time
from gatehouse.cleanup.model import Dormant, Place, Report, Step
from gatehouse.clock import Clock
from gatehouse.consumers import inactivity
from gatehouse.consumers.inactivity import Rules, Stage
from gatehouse.consumers.model import Role, User
from gatehouse.mail.model import Mail
from gatehouse.persistence import Page, Stale

_log = logging.getLogger(__name__)

_PAGE = 25
# The last stage first: so nobody takes two steps in a run, and what was cut off is ended before more is begun.
_ORDER = (Stage.ANONYMISED, Stage.DEACTIVATED, Stage.WARNED, Stage.ACTIVE)


class SweepStore(Protocol):
    """Where it stands who was last active when. Raises ServiceUnavailable."""

    def parts(self) -> Sequence[str]:
        """What each role and stage is spread over."""

    def page_dormant(self, place: Place, until: datetime, first: int, after: str | None) -> Page[Dormant]:
        """At most `first` consumers that were active last at `until` or before, the longest dormant first.

        Each is told as it is now, which need not be what it was found for.
        """

    def note_return(self, before: Dormant, after: Dormant) -> None:
        """The consumer is found by its sign-in from now on; raises Stale where it is not as before."""

    def take_step(self, step: Step, event: AuditEvent) -> None:
        """Takes the step, with its notice; raises Stale where the consumer is not as before."""

    def clear(self, anonymised: Dormant) -> None:
        """Removes what belonged to the consumer, and then it from the sweep; raises Stale where that was done."""


class Notices(Protocol):
    """How the owner of an account is told."""

    def of_warning(self, user: User, deactivation_after: datetime) -> Mail: ...

    def of_deactivation(self, user: User) -> Mail: ...


class _Outcome(Enum):
    WARNED = auto()
    DEACTIVATED = auto()
    ANONYMISED = auto()
    SKIPPED = auto()
    FAILED = auto()


_OUTCOMES = {
    Stage.WARNED: _Outcome.WARNED,
    Stage.DEACTIVATED: _Outcome.DEACTIVATED,
    Stage.ANONYMISED: _Outcome.ANONYMISED,
}
_ACTIONS = {
    Stage.WARNED: AuditAction.ACCOUNT_WARNED,
    Stage.DEACTIVATED: AuditAction.ACCOUNT_DEACTIVATED,
    Stage.ANONYMISED: AuditAction.ACCOUNT_ANONYMISED,
}


@dataclass(frozen=True)
class Sweep:
    """The use case; `rules` tells the rules that are in force."""

    store: SweepStore
    clock: Clock
    rules: Callable[[], Rules]
    notices: Notices
    recorder: Recorder

    def run(self, seconds_left: Callable[[], float], *, dry_run: bool = False) -> Report:
        """What was done until nobody was due, or no time was left; a dry run writes nothing.

        Raises ServiceUnavailable where it is not known who is due.
        """
        rules, now = self.rules(), self.clock.now()
        done: dict[str, _Outcome] = {}
        went_on = False
        try:
            for dormant in self._candidates(rules, now, seconds_left):
                if dormant.user.id not in done:  # one that has moved on may be found again where it is now
                    done[dormant.user.id] = self._see_to(dormant, rules, now, dry_run=dry_run)
        except OutOfTime:
            went_on = True
        number = Counter(done.values())
        return Report(
            considered=number.total(),
            warned=number[_Outcome.WARNED],
            deactivated=number[_Outcome.DEACTIVATED],
            anonymised=number[_Outcome.ANONYMISED],
            skipped=number[_Outcome.SKIPPED],
            failed=number[_Outcome.FAILED],
            went_on=went_on,
            dry_run=dry_run,
        )

    def _candidates(self, rules: Rules, now: datetime, seconds_left: Callable[[], float]) -> Iterator[Dormant]:
        """Who may be due, for as long as there is time for one more; raises OutOfTime."""
        for place in self._places():
            until = inactivity.last_activity_of_the_due(rules, place.role, place.stage, now)
            if until is None:
                continue
            after = None
            while True:
                require_time(seconds_left)
                page = self.store.page_dormant(place, until, _PAGE, after)
                for _, dormant in page.entries:
                    require_time(seconds_left)
                    yield dormant
                if page.next_position is None:
                    break
                after = page.next_position

    def _places(self) -> Iterator[Place]:
        parts = self.store.parts()
        return (Place(role, stage, part) for stage in _ORDER for role in Role for part in parts)

    def _see_to(self, found: Dormant, rules: Rules, now: datetime, *, dry_run: bool) -> _Outcome:
        try:
            back = found.back()
            if back is not None and not dry_run:
                self.store.note_return(found, back)
            dormant = back or found
            stage = inactivity.next_stage(rules, dormant.user.role, dormant.activity, now)
            if stage is None:
                return _Outcome.SKIPPED
            if not dry_run:
                self._move(dormant, stage, rules, now)
        except Stale:
            return _Outcome.SKIPPED
        except Exception as error:  # noqa: BLE001 - logged; one that cannot be dealt with keeps no other back
            about = {"consumer_id": found.user.id, "stage": found.activity.stage}
            _log.error("an account was not cleaned up", exc_info=error, extra=about)
            return _Outcome.FAILED
        return _OUTCOMES[stage]

    def _move(self, dormant: Dormant, stage: Stage, rules: Rules, now: datetime) -> None:
        if dormant.activity.stage is Stage.ANONYMISED:
            self.store.clear(dormant)
            return
        step = self._step(dormant, stage, rules, now)
        self.store.take_step(step, self._event(step))
        if stage is Stage.ANONYMISED:
            self.store.clear(self._taken(step))

    def _step(self, dormant: Dormant, stage: Stage, rules: Rules, now: datetime) -> Step:
        user = after = dormant.user
        notice = None
        match stage:
            case Stage.WARNED:
                until = inactivity.deactivation_after(rules, user.role, dormant.activity, now)
                notice = self.notices.of_warning(user, until)
            case Stage.DEACTIVATED:
                after = inactivity.deactivated(user, now)
                notice = self.notices.of_deactivation(user)
            case Stage.ANONYMISED:
                after = inactivity.anonymised(user, now)
        return Step(before=dormant, after=after, stage=stage, at=now, notice=notice)

    def _event(self, step: Step) -> AuditEvent:
        """What the step is in the audit. Who is anonymised is told by it until the stream erases that."""
        activity, user = step.before.activity, step.before.user
        before = told.user(user) if step.stage is Stage.ANONYMISED else told.standing(user)
        return self.recorder.event(
            _ACTIONS[step.stage],
            ITSELF,
            subject_id=step.after.id,
            before={"stage": activity.stage.value, **before},
            after={
                "stage": step.stage.value,
                **told.standing(step.after),
                "lastActiveAt": told.moment(activity.active_at),
            },
        )

    def _taken(self, step: Step) -> Dormant:
        activity = replace(step.before.activity, stage=step.stage, stage_at=step.at)
        return replace(step.before, user=step.after, activity=activity)
