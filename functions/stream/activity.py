"""What is told of events that were sealed just now: a line of the activity log for each, and figures of them all."""

from collections.abc import Sequence

from gatehouse import telemetry
from gatehouse.audit import activity
from gatehouse.audit.model import AuditEvent


def tell(events: Sequence[AuditEvent]) -> None:
    """Tells them; whoever seals an event a second time finds that it is, and does not tell it again."""
    for event in events:
        telemetry.logger().info(activity.message(event), extra=activity.fields(event))
    telemetry.counts().add([fact for event in events for fact in activity.facts(event)])
