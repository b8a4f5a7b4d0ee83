"""Making forged tokens: a genuine one taken apart, and the ways to put it together otherwise."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from gatehouse.tokens import CHALLENGE, CLIENT_ACCESS, CREDENTIAL, SESSION, TokenKind

KINDS = (SESSION, CREDENTIAL, CLIENT_ACCESS, CHALLENGE)
ABSENT: Any = object()
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True)
class Genuine:
    """A token that is taken: what it says, and the key that it is signed with."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    key: bytes = field(repr=False)

    @classmethod
    def read(cls, token: str, key: bytes) -> "Genuine":
        """What the token says."""
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
        return cls(header, claims, key)

    @property
    def kind(self) -> TokenKind:
        [kind] = (kind for kind in KINDS if kind.typ == self.header["typ"])
        return kind

    def forge(
        self,
        header: Mapping[str, Any] | None = None,
        claims: Mapping[str, Any] | None = None,
        *,
        key: bytes | None = None,
        digest: str = "sha256",
    ) -> str:
        """The token with its parts changed as told, signed again; what is ABSENT is left out."""
        changed = ({**self.header, **(header or {})}, {**self.claims, **(claims or {})})
        told = ({name: value for name, value in part.items() if value is not ABSENT} for part in changed)
        return self.sign(*(json.dumps(part).encode() for part in told), key=key, digest=digest)

    def sign(self, header: bytes, claims: bytes, *, key: bytes | None = None, digest: str = "sha256") -> str:
        """A token of these very bytes."""
        return self.sign_parts(part_of(header), part_of(claims), key=key, digest=digest)

    def sign_parts(self, header: str, claims: str, *, key: bytes | None = None, digest: str = "sha256") -> str:
        """A token of parts that are spelled already."""
        signed = f"{header}.{claims}"
        return f"{signed}.{part_of(hmac.digest(self.key if key is None else key, signed.encode(), digest))}"


type Forgery = Callable[[Genuine], str]


def part_of(raw: bytes) -> str:
    """The bytes in base64url."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def with_header(**changes: Any) -> Forgery:
    return lambda genuine: genuine.forge(changes)


def with_claims(**changes: Any) -> Forgery:
    return lambda genuine: genuine.forge(claims=changes)


def signed_with(key: Callable[[Genuine], bytes], **header: Any) -> Forgery:
    return lambda genuine: genuine.forge(header, key=key(genuine))


def respelled(change: Callable[[str, str, str], str]) -> Forgery:
    """The genuine token, with its three parts put together otherwise."""
    return lambda genuine: change(*genuine.forge().split("."))


def resigned(change: Callable[[str, str], tuple[str, str]]) -> Forgery:
    """The genuine header and claims, spelled otherwise and signed so."""
    return lambda genuine: genuine.sign_parts(*change(*genuine.forge().split(".")[:2]))


def rewritten(change: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Forgery:
    """The genuine header and claims as JSON, changed and signed so."""
    return lambda genuine: genuine.sign(*change(as_json(genuine.header), as_json(genuine.claims)))


def as_json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told).encode()


def unsigned(alg: Any) -> Forgery:
    return lambda genuine: genuine.forge({"alg": alg}).rpartition(".")[0] + "."


def member_before(member: str) -> Callable[[bytes], bytes]:
    """The JSON of an object with a member before all others."""
    return lambda told: b"{" + member.encode() + b", " + told[1:]


def flipped(part: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(part + "=="))
    raw[0] ^= 1
    return part_of(bytes(raw))


def with_spare_bits(part: str) -> str:
    """Another spelling of the same bytes, for a part that does not fill its last character."""
    return part[:-1] + _ALPHABET[_ALPHABET.index(part[-1]) + 1]


def unaligned(claims: bytes) -> bytes:
    """The same claims, in a number of bytes that leaves bits to spare."""
    return claims + b" " * ((1 - len(claims)) % 3)


def in_the_other_alphabet(genuine: Genuine) -> str:
    claims = as_json({**genuine.claims, "note": "?" * 9})  # three in a row spell a slash
    parts = (base64.b64encode(part).decode().rstrip("=") for part in (as_json(genuine.header), claims))
    return genuine.sign_parts(*parts)


def _other_kinds(genuine: Genuine) -> list[TokenKind]:
    at = KINDS.index(genuine.kind)
    return list(islice(cycle(KINDS), at + 1, at + len(KINDS)))


def of_another_kind(number: int, *, typ: bool, audience: bool) -> Forgery:
    def forge(genuine: Genuine) -> str:
        other = _other_kinds(genuine)[number]
        return genuine.forge({"typ": other.typ} if typ else {}, {"aud": other.audience} if audience else {})

    return forge


def with_own_claim(change: Callable[[Genuine, str], Any]) -> Forgery:
    """The first claim of the kind's own, changed."""

    def forge(genuine: Genuine) -> str:
        name = next(iter(genuine.kind.claims))
        return genuine.forge(claims={name: change(genuine, name)})

    return forge
