"""The rules of a consumer's own fields, and the spellings under which names are unique."""

import re

from gatehouse.errors import BadRequest
from gatehouse.text import clean_text

# The form that browsers accept (WHATWG HTML, "valid e-mail address"), with at least one dot in the domain.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+", re.ASCII | re.IGNORECASE)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}", re.ASCII | re.IGNORECASE)


def email(value: str, field: str = "email") -> str:
    """The address as it was written; raises BadRequest where it is none or has over 254 characters."""
    clean_text(value, field, longest=254)
    if not _EMAIL.fullmatch(value):
        raise BadRequest(f"{field} must be an address such as name@example.com.", field=field)
    return value


def username(value: str) -> str:
    """The name as it was written: 3 to 32 of `A-Z a-z 0-9 . _ -`, a letter or digit first; raises BadRequest."""
    if not _USERNAME.fullmatch(value):
        raise BadRequest(
            "username has 3 to 32 letters, digits, dots, hyphens or underscores, a letter or digit first.",
            field="username",
        )
    return value


def person_name(value: str | None, field: str) -> str | None:
    """A first or last name of 1 to 100 printable characters, or None; raises BadRequest."""
    return None if value is None else clean_text(value, field, longest=100)


def unique_form(name: str) -> str:
    """The spelling under which an email or a username is unique: names differ by more than case."""
    return name.lower()
