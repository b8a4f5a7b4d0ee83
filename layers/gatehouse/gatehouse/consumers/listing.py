"""Lists of users: which questions an index can answer, and a page of the answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import BadRequest
from gatehouse.text import clean_text


class Order(StrEnum):
    """What a list of users can be sorted by."""

    CREATED_AT = "createdAt"
    USERNAME = "username"


@dataclass(frozen=True, kw_only=True)
class UserQuery:
    """Which users, in which order; None asks for all. Raises BadRequest for what no index answers.

    Role and state are the indexes' own; with a search they, and the kind always, are looked at after reading, so that
    such a page may be short.
    """

    role: Role | None = None
    is_active: bool | None = None
    kind: Kind | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    search: str | None = None
    order: Order | None = None
    descending: bool | None = None

    def __post_init__(self) -> None:
        between = self.created_after is not None or self.created_before is not None
        if self.search is not None:
            clean_text(self.search, "search", longest=254)
            if between or self.order is not None:
                raise BadRequest(
                    "search goes with role, isActive and kind, and comes in the order of what it matched.",
                    field="where" if between else "orderBy",
                )
        elif between and self.order is Order.USERNAME:
            raise BadRequest(
                "createdAfter and createdBefore go with the order by createdAt; by username there are role, isActive "
                "and kind.",
                field="orderBy",
            )

    @property
    def prefix(self) -> str | None:
        """The spelling in which the search is held against names."""
        return None if self.search is None else unique_form(self.search)

    @property
    def newest_first(self) -> bool:
        """Whether the sort key runs downwards: by default for creation, not for names."""
        if self.descending is not None:
            return self.descending
        return self.search is None and self.order is not Order.USERNAME

    def admits(self, user: User) -> bool:
        """Whether the user, as it is now, belongs in the list."""
        return (
            self.role in (None, user.role)
            and self.is_active in (None, user.is_active)
            and self.kind in (None, user.kind)
        )
