"""How much one request may ask for; measured by what is looked at, not by the clock."""

from collections import Counter
from typing import Any

import pytest
from graphql import GraphQLSchema, parse

from gatehouse.errors import BadRequest
from gatehouse.settings import Settings
from graphql_api import limits
from graphql_api.app import build_schema
from graphql_api.documents import Documents, Invalid, operation_of
from graphql_api.limits import Limits
from tests.unit.fakes import the_settings

LIMITS = Limits(depth=4, aliases=3, directives=2, cost=1_000)
TOO_DEEP = "The request is too deep: at most 4 levels."


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(the_settings())


def _refusal(query: str, most: Limits = LIMITS) -> str | None:
    try:
        most.check_document(parse(query))
    except BadRequest as error:
        return error.message
    return None


def _chain(length: int, on: str, body: str, spreads: int = 1) -> str:
    """Fragments f0 to f<length>, each spreading the next so many times."""
    links = (f"fragment f{n} on {on} {{ {f'...f{n + 1} ' * spreads}}}" for n in range(length))
    return " ".join(links) + f" fragment f{length} on {on} {{ {body} }}"


def test_the_limits_are_those_of_the_settings() -> None:
    settings: Settings = the_settings(
        MAX_QUERY_DEPTH="7", MAX_QUERY_ALIASES="8", MAX_QUERY_DIRECTIVES="9", MAX_QUERY_COST="1010"
    )

    assert Limits.of(settings) == Limits(depth=7, aliases=8, directives=9, cost=1010)


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("{ a { b { c { d } } } }", None),
        ("{ a { b { c { d { e } } } } }", TOO_DEEP),
        ("{ a { ...{ b { ...{ c { ...{ d } } } } } } }", None),
        ("{ a { ...{ b { ...{ c { ...{ d { e } } } } } } } }", TOO_DEEP),
        ("{ ...A } fragment A on Q { a { ...B } } fragment B on Q { b { c { d } } }", None),
        ("{ ...A } fragment A on Q { a { ...B } } fragment B on Q { b { c { d { e } } } }", TOO_DEEP),
        ("{ a { ...B } b { ...B } } fragment B on Q { b { c { d { e } } } }", TOO_DEEP),
        ("query x { a } query y { a { b { c { d { e } } } } }", TOO_DEEP),
        ("{ a { ...A } } fragment A on Q { b { ...A } }", None),
        ("{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }", None),
        ("{ ...Unknown }", None),
        ("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", None),
        ("{ a { b { c { __typename } } } }", None),
        ("mutation { a { b { c { d { e } } } } }", TOO_DEEP),
        ("{ a " + "{ a " * 150 + "}" * 151, TOO_DEEP),
    ],
)
def test_depth_counts_through_every_kind_of_fragment_and_not_into_introspection(
    query: str, refusal: str | None
) -> None:
    assert _refusal(query) == refusal


def test_aliases_are_counted_where_they_are_written() -> None:
    too_many = "The request has too many aliases: at most 3."

    assert _refusal("{ a:x b:x c:x x }") is None
    assert _refusal("{ a:x b:x c:x d:x }") == too_many
    assert _refusal("{ a:x { b:y } ...{ c:z } ...F } fragment F on Q { d:z }") == too_many
    assert _refusal("query x { a:x b:x } query y { a:x b:x }") == too_many


def test_directives_are_counted_where_they_are_written() -> None:
    too_many = "The request has too many directives: at most 2."

    assert _refusal("{ a @include(if: true) b @skip(if: false) }") is None
    assert _refusal("{ a @x @x @x }") == too_many
    assert _refusal("query @x { a ...F @x ... @x { b } } fragment F on Q { c }") == too_many
    assert _refusal("{ ...F } fragment F on Q @x { c @x @x }") == too_many


