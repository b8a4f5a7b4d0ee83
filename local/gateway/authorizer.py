"""API Gateway's side of a REQUEST authorizer: what its answer means for one method of the API."""

import re
import time
from collections.abc import Iterable
from typing import Any

from local.gateway.events import authorizer_event
from local.gateway.responses import Refusal
from local.gateway.runtime import CallerGaveUp, FunctionFailed, PayloadTooLarge, Runtime

PATIENCE = 29.0
_INVOKE = "execute-api:Invoke"


def authorize(
    runtime: Runtime, function: str, event: dict[str, Any], method_arn: str
) -> tuple[dict[str, Any], str | None]:
    """What stands in `requestContext.authorizer` of an admitted request, and the value of the API key that it counts
    under, which no function sees; raises Refusal.
    """
    started = time.monotonic()
    try:
        answer = runtime.invoke(function, authorizer_event(event, method_arn), PATIENCE)
    except FunctionFailed as failure:
        raise Refusal("UNAUTHORIZED" if failure.message == "Unauthorized" else "AUTHORIZER_FAILURE") from failure
    except (CallerGaveUp, PayloadTooLarge) as failure:
        raise Refusal("AUTHORIZER_FAILURE") from failure
    admitted = decide(answer, method_arn)
    context = {**admitted, "integrationLatency": int((time.monotonic() - started) * 1000)}
    return context, answer.get("usageIdentifierKey")


def decide(answer: Any, method_arn: str) -> dict[str, str]:
    """The principal and the context of an answer that allows the method; raises Refusal."""
    try:
        principal, statements = answer["principalId"], answer["policyDocument"]["Statement"]
        allowed = _allows(statements if isinstance(statements, list) else [statements], method_arn)
        context = {name: _flat(value) for name, value in (answer.get("context") or {}).items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise Refusal("AUTHORIZER_CONFIGURATION_ERROR") from error
    if not isinstance(principal, str) or not principal:
        raise Refusal("AUTHORIZER_CONFIGURATION_ERROR")
    if not allowed:
        raise Refusal("ACCESS_DENIED")
    return {**context, "principalId": principal}


def _allows(statements: list[Any], method_arn: str) -> bool:
    """Whether a statement allows the method and none denies it."""
    effects = {
        statement["Effect"]
        for statement in statements
        if _any_matches(statement["Action"], _INVOKE, re.IGNORECASE) and _any_matches(statement["Resource"], method_arn)
    }
    return effects == {"Allow"}


def _any_matches(patterns: str | Iterable[str], text: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    """Whether one of IAM's patterns, in which * and ? are wild and nothing else is, matches the whole text."""
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, flags | re.DOTALL)
        for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    )


def _flat(value: Any) -> str:
    """A context value as the function behind sees it: always text; raises TypeError for what API Gateway refuses."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise TypeError
    return str(value)
