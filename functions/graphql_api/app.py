"""The ASGI application: /graphql and /health, and which origins may call them."""

from ariadne import load_schema_from_path, make_executable_schema
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gatehouse.settings import Settings
from gatehouse.wiring import Gatehouse
from graphql_api.directives import enforce
from graphql_api.endpoint import Endpoint
from graphql_api.resolvers import BINDABLES
from graphql_api.scalars import ENUMS, date_time


def build_app(gatehouse: Gatehouse) -> Starlette:
    """The application, ready to serve: its schema is read, bound to the resolvers, and under its rules."""
    settings = gatehouse.settings
    endpoint = Endpoint(gatehouse, build_schema(settings))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-api-key"],
        expose_headers=["retry-after", "www-authenticate"],
    )
    return Starlette(
        routes=[Route("/graphql", endpoint.answer, methods=["GET", "POST"]), Route("/health", _health)],
        middleware=[cors] if settings.allowed_origins else [],
    )


def build_schema(settings: Settings) -> GraphQLSchema:
    """The executable schema, every field under its rule."""
    # Only the layer's own files: Ariadne ships SDL too, and a search through /opt would find it.
    sdl = [load_schema_from_path(str(file)) for file in sorted(settings.schema_directory.glob("*.graphql"))]
    schema = make_executable_schema(sdl, date_time, *ENUMS, *BINDABLES, convert_names_case=True)
    enforce(schema)
    return schema


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