@pytest.mark.parametrize("spreads", [1, 2, 10])
def test_a_fragment_is_looked_at_once_however_often_it_is_spread(
    monkeypatch: pytest.MonkeyPatch, schema: GraphQLSchema, spreads: int
) -> None:
    looked_at: Counter[str] = Counter()
    measure, of = limits._Measure.depth, limits._Cost.of

    def counted_measure(self: Any, *args: Any) -> int:
        looked_at["depth"] += 1
        return measure(self, *args)

    def counted_cost(self: Any, *args: Any) -> int:
        looked_at["cost"] += 1
        return of(self, *args)

    monkeypatch.setattr(limits._Measure, "depth", counted_measure)
    monkeypatch.setattr(limits._Cost, "of", counted_cost)
    document = parse("{ me { ...f0 } } " + _chain(20, "User", "id", spreads))

    LIMITS.check_document(document)
    LIMITS.check_operation(schema, document, operation_of(document, None), {})

    # the operation, the field, and each of the 21 fragments
    assert looked_at == {"depth": 23, "cost": 23}


def test_fragments_that_lead_to_themselves_are_looked_at_once_too() -> None:
    ring = " ".join(f"fragment f{n} on User {{ a {{ ...f{(n + 1) % 20} ...f{n} }} }}" for n in range(20))

    assert _refusal("{ me { ...f0 } } " + ring) == TOO_DEEP


def test_fields_and_fragments_are_counted_where_they_are_written() -> None:
    too_many = "The request has too many fields and fragments: at most 300."

    assert _refusal("{ " + "a " * 300 + "}") is None
    assert _refusal("{ " + "a " * 301 + "}") == too_many
    assert _refusal("{ " + "a { b } " * 151 + "}") == too_many
    assert _refusal("{ ...F } fragment F on Q { " + "a " * 300 + "}") == too_many
    assert _refusal("{ a } " + "fragment F on Q { ...F } " * 300) == too_many


@pytest.mark.parametrize("length", [100, 298, 1_500])
def test_a_chain_of_fragments_however_long_is_read_or_refused(schema: GraphQLSchema, length: int) -> None:
    documents = Documents(schema, LIMITS, max_tokens=20_000, introspection=True)
    query = "{ ...f0 } " + _chain(length, "Query", "__typename")

    if length == 100:
        assert documents.read(query) == parse(query)
    else:
        with pytest.raises((BadRequest, Invalid)):
            documents.read(query)


@pytest.mark.parametrize(
    "query",
    [
        "{ me { " + "id " * 120 + "} }",
        "{ me" + "{ id" * 40 + "}" * 41,
        "{ user(id: " + "[" * 60 + "]" * 60 + ") { id } }",
        "query(" + " ".join(f"$v{n}: Int" for n in range(40)) + ") { me { id } }",
    ],
)
def test_a_text_of_more_tokens_than_allowed_is_not_read(schema: GraphQLSchema, query: str) -> None:
    documents = Documents(schema, Limits(50, 500, 500, 100_000), max_tokens=100, introspection=True)

    with pytest.raises(Invalid) as refusal:
        documents.read(query)
    [error] = refusal.value.refusals
    assert error.message.startswith("The query has a syntax error at line 1, column ")


