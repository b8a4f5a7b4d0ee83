"""The Lambda function behind /oauth/token, /oauth/introspect and /oauth/revoke."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from typing import Any

from gatehouse import telemetry, wiring
from oauth.endpoint import Endpoint

_settings, _gate, _clients = wiring.gate_and_clients()
_endpoint = Endpoint(_gate, _clients, _settings.max_body_bytes)
_log = telemetry.logger()
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway's answer to a REST API event."""
    _log.thread_safe_append_keys(correlation_id=event["requestContext"]["requestId"])
    return _endpoint.answer(event)
