"""Every field that gives something away has a rule, and one without is refused."""

from typing import Any

import pytest
from ariadne import make_executable_schema
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    graphql_sync,
    is_composite_type,
)

from gatehouse.consumers.model import Role
from gatehouse.errors import Forbidden, Unauthenticated
from gatehouse.permissions import ANONYMOUS, Action, Caller
from graphql_api.app import build_schema
from graphql_api.context import RequestContext
from graphql_api.directives import Access, Rule, enforce, root_field, rule_of, stands_once
from tests.unit.fakes import SCHEMA, a_user, signed_in, the_settings
from tests.unit.graphql_api.conftest import PLENTY

PUBLIC = {
    *("register", "login", "completeTwoFactorLogin", "refreshToken"),
    *("requestPasswordReset", "resetPassword", "acceptInvitation"),
}
HASHES_OR_MAKES_SECRETS_OR_MAILS = {
    *("changePassword", "requestPasswordReset", "resetPassword", "changeEmail", "requestEmailVerification"),
    *("verifyEmail", "inviteUser", "acceptInvitation"),
    *("register", "login", "createUser", "createCredential", "rotateCredential"),
    *("completeTwoFactorLogin", "enableTwoFactor", "confirmTwoFactor", "disableTwoFactor"),
}
READS_VERY_MUCH = {"exportMyData", "verifyAuditChain"}
REQUIRED = {
    "me": Action.READ_USER,
    "user": Action.READ_USER,
    "users": Action.LIST_USERS,
    "usersConnection": Action.LIST_USERS,
    "credential": Action.READ_CREDENTIALS,
    "credentials": Action.READ_CREDENTIALS,
    "credentialsConnection": Action.READ_CREDENTIALS,
    "sessions": Action.READ_SESSIONS,
    "exportMyData": Action.EXPORT_DATA,
    "logout": Action.END_SESSION,
    "revokeSession": Action.END_SESSION,
    "revokeAllSessions": Action.END_SESSION,
    "changePassword": Action.CHANGE_PASSWORD,
    "changeEmail": Action.CHANGE_EMAIL,
    "requestEmailVerification": Action.VERIFY_EMAIL,
    "verifyEmail": Action.VERIFY_EMAIL,
    "inviteUser": Action.INVITE_USER,
    "enableTwoFactor": Action.MANAGE_TWO_FACTOR,
    "confirmTwoFactor": Action.MANAGE_TWO_FACTOR,
    "disableTwoFactor": Action.MANAGE_TWO_FACTOR,
    "resetTwoFactor": Action.RESET_TWO_FACTOR,
    "unlockUser": Action.UNLOCK_USER,
    "createUser": Action.CREATE_USER,
    "updateUser": Action.UPDATE_NAMES,
    "deleteUser": Action.DELETE_USER,
    "createCredential": Action.CREATE_CREDENTIAL,
    "updateCredential": Action.DISABLE_CREDENTIAL,
    "rotateCredential": Action.ROTATE_CREDENTIAL,
    "deleteCredential": Action.DELETE_CREDENTIAL,
    "usagePlan": Action.READ_PLAN,
    "usagePlans": Action.LIST_PLANS,
    "createUsagePlan": Action.MANAGE_PLANS,
    "updateUsagePlan": Action.MANAGE_PLANS,
    "deleteUsagePlan": Action.MANAGE_PLANS,
    "assignUsagePlan": Action.ASSIGN_PLAN,
    "usage": Action.READ_USAGE,
    "resetUsage": Action.RESET_USAGE,
    "explainAccess": Action.EXPLAIN_ACCESS,
    "auditEvents": Action.READ_AUDIT,
    "verifyAuditChain": Action.VERIFY_AUDIT,
    "systemConfiguration": Action.READ_CONFIGURATION,
    "updateSystemConfiguration": Action.UPDATE_CONFIGURATION,
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(the_settings())


def _fields_that_need_a_rule(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    """Every root field, and every field that gives an object, by its type and name."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {
        f"{name}.{field_name}": field
        for name, known in schema.type_map.items()
        if isinstance(known, GraphQLObjectType) and not name.startswith("__")
        for field_name, field in known.fields.items()
        if known in roots or is_composite_type(get_named_type(field.type))
    }


def _directives(field: GraphQLField) -> list[str]:
    assert field.ast_node is not None
    return [directive.name.value for directive in field.ast_node.directives or ()]


def test_every_field_that_gives_an_object_has_exactly_one_rule(schema: GraphQLSchema) -> None:
    fields = _fields_that_need_a_rule(schema)
    ruled = {
        name: [d for d in _directives(field) if d in ("public", "requires", "given")] for name, field in fields.items()
    }

    assert {name: rules for name, rules in ruled.items() if len(rules) != 1} == {}
    assert {"UserEdge.node", "SignIn.user", "UserConnection.pageInfo", "Query.me"} <= fields.keys()
    assert all(rule_of(field).access is not Access.REFUSED for field in fields.values())


def test_only_signing_in_is_public(schema: GraphQLSchema) -> None:
    fields = _fields_that_need_a_rule(schema)

    assert {name for name, field in fields.items() if rule_of(field) == Rule(Access.PUBLIC)} == {
        f"Mutation.{name}" for name in PUBLIC
    }


def test_each_root_field_asks_for_its_own_right(schema: GraphQLSchema) -> None:
    roots = (schema.query_type, schema.mutation_type)
    asked = {name: rule_of(field).action for root in roots if root for name, field in root.fields.items()}

    assert asked == {**REQUIRED, **dict.fromkeys(PUBLIC)}


def test_every_mutation_that_hashes_or_makes_a_secret_or_mails_stands_once(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    assert schema.query_type is not None
    once = {name for name, field in schema.mutation_type.fields.items() if stands_once(field)}
    assert once == HASHES_OR_MAKES_SECRETS_OR_MAILS
    assert {name for name, field in schema.query_type.fields.items() if stands_once(field)} == READS_VERY_MUCH


DIRECTIVES = (SCHEMA / "common.graphql").read_text().split("scalar")[0].rpartition('"')[0].rpartition('"')[0]
USERS_ADMIN = signed_in(a_user(role=Role.ADMIN))
PROGRAM = Caller(consumer_id="c", role=Role.ADMIN, credential_id="k", scopes=frozenset())


def _enforced(sdl: str) -> GraphQLSchema:
    schema = make_executable_schema(DIRECTIVES + sdl)
    enforce(schema)
    return schema


def _ask(schema: GraphQLSchema, query: str, caller: Caller, root: Any) -> Any:
    house: Any = None  # no use case is reached
    return graphql_sync(schema, query, root, RequestContext(house, caller, "correlation", PLENTY))


@pytest.mark.parametrize("caller", [ANONYMOUS, USERS_ADMIN, PROGRAM], ids=["anonymous", "ADMIN", "program"])
@pytest.mark.parametrize(
    ("sdl", "query"),
    [
        ("type Query { open: Thing } type Thing { id: ID }", "{ open { id } }"),
        ("type Query { open: Int }", "{ open }"),
        ("type Query { open: Int @once }", "{ open }"),
        ("type Query { open: Thing @given } type Thing { id: ID }", "{ open { id } }"),
        ("type Query { open: [Thing!] } type Thing { id: ID }", "{ open { id } }"),
        ("type Query { top: Top @public } type Top { open: Thing } type Thing { id: ID }", "{ top { open { id } } }"),
        ("type Query { top: Top @public } type Top { open: [Any] } union Any = A type A { id: ID }",
         "{ top { open { ... on A { id } } } }"),
        ("type Query { top: Top @public } type Top { open: I } interface I { id: ID } type A implements I { id: ID }",
         "{ top { open { id } } }"),
    ],
    ids=["object", "plain value", "once is no rule", "given at the root", "list", "nested", "union", "interface"],
)  # fmt: skip
def test_a_field_without_a_rule_is_refused_to_everybody(sdl: str, query: str, caller: Caller) -> None:
    schema = _enforced(sdl)
    result = _ask(schema, query, caller, {"open": {"id": "1"}, "top": {"open": {"id": "1"}}})

    assert [type(error.original_error) for error in result.errors] == [Forbidden]
    assert "1" not in str(result.data)
    assert Access.REFUSED in [rule_of(field).access for field in _fields_that_need_a_rule(schema).values()]


def test_a_rule_is_asked_before_the_resolver() -> None:
    schema = _enforced('type Query { thing: Thing @requires(action: "LIST_USERS") } type Thing { id: ID }')
    asked: list[str] = []
    root = {"thing": lambda _info: asked.append("resolver")}

    for caller, refusal in (
        (ANONYMOUS, Unauthenticated),
        (signed_in(a_user(role=Role.USER)), Forbidden),
        (PROGRAM, Forbidden),
    ):
        result = _ask(schema, "{ thing { id } }", caller, root)
        assert [type(error.original_error) for error in result.errors] == [refusal]
    assert asked == []
    assert _ask(schema, "{ thing { id } }", USERS_ADMIN, root).errors is None
    assert asked == ["resolver"]


def test_a_nested_field_may_have_a_right_of_its_own() -> None:
    schema = _enforced(
        """type Query { top: Top @public } type Thing { id: ID }
        type Top { thing: Thing @requires(action: "LIST_USERS") }"""
    )
    root = {"top": {"thing": {"id": "1"}}}

    result = _ask(schema, "{ top { thing { id } } }", ANONYMOUS, root)
    assert [error.path for error in result.errors] == [["top", "thing"]]
    assert _ask(schema, "{ top { thing { id } } }", USERS_ADMIN, root).data == root


def test_a_plain_value_may_have_a_right_of_its_own() -> None:
    schema = _enforced(
        """type Query { top: Top @public } type Top { id: ID count: Int @requires(action: "LIST_USERS") }"""
    )
    root = {"top": {"id": "1", "count": 7}}

    result = _ask(schema, "{ top { id count } }", signed_in(a_user()), root)
    assert (result.data, [error.path for error in result.errors]) == (
        {"top": {"id": "1", "count": None}},
        [["top", "count"]],
    )
    assert _ask(schema, "{ top { id count } }", USERS_ADMIN, root).data == root


def test_a_root_field_is_found_by_its_name(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert root_field(schema, "me") is schema.query_type.fields["me"]
    assert root_field(schema, "logout") is schema.mutation_type.fields["logout"]
    assert [root_field(schema, name) for name in ("", "Me", "id", "__typename", "__schema")] == [None] * 5


def test_what_is_given_with_its_object_needs_no_more() -> None:
    schema = _enforced("type Query { top: Top @public } type Top { thing: Thing @given } type Thing { id: ID }")
    root = {"top": {"thing": {"id": "1"}}}

    assert _ask(schema, "{ top { thing { id } } }", ANONYMOUS, root).data == root


@pytest.mark.parametrize("action", ["LIST_USER", "", "list_users"])
def test_a_rule_with_an_unknown_right_does_not_start(action: str) -> None:
    with pytest.raises(ValueError, match="Action"):
        _enforced(f'type Query {{ a: Int @requires(action: "{action}") }}')


def test_introspection_is_not_under_rules(schema: GraphQLSchema) -> None:
    result = _ask(schema, "{ __typename __schema { queryType { name } } }", ANONYMOUS, None)

    assert result.data == {"__typename": "Query", "__schema": {"queryType": {"name": "Query"}}}
