"""Who may do what: the table cell by cell, with real sign-ins and with API keys."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gatehouse.permissions import Action
from tests.journeys.attempts import (
    CREDENTIAL,
    CREDENTIALS,
    EXPLAIN_ACCESS,
    HIDDEN,
    LOGOUT,
    NO,
    OK,
    REQUEST_VERIFICATION,
    RESET_USAGE,
    USAGE,
    USAGE_PLANS,
    USERS,
    Attempt,
    asking,
    assign_no_plan,
    change_email,
    change_password,
    create_credential,
    create_plan,
    create_user,
    invite,
    list_credentials,
    list_events,
    on_credential,
    read_plan,
    readdress,
    rename,
    update,
)
from tests.journeys.client import (
    CREATE_USER,
    DELETE_CREDENTIAL,
    DELETE_USER,
    ME,
    REGISTER,
    ROTATE_CREDENTIAL,
    UPDATE_CREDENTIAL,
    UPDATE_USER,
    USER,
    Answer,
    House,
    Key,
    Person,
)

ENABLE = "mutation { enableTwoFactor { secret } }"
RESET = "mutation ($id: ID!) { resetTwoFactor(id: $id) { id } }"
UNLOCK = "mutation ($id: ID!) { unlockUser(id: $id) { id } }"
SESSIONS = "{ sessions { id current } }"
VERIFY_CHAIN = '{ verifyAuditChain(from: "2999-01-01T00:00:00Z") { complete } }'
CONFIGURATION = "{ systemConfiguration { throttleLimit } }"
CONFIGURE = "mutation { updateSystemConfiguration(systemConfigurationInput: {throttleLimit: null}) { throttleLimit } }"
ROLES = ("USER", "MODERATOR", "ADMIN")
TARGETS = ("self", *ROLES)


class _Nobody(Key):
    """A caller that sends no credential."""

    def __init__(self) -> None:
        super().__init__("", "", "")

    @property
    def headers(self) -> dict[str, str]:
        return {}


NOBODY = _Nobody()


@dataclass(frozen=True)
class Row:
    """One action of the table: for each role what happens on oneself, on a USER, a MODERATOR and an ADMIN."""

    action: Action
    attempt: Attempt
    cells: Mapping[str, tuple[str | None, ...]]
    is_on_inactive: bool = False

    def __str__(self) -> str:
        return self.action.lower()


def row(
    action: Action, attempt: Attempt, user: str, moderator: str, admin: str, *, is_on_inactive: bool = False
) -> Row:
    words = {"ok": OK, "no": NO, "hidden": HIDDEN, "-": None}
    cells = [tuple(words[word] for word in line.split()) for line in (user, moderator, admin)]
    return Row(action, attempt, dict(zip(ROLES, cells, strict=True)), is_on_inactive)


# On:                     self USER MODERATOR ADMIN        self USER MODERATOR ADMIN  self USER MODERATOR ADMIN
TABLE = [
    row(Action.READ_USER, asking(USER, True), "ok hidden hidden hidden", "ok ok ok ok", "ok ok ok ok"),
    row(Action.LIST_USERS, asking(USERS), "no - - -", "ok - - -", "ok - - -"),
    row(Action.CREATE_USER, create_user, "no - - -", "no - - -", "ok - - -"),
    row(Action.INVITE_USER, invite, "no - - -", "no - - -", "ok - - -"),
    row(Action.UPDATE_NAMES, update(firstName="Nora"), "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(Action.UPDATE_USERNAME, rename, "ok hidden hidden hidden", "ok no no no", "ok ok ok ok"),
    row(Action.UPDATE_EMAIL, readdress, "no hidden hidden hidden", "no no no no", "no ok ok ok"),
    row(Action.CHANGE_ROLE, update(role="USER"), "- hidden hidden hidden", "no - no no", "ok - ok ok"),
    row(Action.CHANGE_ROLE, update(role="ADMIN"), "no hidden hidden hidden", "no no no -", "- ok ok -"),
    row(Action.DEACTIVATE_USER, update(isActive=False), "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(Action.REACTIVATE_USER, update(isActive=True), "- hidden hidden hidden", "- ok no no", "- ok ok ok",
        is_on_inactive=True,),
    row(Action.DELETE_USER, asking(DELETE_USER, True), "no no no no", "no no no no", "ok ok ok ok"),
    row(Action.READ_CREDENTIALS, list_credentials, "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(
        Action.READ_CREDENTIALS, on_credential(CREDENTIAL),
        "ok hidden hidden hidden", "ok ok hidden hidden", "ok ok ok ok",
    ),
    row(Action.CREATE_CREDENTIAL, create_credential, "ok hidden hidden hidden", "ok no no no", "ok ok ok ok"),
    row(
        Action.UPDATE_CREDENTIAL, on_credential(UPDATE_CREDENTIAL, label="spare"),
        "ok hidden hidden hidden", "ok no hidden hidden", "ok ok ok ok",
    ),
    row(
        Action.ROTATE_CREDENTIAL, on_credential(ROTATE_CREDENTIAL),
        "ok hidden hidden hidden", "ok no hidden hidden", "ok ok ok ok",
    ),
    row(
        Action.DISABLE_CREDENTIAL, on_credential(UPDATE_CREDENTIAL, isActive=False),
        "ok hidden hidden hidden", "ok ok hidden hidden", "ok ok ok ok",
    ),
    row(
        Action.DELETE_CREDENTIAL, on_credential(DELETE_CREDENTIAL),
        "ok hidden hidden hidden", "ok ok hidden hidden", "ok ok ok ok",
    ),
    row(Action.END_SESSION, asking(LOGOUT), "ok - - -", "ok - - -", "ok - - -"),
    row(Action.READ_SESSIONS, asking(SESSIONS), "ok - - -", "ok - - -", "ok - - -"),
    row(Action.EXPORT_DATA, asking("{ exportMyData }"), "ok - - -", "ok - - -", "ok - - -"),
    row(Action.CHANGE_PASSWORD, change_password, "ok - - -", "ok - - -", "ok - - -"),
    row(Action.CHANGE_EMAIL, change_email, "ok - - -", "ok - - -", "ok - - -"),
    row(Action.MANAGE_TWO_FACTOR, asking(ENABLE), "ok - - -", "ok - - -", "ok - - -"),
    row(Action.RESET_TWO_FACTOR, asking(RESET, True), "no no no no", "no no no no", "no ok ok ok"),
    row(Action.UNLOCK_USER, asking(UNLOCK, True), "no no no no", "no no no no", "ok ok ok ok"),
    row(Action.READ_PLAN, read_plan, "ok hidden hidden hidden", "ok ok ok ok", "ok ok ok ok"),
    row(Action.LIST_PLANS, asking(USAGE_PLANS), "no - - -", "no - - -", "ok - - -"),
    row(Action.MANAGE_PLANS, create_plan, "no - - -", "no - - -", "ok - - -"),
    row(Action.ASSIGN_PLAN, assign_no_plan, "no no no no", "no no no no", "ok ok ok ok"),
    row(Action.READ_USAGE, asking(USAGE, True), "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(Action.RESET_USAGE, asking(RESET_USAGE, True), "no no no no", "no no no no", "ok ok ok ok"),
    row(Action.EXPLAIN_ACCESS, asking(EXPLAIN_ACCESS, True), "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(Action.READ_AUDIT, list_events, "ok hidden hidden hidden", "ok ok no no", "ok ok ok ok"),
    row(Action.VERIFY_AUDIT, asking(VERIFY_CHAIN), "no - - -", "no - - -", "ok - - -"),
    row(Action.READ_CONFIGURATION, asking(CONFIGURATION), "no - - -", "no - - -", "ok - - -"),
    row(Action.UPDATE_CONFIGURATION, asking(CONFIGURE), "no - - -", "no - - -", "ok - - -"),
]  # fmt: skip

OTHER_SCOPES = {
    Action.READ_USER: "users:read",
    Action.LIST_USERS: "users:read",
    Action.READ_CREDENTIALS: "credentials:read",
    Action.READ_PLAN: "usage:read",
    Action.LIST_PLANS: "usage:read",
    Action.READ_USAGE: "usage:read",
    Action.EXPLAIN_ACCESS: "usage:read",
    Action.MANAGE_PLANS: "system:write",
    Action.ASSIGN_PLAN: "system:write",
    Action.RESET_USAGE: "system:write",
    Action.READ_AUDIT: "audit:read",
    Action.VERIFY_AUDIT: "system:write",
    Action.READ_CONFIGURATION: "system:write",
    Action.UPDATE_CONFIGURATION: "system:write",
}
CREDENTIAL_WRITES = {
    Action.CREATE_CREDENTIAL,
    Action.UPDATE_CREDENTIAL,
    Action.ROTATE_CREDENTIAL,
    Action.DISABLE_CREDENTIAL,
    Action.DELETE_CREDENTIAL,
}
CHANGING = {
    Action.CHANGE_ROLE,
    Action.DEACTIVATE_USER,
    Action.REACTIVATE_USER,
    Action.DELETE_USER,
    Action.END_SESSION,
    Action.CHANGE_PASSWORD,
}
"""What leaves people other than they were, in what matters here."""
SCOPES = {
    "users:read",
    "users:write",
    "credentials:read",
    "credentials:write",
    "usage:read",
    "audit:read",
    "system:write",
}


PERSONAL = {Action.END_SESSION, Action.CHANGE_ROLE, Action.UPDATE_EMAIL} | {
    Action.READ_SESSIONS,
    Action.EXPORT_DATA,
    Action.CHANGE_PASSWORD,
    Action.CHANGE_EMAIL,
    Action.VERIFY_EMAIL,
    Action.MANAGE_TWO_FACTOR,
    Action.RESET_TWO_FACTOR,
    Action.UNLOCK_USER,
}
"""What only somebody who is signed in may do: no scope gives it to a key."""


def scope_of(action: Action) -> str:
    """What a key must have for the action."""
    if action in CREDENTIAL_WRITES:
        return "credentials:write"
    return OTHER_SCOPES.get(action, "users:write")


class Cast:
    """People to act and be acted on. Those whom an action leaves as they are play in many scenes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[tuple[str, str], Person] = {}
        self._keys: dict[tuple[str, frozenset[str] | None], Key] = {}

    def caller(self, role: str, is_changed: bool) -> Person:
        """Somebody of the role who acts."""
        return self._house.person(role) if is_changed else self._get("caller", role, self._house.person)

    def target(self, role: str, is_inactive: bool, is_changed: bool) -> Person:
        """Somebody of the role whom something is done to."""
        make = self._house.inactive_person if is_inactive else self._house.person
        return make(role) if is_changed else self._get(f"target, inactive: {is_inactive}", role, make)

    def key(self, owner: Person, scopes: Iterable[str] | None = tuple(SCOPES)) -> Key:
        """A key of the owner's, with every scope where no others are named."""
        known = owner.id, None if scopes is None else frozenset(scopes)
        if known not in self._keys:
            self._keys[known] = self._house.key(owner, scopes=None if scopes is None else sorted(scopes))
        return self._keys[known]

    def _get(self, part: str, role: str, make: Callable[[str], Person]) -> Person:
        if (part, role) not in self._known:
            self._known[part, role] = make(role)
        return self._known[part, role]


