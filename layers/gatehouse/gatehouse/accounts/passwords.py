"""Passwords: which ones are good enough, and how they are kept (bcrypt)."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bcrypt

from gatehouse.errors import BadRequest

LONGEST_BYTES = 72
"""bcrypt looks no further; a longer one is refused rather than cut."""

_CLASSES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "lower": ("a lower-case letter", str.islower),
    "upper": ("an upper-case letter", str.isupper),
    "digit": ("a digit", str.isdigit),
    "symbol": ("a symbol", lambda character: not character.isalnum()),
}


@dataclass(frozen=True)
class PasswordPolicy:
    """What a new password must have: its least length in characters, and classes of `lower upper digit symbol`."""

    min_length: int
    classes: frozenset[str]

    def check(self, password: str, *, username: str, email: str) -> None:
        """Nothing, where the password may be set; raises BadRequest that tells every broken rule at once."""
        broken = [
            *self._length(password),
            *(
                f"have {told}"
                for name, (told, holds) in _CLASSES.items()
                if name in self.classes and not any(map(holds, password))
            ),
        ]
        if not password.isprintable():
            broken.append("have only characters that can be printed")
        if password.lower() in (username.lower(), email.lower()):
            broken.append("differ from the username and the email")
        if password.lower() in _common_passwords():
            broken.append("not be one of the most common passwords")
        if broken:
            raise BadRequest(f"password must {'; '.join(broken)}.", field="password")

    def _length(self, password: str) -> list[str]:
        if len(password) < self.min_length:
            return [f"have at least {self.min_length} characters"]
        if not fits(password):
            return [f"have at most {LONGEST_BYTES} bytes in UTF-8"]
        return []


@dataclass(frozen=True)
class PasswordHasher:
    """Makes and checks bcrypt hashes; `rounds` is the cost of new ones (each round more doubles the time)."""

    rounds: int

    def hash(self, password: str) -> str:
        """A salted hash of the password, which must fit."""
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(self.rounds)).decode()

    def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the hash is of this password; takes as long where there is no hash, or the password is no such text.

        The decoy that stands in for a missing hash is no password's: its last 31 characters were made up.
        """
        known = hashed is not None and fits(password)
        candidate = password.encode() if fits(password) else b"a password of another length"
        decoy = f"$2b${self.rounds:02}$" + "." * 22 + "GatehouseDecoyGatehouseDecoyGat"
        return bcrypt.checkpw(candidate, (hashed or decoy).encode()) and known

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with fewer rounds than are asked for now."""
        return int(hashed.split("$")[2]) < self.rounds


def fits(password: str) -> bool:
    """Whether bcrypt can take it: at most 72 bytes of UTF-8, and encodable at all."""
    try:
        return len(password.encode()) <= LONGEST_BYTES
    except UnicodeEncodeError:
        return False


@cache
def _common_passwords() -> frozenset[str]:
    packed = Path(__file__).with_name("common-passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split())
