"""Lists, plain or as Relay connections: the same page of the same use case, told in two shapes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gatehouse.errors import BadRequest
from gatehouse.permissions import Caller
from gatehouse.persistence import Page
from graphql_api.context import Info

MOST_ENTRIES = 100
"""The longest page, and what a list gives where it is not told how many."""


class _Pages[Q, T](Protocol):
    def __call__(self, caller: Caller, query: Q, first: int, after: str | None, /) -> Page[T]: ...


@dataclass(frozen=True)
class Edge[T]:
    """An entry of a connection."""

    cursor: str
    node: T


@dataclass(frozen=True)
class PageInfo:
    """Where a page stands. Pages go forwards only: nobody is told whether there is a previous one but by `after`."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True)
class Connection[T]:
    """A page as the Relay specification wants it."""

    edges: list[Edge[T]]
    page_info: PageInfo

    @property
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]


def plain_list[Q, T](info: Info, pages: _Pages[Q, T], query: Q, arguments: dict[str, Any]) -> list[T]:
    """The page's entries; where there are more, `extensions.next` gets the cursor under the field's response alias."""
    page, seal = _page(info, pages, query, arguments)
    if page.next_position is not None:
        info.context.next[str(info.path.key)] = seal(page.next_position)
    return [entry for _, entry in page.entries]


def connection[Q, T](info: Info, pages: _Pages[Q, T], query: Q, arguments: dict[str, Any]) -> Connection[T]:
    """The page as a connection; `endCursor` goes on even where a filter left the page short."""
    page, seal = _page(info, pages, query, arguments)
    edges = [Edge(seal(position), entry) for position, entry in page.entries]
    last = edges[-1].cursor if edges else None
    return Connection(
        edges,
        PageInfo(
            has_next_page=page.next_position is not None,
            has_previous_page=arguments.get("after") is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=last if page.next_position is None else seal(page.next_position),
        ),
    )


def _page[Q, T](
    info: Info, pages: _Pages[Q, T], query: Q, arguments: dict[str, Any]
) -> tuple[Page[T], Callable[[str], str]]:
    first = MOST_ENTRIES if arguments.get("first") is None else arguments["first"]
    if not 1 <= first <= MOST_ENTRIES:
        raise BadRequest(f"first is a number from 1 to {MOST_ENTRIES}.", field="first")
    context = info.context
    cursors = context.gatehouse.cursors
    after = arguments.get("after")
    position = None if after is None else cursors.open(after, query)
    return pages(context.caller, query, first, position), lambda position: cursors.seal(position, query)
