"""Errors: no value that was sent comes back, and what went wrong on our side is logged and masked."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gatehouse.consumers.model import Role
from gatehouse.errors import ServiceUnavailable
from gatehouse.permissions import Caller
from tests.unit.fakes import PASSWORD, MemoryStore, StoppedClock, a_user, signed_in, the_house, the_settings
from tests.unit.graphql_api.conftest import RATE_LIMIT, RATE_LIMIT_HEADERS, REQUEST_ID, Api

M = "hunter2SECRETmarker"
MASKED = {
    "message": "Something went wrong on our side.",
    "extensions": {"code": "INTERNAL_SERVER_ERROR", "statusCode": 500, "correlationId": REQUEST_ID},
}

LITERALS = [
    f'{{ user(id: "{M}") {{ id }} }}',
    f"{{ user(id: {M}) {{ id }} }}",
    f'{{ user(id: ["{M}"]) {{ id }} }}',
    f'{{ user(id: {{ id: "{M}" }}) {{ id }} }}',
    f'{{ users(first: "{M}") {{ id }} }}',
    f'{{ users(after: "{M}") {{ id }} }}',
    f"{{ users(where: {{ role: {M} }}) {{ id }} }}",
    f'{{ users(where: {{ role: "{M}" }}) {{ id }} }}',
    f'{{ users(where: {{ isActive: "{M}" }}) {{ id }} }}',
    f'{{ users(where: {{ createdAfter: "{M}" }}) {{ id }} }}',
    f'{{ users(where: {{ createdAfter: {{ a: "{M}" }} }}) {{ id }} }}',
    f'{{ users(where: {{ search: ["{M}"] }}) {{ id }} }}',
    f'{{ users(where: {{ unknown: "{M}" }}) {{ id }} }}',
    f'{{ users(where: "{M}") {{ id }} }}',
    f'{{ users(where: {{ search: "{M}", createdAfter: "2026-01-01T00:00:00Z" }}) {{ id }} }}',
    f"{{ users(orderBy: {{ createdAt: {M} }}) {{ id }} }}",
    f'{{ users(orderBy: {{ createdAt: ASC, username: "{M}" }}) {{ id }} }}',
    f'{{ me(unknown: "{M}") {{ id }} }}',
    f'{{ me @include(if: "{M}") {{ id }} }}',
    f'{{ me @unknown(if: "{M}") {{ id }} }}',
    f'query($n: Int = "{M}") {{ users(first: $n) {{ id }} }}',
    f'mutation {{ login(loginInput: {{ email: "{M}", password: "{M}" }}) {{ expiresIn }} }}',
    f'mutation {{ login(loginInput: {{ email: "a@b.co", password: "{M}" }}) {{ expiresIn }} }}',
    f'mutation {{ login(loginInput: {{ email: "a@b.co", pasword: "{M}" }}) {{ expiresIn }} }}',
    f'mutation {{ login(loginInput: {{ email: "a@b.co", password: "{M}", password: "{M}" }}) {{ expiresIn }} }}',
    f'mutation {{ login(loginInput: {{ email: "a@b.co", password: ["{M}"] }}) {{ expiresIn }} }}',
    f'mutation {{ login(loginInput: "{M}") {{ expiresIn }} }}',
    f'mutation {{ login(email: "a@b.co", password: "{M}") {{ expiresIn }} }}',
    f'mutation {{ register(registerInput: {{ username: "abc", email: "a@b.co", password: "{M}" }}) {{ expiresIn }} }}',
    f'mutation {{ register(registerInput: {{ username: "{M} x", email: "a@b.co", password: "x" }}) {{ expiresIn }} }}',
    f'mutation {{ refreshToken(refreshToken: "{M}") {{ expiresIn }} }}',
    f"mutation {{ createCredential(createCredentialInput: {{ type: {M} }}) {{ id }} }}",
    f'mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, keyId: "{M} x" }}) {{ id }} }}',
    f'mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, keySecret: "{M}" }}) {{ id }} }}',
    f'mutation {{ createCredential(createCredentialInput: {{type: KEY_AUTH keyId: "a-b" keySecret: "{M} x"}}) {{id}}}}',
    f'mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, scopes: ["{M}"] }}) {{ id }} }}',
    f'mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, expiresAt: "{M}" }}) {{ id }} }}',
    f'mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, consumerId: "{M}" }}) {{ id }} }}',
    f'mutation {{ updateUser(id: "x", updateUserInput: {{ role: {M} }}) {{ id }} }}',
    f'mutation {{ deleteUser(id: "{M}") {{ id }} }}',
    f'{{ user(id: "{M}) {{ id }} }}',
    f'{{ user(id: "{M}\n") {{ id }} }}',
    f'{{ user(id: "\\q{M}") {{ id }} }}',
    f'{{ user(id: "\\u{{110000}}{M}") {{ id }} }}',
    f'{{ user(id: """{M}',
    f'{{ me {{ id }} }} "{M}"',
    f'{{ me {{ id }} }} {{ "{M}" }}',
    f"{{ me {{ id }} }} ?{M}",
    f"{{ users(first: 1{M}) {{ id }} }}",
    f"{{ users(first: 0x{M}) {{ id }} }}",
    f"# {M}\n{{ me {{ id ",
]
USERS = "query($v: {}) {{ users({}: $v) {{ id }} }}"
LOGIN_FIELDS = "email: String!, password: String!, verificationToken: String"
LOGIN = "mutation($v: LoginInput!) { login(loginInput: $v) { expiresIn } }"
VARIABLES: list[tuple[str, Any]] = [
    ("query($v: ID!) { user(id: $v) { id } }", [M]),
    ("query($v: ID!) { user(id: $v) { id } }", {M: M}),
    ("query($v: ID!) { user(id: $v) { id } }", M),
    (USERS.format("Int", "first"), M),
    (USERS.format("Int", "first"), {M: 1}),
    (USERS.format("String", "after"), M),
    (USERS.format("String", "after"), [M]),
    (USERS.format("UserWhere", "where"), M),
    (USERS.format("UserWhere", "where"), [M]),
    (USERS.format("UserWhere", "where"), {M: 1}),
    (USERS.format("UserWhere", "where"), {"unknown": M}),
    (USERS.format("UserWhere", "where"), {"role": M}),
    (USERS.format("UserWhere", "where"), {"role": {M: M}}),
    (USERS.format("UserWhere", "where"), {"isActive": M}),
    (USERS.format("UserWhere", "where"), {"createdAfter": M}),
    (USERS.format("UserWhere", "where"), {"createdAfter": {M: M}}),
    (USERS.format("UserWhere", "where"), {"search": {M: M}}),
    (USERS.format("UserOrderBy", "orderBy"), {"createdAt": M}),
    (USERS.format("UserOrderBy", "orderBy"), {"createdAt": "ASC", "username": M}),
    (USERS.format("UserOrderBy", "orderBy"), {M: M}),
    (USERS.format("SortDirection", "first"), M),
    (LOGIN, M),
    (LOGIN, {"email": "a@b.co", "password": [M]}),
    (LOGIN, {"email": "a@b.co", "password": {M: M}}),
    (LOGIN, {"email": "a@b.co", "pasword": M}),
    (LOGIN, {"email": M, "password": M}),
    (LOGIN, {"email": "a@b.co", "password": M}),
    ("mutation($v: [String!]) { createCredential(createCredentialInput: { type: KEY_AUTH, scopes: $v }) { id } }",
     [M, 1, {M: M}]),
    ("query($v: Boolean!) { me @include(if: $v) { id } }", M),
    ("query($v: Boolean = true) { me @include(if: $v) { id } }", M),
    ("query { me { id } unknown }", {M: M}),
]  # fmt: skip


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


