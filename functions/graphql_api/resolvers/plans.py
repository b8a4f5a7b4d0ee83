"""Usage plans: made, read, listed, changed, deleted, assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType, ObjectType, QueryType
from graphql import GraphQLSchema

from gatehouse.consumers.model import User
from gatehouse.errors import BadRequest
from gatehouse.plans.model import UsagePlan
from graphql_api.context import Info
from graphql_api.directives import root_field
from graphql_api.lists import plain_list

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.plans.service import PlanFields

_query = QueryType()
_mutation = MutationType()
_user = ObjectType("User")

BINDABLES = (_query, _mutation, _user)


@_user.field("usagePlanId")
def _usage_plan_id(user: User, _info: Info) -> str | None:
    return user.plan_id


@_query.field("usagePlans")
def _usage_plans(_parent: None, info: Info, **arguments: Any) -> list[UsagePlan]:
    plans = info.context.gatehouse.plans
    return plain_list(info, lambda caller, _, first, after: plans.page(caller, first, after), "usagePlans", arguments)


@_query.field("usagePlan")
def _usage_plan(_parent: None, info: Info, id: str) -> UsagePlan:
    return info.context.gatehouse.plans.get(info.context.caller, id)


@_mutation.field("createUsagePlan")
def _create_usage_plan(_parent: None, info: Info, create_usage_plan_input: PlanFields) -> UsagePlan:
    _require_known_fields(info.schema, create_usage_plan_input)
    return info.context.gatehouse.plans.create(info.context.caller, create_usage_plan_input)


@_mutation.field("updateUsagePlan")
def _update_usage_plan(_parent: None, info: Info, id: str, update_usage_plan_input: PlanFields) -> UsagePlan:
    _require_known_fields(info.schema, update_usage_plan_input)
    return info.context.gatehouse.plans.update(info.context.caller, id, update_usage_plan_input)


@_mutation.field("deleteUsagePlan")
def _delete_usage_plan(_parent: None, info: Info, id: str) -> UsagePlan:
    return info.context.gatehouse.plans.delete(info.context.caller, id)


@_mutation.field("assignUsagePlan")
def _assign_usage_plan(_parent: None, info: Info, user_id: str, plan_id: str | None = None) -> User:
    return info.context.gatehouse.plans.assign(info.context.caller, user_id, plan_id)


def _require_known_fields(schema: GraphQLSchema, given: PlanFields) -> None:
    """Refuses names that are no root fields: the rules of a plan know the schema only here."""
    if any(root_field(schema, name) is None for name in given.get("allowed_fields") or ()):
        raise BadRequest("allowedFields has a name that is no root field.", field="allowedFields")
