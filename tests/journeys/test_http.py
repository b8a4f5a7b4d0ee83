"""Requests that are no good GraphQL over HTTP, credentials that are no good, and headers that are odd."""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping

import pytest

from tests.journeys.client import LOGIN, REGISTER, Answer, House

BAD = "BAD_REQUEST"
MARKER = "Zq7xMarker"
MARKED_NUMBER = "7170717071"
JSON = {"Content-Type": "application/json"}
QUERY = '{"query": "{ __typename }"}'


def quotes(answer: Answer) -> bool:
    """Whether the answer tells what was sent."""
    return MARKER.lower() in answer.text.lower() or MARKED_NUMBER in answer.text


def deep(opening: str, closing: str) -> str:
    return opening * 100_000 + closing * 100_000


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        pytest.param(b'{"query": "\xff\xfe Zq7xMarker"}', JSON, 400, id="not UTF-8"),
        pytest.param(b"", JSON, 400, id="empty"),
        pytest.param("{", JSON, 400, id="cut off"),
        pytest.param("null", JSON, 400, id="null"),
        pytest.param(f"[{QUERY}, {QUERY}]", JSON, 400, id="a batch"),
        pytest.param("{}", JSON, 400, id="no query"),
        pytest.param('{"query": 7170717071}', JSON, 400, id="a number for a query"),
        pytest.param('{"query": "{ __typename }", "variables": ["Zq7xMarker"]}', JSON, 400, id="a list for variables"),
        pytest.param('{"query": "{ __typename }", "variables": {"a": NaN}}', JSON, 400, id="NaN"),
        pytest.param('{"query": "{ __typename }", "variables": {"a": -Infinity}}', JSON, 400, id="infinity"),
        pytest.param(f'{{"query": "{{ __typename }}", "variables": {{"a": {"9" * 5_000}}}}}', JSON, 400, id="digits"),
        pytest.param('{"query": "{ \\ud800Zq7xMarker }"}', JSON, 400, id="a lone surrogate"),
        pytest.param('{"query": "{ __typename }", "extensions": 0}', JSON, 400, id="a number for extensions"),
        pytest.param(deep("[", "]"), JSON, 413, id="arrays 100,000 deep"),
        pytest.param(deep('{"a":', "}"), JSON, 413, id="objects 100,000 deep"),
        pytest.param("[" * 60_000, JSON, 400, id="arrays 60,000 deep, within the limit of bytes"),
        pytest.param(f'{{"query": "{{ __typename }}", "a": "{"Z" * 5_000_000}"}}', JSON, 413, id="5 MB"),
        pytest.param(b"Z" * 11_000_000, JSON, 413, id="11 MB"),
        pytest.param(QUERY, {}, 415, id="no content type"),
        pytest.param(QUERY, {"Content-Type": "text/plain"}, 415, id="text/plain"),
        pytest.param(QUERY, {"Content-Type": "application/graphql"}, 415, id="application/graphql"),
        pytest.param(QUERY, {"Content-Type": "application/json; charset=utf-16"}, 415, id="UTF-16"),
        pytest.param(QUERY, {"Content-Type": 'application/json; charset="iso-8859-1"'}, 415, id="Latin 1"),
        pytest.param("query=%7B__typename%7D", {"Content-Type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param(
            f'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{QUERY}\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"}, 415, id="multipart",
        ),
        pytest.param(QUERY, {**JSON, "Accept": "text/html"}, 406, id="an answer in HTML"),
        pytest.param(QUERY.encode("utf-16"), JSON, 400, id="UTF-16 that claims to be UTF-8"),
        pytest.param(gzip.compress(QUERY.encode()), {**JSON, "Content-Encoding": "gzip"}, 400, id="compressed"),
    ],
)  # fmt: skip
def test_a_request_that_is_no_graphql_request_is_refused(
    house: House, content: str | bytes, headers: Mapping[str, str], status: int
) -> None:
    answer = house.send("POST", content=content, headers=headers)
    assert (answer.status, answer.outcome) == (status, BAD)
    assert not quotes(answer)


def test_what_was_no_utf_8_is_never_kept(house: House) -> None:
    new = house.names()
    body = json.dumps({"query": REGISTER, "variables": {"input": {**new, "firstName": "Zoë"}}}, ensure_ascii=False)
    answer = house.send("POST", content=body.encode("latin-1"), headers=JSON)
    assert (answer.status, answer.outcome) == (400, BAD)
    assert house.send("POST", content=body.encode(), headers=JSON).outcome == "ok"


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"query": "mutation { logout }"}, 405),
        ({"query": "mutation { __typename }"}, 405),
        ({}, 400),
        ({"query": "{ __typename }", "variables": "Zq7xMarker"}, 400),
        ({"query": "{ __typename }", "variables": "[]"}, 400),
        ({"query": "{ __typename }", "extensions": "7"}, 400),
    ],
)
def test_a_get_request_takes_good_queries_only(house: House, parameters: dict[str, str], status: int) -> None:
    answer = house.send("GET", params=parameters)
    assert (answer.status, answer.outcome, quotes(answer)) == (status, BAD, False)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD"])
def test_other_methods_lead_nowhere(house: House, method: str) -> None:
    assert house.send(method).status == 404


