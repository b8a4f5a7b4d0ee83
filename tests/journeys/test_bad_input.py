"""Bad input of every kind on every input field: an error with a code, no 5xx, nothing written, no value quoted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ariadne import load_schema_from_path, make_executable_schema
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from local.gateway.environment import ROOT
from tests.journeys.client import CREATE_USAGE_PLAN, REGISTER, SETTINGS, Answer, House, Person

pytestmark = pytest.mark.long

SCHEMA = make_executable_schema(load_schema_from_path(str(ROOT / "schema")))
UNLIMITED = int(SETTINGS["THROTTLE_LIMIT"])
MARKER = "Zq7xMarker"
MARKED_NUMBER = 7170717071
BAD, UNKNOWN, REFUSED = "BAD_REQUEST", "NOT_FOUND", "UNAUTHENTICATED"

type Arguments = dict[str, Any]


class Missing:
    """Stands for a value that is left out."""


class Asked:
    """Somebody to ask as, and what bad input would change if it changed anything."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.admin = house.person("ADMIN")
        self.user = house.person()
        self.credential = house.key(self.user, scopes=["users:read"]).id
        plan = {"name": house.names("plan")["username"], "rateLimit": 10}
        made = house.graphql(CREATE_USAGE_PLAN, {"input": plan}, by=self.admin).data
        self.plan = made["createUsagePlan"]["id"]
        self.session = house.graphql("{ sessions { id } }", by=self.admin).data["sessions"][0]["id"]

    def arguments(self, operation: str) -> Arguments:
        """Arguments that are all good, every one of them given that can be given with the others."""
        new = {**self.house.names(), "firstName": "Ann", "lastName": "Lee"}
        page = {"first": 10, "after": None}
        users = {
            "where": {"role": "ADMIN", "isActive": True, "kind": "USER", "createdAfter": "2020-01-01T00:00:00Z"},
            "orderBy": {"createdAt": "ASC"},
            **page,
        }
        credentials = {"where": {"consumerId": self.user.id, "type": "KEY_AUTH", "isActive": True}, **page}
        key = {"label": "spare", "scopes": ["users:read"], "expiresAt": "2090-01-01T00:00:00Z"}
        new_key = {"consumerId": self.user.id, "type": "KEY_AUTH", "keyId": new["username"], "keySecret": "a-secret"}
        plan = {
            "name": new["username"],
            "rateLimit": 100,
            "windowSeconds": 60,
            "burstLimit": 10,
            "quotaLimit": 1_000,
            "quotaPeriod": "MONTH",
            "metersCost": True,
            "maxDepth": 5,
            "maxCost": 500,
            "allowedFields": ["me", "logout"],
        }
        roles = ("throttleLimit", "throttleLimitModerator", "throttleLimitAdmin", "throttleLimitAnonymous")
        as_deployed = {
            **dict.fromkeys(roles, UNLIMITED),
            "registrationMode": "OPEN",
            "allowedEmailDomains": [],
            "auditRetentionDays": 365,
            "cleanupNoticeDays": 0,
            **{f"cleanupWarnDays{role}": 76 for role in ("", "Moderator")},
            **{f"cleanupDeactivateDays{role}": 90 for role in ("", "Moderator")},
            **{f"cleanupAnonymiseDays{role}": 0 for role in ("", "Moderator")},
        }
        mine = self.admin.password
        events = {
            "action": "SIGNED_IN",
            "outcome": "SUCCESS",
            "createdAfter": "2026-01-01T00:00:00Z",
            "createdBefore": "2090-01-01T00:00:00Z",
        }
        given: dict[str, Arguments] = {
            "register": {"registerInput": new},
            "login": {
                "loginInput": {"email": self.user.email, "password": self.user.password, "verificationToken": "none"}
            },
            "revokeSession": {"id": self.session},
            "revokeAllSessions": {"includeCredentials": True},
            "changePassword": {"changePasswordInput": {"currentPassword": mine, "newPassword": new["password"]}},
            "requestPasswordReset": {"email": new["email"]},
            "resetPassword": {"token": "none", "newPassword": new["password"]},
            "changeEmail": {"changeEmailInput": {"currentPassword": mine, "newEmail": new["email"]}},
            "verifyEmail": {"token": "none"},
            "inviteUser": {"inviteUserInput": {"email": new["email"], "role": "MODERATOR"}},
            "acceptInvitation": {
                "acceptInvitationInput": {
                    **{name: new[name] for name in ("username", "password", "firstName", "lastName")},
                    "token": "none",
                }
            },
            "refreshToken": {"refreshToken": self.user.refresh_token},
            "completeTwoFactorLogin": {"challenge": "none", "code": "123456"},
            "confirmTwoFactor": {"code": "123456"},
            "disableTwoFactor": {"code": "123456"},
            "resetTwoFactor": {"id": self.user.id},
            "unlockUser": {"id": self.user.id},
            "user": {"id": self.user.id},
            "users": users,
            "usersConnection": users,
            "createUser": {"createUserInput": {**new, "role": "USER", "kind": "USER"}},
            "updateUser": {"id": self.user.id, "updateUserInput": {"firstName": "Ann", "isActive": True}},
            "deleteUser": {"id": self.user.id},
            "credential": {"id": self.credential},
            "credentials": credentials,
            "credentialsConnection": credentials,
            "createCredential": {"createCredentialInput": {**new_key, **key}},
            "updateCredential": {"id": self.credential, "updateCredentialInput": {**key, "isActive": True}},
            "rotateCredential": {"id": self.credential, "overlapSeconds": 60},
            "deleteCredential": {"id": self.credential},
            "usagePlan": {"id": self.plan},
            "usagePlans": page,
            "createUsagePlan": {"createUsagePlanInput": plan},
            "updateUsagePlan": {"id": self.plan, "updateUsagePlanInput": plan},
            "deleteUsagePlan": {"id": self.plan},
            "assignUsagePlan": {"userId": self.user.id, "planId": self.plan},
            "usage": {"userId": self.user.id, "from": "2026-01-01", "to": "2026-01-31"},
            "resetUsage": {"userId": self.user.id},
            "explainAccess": {"userId": self.user.id, "credentialId": self.credential, "operation": "me"},
            "updateSystemConfiguration": {"systemConfigurationInput": as_deployed},
            "auditEvents": {"where": {"consumerId": self.user.id, "actorId": self.user.id, **events}, **page},
            "verifyAuditChain": {"from": "2026-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z", "continueFrom": 1},
        }
        return given.get(operation, {})

    def state(self) -> Any:
        """All that bad input could have written to: the newest of each list, and the two that operations name."""
        query = """query ($user: ID!, $credential: ID!, $plan: ID!) {
          newest: usersConnection(where: {role: USER, isActive: true}, first: 1) { nodes { id } }
          user(id: $user) { username email firstName lastName role kind isActive updatedAt usagePlanId }
          credentials(where: {consumerId: $user}) { id }
          credential(id: $credential) { label scopes isActive expiresAt updatedAt rotation { rotatedAt } }
          usagePlans(first: 1) { id }
          usagePlan(id: $plan) { name rateLimit updatedAt }
          systemConfiguration { overridden updatedAt }
        }"""
        variables = {"user": self.user.id, "credential": self.credential, "plan": self.plan}
        return self.house.graphql(query, variables, by=self.admin).data


