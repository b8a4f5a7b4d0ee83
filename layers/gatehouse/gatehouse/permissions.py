"""Who may do what: the rights of each role as a table, and the functions that read it.

A caller's right to act comes from three things, all of which must agree: the role's row in `TABLE`, the scope of the
credential it came with, and, for what only a person may do, that it came with a session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum

from gatehouse.consumers.model import Role, User
from gatehouse.credentials.model import Credential
from gatehouse.errors import Forbidden, NotFound, TwoFactorRequired, Unauthenticated


@dataclass(frozen=True)
class CallersSession:
    """A session that was in force when a request came in. What it makes is made only while it still is."""

    user_id: str
    id: str
    generation: int


@dataclass(frozen=True)
class CallersProgram:
    """A credential that was in force when a request came in. What it makes is made only while it is on."""

    user_id: str
    credential_id: str


type Maker = CallersSession | CallersProgram


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is calling, as admission found them.

    `role` is already the lower of the owner's role now and at the credential's making. `scopes` is None for a session
    and for a credential without scopes. A credential's requests are counted under its number. `credential_version` is
    that of the secret it came with, and `ends_at` when this, its token or the credential itself ends. `generation` is
    that of a session, which nothing may be made by once all of them have ended. A session that
    `lacks_factor` has the role of a USER until it has seen a code. `address` and `correlation_id` are of the request
    that it came with.
    """

    consumer_id: str | None = None
    role: Role = Role.USER
    session_id: str | None = None
    generation: int | None = None
    credential_id: str | None = None
    credential_number: int | None = None
    credential_version: int | None = None
    ends_at: datetime | None = None
    scopes: frozenset[str] | None = None
    refused_because: str | None = None
    lacks_factor: bool = False
    address: str | None = field(default=None, compare=False)
    correlation_id: str | None = field(default=None, compare=False)

    @property
    def maker(self) -> "Maker | None":
        """The session or the program that is calling."""
        if self.consumer_id is None:
            return None
        if self.credential_id is not None:
            return CallersProgram(self.consumer_id, self.credential_id)
        if self.session_id is None or self.generation is None:
            return None
        return CallersSession(self.consumer_id, self.session_id, self.generation)

    @property
    def is_anonymous(self) -> bool:
        return self.consumer_id is None


ANONYMOUS = Caller()


def program(
    credential: Credential,
    owner_role: Role,
    *,
    version: int,
    narrowed: frozenset[str] | None = None,
    token_ends_at: datetime | None = None,
) -> Caller:
    """The caller that a credential is whose owner has this role, with the secret of that version.

    `narrowed` is what its token was made for.
    """
    scopes = None if credential.scopes is None else frozenset(credential.scopes)
    if narrowed is not None:
        scopes = narrowed - WITHHELD_SCOPES if scopes is None else narrowed & scopes
    return Caller(
        consumer_id=credential.consumer_id,
        role=owner_role.lower_of(credential.role),
        credential_id=credential.id,
        credential_number=credential.number,
        credential_version=version,
        ends_at=credential.ends_at(version, token_ends_at),
        scopes=scopes,
    )


class Reach(Enum):
    """On whom a role may perform an action."""

    NOBODY = "nobody"
    SELF = "self"
    SELF_AND_USERS = "self and USERs"
    USERS = "USERs"
    OTHERS = "others"
    ANYONE = "anyone"

    def covers(self, caller: Caller, target: User) -> bool:
        """Whether the target is within reach of the caller."""
        is_self = caller.consumer_id == target.id
        match self:
            case Reach.NOBODY:
                return False
            case Reach.SELF:
                return is_self
            case Reach.SELF_AND_USERS:
                return is_self or target.role is Role.USER
            case Reach.USERS:
                return not is_self and target.role is Role.USER
            case Reach.OTHERS:
                return not is_self
            case Reach.ANYONE:
                return True


