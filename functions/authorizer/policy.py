"""What the authorizer answers: a policy for the whole stage, and who is calling as flat text."""

from typing import Any

from gatehouse.permissions import Caller


def allow(method_arn: str, caller: Caller) -> dict[str, Any]:
    """The answer that lets the caller in, to be told apart by the API itself.

    The policy names the whole stage, as it would have to if answers were ever cached: what the caller may do there is
    decided field by field. API Gateway passes on only flat values.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """
    stage = "/".join(method_arn.split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{stage}/*/*"}
    return {
        "principalId": caller.consumer_id or "anonymous",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {name: value for name, value in _context(caller).items() if value is not None},
    }


def _context(caller: Caller) -> dict[str, str | None]:
    if caller.is_anonymous:
        return {"kind": "anonymous", "reason": caller.refused_because}
    return {
        "kind": "session" if caller.session_id is not None else "credential",
        "consumerId": caller.consumer_id,
        "role": caller.role.value,
        "sessionId": caller.session_id,
        "credentialId": caller.credential_id,
        "scopes": _scopes(caller),
    }


def _scopes(caller: Caller) -> str | None:
    """The scopes as words; a star where there is no limit, so that a value lost on the way means no scope at all."""
    if caller.session_id is not None:
        return None
    return "*" if caller.scopes is None else " ".join(sorted(caller.scopes))