@pytest.fixture(scope="module")
def asked(house: House) -> Asked:
    return Asked(house)


@pytest.fixture(scope="module")
def guessing(house: House) -> Asked:
    """Who sends wrong passwords; they count, and soon none is tried for them."""
    return Asked(house)


@dataclass(frozen=True)
class Input:
    """One place for a value: an argument, or a field of an argument."""

    operation: str
    path: tuple[str, ...]
    type: GraphQLInputType
    is_required: bool

    def __str__(self) -> str:
        return ".".join((self.operation, *self.path))

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def leaf(self) -> str:
        return get_named_type(self.type).name

    def with_value(self, arguments: Arguments, value: Any) -> Arguments:
        """The arguments with the value in this place."""
        changed = json.loads(json.dumps(arguments))
        holder = changed
        for part in self.path[:-1]:
            holder = holder[part]
        if "orderBy" in self.path[:-1]:
            holder.clear()  # it takes one of its fields
        if value is Missing:
            holder.pop(self.name, None)
        else:
            holder[self.name] = value
        return dict(changed)


ROOTS: dict[str, tuple[str, GraphQLField]] = {
    name: (kind, field)
    for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
    for name, field in (root.fields.items() if root else ())
}


def inputs() -> list[Input]:
    return [
        place
        for operation, (_, field) in ROOTS.items()
        for name, argument in field.args.items()
        for place in inputs_of(operation, (name,), argument)
    ]