class Action(StrEnum):
    """What can be done; the names that the schema's `@requires` uses."""

    READ_USER = "READ_USER"
    LIST_USERS = "LIST_USERS"
    CREATE_USER = "CREATE_USER"
    INVITE_USER = "INVITE_USER"
    UPDATE_NAMES = "UPDATE_NAMES"
    UPDATE_USERNAME = "UPDATE_USERNAME"
    UPDATE_EMAIL = "UPDATE_EMAIL"
    CHANGE_ROLE = "CHANGE_ROLE"
    DEACTIVATE_USER = "DEACTIVATE_USER"
    REACTIVATE_USER = "REACTIVATE_USER"
    DELETE_USER = "DELETE_USER"
    END_SESSION = "END_SESSION"
    READ_SESSIONS = "READ_SESSIONS"
    EXPORT_DATA = "EXPORT_DATA"
    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 - the name of a right
    CHANGE_EMAIL = "CHANGE_EMAIL"
    VERIFY_EMAIL = "VERIFY_EMAIL"
    MANAGE_TWO_FACTOR = "MANAGE_TWO_FACTOR"
    RESET_TWO_FACTOR = "RESET_TWO_FACTOR"
    UNLOCK_USER = "UNLOCK_USER"
    READ_CREDENTIALS = "READ_CREDENTIALS"
    LIST_ALL_CREDENTIALS = "LIST_ALL_CREDENTIALS"
    CREATE_CREDENTIAL = "CREATE_CREDENTIAL"
    UPDATE_CREDENTIAL = "UPDATE_CREDENTIAL"
    ROTATE_CREDENTIAL = "ROTATE_CREDENTIAL"
    DISABLE_CREDENTIAL = "DISABLE_CREDENTIAL"
    DELETE_CREDENTIAL = "DELETE_CREDENTIAL"
    INTROSPECT_TOKEN = "INTROSPECT_TOKEN"  # noqa: S105 - the name of a right
    REVOKE_TOKEN = "REVOKE_TOKEN"  # noqa: S105 - the name of a right
    READ_PLAN = "READ_PLAN"
    LIST_PLANS = "LIST_PLANS"
    MANAGE_PLANS = "MANAGE_PLANS"
    ASSIGN_PLAN = "ASSIGN_PLAN"
    READ_USAGE = "READ_USAGE"
    RESET_USAGE = "RESET_USAGE"
    EXPLAIN_ACCESS = "EXPLAIN_ACCESS"
    READ_AUDIT = "READ_AUDIT"
    VERIFY_AUDIT = "VERIFY_AUDIT"
    READ_CONFIGURATION = "READ_CONFIGURATION"
    UPDATE_CONFIGURATION = "UPDATE_CONFIGURATION"


_NOBODY, _SELF, _SELF_AND_USERS, _USERS = Reach.NOBODY, Reach.SELF, Reach.SELF_AND_USERS, Reach.USERS
_OTHERS, _ANYONE = Reach.OTHERS, Reach.ANYONE

