"""An hour of refusals is over: how many were left out of the audit, is told there."""

from gatehouse.audit.recording import Recorder
from gatehouse.audit.refusals import left_out
from gatehouse.changes import Events, RefusalsEnded


def follow(fact: RefusalsEnded, events: Events, recorder: Recorder) -> None:
    event = left_out(fact.tally, recorder)
    if event is not None:
        events.keep_event(event)
