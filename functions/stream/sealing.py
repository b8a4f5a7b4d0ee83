"""Events of the audit are sealed, all of a batch together, and those told of that had no seal yet."""

from collections.abc import Sequence

from gatehouse import telemetry
from gatehouse.audit.chain import ChainBroken, Sealing
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.noted import line_of
from gatehouse.errors import ServiceUnavailable
from stream import activity


def seal(events: Sequence[AuditEvent], sealing: Sealing) -> frozenset[str]:
    """The ids of those that could not be sealed; what kept them from it is logged."""
    try:
        sealed = sealing.seal(events)
    except Exception as error:  # noqa: BLE001 - the boundary: logged with its traceback, and told to Lambda
        if len(events) > 1 and not isinstance(error, ServiceUnavailable | ChainBroken):
            return frozenset[str]().union(*(seal([event], sealing) for event in events))  # the bad one is left alone
        ids = [event.id for event in events]
        telemetry.logger().error("events were not sealed", exc_info=error, extra={"events": ids})
        return frozenset(ids)
    try:
        if sealed:
            _tell(sealed, sealing)
    except Exception as error:  # noqa: BLE001 - the boundary: they have their seals, and are not told another time
        ids = [event.id for event in sealed]
        telemetry.logger().error("events were sealed and not told", exc_info=error, extra={"events": ids})
    return frozenset()


def _tell(sealed: Sequence[AuditEvent], sealing: Sealing) -> None:
    """Tells of the events, and notes in the log where the chain is: whoever writes to the table cannot change that."""
    activity.tell(sealed)
    head = sealing.store.find_head()
    if head is not None:
        telemetry.logger().info("sealed", extra={"position": line_of(head.last)})