def inputs_of(operation: str, path: tuple[str, ...], of: GraphQLArgument | GraphQLInputField) -> Iterator[Input]:
    is_required = is_required_argument(of) if isinstance(of, GraphQLArgument) else is_required_input_field(of)
    yield Input(operation, path, of.type, is_required)
    named = get_named_type(of.type)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from inputs_of(operation, (*path, name), field)


# ---- what is bad, and what it gets

LONG = MARKER * 30
TEXTS = {
    "empty": "",
    "blank": "   ",
    "too long": LONG,
    "far too long": MARKER * 3_000,
    "control character": f"{MARKER}\x07",
    "NUL": f"{MARKER}\x00",
    "line break": f"{MARKER}\n",
    "lone surrogate": f"{MARKER}\ud800",
    "emoji": f"{MARKER} 🦊",
    "not its form": f"{MARKER} <ümlaut>",
}
WRONG_TYPES = {
    "number": MARKED_NUMBER,
    "fraction": MARKED_NUMBER + 0.5,
    "boolean": True,
    "text": MARKER,
    "list": [[MARKER]],
    "object": {MARKER: MARKER},
}
RIGHT_TYPES = {
    "String": {"text"},
    "ID": {"text", "number"},  # an ID may be sent as a number
    "Boolean": {"boolean"},
    "Int": set[str](),
}
OUT_OF_RANGE = {
    "first": (0, 101),
    "overlapSeconds": (2_592_001,),
    "cleanupNoticeDays": (366,),
    **dict.fromkeys(
        (f"cleanup{step}Days{role}" for step in ("Deactivate", "Anonymise") for role in ("", "Moderator")), (3_651,)
    ),
}
FREE_TEXTS = {"firstName", "lastName", "label", "search", "name"}
GOOD_PASSWORDS = {
    *("register.registerInput.password", "createUser.createUserInput.password"),
    "changePassword.changePasswordInput.newPassword",
}
"""Where emoji and letters of all scripts belong."""
NULLS_REFUSED = {"updateUserInput.username", "updateUserInput.email", "updateUserInput.role"} | {
    "updateUserInput.isActive",
    "updateCredentialInput.isActive",
    *(f"updateUsagePlanInput.{name}" for name in ("name", "rateLimit", "windowSeconds", "metersCost")),
}
"""What may be left out and not be null."""


