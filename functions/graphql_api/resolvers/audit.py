"""The audit: its events listed, and its chain verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import ObjectType, QueryType

from graphql_api.context import Info
from graphql_api.lists import Connection, connection

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from datetime import datetime

    from gatehouse.audit.model import Actor, AuditEvent, Value
    from gatehouse.audit.verification import Verdict

_query = QueryType()
_event = ObjectType("AuditEvent")
_actor = ObjectType("AuditActor")

BINDABLES = (_query, _event, _actor)


@_query.field("auditEvents")
def _audit_events(_parent: None, info: Info, **arguments: Any) -> Connection[AuditEvent]:
    trail = info.context.gatehouse.trail
    return connection(info, trail.page, trail.query(**(arguments.get("where") or {})), arguments)


@_query.field("verifyAuditChain")
def _verify_audit_chain(_parent: None, info: Info, continue_from: int | None = None, **between: Any) -> dict[str, Any]:
    inspection = info.context.gatehouse.inspection
    return _told(inspection.some(info.context.caller, between.get("from"), between.get("to"), continue_from))


@_event.field("createdAt")
def _created_at(event: AuditEvent, _info: Info) -> datetime:
    return event.at


@_event.field("before")
def _before(event: AuditEvent, info: Info) -> dict[str, Value]:
    return info.context.gatehouse.trail.values(event.before)


@_event.field("after")
def _after(event: AuditEvent, info: Info) -> dict[str, Value]:
    return info.context.gatehouse.trail.values(event.after)


@_actor.field("id")
def _id(actor: Actor, _info: Info) -> str | None:
    return actor.consumer_id


@_actor.field("address")
def _address(actor: Actor, info: Info) -> Value:
    return info.context.gatehouse.trail.values({"address": actor.address})["address"]


def _told(verdict: Verdict) -> dict[str, Any]:
    has_seals = 1 <= verdict.first <= verdict.last
    return {
        "ok": verdict.is_ok,
        "first_seal": verdict.first if has_seals else None,
        "last_seal": verdict.last if has_seals else None,
        "complete": verdict.is_complete,
        "continue_from": verdict.goes_on_at,
        "waiting": verdict.waiting,
        "findings": [
            {
                "tampering": finding.tampering,
                "part": finding.part,
                "seal": finding.number,
                "event_id": finding.event_id,
                "other_seal": finding.other,
            }
            for finding in verdict.findings
        ],
    }
