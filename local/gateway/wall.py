"""The outer wall as a template has it: its usage plans, and the keys that the stack itself makes."""

from collections import defaultdict
from typing import Any

from gatehouse.clock import Clock
from local.gateway.control_plane import ControlPlane, Plan
from local.gateway.template import Template


def control_plane(template: Template, clock: Clock, **options: Any) -> ControlPlane:
    """The control plane of an account that the template is deployed to; `options` are those of ControlPlane."""
    plans = [_plan(name, properties) for name, properties in template.resources("AWS::ApiGateway::UsagePlan")]
    plane = ControlPlane(clock, plans, **options)
    plans_of: dict[str, list[str]] = defaultdict(list)
    for _, member in template.resources("AWS::ApiGateway::UsagePlanKey"):
        plans_of[member["KeyId"]].append(member["UsagePlanId"])
    for name, key in template.resources("AWS::ApiGateway::ApiKey"):
        plane.add_of_stack(key["Name"], key["Value"], plans_of[name])
    return plane


def _plan(name: str, properties: dict[str, Any]) -> Plan:
    throttle, quota = properties.get("Throttle", {}), properties.get("Quota", {})
    return Plan(
        id=name,
        name=properties["UsagePlanName"],
        stages=frozenset((stage["ApiId"], stage["Stage"]) for stage in properties["ApiStages"]),
        rate=throttle.get("RateLimit"),
        burst=throttle.get("BurstLimit"),
        quota=quota.get("Limit"),
        period=quota.get("Period"),
    )