@pytest.fixture(scope="module")
def cast(house: House) -> Cast:
    return Cast(house)


@dataclass(frozen=True)
class Cell:
    """What comes of one action that somebody of a role tries on somebody."""

    row: Row
    role: str
    target: str
    expected: str


def cells() -> list[Any]:
    return [
        pytest.param(Cell(row, role, target, expected), id=f"{row}-{role}-on-{target}-{number}")
        for number, row in enumerate(TABLE)
        for role, line in row.cells.items()
        for target, expected in zip(TARGETS, line, strict=True)
        if expected is not None
    ]


@pytest.mark.parametrize("by_key", [False, True], ids=["session", "key"])
@pytest.mark.parametrize("cell", cells())
def test_a_cell_holds(house: House, cast: Cast, cell: Cell, by_key: bool) -> None:
    row = cell.row
    is_ok = cell.expected == OK
    is_changed = is_ok and row.action in CHANGING
    person = cast.caller(cell.role, is_changed and cell.target == "self")
    whom = person if cell.target == "self" else cast.target(cell.target, row.is_on_inactive, is_changed)
    answer = row.attempt(house, cast.key(person) if by_key else person, whom)
    expected = NO if by_key and is_ok and row.action in PERSONAL else cell.expected
    assert answer.outcome == expected, answer.text


