"""The only maker of logger and metrics: JSON lines through Powertools, for every door and every room."""

import json
import logging
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

from gatehouse.counts import Counted, Counts, Fact

_NAME = "gatehouse"


@cache
def logger() -> Logger:
    """The logger `gatehouse`, whose children are the rooms' own; its level comes from LOG_LEVEL."""
    # A line's task would be Mangum's own, and say nothing. (The module's type stub does not know the switch.)
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    return Logger(logger_name=_NAME, use_rfc3339=True, utc=True)


def counts() -> Counts:
    """What makes metrics of facts, in CloudWatch's embedded format.

    Their namespace comes from POWERTOOLS_METRICS_NAMESPACE; POWERTOOLS_METRICS_DISABLED switches them off.
    """
    return _Metrics()


class _Metrics:
    """Keeps nothing between calls, so that no figure is lost with a function and threads do not mix theirs."""

    def add(self, facts: Sequence[Fact]) -> None:
        """Prints a line for what is not told apart, one for each value of what is, and one for each time."""
        if is_metrics_disabled():
            return
        sums: dict[tuple[str, str] | None, defaultdict[Counted, float]] = {}
        for fact in facts:
            if fact.what.is_time:
                _print(_told_apart(fact), {fact.what: fact.value})
            else:
                sums.setdefault(_told_apart(fact), defaultdict(float))[fact.what] += fact.value
        for told_apart, values in sums.items():
            _print(told_apart, values)


def _told_apart(fact: Fact) -> tuple[str, str] | None:
    return None if fact.what.dimension is None or fact.by is None else (fact.what.dimension, fact.by)


def _print(told_apart: tuple[str, str] | None, values: Mapping[Counted, float]) -> None:
    metrics = EphemeralMetrics()
    metrics.namespace = metrics.namespace or _NAME
    service = metrics.service or _NAME
    metrics.add_dimension("service", service)
    if told_apart is not None:  # beside the sum, so that an alarm on all of them needs no list of the values
        name, by = told_apart
        metrics.add_dimensions(**{"service": service, name: by})
    for what, value in values.items():
        metrics.add_metric(what.value, MetricUnit.Milliseconds if what.is_time else MetricUnit.Count, value)
    # In one write, where Powertools would use two: on one's own machine many threads print at the same time.
    sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
