"""How much one request may ask for: depth, aliases, directives, cost, and one hash of a kind.

The walk is over the text that was sent, before it is validated: fragments are looked at once however often they are
spread, so that a request that would take long to validate is refused first.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from gatehouse.errors import BadRequest
from gatehouse.settings import Settings
from graphql_api.directives import stands_once
from graphql_api.lists import MOST_ENTRIES

_DEEPEST = 60  # where counting within a fragment stops: above what any setting allows
_LIST_COST = 100  # what a list costs before its objects, or with them where nobody tells how many: up to 24 queries
_MOST_SELECTIONS = 300  # validation compares fields of one name with one another: 490 of them cost half a second
_LISTS = ("edges", "nodes")


@dataclass(frozen=True)
class Limits:
    """The most of each that a request may have; `cost` counts the objects that it asks for, and 100 for each list."""

    depth: int
    aliases: int
    directives: int
    cost: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            settings.max_query_depth,
            settings.max_query_aliases,
            settings.max_query_directives,
            settings.max_query_cost,
        )

    def check_document(self, document: DocumentNode) -> None:
        """Nothing, or BadRequest for a document that is too deep or repeats too much."""
        counts = _count(document)
        _refuse_over(_MOST_SELECTIONS, counts["selections"], "fields and fragments")
        _refuse_over(self.aliases, counts["aliases"], "aliases")
        _refuse_over(self.directives, counts["directives"], "directives")
        measure = _Measure(_fragments(document))
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                refuse_too_deep(self.depth, measure.depth(definition.selection_set, self.depth + 1))

    def check_operation(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        """The cost of a valid operation, at least 1; raises BadRequest where that is too much, or it hashes twice."""
        root = schema.get_root_type(operation.operation)
        if root is None:
            return 1
        walk = _Cost(schema, _fragments(document), variables)
        cost = walk.of(operation.selection_set, root)
        refuse_too_costly(self.cost, cost)
        for name, count in walk.once.items():
            if count > 1:
                raise BadRequest(f"{name} may stand once in a request.")
        return max(cost, 1)


def depth_of(document: DocumentNode, operation: OperationDefinitionNode) -> int:
    """How deep the operation goes, in a document that was checked."""
    return _Measure(_fragments(document)).depth(operation.selection_set, _DEEPEST)


def refuse_too_deep(most: int, depth: int) -> None:
    """Nothing, or BadRequest where the depth is over the most."""
    if depth > most:
        raise BadRequest(f"The request is too deep: at most {most} levels.")


def refuse_too_costly(most: int, cost: int) -> None:
    """Nothing, or BadRequest where the cost is over the most."""
    if cost > most:
        raise BadRequest(
            f"The request costs {cost}, 1 for each object it asks for and {_LIST_COST} for each list: at most {most}."
        )


@dataclass
class _Measure:
    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, int] = field(default_factory=dict)

    def depth(self, selections: SelectionSetNode, limit: int) -> int:
        """How deep the selections go; counting stops at the limit, and at a fragment within itself."""
        if limit == 0:
            return 0
        deepest = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                # Introspection is deep by nature and bounded by a validation rule of its own.
                inner = None if node.name.value.startswith("__") else node.selection_set
                deepest = max(deepest, 1 + (self.depth(inner, limit - 1) if inner else 0))
            elif isinstance(node, InlineFragmentNode):
                deepest = max(deepest, self.depth(node.selection_set, limit))
            elif isinstance(node, FragmentSpreadNode):
                deepest = max(deepest, self._fragment_depth(node.name.value))
        return deepest

    def _fragment_depth(self, name: str) -> int:
        if name not in self.known:
            self.known[name] = 0
            if (fragment := self.fragments.get(name)) is not None:
                self.known[name] = self.depth(fragment.selection_set, _DEEPEST)
        return self.known[name]


@dataclass
class _Cost:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    once: Counter[str] = field(default_factory=Counter)
    known: dict[tuple[str, int], int] = field(default_factory=dict)

    def of(self, selections: SelectionSetNode, parent: GraphQLObjectType, page: int = 1) -> int:
        """The objects that the selections ask for; `page` is how many a connection's edges have."""
        cost = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if (definition := parent.fields.get(node.name.value)) is not None:
                    cost += self._field(node, definition, page)
            elif isinstance(node, InlineFragmentNode):
                cost += self.of(node.selection_set, parent, page)
            elif isinstance(node, FragmentSpreadNode):
                cost += self._fragment(node.name.value, parent, page)
        return cost

    def _fragment(self, name: str, parent: GraphQLObjectType, page: int) -> int:
        if (name, page) not in self.known:
            self.known[name, page] = self.of(self.fragments[name].selection_set, parent, page)
        return self.known[name, page]

    def _field(self, node: FieldNode, definition: GraphQLField, page: int) -> int:
        if stands_once(definition):
            self.once[node.name.value] += 1
        named = get_named_type(definition.type)
        if node.selection_set is None or not isinstance(named, GraphQLObjectType):
            return 0
        if "first" in definition.args:
            first = self._first(node)
            if "edges" in named.fields:
                return _LIST_COST + self.of(node.selection_set, named, first)
            return _LIST_COST + first * (1 + self.of(node.selection_set, named))
        if node.name.value not in _LISTS and isinstance(get_nullable_type(definition.type), GraphQLList):
            return _LIST_COST + self.of(node.selection_set, named)
        count = page if node.name.value in _LISTS else 1
        return count * (1 + self.of(node.selection_set, named))

    def _first(self, node: FieldNode) -> int:
        value: Any = next((a.value for a in node.arguments or () if a.name.value == "first"), None)
        if isinstance(value, IntValueNode):
            wanted = int(value.value)
        elif isinstance(value, VariableNode):
            wanted = self.variables.get(value.name.value) or MOST_ENTRIES
        else:
            wanted = MOST_ENTRIES
        return max(1, min(wanted, MOST_ENTRIES))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _count(document: DocumentNode) -> Counter[str]:
    """How many selections, aliases and directives stand in the document, each counted where it is written."""
    counts: Counter[str] = Counter()
    left: list[Any] = list(document.definitions)
    while left:
        node = left.pop()
        counts["directives"] += len(getattr(node, "directives", None) or ())
        counts["aliases"] += getattr(node, "alias", None) is not None
        if (selections := getattr(node, "selection_set", None)) is not None:
            counts["selections"] += len(selections.selections)
            left.extend(selections.selections)
    return counts


def _refuse_over(most: int, count: int, what: str) -> None:
    if count > most:
        raise BadRequest(f"The request has too many {what}: at most {most}.")