@pytest.mark.parametrize("row", [row for row in TABLE if row.action not in PERSONAL], ids=str)
def test_a_key_needs_the_scope_of_the_action_and_no_other(house: House, cast: Cast, row: Row) -> None:
    admin = cast.caller("ADMIN", False)
    scope = scope_of(row.action)

    def outcome(scopes: Iterable[str] | None) -> str:
        whom = cast.target("MODERATOR", row.is_on_inactive, row.action in CHANGING)
        return row.attempt(house, cast.key(admin, scopes), whom).outcome

    assert outcome({scope}) == OK
    assert outcome(SCOPES - {scope}) == NO
    assert outcome([]) == NO
    assert outcome(None) == (NO if scope in ("credentials:write", "system:write") else OK)


@pytest.mark.parametrize("role", ROLES)
def test_a_key_makes_users_of_no_role_above_user(house: House, cast: Cast, role: str) -> None:
    admin = cast.caller("ADMIN", False)
    new = {**house.names(), "role": role}
    made = house.graphql(CREATE_USER, {"input": new}, by=cast.key(admin))
    assert made.outcome == (OK if role == "USER" else NO)


def test_a_key_without_the_scope_is_told_that_it_is_the_scope(house: House, cast: Cast) -> None:
    answer = house.graphql(USERS, by=cast.key(cast.caller("ADMIN", False), []))
    assert answer.extensions == {"code": NO, "statusCode": 403, "reason": "SCOPE"}


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_nobody_gets_nothing(house: House, cast: Cast, row: Row) -> None:
    answer = row.attempt(house, NOBODY, cast.target("USER", row.is_on_inactive, False))
    assert (answer.status, answer.outcome, "data" in answer.body) == (401, "UNAUTHENTICATED", False)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_table_has_a_row_for_every_action() -> None:
    all_credentials = {Action.LIST_ALL_CREDENTIALS}  # below, for its answers differ in more than their code
    of_clients = {Action.INTROSPECT_TOKEN, Action.REVOKE_TOKEN}  # in test_oauth, for no field of the schema takes them
    of_the_unverified = {Action.VERIFY_EMAIL}  # below, for everybody else here has nothing to verify
    assert {row.action for row in TABLE} | all_credentials | of_clients | of_the_unverified == set(Action)


