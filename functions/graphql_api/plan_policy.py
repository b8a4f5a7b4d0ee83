"""What a usage plan says of an operation: which root fields, how deep, how costly, and that its cost is paid first."""

from collections.abc import Sequence

from graphql import DocumentNode, OperationDefinitionNode

from gatehouse.errors import Forbidden, RateLimitExceeded
from gatehouse.plans.model import UsagePlan
from graphql_api.context import RequestContext
from graphql_api.limits import depth_of, refuse_too_costly, refuse_too_deep


def enforce(
    context: RequestContext,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    fields: Sequence[str],
    cost: int,
) -> None:
    """Nothing, where the plan of the calling credential lets the operation be; `fields` are its root fields.

    Where the plan meters cost, what is above the 1 that admission has counted is charged now, and the context's
    allowance is what that leaves. Raises Forbidden, BadRequest, RateLimitExceeded or ServiceUnavailable.
    """
    if context.caller.credential_id is None or context.plan_id is None:
        return
    plan = context.gatehouse.remembered_plans.find(context.plan_id)
    if plan is None:
        return
    _require_allowed(plan, fields)
    if plan.max_depth is not None:
        refuse_too_deep(plan.max_depth, depth_of(document, operation))
    if (most_cost := _most_cost(plan)) is not None:
        refuse_too_costly(most_cost, cost)
    if plan.meters_cost and cost > 1:
        context.allowance = context.gatehouse.admission.charge(context.caller, plan, cost - 1)
        if context.allowance.is_spent:
            raise RateLimitExceeded(f"The request costs {cost}, and your usage plan has less than that left.")


def _require_allowed(plan: UsagePlan, fields: Sequence[str]) -> None:
    if plan.allowed_fields is None:
        return
    for name in fields:
        if not name.startswith("__") and name not in plan.allowed_fields:
            raise Forbidden(f"Your usage plan does not allow {name}.", reason="PLAN")


def _most_cost(plan: UsagePlan) -> int | None:
    """The most that an operation may cost: where cost is metered, nobody is told to wait for what never fits."""
    limits = [plan.max_cost]
    if plan.meters_cost:
        limits += [plan.rate_limit, plan.quota_limit]
    return min((most for most in limits if most is not None), default=None)
