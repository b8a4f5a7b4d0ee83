"""Usage: read, set back, and calls explained by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType, QueryType

from gatehouse.errors import BadRequest
from graphql_api.context import Info
from graphql_api.directives import root_field, rule_of

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from datetime import date

    from gatehouse.usage.explanation import AccessExplanation
    from gatehouse.usage.model import Usage

_query = QueryType()
_mutation = MutationType()

BINDABLES = (_query, _mutation)


@_query.field("usage")
def _usage(_parent: None, info: Info, user_id: str, **between: Any) -> Usage:
    first: date | None = between.get("from")
    return info.context.gatehouse.usage.of(info.context.caller, user_id, first, between.get("to"))


@_query.field("explainAccess")
def _explain_access(
    _parent: None, info: Info, user_id: str, operation: str, credential_id: str | None = None
) -> AccessExplanation:
    field = root_field(info.schema, operation)
    if field is None:
        raise BadRequest("operation must be the name of a root field.", field="operation")
    usage = info.context.gatehouse.usage
    return usage.explain(info.context.caller, user_id, credential_id, operation, rule_of(field).action)


@_mutation.field("resetUsage")
def _reset_usage(_parent: None, info: Info, user_id: str) -> Usage:
    return info.context.gatehouse.usage.reset(info.context.caller, user_id)
