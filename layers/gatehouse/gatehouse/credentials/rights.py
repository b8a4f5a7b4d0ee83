"""What a credential may be turned into, beyond what `permissions` says, and by whom."""

from dataclasses import replace

from gatehouse.consumers.model import DeactivatedBy, Role
from gatehouse.credentials.model import Credential
from gatehouse.errors import Forbidden
from gatehouse.permissions import Caller


def require_within(caller: Caller, own: Credential | None, credential: Credential) -> None:
    """Nothing, where the credential gives no more than the caller's own, which may be gone; raises Forbidden."""
    within = (
        own is not None
        and credential.role.lower_of(caller.role) is credential.role
        and credential.scopes is not None
        and frozenset(credential.scopes) <= (caller.scopes or frozenset())
        and (own.expires_at is None or (credential.expires_at is not None and credential.expires_at <= own.expires_at))
    )
    if not within:
        raise Forbidden("A credential cannot give more than it has: role, scopes and expiry.", reason="SCOPE")


def switched(caller: Caller, before: Credential, after: Credential) -> Credential:
    """The credential with who switched it off, if it is off; what others switched off an ADMIN switches on again."""
    if not after.is_active:
        is_own = caller.consumer_id == before.consumer_id
        return replace(after, disabled_by=DeactivatedBy.OWNER if is_own else DeactivatedBy(caller.role))
    if before.disabled_by is not DeactivatedBy.OWNER and caller.role is not Role.ADMIN:
        raise Forbidden("This credential was switched off by others; an ADMIN can switch it on.", reason="ROLE")
    return replace(after, disabled_by=None)
