"""What a credential may be turned into, beyond what `permissions` says, and by whom."""

from dataclasses import replace

from gatehouse.consumers.model import DeactivatedBy, Role
from gatehouse.credentials.model import Credential
from gatehouse.errors import Forbidden
from gatehouse.permissions import Caller


def require_within(caller: Caller, own: Credential | None, credential: Credential) -> None:
    """Nothing, where the credential gives no more, and for no longer, than what the caller came with; raises Forbidden.

    `own` is the caller's credential, which may be off or gone by now.
    """
    within = (
        own is not None
        and own.is_active
        and credential.role.lower_of(caller.role) is credential.role
        and credential.scopes is not None
        and frozenset(credential.scopes) <= (caller.scopes or frozenset())
        and (caller.ends_at is None or (credential.expires_at is not None and credential.expires_at <= caller.ends_at))
    )
    if not within:
        raise Forbidden("A credential cannot give more than it has: role, scopes and expiry.", reason="SCOPE")


def require_present(caller: Caller, credential: Credential) -> None:
    """Nothing, unless the caller came with an earlier secret of this very credential; raises Forbidden.

    Who rotates because a secret is known to others must not have it rotated away by them.
    """
    if caller.credential_id == credential.id and caller.credential_version != credential.version:
        raise Forbidden("Only the present secret of a credential rotates it.", reason="SCOPE")


def switched(caller: Caller, before: Credential, after: Credential) -> Credential:
    """The credential with who switched it off, if it is off; what others switched off an ADMIN switches on again."""
    if not after.is_active:
        is_own = caller.consumer_id == before.consumer_id
        return replace(after, disabled_by=DeactivatedBy.OWNER if is_own else DeactivatedBy(caller.role))
    if before.disabled_by is not DeactivatedBy.OWNER and caller.role is not Role.ADMIN:
        raise Forbidden("This credential was switched off by others; an ADMIN can switch it on.", reason="ROLE")
    return replace(after, disabled_by=None)
