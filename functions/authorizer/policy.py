"""What the authorizer answers: a policy for the whole stage, who is calling, and the key that it counts under."""

from datetime import datetime
from typing import Any

from gatehouse.admission.model import Admitted
from gatehouse.admission.telling import reset_seconds, retry_after
from gatehouse.clock import milliseconds
from gatehouse.permissions import Caller

ALLOW = "allow"
LIMITED = "limited"


def allow(method_arn: str, admitted: Admitted, now: datetime) -> dict[str, Any]:
    """The answer that lets the caller in, to be told apart by the API itself.

    The policy names the whole stage, as it would have to if answers were ever cached: what the caller may do there is
    decided field by field. An authorizer cannot answer 429: who is over the limit comes in with that verdict, and the
    API's first act is to refuse. API Gateway passes on only flat values.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """
    stage = "/".join(method_arn.split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{stage}/*/*"}
    return {
        "principalId": admitted.caller.consumer_id or "anonymous",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {name: value for name, value in _context(admitted, now).items() if value is not None},
        "usageIdentifierKey": admitted.gateway_key,
    }


def _context(admitted: Admitted, now: datetime) -> dict[str, str | None]:
    allowance = admitted.allowance
    return {
        **_caller(admitted.caller),
        "plan": admitted.plan_id,
        "limit": str(allowance.limit),
        "remaining": str(allowance.remaining),
        "reset": str(reset_seconds(allowance)),
        "verdict": LIMITED if allowance.is_spent else ALLOW,
        "retryAfter": str(retry_after(allowance, now)) if allowance.is_spent else None,
    }


def _caller(caller: Caller) -> dict[str, str | None]:
    if caller.is_anonymous:
        return {"kind": "anonymous", "reason": caller.refused_because}
    return {
        "kind": "session" if caller.session_id is not None else "credential",
        "consumerId": caller.consumer_id,
        "role": caller.role.value,
        "sessionId": caller.session_id,
        "generation": _text(caller.generation),
        "credentialId": caller.credential_id,
        "credentialNumber": _text(caller.credential_number),
        "credentialVersion": _text(caller.credential_version),
        "endsAt": None if caller.ends_at is None else str(milliseconds(caller.ends_at)),
        "scopes": _scopes(caller),
        "lacksFactor": "true" if caller.lacks_factor else None,
    }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _scopes(caller: Caller) -> str | None:
    """The scopes as words; a star where there is no limit, so that a value lost on the way means no scope at all."""
    if caller.session_id is not None:
        return None
    return "*" if caller.scopes is None else " ".join(sorted(caller.scopes))