def test_of_two_values_under_one_name_the_last_counts(house: House) -> None:
    answer = house.send("POST", content='{"query": "{ broken", "query": "{ __typename }"}', headers=JSON)
    assert answer.data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("Authorization", "{session}"), ("Authorization", "{session}")], id="the same twice"),
        pytest.param([("Authorization", "{session}"), ("authorization", "Bearer x")], id="two in two casings"),
        pytest.param([("Authorization", "{session}"), ("X-API-Key", "{key}")], id="a session and a key"),
        pytest.param([("X-API-Key", "{key}"), ("x-api-key", "{key}")], id="two keys"),
        pytest.param([("Authorization", "")], id="an empty one"),
        pytest.param([("X-API-Key", "")], id="an empty key"),
        pytest.param([("Authorization", "Bearer")], id="a scheme alone"),
        pytest.param([("Authorization", "Bearer Zq7xMarker.a.b")], id="no token"),
        pytest.param([("Authorization", "{session}x")], id="a forged signature"),
        pytest.param([("Authorization", "Digest Zq7xMarker")], id="a scheme that is not ours"),
        pytest.param([("Authorization", "Basic YTpi")], id="a pair of nobody's"),
        pytest.param([("Authorization", "Basic Zq7xMarker")], id="a pair that is no text"),
        pytest.param([("Authorization", "Basic")], id="no pair"),
        pytest.param([("Authorization", "Basic {password}")], id="the password of an account"),
        pytest.param([("Authorization", "Basic {pair}")], id="a key as a pair"),
        pytest.param([("Authorization", "Basic {pair}"), ("X-API-Key", "{key}")], id="a pair and a key"),
        pytest.param([("Authorization", "Bearer {key}")], id="a key as a token"),
        pytest.param([("X-API-Key", "{key}x")], id="a key that is mistyped"),
        pytest.param([("X-API-Key", "Zq7xMarker." + "x" * 5_000)], id="a key that is long"),
        pytest.param([("X-API-Key", b"api-key.\xff\xfe")], id="a key that is no text"),
        pytest.param([("X-API-Key", "api-key-999.secret")], id="a key of nobody's"),
    ],
)
def test_a_bad_credential_is_never_taken_for_none(house: House, headers: list[tuple[str, str | bytes]]) -> None:
    user = house.person()
    key = house.key(user)
    known = {
        "session": user.headers["Authorization"],
        "key": key.text,
        "pair": b64encode(f"{key.key_id}:{key.text.rpartition('.')[2]}".encode()).decode(),
        "password": b64encode(f"{user.email}:{user.password}".encode()).decode(),
    }
    sent = [(name, value.format(**known) if isinstance(value, str) else value) for name, value in headers]
    encoded = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in sent]
    answer = house.send("POST", content=QUERY, headers=[(b"Content-Type", b"application/json"), *encoded])
    assert (answer.status, answer.outcome, quotes(answer)) == (401, "UNAUTHENTICATED", False)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Port": "Zq7xMarker"},
        {"X-Forwarded-For": "Zq7xMarker, ::1, 999.999.999.999"},
        {"X-Forwarded-Proto": "gopher"},
        {"Forwarded": "for=Zq7xMarker;host=example.com"},
        {"Cookie": "Authorization=Bearer x"},
    ],
)
def test_odd_headers_of_proxies_change_nothing(house: House, headers: dict[str, str]) -> None:
    assert house.graphql("{ __typename }", headers=headers).data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "host", ["example.com", "localhost:Zq7xMarker", "127.0.0.1.example.com", "localhost@example.com"]
)
def test_a_foreign_host_is_refused(house: House, host: str) -> None:
    answer = house.graphql("{ __typename }", headers={"Host": host})
    assert (answer.status, answer.outcome, quotes(answer)) == (403, "FORBIDDEN", False)


def test_a_foreign_origin_is_refused(house: House) -> None:
    answer = house.graphql("{ __typename }", headers={"Origin": "https://example.com"})
    assert (answer.status, answer.outcome) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "query",
    [
        "{ me { id",
        "{a" * 20_000,
        "{ nothingLikeZq7xMarker }",
        "query A { __typename } query B { __typename }",
        "fragment F on Query { __typename }",
        "{ ...F } fragment F on Query { ...F }",
        "{" + " ".join(f"a{n}: __typename" for n in range(31)) + "}",
        "{ __typename " + "@include(if: true) " * 21 + "}",
        "{ usersConnection { edges { node { id } } } a: usersConnection(first: 100) { nodes { id } } "
        + " ".join(f"u{n}: users {{ id }}" for n in range(10)) + "}",
        "subscription { __typename }",
        "{ a: __typename a: me { id } }",
    ],
    ids=range(11),
)  # fmt: skip
def test_a_query_that_is_wrong_or_asks_for_too_much_is_refused_before_it_runs(house: House, query: str) -> None:
    answer = house.graphql(query, by=house.admin)
    assert (set(answer.codes), "data" in answer.body) == ({BAD}, False)


def test_an_error_that_is_told_can_be_found_in_the_log(house: House) -> None:
    [error] = house.graphql(LOGIN, {"input": {"email": "nobody@example.com", "password": "x"}}).errors
    lines = [line for line in house.log() if error["extensions"]["correlationId"] in line]
    assert any('"codes":["UNAUTHENTICATED"]' in line for line in lines)
