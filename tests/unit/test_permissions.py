"""Contract §2, cell by cell: the table below is written from the contract, not from the code's own."""

from dataclasses import replace

import pytest

from gatehouse.consumers.model import Role, User
from gatehouse.errors import Forbidden, GatehouseError, NotFound, Unauthenticated
from gatehouse.permissions import ANONYMOUS, SCOPES, TABLE, WITHHELD_SCOPES, Action, Caller, require, require_on
from tests.unit.fakes import a_user, signed_in

# Each cell: what comes of the action on oneself, another USER, another MODERATOR, another ADMIN.
# y = allowed, F = FORBIDDEN, N = NOT_FOUND (the caller may not know that there is such a consumer).
CONTRACT = """
action                 USER      MODERATOR  ADMIN
READ_USER              y N N N   y y y y    y y y y
LIST_USERS             F F F F   y y y y    y y y y
CREATE_USER            F F F F   F F F F    y y y y
INVITE_USER            F F F F   F F F F    y y y y
UPDATE_NAMES           y N N N   y y F F    y y y y
UPDATE_USERNAME        y N N N   y F F F    y y y y
UPDATE_EMAIL           F F F F   F F F F    F y y y
CHANGE_ROLE            F F F F   F F F F    y y y y
DEACTIVATE_USER        y N N N   y y F F    y y y y
REACTIVATE_USER        F F F F   F y F F    y y y y
DELETE_USER            F F F F   F F F F    y y y y
END_SESSION            y N N N   y F F F    y F F F
READ_SESSIONS          y N N N   y F F F    y F F F
EXPORT_DATA            y N N N   y F F F    y F F F
CHANGE_PASSWORD        y N N N   y F F F    y F F F
CHANGE_EMAIL           y N N N   y F F F    y F F F
VERIFY_EMAIL           y N N N   y F F F    y F F F
MANAGE_TWO_FACTOR      y N N N   y F F F    y F F F
RESET_TWO_FACTOR       F F F F   F F F F    F y y y
UNLOCK_USER            F F F F   F F F F    y y y y
READ_CREDENTIALS       y N N N   y y F F    y y y y
LIST_ALL_CREDENTIALS   F F F F   F F F F    y y y y
CREATE_CREDENTIAL      y N N N   y F F F    y y y y
UPDATE_CREDENTIAL      y N N N   y F F F    y y y y
ROTATE_CREDENTIAL      y N N N   y F F F    y y y y
DISABLE_CREDENTIAL     y N N N   y y F F    y y y y
DELETE_CREDENTIAL      y N N N   y y F F    y y y y
INTROSPECT_TOKEN       y N N N   y y F F    y y y y
REVOKE_TOKEN           y N N N   y y F F    y y y y
READ_PLAN              y N N N   y y y y    y y y y
LIST_PLANS             F F F F   F F F F    y y y y
MANAGE_PLANS           F F F F   F F F F    y y y y
ASSIGN_PLAN            F F F F   F F F F    y y y y
READ_USAGE             y N N N   y y F F    y y y y
RESET_USAGE            F F F F   F F F F    y y y y
EXPLAIN_ACCESS         y N N N   y y F F    y y y y
READ_AUDIT             y N N N   y y F F    y y y y
VERIFY_AUDIT           F F F F   F F F F    y y y y
READ_CONFIGURATION     F F F F   F F F F    y y y y
UPDATE_CONFIGURATION   F F F F   F F F F    y y y y
"""
OUTCOMES = {"y": None, "F": Forbidden, "N": NotFound}
TARGETS = ("self", Role.USER, Role.MODERATOR, Role.ADMIN)

