"""What an event tells, as JSON: every value comes back as it was, of the type that it was."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from gatehouse.audit.model import Actor, ActorKind, Erased, Personal, Private, Target, TargetType, Told
from gatehouse.consumers.model import Role


def actor_text(actor: Actor) -> str:
    """The actor, but for its consumer id, which an index goes by."""
    return _text(
        {
            "kind": actor.kind,
            "role": actor.role,
            "sessionId": actor.session_id,
            "credentialId": actor.credential_id,
            "address": None if actor.address is None else _plain(actor.address),
        }
    )


def read_actor(text: str, consumer_id: str | None) -> Actor:
    told = json.loads(text)
    return Actor(
        kind=ActorKind(told["kind"]),
        consumer_id=consumer_id,
        role=None if told["role"] is None else Role(told["role"]),
        session_id=told["sessionId"],
        credential_id=told["credentialId"],
        address=None if told["address"] is None else _private(told["address"]),
    )


def target_text(target: Target) -> str:
    return _text({"type": target.type, "id": target.id})


def read_target(text: str) -> Target:
    told = json.loads(text)
    return Target(TargetType(told["type"]), told["id"])


def told_text(told: Mapping[str, Told]) -> str:
    """What is told before, or after."""
    return _text({name: _plain(value) for name, value in told.items()})


def read_told(text: str) -> dict[str, Told]:
    told = json.loads(text)
    return {name: _private(value) if isinstance(value, dict) else _value(value) for name, value in told.items()}


def _plain(value: Told) -> Any:
    """A personal value as an object, which no other value is."""
    match value:
        case Personal():
            return {"value": value.value, "salt": base64.b64encode(value.salt).decode()}
        case Erased():
            return {"digest": value.digest}
        case _:
            return value


def _private(told: Mapping[str, Any]) -> Private:
    if "digest" in told:
        return Erased(told["digest"])
    return Personal(_value(told["value"]), base64.b64decode(told["salt"]))


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
