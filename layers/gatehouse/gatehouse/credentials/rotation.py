"""Rotation: a credential gets a new secret, and for a while the one before it works as well."""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehouse.credentials.kinds.bearer_jwt import whole_seconds
from gatehouse.credentials.model import Credential, CredentialType, Rotation
from gatehouse.errors import Conflict


def rotated(before: Credential, overlap: timedelta, now: datetime) -> Credential:
    """The credential with its next version; raises Conflict for one that is not in force.

    A secret older than the one before it ends at once. What lasts as long as its token, a JWT, lasts as long again as
    it was given.
    """
    if not before.is_in_force(now):
        raise Conflict("A credential that is disabled or has expired cannot be rotated.")
    expires_at = before.expires_at
    if before.type is CredentialType.JWT and expires_at is not None:
        expires_at = whole_seconds(now + (expires_at - _last_issued(before)))
    return replace(
        before,
        version=before.version + 1,
        rotation=Rotation(now, now + overlap, before.last_used_at),
        expires_at=expires_at,
        last_used_at=None,
        updated_at=now,
        revision=before.revision + 1,
    )


def _last_issued(credential: Credential) -> datetime:
    return credential.created_at if credential.rotation is None else credential.rotation.rotated_at
