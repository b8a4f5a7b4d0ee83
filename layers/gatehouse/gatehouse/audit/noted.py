"""Positions of the chain that were noted outside the table, where nobody who can write to it can change them."""

import re
from collections.abc import Iterator

from gatehouse.audit.chain import Position

_LINE = re.compile(r"(\d{1,15}) ([0-9a-f]{64})", re.ASCII)


class InvalidNote(Exception):
    """A line that is no position."""


def line_of(position: Position) -> str:
    """The position as it is noted."""
    return f"{position.number} {position.hash}"


def positions(text: str) -> Iterator[Position]:
    """The positions of the lines; empty ones are passed over. Raises InvalidNote."""
    for number, line in enumerate(text.splitlines(), 1):
        if not (told := line.strip()):
            continue
        found = _LINE.fullmatch(told)
        if found is None:
            raise InvalidNote(f"Line {number} is no position: it wants a number, a space and 64 hexadecimal digits.")
        yield Position(int(found[1]), found[2])
