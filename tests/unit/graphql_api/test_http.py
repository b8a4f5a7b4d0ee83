"""GraphQL over HTTP: what is taken, what is refused, and with which status and media type."""

import json
from typing import Any

import pytest

from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from tests.unit.fakes import MemoryStore, StoppedClock, a_user, signed_in, the_house, the_settings
from tests.unit.graphql_api.conftest import RATE_LIMIT, RATE_LIMIT_HEADERS, REQUEST_ID, Answer, Api

TYPENAME = '{"query":"{ __typename }"}'
JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"


def _is_refused(answer: Answer, status: int, message: str) -> None:
    """Checks the whole answer of a request that was counted and was no GraphQL request."""
    assert (answer.status, answer.body) == (status, {**_refusal(status, message), "extensions": RATE_LIMIT})
    assert answer.rate_limit_headers == RATE_LIMIT_HEADERS


def _is_not_served(answer: Answer, status: int) -> None:
    """Checks the whole answer of a request that is for no route that counts."""
    assert (answer.status, answer.body) == (status, _refusal(status, "This is not served here."))
    assert answer.rate_limit_headers == {}


def _refusal(status: int, message: str) -> dict[str, Any]:
    extensions = {"code": "BAD_REQUEST", "statusCode": status, "correlationId": REQUEST_ID}
    return {"errors": [{"message": message, "extensions": extensions}]}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON}", JSON),
        (f"text/html, {GRAPHQL_JSON};q=0.9", GRAPHQL_JSON),
        ("APPLICATION/JSON", JSON),
    ],
)
def test_the_answer_has_the_media_type_that_was_asked_for(api: Api, accept: str | None, answered: str) -> None:
    answer = api.send(TYPENAME, headers={"accept": accept})

    assert (answer.status, answer.body) == (200, {"data": {"__typename": "Query"}, "extensions": RATE_LIMIT})
    assert answer.headers["content-type"] == f"{answered}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.rate_limit_headers == RATE_LIMIT_HEADERS


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml, text/plain", "image/*", "application/json;q=0, text/html"]
)
def test_who_takes_no_json_gets_a_406(api: Api, accept: str) -> None:
    _is_refused(api.send(TYPENAME, headers={"accept": accept}), 406, f"Accept must allow {GRAPHQL_JSON} or {JSON}.")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"', "APPLICATION/JSON"],
)
def test_a_body_is_json(api: Api, content_type: str) -> None:
    assert api.send(TYPENAME, headers={"content-type": content_type}).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/graphql+json",
        GRAPHQL_JSON,
        "json",
    ],
)
def test_a_body_of_another_type_is_refused(api: Api, content_type: str | None) -> None:
    _is_refused(api.send(TYPENAME, headers={"content-type": content_type}), 415, f"The request must be sent as {JSON}.")


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "us-ascii"])
def test_a_body_in_another_encoding_is_refused(api: Api, charset: str) -> None:
    _is_refused(
        api.send(TYPENAME, headers={"content-type": f"application/json; charset={charset}"}),
        415,
        "The request must be sent in UTF-8.",
    )


OBJECT = "The body must be one JSON object; several at once are not taken."
UTF_8 = "The body must be JSON in UTF-8."
UNICODE = "The body must be Unicode text."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", UTF_8),
        (None, UTF_8),
        ("{", UTF_8),
        ("query { me }", UTF_8),
        (TYPENAME + TYPENAME, UTF_8),
        ("[" + TYPENAME + "]", OBJECT),
        ("[]", OBJECT),
        ('"{ __typename }"', OBJECT),
        ("null", OBJECT),
        ("1", OBJECT),
        ("true", OBJECT),
        ("NaN", UTF_8),
        ('{"query": NaN}', UTF_8),
        ('{"query":"{ __typename }","variables":{"x":NaN}}', UTF_8),
        ('{"query":"{ __typename }","variables":{"x":-Infinity}}', UTF_8),
        ('{"query":"{ __typename }","variables":{"x":' + "9" * 5_000 + "}}", UTF_8),
        ("{}", "query must be a text."),
        ('{"query":null}', "query must be a text."),
        ('{"query":""}', "query must be a text."),
        ('{"query":1}', "query must be a text."),
        ('{"query":["{ __typename }"]}', "query must be a text."),
        ('{"query":"{ __typename }","variables":[]}', "variables must be an object or null."),
        ('{"query":"{ __typename }","variables":"{}"}', "variables must be an object or null."),
        ('{"query":"{ __typename }","variables":0}', "variables must be an object or null."),
        ('{"query":"{ __typename }","operationName":1}', "operationName must be a text or null."),
        ('{"query":"{ __typename }","operationName":{}}', "operationName must be a text or null."),
        ('{"query":"{ __typename }","extensions":[]}', "extensions must be an object or null."),
        ('{"query":"{ __typename }","extensions":"x"}', "extensions must be an object or null."),
        (b"\xff\xfe{}", UTF_8),
        (b'{"query":"{ __typename }","x":"\xff"}', UTF_8),
        (b'{"query":"{ __typename }","x":"\xed\xa0\x80"}', UTF_8),
        (TYPENAME.encode("utf-16"), UTF_8),
        ('{"query":"{ __typename } # \ufffd"}', UTF_8),
        ('{"query":"{ __typename } # \\ud800"}', UNICODE),
        ('{"query":"{ __typename }","variables":{"x":"\\udfff"}}', UNICODE),
        ('{"query":"{ __typename }","variables":{"\\ud83d":1}}', UNICODE),
        ('{"query":"{ __typename }","variables":{"x":["\\ude00\\ud83d"]}}', UNICODE),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_another_body_is_refused_and_never_quoted(api: Api, body: str | bytes | None, message: str) -> None:
    _is_refused(api.send(body), 400, message)


@pytest.mark.parametrize("more", ['"extensions":null', '"extensions":{"a":1}', '"variables":null', '"unknown":[1]'])
def test_what_the_specification_allows_is_taken(api: Api, more: str) -> None:
    assert api.send(f'{{"query":"{{ __typename }}",{more}}}').status == 200


def test_a_whole_character_spelt_with_two_escapes_is_taken(api: Api) -> None:
    assert api.send('{"query":"{ __typename } # \\ud83d\\ude00 \\ufffd"}').status == 200


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("place", ["body", "variables", "extensions", "variables with an escape"])
def test_json_nested_100_000_deep_is_refused(place: str, start: str, end: str) -> None:
    roomy = Api(the_house(MemoryStore(), StoppedClock(), the_settings(MAX_BODY_BYTES="1048576")))
    deep = start * 100_000 + "1" + end * 100_000
    body = {
        "body": deep,
        "variables": f'{{"query":"{{ __typename }}","variables":{{"x":{deep}}}}}',
        "extensions": f'{{"query":"{{ __typename }}","extensions":{{"x":{deep}}}}}',
        "variables with an escape": f'{{"query":"{{ __typename }} # \\u00e9","variables":{{"x":{deep}}}}}',
    }[place]

    _is_refused(roomy.send(body), 400, UTF_8)


@pytest.mark.parametrize("size", [65_537, 5_000_000])
def test_a_body_above_the_limit_is_refused_unread(api: Api, size: int) -> None:
    _is_refused(api.send("x" * size), 413, "The request has at most 65536 bytes.")


def test_a_body_of_the_limit_is_read(api: Api) -> None:
    assert api.send(TYPENAME + " " * (65_536 - len(TYPENAME))).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_refused(api: Api, method: str) -> None:
    _is_not_served(api.send(TYPENAME, method=method), 405)


def _get(api: Api, caller: Caller | None = None, **query_string: str) -> Answer:
    known = {} if caller is None else {"caller": caller}
    return api.send(method="GET", headers={"content-type": None}, query_string=query_string, **known)


def test_a_query_may_stand_in_the_address(api: Api, store: MemoryStore) -> None:
    admin = signed_in(store.add(a_user("root", role=Role.ADMIN)))

    assert _get(api, query="{ __typename }").data == {"__typename": "Query"}
    assert _get(
        api,
        admin,
        query="query a($n: Int) { users(first: $n) { username } } query b { __typename }",
        variables='{"n":1}',
        operationName="a",
        extensions="{}",
    ).data == {"users": [{"username": "root"}]}


def test_what_is_empty_in_the_address_is_not_there(api: Api) -> None:
    assert _get(api, query="{ __typename }", variables="", operationName="", extensions="").status == 200


def test_a_mutation_is_not_sent_with_get(api: Api) -> None:
    for query in ("mutation { logout }", "query a { __typename } mutation b { logout }"):
        answer = _get(api, query=query, operationName="b" if "b {" in query else "")
        _is_refused(answer, 405, "A GET request takes queries only; send a mutation with POST.")
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        ({}, "query must be a text."),
        ({"query": ""}, "query must be a text."),
        ({"query": "{ __typename }", "variables": "{"}, "variables must be JSON in UTF-8."),
        ({"query": "{ __typename }", "variables": "[]"}, "variables must be an object or null."),
        ({"query": "{ __typename }", "variables": '{"x":NaN}'}, "variables must be JSON in UTF-8."),
        ({"query": "{ __typename }", "variables": '{"x":"\\ud800"}'}, "variables must be Unicode text."),
        ({"query": "{ __typename }", "variables": "[" * 60_000}, "variables must be JSON in UTF-8."),
        ({"query": "{ __typename }", "extensions": "1"}, "extensions must be an object or null."),
        ({"query": "{ __typename }", "extensions": "x"}, "extensions must be JSON in UTF-8."),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_another_address_is_refused(api: Api, query_string: dict[str, str], message: str) -> None:
    _is_refused(_get(api, **query_string), 400, message)


@pytest.mark.parametrize(
    ("sent", "message", "field"),
    [
        ({"query": "query a { __typename } query b { __typename }"},
         "operationName must tell which of the query's operations is meant.", "operationName"),
        ({"query": "query a { __typename }", "operationName": "b"},
         "There is no operation of this operationName in the query.", "operationName"),
        ({"query": "{ __typename }", "operationName": "a"},
         "There is no operation of this operationName in the query.", "operationName"),
        ({"query": "{"}, "The query has a syntax error at line 1, column 2.", "query"),
        ({"query": "  "}, "The query has a syntax error at line 1, column 3.", "query"),
        ({"query": "{ unknown }"}, "Cannot query field 'unknown' on type 'Query'.", None),
        ({"query": "query($n: Int!) { users(first: $n) { id } }"}, "Int! is expected at n.", "n"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_the_older_media_type_tells_a_refusal_of_the_query_with_200_and_the_newer_with_400(
    api: Api, store: MemoryStore, sent: dict[str, Any], message: str, field: str | None
) -> None:
    admin = signed_in(store.add(a_user(role=Role.ADMIN)))
    for accept, status in ((JSON, 200), (GRAPHQL_JSON, 400)):
        answer = api.send(json.dumps(sent), headers={"accept": accept}, caller=admin)
        [error] = answer.errors
        assert (answer.status, error["message"], error["extensions"].get("field")) == (status, message, field)
        assert (answer.codes, error["extensions"]["statusCode"]) == (["BAD_REQUEST"], 400)
        assert answer.body.keys() == {"errors", "extensions"}
        assert answer.body["extensions"] == RATE_LIMIT


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
def test_an_anonymous_caller_is_told_so_by_status_whatever_the_media_type(api: Api, accept: str) -> None:
    answer = api.ask("{ __typename me { id } }", accept=accept)

    assert (answer.status, answer.codes, answer.headers["www-authenticate"]) == (401, ["UNAUTHENTICATED"], "Bearer")
    assert (answer.body["extensions"], answer.rate_limit_headers) == (RATE_LIMIT, RATE_LIMIT_HEADERS)


def test_a_name_of_an_operation_that_is_empty_counts_as_none(api: Api) -> None:
    assert api.ask("query a { __typename }", operationName="").data == {"__typename": "Query"}


def test_health_needs_nobody(api: Api) -> None:
    answer = api.send(method="GET", path="/health")

    assert (answer.status, answer.body, answer.rate_limit_headers) == (200, {"status": "ok"}, {})


def test_another_path_is_not_found(api: Api) -> None:
    _is_not_served(api.send(TYPENAME, path="/admin"), 404)


def test_only_origins_that_were_allowed_are_told_so(api: Api) -> None:
    mine, other = "https://app.example.com", "https://evil.example.com"
    open_api = Api(the_house(MemoryStore(), StoppedClock(), the_settings(ALLOWED_ORIGINS=mine)))

    def allowed(to: Api, origin: str) -> str | None:
        return to.send(TYPENAME, headers={"origin": origin}).headers.get("access-control-allow-origin")

    assert [allowed(open_api, mine), allowed(open_api, other), allowed(api, mine)] == [mine, None, None]
    exposed = open_api.send(TYPENAME, headers={"origin": mine}).headers["access-control-expose-headers"].split(", ")
    assert set(exposed) == {"retry-after", "www-authenticate", *RATE_LIMIT_HEADERS}
    preflight = open_api.send(method="OPTIONS", headers={"origin": mine, "access-control-request-method": "POST"})
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, mine)
    assert "access-control-allow-credentials" not in preflight.headers
