"""Something changed that a consumer's own gateway key goes by: the key is seen to."""

from gatehouse import telemetry
from gatehouse.changes import KeyAffected
from gatehouse.wall.service import Outcome, Wall


def follow(fact: KeyAffected, wall: Wall) -> None:
    outcome = wall.provision(fact.consumer_id)
    told = {"consumer_id": fact.consumer_id, "outcome": outcome}
    if outcome is Outcome.NO_ROOM:
        telemetry.logger().warning("no room for another gateway key; the shared one serves", extra=told)
    elif outcome is not Outcome.AGREES:
        telemetry.logger().info("gateway key", extra=told)