COSTS = [
    ("{ me { id } }", {}, 1),
    ("{ me { id } me { username } }", {}, 2),
    ("{ a: me { id } b: me { id } }", {}, 2),
    # A list costs 100 for its queries, and each object that it may give.
    ("{ users { id } }", {}, 200),
    ("{ users(first: 5) { id } }", {}, 105),
    ("{ users(first: 0) { id } }", {}, 101),
    ("{ users(first: -7) { id } }", {}, 101),
    ("{ users(first: 99999) { id } }", {}, 200),
    ("{ users(first: null) { id } }", {}, 200),
    ("query($n: Int) { users(first: $n) { id } }", {"n": 7}, 107),
    ("query($n: Int) { users(first: $n) { id } }", {"n": None}, 200),
    ("query($n: Int) { users(first: $n) { id } }", {}, 200),
    ("query($n: Int) { users(first: $n) { id } }", {"n": 10**9}, 200),
    ("{ usersConnection(first: 5) { edges { cursor } } }", {}, 105),
    ("{ usersConnection(first: 5) { edges { node { id } } } }", {}, 110),
    ("{ usersConnection(first: 5) { nodes { id } } }", {}, 105),
    ("{ usersConnection(first: 5) { nodes { id } edges { node { id } } pageInfo { endCursor } } }", {}, 116),
    ("{ usersConnection { ...C } } fragment C on UserConnection { nodes { id } }", {}, 200),
    ("""{ a: usersConnection(first: 2) { ...C } b: usersConnection(first: 3) { ...C } }
    fragment C on UserConnection { nodes { id } }""", {}, 205),
    ("{ ...Q ...Q } fragment Q on Query { users(first: 3) { id } }", {}, 206),
    ("{ ... on Query { users(first: 3) { id } } }", {}, 103),
    ("{ __schema { types { fields { name } } } __typename }", {}, 0),
    ("mutation { logout }", {}, 0),
    ('mutation { deleteUser(id: "x") { id } }', {}, 1),
    # A list whose length nobody tells costs 100, whatever is in it.
    ('{ usage(userId: "x") { sessions { limit } } }', {}, 2),
    ('{ usage(userId: "x") { days { day } } }', {}, 101),
    ('{ usage(userId: "x") { days { credentials { requests } } plan { id } } }', {}, 202),
    ("{ usagePlans(first: 5) { id } }", {}, 105),
]  # fmt: skip


@pytest.mark.parametrize(("query", "variables", "cost"), COSTS)
def test_the_cost_is_the_number_of_objects_asked_for(
    schema: GraphQLSchema, query: str, variables: dict[str, Any], cost: int
) -> None:
    document = parse(query)
    Documents(schema, Limits(12, 30, 20, 0), 2_000, True).read(query)
    operation = operation_of(document, None)

    assert Limits(12, 30, 20, cost).check_operation(schema, document, operation, variables) == max(cost, 1)
    if cost > 0:
        with pytest.raises(BadRequest) as refusal:
            Limits(12, 30, 20, cost - 1).check_operation(schema, document, operation, variables)
        assert refusal.value.message == (
            f"The request costs {cost}, 1 for each object it asks for and 100 for each list: at most {cost - 1}."
        )


LOGIN = 'login(loginInput: { email: "a@b.co", password: "x" }) { expiresIn }'
REGISTER = 'register(registerInput: { username: "abc", email: "a@b.co", password: "x" }) { expiresIn }'


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        (f"mutation {{ {LOGIN} }}", None),
        (f"mutation {{ {LOGIN} {REGISTER} }}", None),
        (f"mutation {{ {LOGIN} {LOGIN} }}", "login"),
        (f"mutation {{ a: {LOGIN} b: {LOGIN} }}", "login"),
        (f"mutation {{ {LOGIN} ... {{ b: {LOGIN} }} }}", "login"),
        (f"mutation {{ {LOGIN} ...F }} fragment F on Mutation {{ b: {LOGIN} }}", "login"),
        (f"mutation {{ ...F }} fragment F on Mutation {{ a: {REGISTER} b: {REGISTER} }}", "register"),
        (f"mutation {{ ...F ...G }} fragment F on Mutation {{ ...G }} fragment G on Mutation {{ {LOGIN} }}", None),
        (f"mutation {{ a: {LOGIN} b: {LOGIN.replace(') {', ') @skip(if: true) {')} }}", "login"),
        (f"mutation x {{ {LOGIN} }} mutation y {{ {LOGIN} }}", None),
    ],
)
def test_a_field_that_hashes_stands_once_in_what_is_executed(
    schema: GraphQLSchema, query: str, refused: str | None
) -> None:
    document = parse(query)
    operation = operation_of(document, "x" if "mutation x" in query else None)
    if refused is None:
        LIMITS.check_operation(schema, document, operation, {})
        return
    with pytest.raises(BadRequest) as refusal:
        LIMITS.check_operation(schema, document, operation, {})
    assert refusal.value.message == f"{refused} may stand once in a request."
