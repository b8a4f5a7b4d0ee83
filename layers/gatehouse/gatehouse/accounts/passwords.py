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


_MOST_DECORATED = 3_000
_SHORTEST_STEM = 6
_STANDS_FOR = str.maketrans("@4$50!13", "aassoiie")


@dataclass(frozen=True)
class PasswordPolicy:
    """What a new password must have: its least length in characters, and classes of `lower upper digit symbol`.

    Nor may it be made of one of the `words` of this deployment, with digits and symbols around it.
    """

    min_length: int
    classes: frozenset[str]
    words: frozenset[str] = frozenset()

    def check(self, password: str, *, username: str, email: str, field: str = "password") -> None:
        """Nothing, where the password may be set; raises BadRequest that tells every broken rule at once.

        `field` is what the caller calls it.
        """
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
        elif (stem := _stem(password)) and stem in map(_stem, (*self.words, username, email.partition("@")[0])):
            broken.append("not be made of the username, the email or the name of this service")
        if password.lower() in _common_passwords() or _stem(password) in _most_common_passwords():
            broken.append("not be one of the most common passwords")
        if broken:
            raise BadRequest(f"{field} must {'; '.join(broken)}.", field=field)

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


def _stem(password: str) -> str:
    """What is left without the digits and symbols around it and those that stand for letters: Passw0rd! is password.

    Rules for classes make people write the most common passwords like that. Empty where it is too short to tell.
    """
    first = next((place for place, character in enumerate(password) if character.isalpha()), len(password))
    last = next((place for place in range(len(password), 0, -1) if password[place - 1].isalpha()), first)
    stem = password[first:last].lower().translate(_STANDS_FOR)
    return stem if len(stem) >= _SHORTEST_STEM else ""


@cache
def _listed() -> tuple[str, ...]:
    """The most common ones first."""
    packed = Path(__file__).with_name("common-passwords.txt.gz").read_bytes()
    return tuple(gzip.decompress(packed).decode().split())


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(_listed())


@cache
def _most_common_passwords() -> frozenset[str]:
    return frozenset(_listed()[:_MOST_DECORATED])