def bad_values(place: Input) -> Iterator[tuple[str, Any, str]]:
    """What the place refuses: a name for it, the value, and the code that it gets."""
    if place.is_required:
        yield "missing", Missing, BAD
    if isinstance(place.type, GraphQLNonNull) or ".".join(place.path) in NULLS_REFUSED:
        yield "null", None, BAD
    for kind, value in WRONG_TYPES.items():
        if kind not in RIGHT_TYPES.get(place.leaf, ()):
            yield kind, value, BAD
    if place.leaf in ("String", "ID"):
        yield from bad_texts(place)
    if place.leaf == "Int":
        numbers = OUT_OF_RANGE.get(place.name, (0,))
        yield from (("number", number, BAD) for number in (*numbers, -1, 2**31, 2**63))
    if place.leaf == "Date":
        days = ["", "2026-1-1", "2026-02-30", "20260131", "2026-01-31T12:00:00Z", "9999-12-32", f"2026-01-31{MARKER}"]
        yield from (("day", day, BAD) for day in days)
    if place.leaf == "DateTime":
        moments = ["2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "-1", f"2026-01-31T12:00:00Z{MARKER}"]
        moments += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
        yield from (("moment", moment, BAD) for moment in moments)
    if place.name == "expiresAt":
        yield "past", "2020-01-01T00:00:00Z", BAD
    if isinstance(get_nullable_type(place.type), GraphQLList):
        yield "null in a list", [None], BAD
        yield "list of numbers", [MARKED_NUMBER], BAD
        yield "long list", ["orders:read"] * 51, BAD
        yield "very long list", ["orders:read"] * 4_000, BAD
    if not is_leaf_type(get_named_type(place.type)):
        yield "unknown field", {"unknown": MARKER}, BAD


def bad_texts(place: Input) -> Iterator[tuple[str, Any, str]]:
    for kind, text in TEXTS.items():
        if kind == "lone surrogate" or not is_free(place, kind):
            yield kind, text, BAD if kind == "lone surrogate" else code_for(place)
    if place.leaf == "ID":
        yield "number", MARKED_NUMBER, UNKNOWN


def is_free(place: Input, kind: str) -> bool:
    """Whether such a text is good there, or means what leaving it out means."""
    if place.name in FREE_TEXTS or str(place) in GOOD_PASSWORDS:
        return kind in ("emoji", "not its form")
    if place.name == "verificationToken":
        return True  # it is looked at only where an email has to be verified before a sign-in
    return str(place) == "createCredential.createCredentialInput.consumerId" and kind == "empty"


def code_for(place: Input) -> str:
    """What a text of the right type that is nobody's gets."""
    if place.leaf == "ID":
        return UNKNOWN
    if place.operation in WITH_A_CODE:
        return REFUSED if place.operation in PUBLIC else "CONFLICT"
    return REFUSED if str(place) in ("login.loginInput.password", "refreshToken.refreshToken") else BAD


# ---- how it is sent


def by_variables(operation: str, arguments: Arguments) -> tuple[str, Arguments]:
    kind, field = ROOTS[operation]
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in arguments if name in field.args)
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    return f"{kind} {f'({declared})' if declared else ''} {{ {call(operation, passed)} }}", arguments


def by_literals(operation: str, arguments: Arguments) -> tuple[str, Arguments]:
    kind, field = ROOTS[operation]
    passed = ", ".join(
        f"{name}: {literal(value, field.args[name].type if name in field.args else None)}"
        for name, value in arguments.items()
    )
    return f"{kind} {{ {call(operation, passed)} }}", {}


def call(operation: str, passed: str) -> str:
    named = get_named_type(ROOTS[operation][1].type)
    selection = ""
    if isinstance(named, GraphQLObjectType):
        selection = "{ __typename }" if "nodes" in named.fields or "id" not in named.fields else "{ id }"
    return f"{operation}{f'({passed})' if passed else ''} {selection}"


def literal(value: Any, expected: GraphQLInputType | None) -> str:
    """The value as GraphQL writes it; enums by their bare names."""
    named = get_named_type(expected) if expected is not None else None
    if isinstance(value, dict):
        fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
        inner = {name: literal(each, fields[name].type if name in fields else None) for name, each in value.items()}
        return "{" + ", ".join(f"{name}: {text}" for name, text in inner.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(each, expected) for each in value) + "]"
    if isinstance(named, GraphQLEnumType) and isinstance(value, str):
        return value
    return json.dumps(value)


WAYS: dict[str, Callable[[str, Arguments], tuple[str, Arguments]]] = {
    "variables": by_variables,
    "literals": by_literals,
}
PUBLIC = (
    *("register", "login", "completeTwoFactorLogin", "refreshToken"),
    *("requestPasswordReset", "resetPassword", "acceptInvitation"),
)
WITH_A_CODE = ("completeTwoFactorLogin", "confirmTwoFactor", "disableTwoFactor")
"""What is good for them is good once: it stands in test_two_factor. Here nobody has two factors on."""
BY_A_LINK = ("resetPassword", "verifyEmail", "acceptInvitation", "requestEmailVerification")
"""What is good for them comes by a mail: it stands in the journeys by its name."""


def ask(asked: Asked, operation: str, arguments: Arguments, way: str) -> Answer:
    query, variables = WAYS[way](operation, arguments)
    by: Person | None = None if operation in PUBLIC else asked.admin
    return asked.house.graphql(query, variables, by=by)


