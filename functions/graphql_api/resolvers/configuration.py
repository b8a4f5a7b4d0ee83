"""The configuration of the system: read and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ariadne import MutationType, ObjectType, QueryType

from gatehouse.text import camel_case
from graphql_api.context import Info

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.configuration.model import Effective
    from gatehouse.configuration.service import ConfigurationFields

_query = QueryType()
_mutation = MutationType()
_configuration = ObjectType("SystemConfiguration")

BINDABLES = (_query, _mutation, _configuration)


@_query.field("systemConfiguration")
def _system_configuration(_parent: None, info: Info) -> Effective:
    return info.context.gatehouse.configuration.get(info.context.caller)


@_mutation.field("updateSystemConfiguration")
def _update_system_configuration(
    _parent: None, info: Info, system_configuration_input: ConfigurationFields
) -> Effective:
    return info.context.gatehouse.configuration.update(info.context.caller, system_configuration_input)


@_configuration.field("allowedEmailDomains")
def _allowed_email_domains(configuration: Effective, _info: Info) -> list[str]:
    return sorted(configuration.allowed_email_domains)


@_configuration.field("overridden")
def _overridden(configuration: Effective, _info: Info) -> list[str]:
    return [camel_case(name) for name in configuration.overridden]
