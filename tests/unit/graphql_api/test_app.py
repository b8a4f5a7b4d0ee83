"""The schema is built without a check of its files at each cold start: so it is checked here."""

from pathlib import Path

from ariadne import make_executable_schema
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLSchema, print_schema

from graphql_api.app import build_schema
from graphql_api.resolvers import BINDABLES
from graphql_api.scalars import ENUMS, SCALARS
from tests.unit.fakes import the_settings

SCHEMA = Path(__file__).parents[3] / "schema"


def test_the_schema_is_the_one_that_ariadne_makes_and_finds_valid() -> None:
    sdl = [file.read_text() for file in sorted(SCHEMA.glob("*.graphql"))]
    checked = make_executable_schema(sdl, *SCALARS, *ENUMS, *BINDABLES, convert_names_case=True)

    built = build_schema(the_settings(SCHEMA_DIRECTORY=str(SCHEMA)))

    assert print_schema(built) == print_schema(checked)
    assert _defaults(built) == _defaults(checked)
    assert _values(built) == _values(checked)


def _defaults(schema: GraphQLSchema) -> dict[str, object]:
    """What resolvers get where nothing is given: of arguments and of inputs, as Python's values."""
    of_arguments = {
        f"{kind.name}.{name}({argument})": told.default_value
        for kind in (schema.query_type, schema.mutation_type)
        if kind is not None
        for name, field in kind.fields.items()
        for argument, told in field.args.items()
    }
    of_inputs = {
        f"{kind.name}.{name}": field.default_value
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLInputObjectType)
        for name, field in kind.fields.items()
    }
    return of_arguments | of_inputs


def _values(schema: GraphQLSchema) -> dict[str, list[object]]:
    return {
        name: [value.value for value in kind.values.values()]
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLEnumType)
    }
