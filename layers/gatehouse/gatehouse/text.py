"""What any text that a caller sends must be before a rule of its own is asked."""

from gatehouse.errors import BadRequest

_JOINERS = {0x200C: None, 0x200D: None}


def clean_text(value: str, field: str, *, longest: int, shortest: int = 1) -> str:
    """The text itself, where it is printable and has `shortest` to `longest` characters.

    Refuses what `str.isprintable` does (control and format characters, spaces but the plain one, lone surrogates), but
    for the joiners that some scripts write names with; and text that is only white space.
    Raises BadRequest, which names the field and never quotes the value.
    """
    if len(value) > longest:
        raise BadRequest(f"{field} has at most {longest} characters.", field=field)
    if not value.translate(_JOINERS).isprintable():
        raise BadRequest(f"{field} has a character that cannot be printed.", field=field)
    if len(value) < shortest or (shortest and not value.translate(_JOINERS).strip()):
        few = "must not be empty" if shortest == 1 else f"has at least {shortest} characters"
        raise BadRequest(f"{field} {few}.", field=field)
    return value


def camel_case(name: str) -> str:
    """How a name of ours is spelled outside: `created_at` is `createdAt`."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def masked(email: str) -> str:
    """The email as a log may have it: its first character, and its domain."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1] if len(name) > 1 else ''}***@{domain}"