# Which scope a credential needs; None: no credential may, whatever its scopes.
NEEDED_SCOPES = {
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
ALL_SCOPES = frozenset(
    {"users:read", "users:write", "credentials:read", "credentials:write", "usage:read", "audit:read", "system:write"}
)


def _cells() -> list[tuple[Role, Action, str | Role, type[GatehouseError] | None]]:
    cells: list[tuple[Role, Action, str | Role, type[GatehouseError] | None]] = []
    for line in CONTRACT.strip().splitlines()[1:]:
        name, *marks = line.split()
        for number, mark in enumerate(marks):
            role = (Role.USER, Role.MODERATOR, Role.ADMIN)[number // 4]
            cells.append((role, Action(name), TARGETS[number % 4], OUTCOMES[mark]))
    return cells


def _outcome(caller: Caller, action: Action, target: User) -> type[GatehouseError] | None:
    try:
        require_on(caller, action, target)
    except GatehouseError as error:
        return type(error)
    return None


def _admin_program(scopes: frozenset[str] | None) -> Caller:
    admin = a_user("root", role=Role.ADMIN)
    return Caller(consumer_id=admin.id, role=Role.ADMIN, credential_id="c", scopes=scopes)


@pytest.mark.parametrize(("role", "action", "on", "expected"), _cells())
def test_each_cell_of_the_contracts_table_holds(
    role: Role, action: Action, on: str | Role, expected: type[GatehouseError] | None
) -> None:
    me = a_user("me", role=role)
    target = me if on == "self" else a_user("other", role=on)

    assert _outcome(signed_in(me), action, target) is expected


def test_the_contracts_table_has_a_row_for_every_action() -> None:
    assert {action for _, action, _, _ in _cells()} == set(Action) == set(TABLE)


def test_every_action_has_an_entry_among_the_scopes() -> None:
    assert dict(SCOPES) == NEEDED_SCOPES
    assert set(NEEDED_SCOPES) == set(Action)


@pytest.mark.parametrize("action", Action)
def test_an_anonymous_caller_may_do_nothing(action: Action) -> None:
    with pytest.raises(Unauthenticated):
        require(ANONYMOUS, action)
    with pytest.raises(Unauthenticated):
        require_on(ANONYMOUS, action, a_user())


def test_an_anonymous_caller_whose_token_was_too_old_is_told_so() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        require(Caller(refused_because="TOKEN_EXPIRED"), Action.READ_USER)

    assert refusal.value.reason == "TOKEN_EXPIRED"


def test_the_role_is_asked_before_the_scope() -> None:
    user = a_user()
    program = Caller(consumer_id=user.id, role=Role.USER, credential_id="c", scopes=frozenset())

    with pytest.raises(Forbidden) as refusal:
        require(program, Action.LIST_USERS)

    assert refusal.value.reason == "ROLE"


@pytest.mark.parametrize("action", Action)
def test_a_credential_without_scopes_has_its_owners_rights_but_for_the_withheld(action: Action) -> None:
    allowed = NEEDED_SCOPES[action] not in (None, "credentials:write", "system:write")

    assert (_scope_outcome(action, None) is None) is allowed


@pytest.mark.parametrize("action", Action)
def test_a_credential_with_an_empty_list_of_scopes_may_do_nothing(action: Action) -> None:
    assert _scope_outcome(action, frozenset()) == "SCOPE"


@pytest.mark.parametrize("scope", sorted(ALL_SCOPES))
@pytest.mark.parametrize("action", Action)
def test_a_scope_gives_its_own_actions_and_no_others(action: Action, scope: str) -> None:
    assert (_scope_outcome(action, frozenset({scope})) is None) is (NEEDED_SCOPES[action] == scope)


@pytest.mark.parametrize("scopes", [None, frozenset(), ALL_SCOPES], ids=["no scopes", "no rights", "every scope"])
@pytest.mark.parametrize("action", [action for action, scope in NEEDED_SCOPES.items() if scope is None])
def test_some_things_only_a_person_may_do_whatever_the_scopes(action: Action, scopes: frozenset[str] | None) -> None:
    assert _scope_outcome(action, scopes) == "SCOPE"
    require(signed_in(a_user(role=Role.ADMIN)), action)


def test_scopes_do_not_bind_a_session() -> None:
    admin = a_user(role=Role.ADMIN)
    caller = replace(signed_in(admin), scopes=frozenset())

    assert [_outcome(caller, action, admin) for action in (Action.READ_USER, Action.CREATE_CREDENTIAL)] == [None, None]


def test_what_is_withheld_is_what_the_contract_withholds() -> None:
    assert frozenset({"credentials:write", "system:write"}) == WITHHELD_SCOPES


def _scope_outcome(action: Action, scopes: frozenset[str] | None) -> str | None:
    """Why an ADMIN's program with these scopes is refused the action, which any ADMIN with a session may do."""
    try:
        require(_admin_program(scopes), action)
    except Forbidden as error:
        return error.reason
    return None
