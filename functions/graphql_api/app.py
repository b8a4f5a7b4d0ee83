"""The ASGI application: /graphql and /health, and which origins may call them."""

from typing import cast

from ariadne import make_executable_schema
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gatehouse import telemetry
from gatehouse.settings import Settings
from gatehouse.wiring import Gatehouse
from graphql_api import errors
from graphql_api.directives import enforce
from graphql_api.endpoint import Endpoint
from graphql_api.http import Unacceptable
from graphql_api.resolvers import BINDABLES
from graphql_api.scalars import ENUMS, SCALARS


def build_app(gatehouse: Gatehouse) -> Starlette:
    """The application, ready to serve: its schema is read, bound to the resolvers, and under its rules."""
    settings = gatehouse.settings
    endpoint = Endpoint(gatehouse, build_schema(settings))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-api-key"],
        expose_headers=[
            "retry-after",
            "www-authenticate",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ],
    )
    return Starlette(
        routes=[Route("/graphql", endpoint.answer, methods=["GET", "POST"]), Route("/health", _health)],
        middleware=[cors] if settings.allowed_origins else [],
        exception_handlers={HTTPException: _not_taken},
    )


def build_schema(settings: Settings) -> GraphQLSchema:
    """The executable schema, every field under its rule."""
    # Only the layer's own files: Ariadne ships SDL too, and a search through /opt would find it.
    sdl = [file.read_text() for file in sorted(settings.schema_directory.glob("*.graphql"))]
    schema = make_executable_schema(sdl, *SCALARS, *ENUMS, *BINDABLES, convert_names_case=True)
    enforce(schema)
    return schema


async def _not_taken(request: Request, error: Exception) -> JSONResponse:
    """What a preflight gets where no origin may call: API Gateway routes it here, and no route here takes it."""
    refusal = Unacceptable(cast(HTTPException, error).status_code, "This is not served here.")
    correlation_id = request.scope["aws.event"]["requestContext"]["requestId"]
    telemetry.logger().info("request", extra={"method": request.method, "status": refusal.status})
    return JSONResponse({"errors": [errors.refusal(refusal, correlation_id)]}, refusal.status)


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