@pytest.mark.parametrize("query", LITERALS)
def test_a_value_in_the_query_never_comes_back(
    api: Api, admin: Caller, query: str, log: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = api.ask(query, caller=admin)

    assert M not in answer.text
    assert set(answer.codes) <= {"BAD_REQUEST", "NOT_FOUND", "UNAUTHENTICATED"}
    assert M not in json.dumps(log())


@pytest.mark.parametrize(("query", "value"), VARIABLES, ids=lambda value: str(value)[:60])
def test_a_value_in_the_variables_never_comes_back(
    api: Api, admin: Caller, query: str, value: Any, log: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = api.ask(query, {"v": value}, admin)

    assert M not in answer.text
    assert set(answer.codes) <= {"BAD_REQUEST", "NOT_FOUND", "UNAUTHENTICATED"}
    assert M not in json.dumps(log())


def test_a_value_in_the_request_around_the_query_never_comes_back(api: Api, admin: Caller) -> None:
    for body in (
        f'{{"query": "{M}"}}',
        f'{{"{M}": 1}}',
        f'"{M}"',
        f'{{"query": ["{M}"]}}',
        f'{{"query": "{{ __typename }}", "operationName": "{M}"}}',
        f'{{"query": "{{ __typename }}", "variables": "{M}"}}',
        f'{{"query": "{{ __typename }}", "extensions": "{M}"}}',
        M,
    ):
        assert M not in api.send(body, caller=admin, headers={"accept": "application/json"}).text
    for headers in ({"accept": f"text/{M}"}, {"content-type": f"text/{M}"}):
        assert M not in api.send("{}", caller=admin, headers=headers).text


@pytest.mark.parametrize(
    ("query", "value", "message", "field"),
    [
        (USERS.format("UserWhere", "where"), {"role": M}, "UserRole is expected at v.role.", "role"),
        (USERS.format("UserWhere", "where"), {"createdAfter": "yesterday"}, "DateTime is expected at v.createdAfter.",
         "createdAfter"),
        (USERS.format("Int", "first"), 1.5, "Int is expected at v.", "v"),
        ("mutation($v: [String!]) { createCredential(createCredentialInput: { type: KEY_AUTH, scopes: $v }) { id } }",
         ["a:b", 1], "String! is expected at v.1.", "v"),
        (LOGIN, {"email": "a@b.co"}, f"LoginInput! {{ {LOGIN_FIELDS} }} is expected at v.", "v"),
        (LOGIN, None, f"LoginInput! {{ {LOGIN_FIELDS} }} is expected at v.", "v"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_wrong_is_told_by_path_and_expected_type(
    api: Api, admin: Caller, query: str, value: Any, message: str, field: str
) -> None:
    [error] = api.ask(query, {"v": value}, admin).errors

    assert (error["message"], error["extensions"]["field"]) == (message, field)


def test_nothing_is_suggested(api: Api, admin: Caller) -> None:
    for query in (
        "{ usrs { id } }",
        "{ me { usernam } }",
        "{ users(frist: 1) { id } }",
        "{ users(where: { rol: USER }) { id } }",
        "{ users }",
    ):
        assert "id you mean" not in api.ask(query, caller=admin).text


def test_introspection_can_be_switched_off(api: Api) -> None:
    closed = Api(the_house(MemoryStore(), StoppedClock(), the_settings(INTROSPECTION="false")))
    query = '{ __schema { queryType { name } } __type(name: "User") { name } }'

    assert api.ask(query).status == 200
    refused = closed.ask(query)
    assert (refused.status, set(refused.codes)) == (400, {"BAD_REQUEST"})
    assert closed.ask("{ __typename }").data == {"__typename": "Query"}


def test_without_introspection_no_error_lists_the_fields_of_a_type(api: Api) -> None:
    closed = Api(the_house(MemoryStore(), StoppedClock(), the_settings(INTROSPECTION="false")))
    literal = "mutation { login(loginInput: {}) { expiresIn } }"
    variable = "mutation ($in: LoginInput!) { login(loginInput: $in) { expiresIn } }"

    assert "password: String!" in api.ask(literal).text
    assert "password: String!" in api.ask(variable, {"in": {}}).text
    assert [error["message"] for error in closed.ask(literal).errors] == ["LoginInput! is expected at loginInput."] * 2
    assert [error["message"] for error in closed.ask(variable, {"in": {}}).errors] == [
        "LoginInput! is expected at in."
    ] * 2


def test_a_refusal_of_ours_is_told_with_its_code_place_and_path(api: Api, store: MemoryStore) -> None:
    user = signed_in(store.add(a_user()))

    assert api.ask("{ x: users { id } }", caller=user).body == {
        "data": {"x": None},
        "errors": [
            {
                "message": "Your role does not allow this.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["x"],
                "extensions": {
                    "code": "FORBIDDEN",
                    "statusCode": 403,
                    "reason": "ROLE",
                    "correlationId": REQUEST_ID,
                },
            }
        ],
        "extensions": RATE_LIMIT,
    }


def _raise(error: Exception) -> Callable[..., Any]:
    def raising(*_args: Any, **_kwargs: Any) -> Any:
        raise error

    return raising


def test_what_breaks_within_a_field_is_masked_and_logged(
    api: Api,
    store: MemoryStore,
    admin: Caller,
    monkeypatch: pytest.MonkeyPatch,
    log: Callable[[], list[dict[str, Any]]],
) -> None:
    monkeypatch.setattr(store, "find_user", _raise(RuntimeError(f"at /opt/secret with {M}")))
    answer = api.ask("{ me { id } }", caller=admin)

    assert answer.status == 500
    assert answer.errors == [MASKED | {"locations": [{"line": 1, "column": 3}], "path": ["me"]}]
    [broken, _request] = log()
    assert (broken["level"], broken["message"], broken["exception_name"]) == (
        "ERROR",
        "unexpected error",
        "RuntimeError",
    )


def test_what_breaks_around_the_query_is_masked_and_logged_in_the_same_shape(
    admin: Caller, monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setattr("graphql_api.documents.root_fields", _raise(RuntimeError(M)))
    fresh = Api(the_house(MemoryStore(), StoppedClock()))
    answer = fresh.ask("{ me { id } }", caller=admin)

    assert (answer.status, answer.body) == (500, {"errors": [MASKED], "extensions": RATE_LIMIT})
    assert answer.rate_limit_headers == RATE_LIMIT_HEADERS
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert [line["message"] for line in log()] == ["unexpected error", "request"]


def test_a_store_that_does_not_answer_is_503_with_when_to_try_again(
    api: Api, store: MemoryStore, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "find_user", _raise(ServiceUnavailable("The store did not answer. Try again.")))
    answer = api.ask("{ me { id } }", caller=admin)

    assert (answer.status, answer.codes, answer.headers["retry-after"]) == (503, ["SERVICE_UNAVAILABLE"], "1")
    assert answer.errors[0]["message"] == "The store did not answer. Try again."


def test_a_request_is_one_log_line_of_facts(api: Api, admin: Caller, log: Callable[[], list[dict[str, Any]]]) -> None:
    sign_in = f'login(loginInput: {{ email: "a@b.co", password: "{PASSWORD}" }}) {{ expiresIn }}'
    api.ask("query named { a: me { id } ...F } fragment F on Query { users { id } me { email } }", caller=admin)
    api.ask(f"mutation {{ {sign_in} }}")

    first, second = log()
    assert {name: first[name] for name in ("message", "userId", "method", "endpoint", "query", "statusCode")} == {
        "message": "request",
        "userId": admin.consumer_id,
        "method": "POST",
        "endpoint": "/graphql",
        "query": "me,users",
        "statusCode": 200,
    }
    assert (first["sessionId"], first["remaining"], first["responseTime"] > 0) == (admin.session_id, 999, True)
    assert (second["query"], second["codes"], "userId" in second) == ("login", ["UNAUTHENTICATED"], False)
    assert PASSWORD not in json.dumps([first, second])


def test_a_request_is_counted_by_its_operation_and_a_wrong_password_as_a_failed_sign_in(
    api: Api, admin: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in = f'login(loginInput: {{ email: "a@b.co", password: "{PASSWORD}" }}) {{ expiresIn }}'
    api.ask("{ me { id } }", caller=admin)
    api.ask("{ me { id } users { id } }", caller=admin)
    api.ask("{ nobodys }", caller=admin)
    api.ask(f"mutation {{ {sign_in} }}")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["operation"] for line in lines if "Latency" in line] == ["me", "several", "unknown", "login"]
    assert [line["code"] for line in lines if "Errors" in line] == ["BAD_REQUEST", "UNAUTHENTICATED"]
    assert [line["FailedSignIns"] for line in lines if "FailedSignIns" in line] == [[1.0]]
    assert PASSWORD not in json.dumps(lines)
