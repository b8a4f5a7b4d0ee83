"""Rules of the schema's fields: each is read once from its directives and asked before its resolver.

Default-deny: a root field, or a field that gives an object (or an interface or a union of them), is refused unless it
has a rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    default_field_resolver,
    get_directive_values,
    get_named_type,
    is_composite_type,
)

from gatehouse.errors import Forbidden
from gatehouse.permissions import Action, require
from graphql_api.context import Info

_RULE = "rule"
_ONCE = "once"


class Access(Enum):
    """Who may ask for a field at all, where no action decides it."""

    PUBLIC = "anybody"
    GIVEN = "whoever got the object that holds it"
    REFUSED = "nobody: it has no rule"


@dataclass(frozen=True)
class Rule:
    """Who may ask for a field: `action` names the right that it takes."""

    access: Access | None = None
    action: Action | None = None


def enforce(schema: GraphQLSchema) -> None:
    """Puts every rule of the schema before its resolver; raises ValueError for a rule with an unknown action."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for type_name, object_type in schema.type_map.items():
        if isinstance(object_type, GraphQLObjectType) and not type_name.startswith("__"):
            for field in object_type.fields.values():
                is_root = object_type in roots
                is_composite = is_composite_type(get_named_type(field.type))
                if is_root or is_composite or _has(schema, field, "requires"):
                    rule = _read(schema, field, is_root)
                    field.extensions = {**field.extensions, _RULE: rule, _ONCE: _has(schema, field, "once")}
                    field.resolve = _guarded(rule, field.resolve or default_field_resolver)


def rule_of(field: GraphQLField) -> Rule:
    """The rule of a field of an enforced schema."""
    rule: Rule = field.extensions[_RULE]
    return rule


def root_field(schema: GraphQLSchema, name: str) -> GraphQLField | None:
    """The field that an operation can begin with under this name."""
    roots = [root for root in (schema.query_type, schema.mutation_type) if root is not None]
    return next((root.fields[name] for root in roots if name in root.fields), None)


def stands_once(field: GraphQLField) -> bool:
    """Whether the field may stand only once in a request."""
    return bool(field.extensions.get(_ONCE))


def _read(schema: GraphQLSchema, field: GraphQLField, is_root: bool) -> Rule:
    if (required := _values(schema, field, "requires")) is not None:
        return Rule(action=Action(required["action"]))
    if _has(schema, field, "public"):
        return Rule(Access.PUBLIC)
    if _has(schema, field, "given") and not is_root:
        return Rule(Access.GIVEN)
    return Rule(Access.REFUSED)


def _guarded(rule: Rule, resolve: Callable[..., Any]) -> Callable[..., Any]:
    if rule.access in (Access.PUBLIC, Access.GIVEN):
        return resolve

    def guarded(parent: Any, info: Info, **arguments: Any) -> Any:
        if rule.action is None:
            raise Forbidden("This field has no rule.")
        require(info.context.caller, rule.action)
        return resolve(parent, info, **arguments)

    return guarded


def _has(schema: GraphQLSchema, field: GraphQLField, directive: str) -> bool:
    return _values(schema, field, directive) is not None


def _values(schema: GraphQLSchema, field: GraphQLField, directive: str) -> dict[str, Any] | None:
    definition = schema.get_directive(directive)
    if definition is None or field.ast_node is None:
        return None
    return get_directive_values(definition, field.ast_node)
