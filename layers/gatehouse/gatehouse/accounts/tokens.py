"""Access tokens of sessions: JWTs with HS256, made and verified by the book (RFC 8725)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id

_ALGORITHM = "HS256"
_TYPE = "session+jwt"
_AUDIENCE = "gatehouse/session"
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
_SKEW = timedelta(seconds=60)

# PyJWT would ask the wall clock; the times are checked below, by ours.
_OPTIONS: Any = {
    "require": _CLAIMS,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "strict_aud": True,
    "enforce_minimum_key_length": True,
}


@dataclass(frozen=True)
class SigningKeys:
    """The keys by their id; `current` signs, every one of them verifies."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True)
class SessionClaims:
    """What a genuine access token says: whose session it is."""

    user_id: str
    session_id: str


class TokenExpired(Exception):
    """A genuine token whose only fault is its age."""


@dataclass(frozen=True)
class SessionTokens:
    """Makes and verifies access tokens that live `lifetime` seconds.

    `signing_keys` may raise ServiceUnavailable, and so may both methods.
    """

    signing_keys: Callable[[], SigningKeys]
    issuer: str
    lifetime: int

    def issue(self, user_id: str, session_id: str, now: datetime) -> str:
        """A fresh access token of the session."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": _AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(now),
            "iat": issued_at,
            "exp": issued_at + self.lifetime,
        }
        keys = self.signing_keys()
        headers = {"typ": _TYPE, "kid": keys.current}
        return jwt.encode(claims, keys.keys[keys.current], algorithm=_ALGORITHM, headers=headers)

    def verify(self, token: str, now: datetime) -> SessionClaims:
        """The token's claims; raises TokenExpired, or Unauthenticated for anything else that is wrong with it."""
        try:
            header = jwt.get_unverified_header(token)
            key = self.signing_keys().keys.get(header.get("kid", ""))
            if key is None or header.get("typ") != _TYPE:
                raise Unauthenticated("The token is not valid.")
            claims = jwt.decode(
                token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, issuer=self.issuer, options=_OPTIONS
            )
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
            raise Unauthenticated("The token is not valid.") from error
        numbers = (claims["iat"], claims["exp"], claims.get("nbf", claims["iat"]))
        if not all(type(number) is int for number in numbers) or not isinstance(claims["sid"], str):
            raise Unauthenticated("The token is not valid.")
        if max(claims["iat"], claims.get("nbf", 0)) > (now + _SKEW).timestamp():
            raise Unauthenticated("The token is not valid yet.")
        if claims["exp"] <= now.timestamp():
            raise TokenExpired
        return SessionClaims(user_id=claims["sub"], session_id=claims["sid"])
