"""What a caller may say of a credential: its label, its scopes, and when it ends."""

import re
from datetime import datetime, timedelta

from gatehouse.credentials.kinds import bearer_jwt
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import BadRequest
from gatehouse.text import clean_text

LONGEST_OVERLAP = timedelta(days=30)
USUAL_OVERLAP = timedelta(days=1)

_MOST_SCOPES = 50
_SCOPE = re.compile(r"[a-z][a-z0-9_-]{0,31}:[a-z][a-z0-9_-]{0,31}", re.ASCII)


def label(text: str | None) -> str | None:
    """The label, checked; None is none."""
    return None if text is None else clean_text(text, "label", longest=100)


def scopes(words: list[str] | None) -> tuple[str, ...] | None:
    """The scopes, checked, each once; None is no limit of its own."""
    if words is None:
        return None
    if len(words) > _MOST_SCOPES or not all(map(_SCOPE.fullmatch, words)):
        raise BadRequest(f"scopes are at most {_MOST_SCOPES} words such as users:read, in lower case.", field="scopes")
    return tuple(dict.fromkeys(words))


def first_expiry(moment: datetime | None, kind: CredentialType, now: datetime) -> datetime | None:
    """When a new credential of the kind ends."""
    if kind is CredentialType.JWT:
        moment = bearer_jwt.first_expiry(moment, now)
    return _in_the_future(moment, now)


def changed_expiry(moment: datetime | None, before: Credential, now: datetime) -> datetime | None:
    """When a credential is to end instead."""
    if moment == before.expires_at:
        return moment
    if before.type is CredentialType.JWT:
        moment = bearer_jwt.changed_expiry(moment, before)
    return _in_the_future(moment, now)


def overlap(seconds: int | None) -> timedelta:
    """How long the old secret works beside the new one."""
    if seconds is None:
        return USUAL_OVERLAP
    if not 0 <= seconds <= LONGEST_OVERLAP.total_seconds():
        raise BadRequest(
            f"overlapSeconds is a number from 0 to {LONGEST_OVERLAP.total_seconds():.0f}.", field="overlapSeconds"
        )
    return timedelta(seconds=seconds)


def _in_the_future(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is not None and moment <= now:
        raise BadRequest("expiresAt must lie in the future.", field="expiresAt")
    return moment
