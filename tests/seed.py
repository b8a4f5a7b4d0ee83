"""The operations that the seed document prints.

`data/seed.md` is the document that Gatehouse is built from, word for word: a guide to consumer management for a GraphQL
API gateway. It lies here so that its promises can be checked wherever the tests run; nothing else reads it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import FieldNode, OperationDefinitionNode, parse

PLACEHOLDER_ID = '"uuid-123"'
PLACEHOLDER_REFRESH_TOKEN = 'refreshToken(refreshToken: "...")'

_SEED = Path(__file__).parent / "data" / "seed.md"
_FENCE = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CURL = re.compile(r"curl -X POST \S+ .*?-d '(.*?)'", re.DOTALL)


@dataclass(frozen=True)
class Operation:
    """One operation: its text as it is printed, and the names of its root fields."""

    text: str
    fields: tuple[str, ...]


def operations() -> list[Operation]:
    """All operations, in the document's order."""
    return [operation for block in blocks() for operation in _operations_in(block)]


def blocks() -> list[str]:
    """What stands in each block that is marked as GraphQL."""
    return _FENCE.findall(_SEED.read_text(encoding="utf-8"))


def curl_body() -> str:
    """The body that the document's curl command sends."""
    [body] = _CURL.findall(_SEED.read_text(encoding="utf-8"))
    return str(body)


def _operations_in(block: str) -> Iterator[Operation]:
    for node in parse(block).definitions:
        assert isinstance(node, OperationDefinitionNode)
        assert node.loc is not None
        roots = [field for field in node.selection_set.selections if isinstance(field, FieldNode)]
        yield Operation(block[node.loc.start : node.loc.end], tuple(field.name.value for field in roots))