@pytest.mark.parametrize("role", ROLES)
def test_whoever_is_signed_in_verifies_their_own_email_and_no_key_does(house: House, role: str) -> None:
    new = house.names()
    assert house.graphql(REGISTER, {"input": new}).outcome == OK
    owner = house.sign_in(new["email"], new["password"])
    house.change(owner.id, {"role": role}, by=house.admin)
    assert house.graphql(REQUEST_VERIFICATION, by=owner).outcome == OK
    for scopes in (None, sorted(SCOPES), []):
        answer = house.graphql(REQUEST_VERIFICATION, by=house.key(owner, scopes=scopes))
        assert answer.extensions == {"code": NO, "statusCode": 403, "reason": "SCOPE"}
    assert house.graphql(REQUEST_VERIFICATION).outcome == "UNAUTHENTICATED"


@pytest.mark.parametrize("by_key", [False, True])
def test_a_list_of_credentials_of_nobody_in_particular_is_ones_own_or_an_admins(house: House, by_key: bool) -> None:
    user, moderator, admin = (house.person(role) for role in ROLES)
    theirs = {owner.id: house.key(owner, scopes=["credentials:read"]) for owner in (user, moderator, admin)}

    def ask(person: Person) -> Answer:
        return house.graphql(CREDENTIALS, by=theirs[person.id] if by_key else person)

    assert ask(user).data["credentials"] == [{"id": theirs[user.id].id, "consumerId": user.id}]
    assert ask(moderator).extensions == {"code": "BAD_REQUEST", "statusCode": 400, "field": "consumerId"}
    assert [each["id"] for each in ask(admin).data["credentials"][:3]] == [
        theirs[owner.id].id for owner in (admin, moderator, user)
    ]


