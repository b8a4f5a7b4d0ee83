"""Signed tokens: JWTs with HS256, each of one kind, made and verified by the book (RFC 8725)."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from gatehouse.clock import from_milliseconds
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id
from gatehouse.signing.ring import KeyRing

_ALGORITHM = "HS256"
_COMPACT = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]+", re.ASCII)
_CLAIMS = ("iss", "aud", "sub", "jti", "iat", "exp")
_SKEW = timedelta(seconds=60)
_LATEST = 253_402_300_800  # the year 10000, where the calendar ends

# PyJWT would ask the wall clock; the times are checked below, by ours.
_UNTIMED: Any = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "strict_aud": True,
    "enforce_minimum_key_length": True,
}


@dataclass(frozen=True)
class TokenKind:
    """What tells one kind of token from all others: its `typ`, its `aud`, and the claims of its own by their type."""

    typ: str
    audience: str
    claims: Mapping[str, type]


SESSION = TokenKind("session+jwt", "gatehouse/session", {"sid": str})
"""The access token of a person signed in; `sid` is the session."""

CREDENTIAL = TokenKind("credential+jwt", "gatehouse/credential", {"cid": str, "ver": int})
"""A credential of the type JWT: `cid` is its id, `ver` the version of its secret that this token is."""

CLIENT_ACCESS = TokenKind("at+jwt", "gatehouse/client", {"cid": str, "ver": int})
"""What `/oauth/token` gives a client (RFC 9068); `ver` is the version of the secret that it was got with."""

CHALLENGE = TokenKind("challenge+jwt", "gatehouse/challenge", {"gen": int})
"""What `login` answers with where a code is needed; `gen` is the generation of the account's sessions."""


@dataclass(frozen=True)
class Claims:
    """What a genuine token says; `own` has the claims of its kind, and those that it may have beside them."""

    subject: str
    token_id: str
    issued_at: datetime
    expires_at: datetime
    own: Mapping[str, Any]


class TokenExpired(Exception):
    """A genuine token whose only fault is its age."""

    def __init__(self, claims: Claims) -> None:
        super().__init__()
        self.claims = claims


@dataclass(frozen=True)
class Tokens:
    """Makes and verifies tokens. Both raise ServiceUnavailable where there are no keys to be had."""

    ring: KeyRing
    issuer: str

    def issue(self, kind: TokenKind, subject: str, own: Mapping[str, Any], now: datetime, expires_at: datetime) -> str:
        """A fresh token of the kind about the subject; times are kept in whole seconds."""
        claims = {
            "iss": self.issuer,
            "aud": kind.audience,
            "sub": subject,
            "jti": new_id(now),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            **own,
        }
        key_id, key = self.ring.signing()
        return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"typ": kind.typ, "kid": key_id})

    def verify(self, kind: TokenKind, token: str, now: datetime) -> Claims:
        """The claims of a token of the kind; raises TokenExpired, or Unauthenticated for whatever else is wrong."""
        parts = _COMPACT.fullmatch(token)
        if parts is None:
            raise _not_valid()
        try:
            header = _read(parts[1])
            key = self.ring.find(header.get("kid", ""))
            if key is None:
                raise _not_valid()
            told = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=kind.audience,
                issuer=self.issuer,
                options=_options(kind),
            )
            _read(parts[2])
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
            raise _not_valid() from error
        # Whatever else a header may say, this house never does.
        if header != {"alg": _ALGORITHM, "typ": kind.typ, "kid": header.get("kid")}:
            raise _not_valid()
        numbers = (told["iat"], told["exp"], told.get("nbf", told["iat"]))
        if not all(type(number) is int and 0 <= number < _LATEST for number in numbers):
            raise _not_valid()
        own = {"sub": str, "jti": str, **kind.claims}
        if not all(type(told[name]) is expected and told[name] != "" for name, expected in own.items()):
            raise _not_valid()
        if max(told["iat"], told.get("nbf", 0)) > (now + _SKEW).timestamp():
            raise Unauthenticated("The token is not valid yet.")
        claims = Claims(told["sub"], told["jti"], _moment(told["iat"]), _moment(told["exp"]), told)
        if claims.expires_at <= now:
            raise TokenExpired(claims)
        return claims


def type_of(token: str) -> str | None:
    """Which kind a token says it is, unverified; None for what is no token."""
    try:
        told = _read(token.partition(".")[0]).get("typ")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, str) else None


def _read(part: str) -> dict[str, Any]:
    """The object that a part spells; raises ValueError where it is no UTF-8, or names a member twice.

    PyJWT takes both.
    """
    told = json.loads(base64.urlsafe_b64decode(part + "==").decode(), object_pairs_hook=_once)
    if not isinstance(told, dict):
        raise ValueError("This is no object.")
    return told


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(members)
    if len(told) != len(members):
        raise ValueError("A name stands twice.")
    return told


def _options(kind: TokenKind) -> Any:
    return {**_UNTIMED, "require": [*_CLAIMS, *kind.claims]}


def _moment(seconds: int) -> datetime:
    return from_milliseconds(seconds * 1000)


def _not_valid() -> Unauthenticated:
    return Unauthenticated("The token is not valid.")
