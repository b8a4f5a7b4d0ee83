"""The query's text, parsed and validated once and then remembered: most clients send the same few texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)

from gatehouse.errors import BadRequest
from graphql_api.limits import Limits
from graphql_api.types_of_input import GuardedInputLiteralsRule, InputLiteralsRule

_REMEMBERED = 256
_MOST_ERRORS = 10
_LONGEST_REMEMBERED = 10_000


class Invalid(Exception):
    """A text that cannot be executed; `refusals` say why."""

    def __init__(self, refusals: Sequence[GraphQLError]) -> None:
        super().__init__()
        self.refusals = refusals


@dataclass(frozen=True)
class Documents:
    """Finds the document of a text."""

    schema: GraphQLSchema
    limits: Limits
    max_tokens: int
    introspection: bool

    def read(self, text: str) -> DocumentNode:
        """The document; raises Invalid, or BadRequest for one that asks for too much."""
        if len(text) > _LONGEST_REMEMBERED:
            return self._read(text)
        return _remembered(self, text)

    def _read(self, text: str) -> DocumentNode:
        try:
            document = parse(text, max_lexical_tokens=self.max_tokens)
        except GraphQLSyntaxError as error:
            raise Invalid([_syntax_error(error)]) from error
        self.limits.check_document(document)
        errors = validate(self.schema, document, self._rules(), _MOST_ERRORS, hide_suggestions=True)
        if errors:
            raise Invalid(errors)
        return document

    def _rules(self) -> list[type]:
        literals = InputLiteralsRule if self.introspection else GuardedInputLiteralsRule
        rules: list[type] = [literals if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]
        return rules if self.introspection else [*rules, NoSchemaIntrospectionCustomRule]


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that the request wants executed; raises BadRequest where that is not one."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    wanted = [o for o in operations if name is None or (o.name is not None and o.name.value == name)]
    if len(wanted) == 1:
        return wanted[0]
    if name is not None:
        raise BadRequest("There is no operation of this operationName in the query.", field="operationName")
    raise BadRequest("operationName must tell which of the query's operations is meant.", field="operationName")


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    """The names of the operation's root fields, each once, in the order they stand."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    names: dict[str, None] = {}
    left = [*reversed(operation.selection_set.selections)]
    while left:
        node = left.pop()
        if isinstance(node, FieldNode):
            names[node.name.value] = None
        elif isinstance(node, InlineFragmentNode):
            left.extend(reversed(node.selection_set.selections))
        elif isinstance(node, FragmentSpreadNode) and (fragment := fragments.pop(node.name.value, None)) is not None:
            left.extend(reversed(fragment.selection_set.selections))
    return list(names)


def names_of_root_fields(schema: GraphQLSchema) -> set[str]:
    """The names that a root field can have, introspection's among them."""
    roots = (schema.query_type, schema.mutation_type)
    return {"__schema", "__type", "__typename"}.union(*(root.fields for root in roots if root is not None))


@lru_cache(_REMEMBERED)
def _remembered(documents: Documents, text: str) -> DocumentNode:
    return documents._read(text)


def _syntax_error(error: GraphQLSyntaxError) -> GraphQLError:
    """The error without its text, which quotes what was found."""
    where = "".join(f" at line {place.line}, column {place.column}" for place in error.locations or ())
    refusal = BadRequest(f"The query has a syntax error{where}.", field="query")
    return GraphQLError(refusal.message, source=error.source, positions=error.positions, original_error=refusal)
