"""Refresh tokens: opaque, kept as digests, rotated at each use along a chain that can be derived.

Each token's successor is the HMAC of its secret under the session's salt. So a lost answer, or several tabs at once,
get the same successor; and a spent token can be told from a made-up one by deriving the chain onwards from it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gatehouse.accounts.model import Origin, Session, SpentToken
from gatehouse.errors import Unauthenticated
from gatehouse.ids import new_id

GRACE = timedelta(seconds=30)
"""How long a token stays good after its successor was first used."""

_FARTHEST = 10_000
_MOST_IN_GRACE = 10
_PREFIX = "gatehouse_refresh_"
_FORM = struct.Struct(">16s16sI32s")


@dataclass(frozen=True)
class RefreshToken:
    """The `number`-th token of a session's chain."""

    user_id: str
    session_id: str
    number: int
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """The token that the text spells; raises Unauthenticated."""
        try:
            packed = base64.b64decode(text.removeprefix(_PREFIX), altchars=b"-_", validate=True)
            user, session, number, secret = _FORM.unpack(packed)
        except (struct.error, binascii.Error, ValueError) as error:
            raise _not_valid() from error
        token = cls(str(uuid.UUID(bytes=user)), str(uuid.UUID(bytes=session)), number, secret)
        if not hmac.compare_digest(token.text().encode(), text.encode(errors="replace")):
            raise _not_valid()
        return token

    def text(self) -> str:
        """What the client keeps."""
        ids = (uuid.UUID(self.user_id).bytes, uuid.UUID(self.session_id).bytes)
        return _PREFIX + base64.b64encode(_FORM.pack(*ids, self.number, self.secret), altchars=b"-_").decode()

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.secret).digest()

    def successor(self, salt: bytes) -> "RefreshToken":
        return replace(self, number=self.number + 1, secret=hmac.digest(salt, self.secret, "sha256"))


class TokenSpent(Exception):
    """A genuine token that has had its time: somebody else may hold it too."""


def start_session(
    user_id: str,
    *,
    generation: int,
    origin: Origin,
    now: datetime,
    lifetime: timedelta,
    proved_at: datetime | None = None,
) -> tuple[Session, RefreshToken]:
    """A new session and the first token of its chain."""
    session_id = new_id(now)
    token = RefreshToken(user_id, session_id, 1, secrets.token_bytes(32))
    session = Session(
        id=session_id,
        user_id=user_id,
        generation=generation,
        origin=origin,
        created_at=now,
        used_at=now,
        expires_at=now + lifetime,
        salt=secrets.token_bytes(32),
        used=0,
        next_digest=token.digest,
        proved_at=proved_at,
    )
    return session, token


def present(session: Session, token: RefreshToken, now: datetime) -> Session:
    """The session after the token was presented: itself, or one step on where the token is used for the first time.

    Raises TokenSpent for a token whose successor has been in use for longer than the grace, Unauthenticated for one
    that was never of this chain.
    """
    if token.number == session.used + 1 and _same(token.digest, session.next_digest):
        return replace(
            session,
            used_at=now,
            used=token.number,
            spent=_spent(session, now),
            used_digest=token.digest,
            next_digest=token.successor(session.salt).digest,
        )
    if token.number == session.used and _same(token.digest, session.used_digest):
        return session
    if 0 < (age := session.used - token.number) <= len(session.spent):
        spent = session.spent[age - 1]
        if _same(token.digest, spent.digest) and now <= spent.good_until:
            return session
    if 0 < token.number < session.used and _leads_to(token, session):
        raise TokenSpent
    raise _not_valid()


def _spent(session: Session, now: datetime) -> tuple[SpentToken, ...]:
    """The tokens in their grace once the newest is used, the latest first; who rotates on and on keeps the last few."""
    if session.used_digest is None:
        return ()
    latest = SpentToken(session.used_digest, now + GRACE)
    return (latest, *(token for token in session.spent if now <= token.good_until))[:_MOST_IN_GRACE]


def _leads_to(token: RefreshToken, session: Session) -> bool:
    """Whether the chain from this token arrives at the last used one; beyond 10,000 steps (10 ms) nobody asks."""
    if session.used - token.number > _FARTHEST:
        return False
    for _ in range(session.used - token.number):
        token = token.successor(session.salt)
    return _same(token.digest, session.used_digest)


def _same(left: bytes, right: bytes | None) -> bool:
    return right is not None and hmac.compare_digest(left, right)


def _not_valid() -> Unauthenticated:
    return Unauthenticated("The refresh token is not valid.")
