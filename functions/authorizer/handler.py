"""The Lambda function behind API Gateway's authorizer."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from typing import Any

from authorizer import policy, schemes
from gatehouse import telemetry, wiring
from gatehouse.admission.addresses import address_of
from gatehouse.admission.lookup import WRONG_SECRET
from gatehouse.counts import Counted, Fact
from gatehouse.errors import Unauthenticated

_gate = wiring.gate()
_log = telemetry.logger()
_counts = telemetry.counts()
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The policy and the caller; raises `Exception("Unauthorized")`, which API Gateway turns into a 401.

    Any other exception is a 500 of the type AUTHORIZER_FAILURE, which the template answers with 503.
    """
    _log.thread_safe_append_keys(correlation_id=event["requestContext"]["requestId"])
    try:
        headers = _headers(event)
        admitted = schemes.identify(headers, _gate, _address(event, headers))
    except Unauthenticated as error:
        _log.info("refused", extra={"refusal": error.message})
        failed = [Fact(Counted.FAILED_SIGN_INS)] if error.reason == WRONG_SECRET else []
        _counts.add([Fact(Counted.REFUSED), *failed])
        raise Exception("Unauthorized") from None  # noqa: TRY002 - the very words that API Gateway asks for
    return policy.allow(event["methodArn"], admitted, _gate.clock.now())


def _headers(event: dict[str, Any]) -> schemes.Headers:
    """All headers of the event; raises KeyError for an event of another kind, whose credential would be overlooked."""
    sent = event["multiValueHeaders"] or {name: [value] for name, value in (event["headers"] or {}).items()}
    headers: dict[str, list[str]] = {}
    for name, values in sent.items():
        headers.setdefault(name.lower(), []).extend(values)
    return headers


def _address(event: dict[str, Any], headers: schemes.Headers) -> str:
    forwarded = ", ".join(headers.get("x-forwarded-for", []))
    return address_of(event["requestContext"]["identity"]["sourceIp"], forwarded, _gate.trusted_proxies)
