"""The Lambda function that Secrets Manager rotates the signing keys with."""

from typing import Any

from gatehouse import telemetry, wiring

_rotation = wiring.rotation()
_log = telemetry.logger()


def handler(event: dict[str, Any], context: Any) -> None:
    """Takes one step of a rotation; raises where it cannot, and Secrets Manager may then try again.

    Which secret an event is about is not asked: the function has the rights to one, and knows which.
    """
    step, version = event["Step"], event["ClientRequestToken"]
    _rotation.step(step, version)
    _log.info("a step of the rotation was taken", extra={"step": step, "version": version})