@pytest.mark.parametrize("changes", [{"password": "SecurePass123!"}, {"kind": "SERVICE"}])
def test_nobody_changes_a_password_or_a_kind_of_others(house: House, changes: dict[str, str]) -> None:
    answer = house.graphql(UPDATE_USER, {"id": house.person().id, "input": changes}, by=house.admin)
    assert set(answer.codes) == {"BAD_REQUEST"}


def test_what_is_so_already_needs_no_right(house: House) -> None:
    user = house.person()
    unchanged = {"isActive": True, "role": "USER", "email": user.email}
    assert house.change(user.id, unchanged, by=user)["isActive"] is True


def test_a_moderator_reactivates_a_user_unless_an_admin_switched_it_off(house: House) -> None:
    moderator, other = house.person("MODERATOR"), house.person("MODERATOR")
    by_owner, by_moderator = house.inactive_person(), house.inactive_person(by=other)
    by_admin = house.inactive_person(by=house.admin)
    reactivate = update(isActive=True)
    assert reactivate(house, moderator, by_owner).outcome == OK
    assert reactivate(house, moderator, by_moderator).outcome == OK
    assert reactivate(house, moderator, by_admin).outcome == NO
    assert reactivate(house, house.admin, by_admin).outcome == OK
    assert house.sign_in(by_admin.email, by_admin.password).id == by_admin.id


def test_an_admin_holds_an_account_that_others_switched_off(house: House) -> None:
    moderator, user = house.person("MODERATOR"), house.inactive_person()
    assert update(isActive=False)(house, house.admin, user).outcome == OK
    assert update(isActive=True)(house, moderator, user).outcome == NO


def test_a_key_that_others_switched_off_is_not_its_owners_to_switch_on(house: House) -> None:
    moderator, user = house.person("MODERATOR"), house.person()
    key = house.key(user)
    switch = {is_on: {"id": key.id, "input": {"isActive": is_on}} for is_on in (True, False)}
    for other in (moderator, house.admin):
        assert house.graphql(UPDATE_CREDENTIAL, switch[False], by=other).outcome == OK
        assert house.graphql(UPDATE_CREDENTIAL, switch[True], by=user).outcome == NO
        assert house.graphql(UPDATE_CREDENTIAL, switch[True], by=house.admin).outcome == OK
    assert house.graphql(ME, by=key).data["me"]["id"] == user.id


def test_one_change_that_is_not_allowed_keeps_back_those_that_are(house: House) -> None:
    user = house.person()
    answer = house.graphql(UPDATE_USER, {"id": user.id, "input": {"firstName": "Eve", "role": "ADMIN"}}, by=user)
    assert answer.outcome == NO
    assert house.graphql(ME, by=user).data["me"]["firstName"] is None
