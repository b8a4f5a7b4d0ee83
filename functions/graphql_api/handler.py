"""The Lambda function behind /graphql and /health."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

import json
import time
from typing import Any

from mangum import Mangum

from gatehouse import telemetry, wiring
from gatehouse.access import MESSAGE, Answered, Problem
from gatehouse.admission import telling
from gatehouse.counts import UNKNOWN
from graphql_api import errors
from graphql_api.app import build_app
from graphql_api.context import allowance

_log = telemetry.logger()
# Without the types a REST API would be handed base64; without lifespan="off" every call would log a failed start-up.
_serve = Mangum(
    build_app(wiring.house()),
    lifespan="off",
    text_mime_types=["application/json", "application/graphql-response+json", "text/"],
)
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway's answer to a REST API event; whatever goes wrong is logged and told in one neutral sentence."""
    correlation_id = event["requestContext"]["requestId"]
    _log.thread_safe_append_keys(correlation_id=correlation_id)
    started = time.perf_counter()
    try:
        return _serve(event, context)
    except Exception as error:  # noqa: BLE001 - the boundary: logged with its traceback, told as one neutral sentence
        body: dict[str, Any] = {"errors": [errors.unexpected(error, correlation_id)]}
        _tell(event["requestContext"], time.perf_counter() - started)
        headers = {"content-type": "application/json"}
        if told := event["requestContext"].get("authorizer"):
            left = allowance(told)
            headers |= telling.headers(left)
            body["extensions"] = {"rateLimit": telling.extension(left)}
        return {"statusCode": 500, "headers": headers, "body": json.dumps(body)}


def _tell(request: dict[str, Any], seconds: float) -> None:
    """The line and the figures of a request that broke before the application could tell its own."""
    answered = Answered(
        method=request["httpMethod"],
        endpoint=request["resourcePath"],
        status=500,
        seconds=seconds,
        operation=UNKNOWN,
        problems=[Problem(errors.INTERNAL)],
    )
    _log.info(MESSAGE, extra=answered.line)
    telemetry.counts().add(answered.facts)
