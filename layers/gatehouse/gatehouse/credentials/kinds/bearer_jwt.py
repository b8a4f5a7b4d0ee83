"""JWT: a long-lived token, sent as `Authorization: Bearer`; what is kept of it is no secret, only what it refers to."""

from datetime import datetime, timedelta

from gatehouse.credentials.model import Credential
from gatehouse.errors import BadRequest
from gatehouse.tokens import CREDENTIAL, Tokens

_USUAL = timedelta(days=90)
_LONGEST = timedelta(days=365)


def told(tokens: Tokens, credential: Credential, now: datetime) -> str:
    """What the client must keep: the token of the credential's present version, good until the credential ends."""
    own = {"cid": credential.id, "ver": credential.version}
    return tokens.issue(CREDENTIAL, credential.consumer_id, own, now, credential.expires_at or now)


def first_expiry(moment: datetime | None, now: datetime) -> datetime:
    """When a new one ends: in 90 days, or when the caller says; raises BadRequest beyond a year."""
    if moment is None:
        return whole_seconds(now + _USUAL)
    if moment > now + _LONGEST:
        raise BadRequest(f"A JWT lasts at most {_LONGEST.days} days.", field="expiresAt")
    return whole_seconds(moment)


def whole_seconds(moment: datetime) -> datetime:
    """The moment as a token tells it, so that token and credential end together."""
    return moment.replace(microsecond=0)


def changed_expiry(moment: datetime | None, before: Credential) -> datetime:
    """When one ends instead, which is earlier: its token tells the end. Raises BadRequest."""
    if moment is None or before.expires_at is None or moment > before.expires_at:
        raise BadRequest("A JWT can only end earlier; rotateCredential gives one that lasts longer.", field="expiresAt")
    return moment
