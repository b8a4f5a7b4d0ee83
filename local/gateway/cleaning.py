"""EventBridge Scheduler's stand-in: the function that the schedule wakes is called whenever somebody asks for it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.gateway.intrinsics import TemplateError
from local.gateway.runtime import CallerGaveUp, FunctionFailed, Runtime, load_event_handlers
from local.gateway.template import Template

type CleanUp = Callable[[bool], Any]
"""Runs the cleanup, or only finds out what it would do; answers with its report, or raises CleanupFailed."""

_PATIENCE = 900.0  # the longest that Lambda lets a function run
_AT_A_TIME = 4

_log = logging.getLogger(__name__)


class CleanupFailed(Exception):
    """The cleanup did not come to its end, or left something out; the log tells what."""


@contextmanager
def cleaning(template: Template) -> Iterator[CleanUp]:
    """What calls the cleanup with its schedule's event while the block runs; the schedule itself does not, here."""
    if len(template.schedules) != 1:
        raise TemplateError(f"The local gateway needs one schedule, and there are {len(template.schedules)}.")
    [schedule] = template.schedules
    runtime = Runtime(template.functions, load_event_handlers(template), workers=_AT_A_TIME)

    def clean_up(dry_run: bool) -> Any:
        try:
            return runtime.invoke(schedule.function, {**schedule.event, "dryRun": dry_run}, _PATIENCE)
        except (CallerGaveUp, FunctionFailed) as failure:
            _log.error("The cleanup failed.", exc_info=failure)
            raise CleanupFailed from failure

    try:
        yield clean_up
    finally:
        runtime.close()
