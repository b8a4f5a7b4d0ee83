"""What a cleanup reads and writes that warns 1,000 accounts, of 5,000 and of 100,000: as much for both."""

import os
import sys
import time
from dataclasses import dataclass

from benchmarks import scale
from gatehouse import wiring
from gatehouse.cleanup.model import Report
from local.gateway.environment import cut_off
from tests.stores import Cost, connection_kept, cost_of

SIZES = (5_000, 100_000)
DUE = 1_000
_MOST_GROWTH = 1.1


@dataclass(frozen=True)
class Costs:
    """What finding those who are due cost, what seeing to them did, and how many seconds that took."""

    found: Cost
    done: Cost
    seconds: float


def main() -> None:
    """Prints a line a size, and the ratio; ends with 1 where the cost follows the size of the table."""
    cut_off(os.environ)
    with scale.crowds(SIZES) as endpoint:
        costs = [costs_of(endpoint, size) for size in SIZES]
    for size, cost in zip(SIZES, costs, strict=True):
        told = f"found by {_told(cost.found)}; found and warned by {_told(cost.done)} in {cost.seconds:.1f} s"
        print(f"{DUE:,} due of {size:,}: {told}")
    small, large = costs
    ratios = (large.found.units / small.found.units, large.done.units / small.done.units)
    print(f"of {SIZES[1]:,} to {SIZES[0]:,}: {ratios[0]:.3f} x the units to find them, {ratios[1]:.3f} x in all")
    if max(ratios) > _MOST_GROWTH:
        sys.exit("Not as promised: the cost follows the table.")


def costs_of(endpoint: str, size: int) -> Costs:
    """What a cleanup costs in the crowd of that size; raises AssertionError where it does not see to those due."""
    settings = scale.settings_for(endpoint, size)
    with connection_kept():
        clock = scale.when_due(settings, DUE)
        wiring.build(settings, clock)
        cleanup = wiring.build_cleanup(settings, clock)
        reports: list[Report] = []
        found = cost_of(lambda: reports.append(cleanup.run(lambda: 900.0, dry_run=True)))
        began = time.monotonic()
        done = cost_of(lambda: reports.append(cleanup.run(lambda: 900.0)))
        seconds = time.monotonic() - began
    assert [report.warned for report in reports] == [DUE, DUE], reports
    return Costs(found, done, seconds)


def _told(cost: Cost) -> str:
    return f"{sum(cost.calls.values()):,} calls of {cost.units:,.1f} units"


if __name__ == "__main__":
    main()