@pytest.mark.parametrize("operation", [name for name in ROOTS if name not in ("logout", *WITH_A_CODE, *BY_A_LINK)])
def test_good_input_is_taken_so_that_each_bad_one_is_the_only_fault(house: House, operation: str) -> None:
    for way in WAYS:
        asked = Asked(house)  # somebody of its own, for it writes
        assert ask(asked, operation, asked.arguments(operation), way).outcome == "ok", way


@pytest.mark.parametrize("place", inputs(), ids=str)
def test_bad_input_is_refused_without_a_trace(asked: Asked, guessing: Asked, place: Input) -> None:
    codes: set[str] = set()
    if place.name == "currentPassword":
        asked, codes = guessing, {"RATE_LIMIT_EXCEEDED"}
    untouched, lines = asked.state(), len(asked.house.log())
    arguments = asked.arguments(place.operation)
    for kind, value, code in bad_values(place):
        for way in WAYS:
            answer = ask(asked, place.operation, place.with_value(arguments, value), way)
            told = f"{kind} by {way}: {answer.status} {answer.text}"
            assert answer.codes, told
            assert set(answer.codes) <= {code, *codes}, told
            assert answer.status < 500, told
            assert answer.rate_limit["limit"] == UNLIMITED, told
            assert not quotes(answer.text), told
    if ROOTS[place.operation][0] == "mutation":
        assert asked.state() == untouched
    assert not quotes("".join(asked.house.log()[lines:]))


def quotes(text: str) -> bool:
    return MARKER.lower() in text.lower() or str(MARKED_NUMBER) in text


@pytest.mark.parametrize("place", [place for place in inputs() if is_leaf_type(get_named_type(place.type))], ids=str)
def test_an_error_names_the_field_at_fault(asked: Asked, place: Input) -> None:
    arguments = place.with_value(asked.arguments(place.operation), {MARKER: {}})
    answer = ask(asked, place.operation, arguments, "variables")
    assert {name: answer.extensions[name] for name in ("code", "field")} == {"code": BAD, "field": place.name}


@pytest.mark.parametrize("operation", ROOTS)
def test_an_unknown_argument_is_refused(asked: Asked, operation: str) -> None:
    arguments = {**asked.arguments(operation), "unknown": MARKER}
    answer = ask(asked, operation, arguments, "literals")
    assert (answer.outcome, quotes(answer.text)) == (BAD, False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("field", ["registerInput", "createUserInput", "createCredentialInput", "updateUserInput"])
def test_an_unknown_field_is_refused_beside_good_ones(asked: Asked, field: str, way: str) -> None:
    operation = field.removesuffix("Input")
    arguments = asked.arguments(operation)
    arguments[field] = {**arguments[field], "isSuperuser": MARKER}
    answer = ask(asked, operation, arguments, way)
    assert (set(answer.codes), quotes(answer.text)) == ({BAD}, False)


@pytest.mark.parametrize(
    "password",
    [
        "Short1!",
        "no-upper-1",
        "NO-LOWER-1",
        "No-digits-",
        "NoSymbols1",
        "P@ssw0rd",
        "Aa1!" * 19,
        "Ünïcödé1!" * 8,
        "Aa1!\0bcd",
    ],
)
def test_a_password_that_is_not_good_enough_is_not_taken(house: House, password: str) -> None:
    new = {**house.names(), "password": password}
    answer = house.graphql(REGISTER, {"input": new})
    assert answer.extensions == {"code": BAD, "statusCode": 400, "field": "password"}
    assert password not in answer.text
    # Nothing of it is left: the names are free.
    assert house.graphql(REGISTER, {"input": {**new, "password": "SecurePass123!"}}).outcome == "ok"


def test_a_password_that_is_the_username_or_the_email_is_not_taken(house: House) -> None:
    names = {"username": "Passw0rd-Ann", "email": "Passw0rd-Ann@example.com"}
    for same in names.values():
        assert house.graphql(REGISTER, {"input": {**names, "password": same.swapcase()}}).outcome == BAD


def test_two_hashes_cannot_be_had_for_one_request(house: House) -> None:
    login = 'login(loginInput: {email: "a@example.com", password: "x"}) { accessToken }'
    answer = house.graphql(f"mutation {{ a: {login} b: {login} }}")
    assert (answer.outcome, "data" in answer.body) == (BAD, False)
