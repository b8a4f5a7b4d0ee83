"""The refusals that follow from what Gatehouse's authorizer passes on. Copy this file: it needs nothing but Python.

The authorizer's words, each a text, stand in `event["requestContext"]["authorizer"]`; docs/protect-your-api.md explains
them one by one.
"""

import json
from typing import Any

type Event = dict[str, Any]
type Answer = dict[str, Any]


def refusal(event: Event, scope: str) -> Answer | None:
    """The answer to a request that may not go on, and None where it may. Ask this before anything else is done.

    Over the limit is 429, nobody is 401, a credential without the scope is 403. A person's session needs no scope.
    """
    caller = event["requestContext"]["authorizer"]
    if caller["verdict"] != "allow":
        return refuse(event, 429, "RATE_LIMIT_EXCEEDED", "Too many requests; Retry-After tells when to try again.")
    if caller["kind"] == "anonymous":
        return refuse(event, 401, "UNAUTHENTICATED", "Sign in first.", caller.get("reason"))
    scopes = caller.get("scopes", "")  # "*" is no limit of the credential's own, and none at all is no right at all
    if caller["kind"] != "session" and scopes != "*" and scope not in scopes.split():
        return refuse(event, 403, "FORBIDDEN", f"This takes a credential with the scope {scope}.")
    return None


def refuse(event: Event, status: int, code: str, message: str, reason: str | None = None) -> Answer:
    """An error in the shape of Gatehouse's own; `reason` refines the code for programs."""
    extensions = {"code": code, "statusCode": status, "correlationId": event["requestContext"]["requestId"]}
    if reason:
        extensions["reason"] = reason
    return answer(event, status, {"errors": [{"message": message, "extensions": extensions}]})


def answer(event: Event, status: int, body: Any) -> Answer:
    """An answer as API Gateway takes it, which tells what is left of the caller's limit and when it starts anew."""
    caller = event["requestContext"]["authorizer"]
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-RateLimit-Limit": caller["limit"],
        "X-RateLimit-Remaining": caller["remaining"],
        "X-RateLimit-Reset": caller["reset"],
    }
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = caller.get("retryAfter", "1")
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
