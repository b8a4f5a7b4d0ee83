"""Items that nobody may change unseen: what was written comes back, or nothing."""

from collections.abc import Callable
from typing import Any

from gatehouse.storage.schema import Record
from gatehouse.storage.table import Item

_CANNOT_BE_READ = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)


def as_written[Kept](item: Item, read: Callable[[Item], Kept], write: Callable[[Kept], Record]) -> Kept | None:
    """What the item holds; None where it is not attribute by attribute what is written of it.

    So what an index goes by cannot be changed either. The key is not looked at: an item may be in another's place.
    """
    try:
        kept = read(item)
        written = write(kept).serialize()
    except _CANNOT_BE_READ:
        return None
    return kept if _body(written) == _body(item) else None


def _body(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("PK", "SK")}
