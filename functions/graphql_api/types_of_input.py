"""What is wrong with an input, told by path and expected type: GraphQL's own texts quote the value."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    SKIP,
    ArgumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
    get_named_type,
    is_input_type,
    type_from_ast,
    validate_input_literal,
    validate_input_value,
)

from gatehouse.errors import BadRequest


def input_error(
    where: str, path: list[str | int], expected: GraphQLInputType, node: ValueNode | None, *, tells_fields: bool
) -> GraphQLError:
    """The refusal of an input at a path below the argument or variable `where`, with its place in the query."""
    names = [where, *(str(part) for part in path)]
    refusal = BadRequest(
        f"{_describe(_at(expected, path), tells_fields)} is expected at {'.'.join(names)}.",
        field=next(name for name in reversed(names) if not name.isdigit()),
    )
    return GraphQLError(refusal.message, node, original_error=refusal)


class InputLiteralsRule(ValuesOfCorrectTypeRule):
    """GraphQL's rule on literals, in our own words."""

    tells_fields = True
    """Whether an error may list the fields of the expected type: not where the schema is not to be asked for."""

    _argument = "value"

    def enter_argument(self, node: ArgumentNode, *_args: Any) -> None:
        self._argument = node.name.value

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        if input_type is not None:

            def report(_error: GraphQLError, path: list[str | int]) -> None:
                self.report_error(input_error(self._argument, path, input_type, node, tells_fields=self.tells_fields))

            validate_input_literal(node, input_type, report, None, None, True)
        return SKIP


class GuardedInputLiteralsRule(InputLiteralsRule):
    """The same where introspection is off."""

    tells_fields = False


def check_variables(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    tells_fields: bool,
) -> list[GraphQLError]:
    """An error for each variable of the operation that is missing or not of its type."""
    errors: list[GraphQLError] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        expected = type_from_ast(schema, definition.type)
        value = variables.get(name, Undefined)
        if not is_input_type(expected) or (value is Undefined and definition.default_value is not None):
            continue
        if value is not Undefined:
            wrong: list[list[str | int]] = []
            validate_input_value(value, expected, _collecting(wrong), True)
            errors.extend(input_error(name, path, expected, None, tells_fields=tells_fields) for path in wrong)
        elif isinstance(expected, GraphQLNonNull):
            errors.append(input_error(name, [], expected, None, tells_fields=tells_fields))
    return errors


def _collecting(paths: list[list[str | int]]) -> Callable[[GraphQLError, list[str | int]], None]:
    return lambda _error, path: paths.append(path)


def _at(expected: GraphQLInputType, path: list[str | int]) -> GraphQLInputType:
    for part in path:
        bare = expected.of_type if isinstance(expected, GraphQLNonNull) else expected
        if isinstance(bare, GraphQLList):
            expected = bare.of_type if isinstance(part, int) else _at(bare.of_type, [part])
        elif isinstance(bare, GraphQLInputObjectType) and part in bare.fields:
            expected = bare.fields[str(part)].type
    return expected


def _describe(expected: GraphQLInputType, tells_fields: bool) -> str:
    named = get_named_type(expected)
    if not (isinstance(named, GraphQLInputObjectType) and tells_fields):
        return str(expected)
    fields = ", ".join(f"{name}: {field.type}" for name, field in named.fields.items())
    return f"{expected} {{ {fields} }}" + (" with exactly one of them" if named.is_one_of else "")