TABLE: Mapping[Action, tuple[Reach, Reach, Reach]] = {
    # action                        USER      MODERATOR        ADMIN
    Action.READ_USER:              (_SELF,    _ANYONE,         _ANYONE),
    Action.LIST_USERS:             (_NOBODY,  _ANYONE,         _ANYONE),
    Action.CREATE_USER:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.INVITE_USER:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.UPDATE_NAMES:           (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.UPDATE_USERNAME:        (_SELF,    _SELF,           _ANYONE),
    Action.UPDATE_EMAIL:           (_NOBODY,  _NOBODY,         _OTHERS),
    Action.CHANGE_ROLE:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.DEACTIVATE_USER:        (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.REACTIVATE_USER:        (_NOBODY,  _USERS,          _ANYONE),
    Action.DELETE_USER:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.END_SESSION:            (_SELF,    _SELF,           _SELF),
    Action.READ_SESSIONS:          (_SELF,    _SELF,           _SELF),
    Action.EXPORT_DATA:            (_SELF,    _SELF,           _SELF),
    Action.CHANGE_PASSWORD:        (_SELF,    _SELF,           _SELF),
    Action.CHANGE_EMAIL:           (_SELF,    _SELF,           _SELF),
    Action.VERIFY_EMAIL:           (_SELF,    _SELF,           _SELF),
    Action.MANAGE_TWO_FACTOR:      (_SELF,    _SELF,           _SELF),
    Action.RESET_TWO_FACTOR:       (_NOBODY,  _NOBODY,         _OTHERS),
    Action.UNLOCK_USER:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.READ_CREDENTIALS:       (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.LIST_ALL_CREDENTIALS:   (_NOBODY,  _NOBODY,         _ANYONE),
    Action.CREATE_CREDENTIAL:      (_SELF,    _SELF,           _ANYONE),
    Action.UPDATE_CREDENTIAL:      (_SELF,    _SELF,           _ANYONE),
    Action.ROTATE_CREDENTIAL:      (_SELF,    _SELF,           _ANYONE),
    Action.DISABLE_CREDENTIAL:     (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.DELETE_CREDENTIAL:      (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.INTROSPECT_TOKEN:       (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.REVOKE_TOKEN:           (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.READ_PLAN:              (_SELF,    _ANYONE,         _ANYONE),
    Action.LIST_PLANS:             (_NOBODY,  _NOBODY,         _ANYONE),
    Action.MANAGE_PLANS:           (_NOBODY,  _NOBODY,         _ANYONE),
    Action.ASSIGN_PLAN:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.READ_USAGE:             (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.RESET_USAGE:            (_NOBODY,  _NOBODY,         _ANYONE),
    Action.EXPLAIN_ACCESS:         (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.READ_AUDIT:             (_SELF,    _SELF_AND_USERS, _ANYONE),
    Action.VERIFY_AUDIT:           (_NOBODY,  _NOBODY,         _ANYONE),
    Action.READ_CONFIGURATION:     (_NOBODY,  _NOBODY,         _ANYONE),
    Action.UPDATE_CONFIGURATION:   (_NOBODY,  _NOBODY,         _ANYONE),
}  # fmt: skip

_COLUMNS = tuple(Role)

SCOPES: Mapping[Action, str | None] = {
    # None: a person signed in. A key that could give roles, or an email that mails a new password, could make itself a
    # stronger one, and outlive its end.
    Action.READ_USER: "users:read",
    Action.LIST_USERS: "users:read",
    Action.CREATE_USER: "users:write",
    Action.INVITE_USER: "users:write",
    Action.UPDATE_NAMES: "users:write",
    Action.UPDATE_USERNAME: "users:write",
    Action.UPDATE_EMAIL: None,
    Action.CHANGE_ROLE: None,
    Action.DEACTIVATE_USER: "users:write",
    Action.REACTIVATE_USER: "users:write",
    Action.DELETE_USER: "users:write",
    Action.END_SESSION: None,
    Action.READ_SESSIONS: None,
    Action.EXPORT_DATA: None,
    Action.CHANGE_PASSWORD: None,
    Action.CHANGE_EMAIL: None,
    Action.VERIFY_EMAIL: None,
    Action.MANAGE_TWO_FACTOR: None,
    Action.RESET_TWO_FACTOR: None,
    Action.UNLOCK_USER: None,
    Action.READ_CREDENTIALS: "credentials:read",
    Action.LIST_ALL_CREDENTIALS: "credentials:read",
    Action.CREATE_CREDENTIAL: "credentials:write",
    Action.UPDATE_CREDENTIAL: "credentials:write",
    Action.ROTATE_CREDENTIAL: "credentials:write",
    Action.DISABLE_CREDENTIAL: "credentials:write",
    Action.DELETE_CREDENTIAL: "credentials:write",
    Action.INTROSPECT_TOKEN: "credentials:read",
    Action.REVOKE_TOKEN: "credentials:write",
    Action.READ_PLAN: "usage:read",
    Action.LIST_PLANS: "usage:read",
    Action.MANAGE_PLANS: "system:write",
    Action.ASSIGN_PLAN: "system:write",
    Action.READ_USAGE: "usage:read",
    Action.RESET_USAGE: "system:write",
    Action.EXPLAIN_ACCESS: "usage:read",
    Action.READ_AUDIT: "audit:read",
    Action.VERIFY_AUDIT: "system:write",
    Action.READ_CONFIGURATION: "system:write",
    Action.UPDATE_CONFIGURATION: "system:write",
}

WITHHELD_SCOPES = frozenset({"credentials:write", "system:write"})
"""What a credential without scopes does not get from its owner."""


def reach(role: Role, action: Action) -> Reach:
    """On whom the role may perform the action."""
    return TABLE[action][_COLUMNS.index(role)]


def require(caller: Caller, action: Action) -> None:
    """Nothing, where the caller may perform the action on somebody; raises Unauthenticated or Forbidden."""
    if caller.is_anonymous:
        raise Unauthenticated("Sign in first.", reason=caller.refused_because)
    if reach(caller.role, action) is Reach.NOBODY:
        raise _lacking(caller) or Forbidden("Your role does not allow this.", reason="ROLE")
    if caller.session_id is None and not _in_scope(caller, SCOPES[action]):
        told = "This credential does not allow this." if SCOPES[action] else "This takes a person who is signed in."
        raise Forbidden(told, reason="SCOPE")


def require_on(caller: Caller, action: Action, target: User) -> None:
    """Nothing, where the caller may perform the action on the target.

    Raises NotFound where the caller may not even know of the target, else Forbidden.
    """
    require(caller, action)
    if not may(caller, Action.READ_USER, target):
        raise _lacking(caller) or NotFound("There is no such user.")
    if not may(caller, action, target):
        raise Forbidden("Your role does not allow this for this user.", reason="ROLE")


def may(caller: Caller, action: Action, target: User) -> bool:
    """Whether the role's row lets the caller perform the action on the target."""
    return reach(caller.role, action).covers(caller, target)


def require_factor(caller: Caller, role: Role) -> None:
    """Nothing, where the caller may act on what has the role's rights; raises TwoFactorRequired."""
    if role is not Role.USER and (lacking := _lacking(caller)) is not None:
        raise lacking


def _lacking(caller: Caller) -> TwoFactorRequired | None:
    """What to tell somebody whose role would allow more in a session that has seen a second factor."""
    if not caller.lacks_factor:
        return None
    return TwoFactorRequired(
        "Your role takes two factors: enableTwoFactor begins it, and confirmTwoFactor takes a code where they are on.",
        reason="ENABLE_TWO_FACTOR",
    )


def _in_scope(caller: Caller, scope: str | None) -> bool:
    if scope is None:
        return False
    if caller.scopes is None:
        return scope not in WITHHELD_SCOPES
    return scope in caller.scopes
