"""The ASGI application: /graphql and /health, and which origins may call them."""

from typing import cast

from ariadne.enums_default_values import repair_schema_default_enum_values
from ariadne.schema_names import convert_schema_names
from graphql import GraphQLSchema, build_ast_schema, parse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gatehouse import telemetry
from gatehouse.access import MESSAGE, Answered
from gatehouse.counts import UNKNOWN
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
    """The executable schema, every field under its rule: as Ariadne's `make_executable_schema` has it, unchecked.

    That the files are valid is a test's to say, and not each cold start's.
    """
    # Only the layer's own files: Ariadne ships SDL too, and a search through /opt would find it.
    sdl = [file.read_text() for file in sorted(settings.schema_directory.glob("*.graphql"))]
    document = parse("\n".join(sdl), no_location=True)
    schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    for bindable in (*SCALARS, *ENUMS, *BINDABLES):
        bindable.bind_to_schema(schema)
    convert_schema_names(schema, None)
    repair_schema_default_enum_values(schema)
    enforce(schema)
    return schema


async def _not_taken(request: Request, error: Exception) -> JSONResponse:
    """What a preflight gets where no origin may call: API Gateway routes it here, and no route here takes it."""
    refusal = Unacceptable(cast(HTTPException, error).status_code, "This is not served here.")
    correlation_id = request.scope["aws.event"]["requestContext"]["requestId"]
    _log(request, refusal.status)
    return JSONResponse({"errors": [errors.refusal(refusal, correlation_id)]}, refusal.status)


async def _health(request: Request) -> JSONResponse:
    _log(request, 200)
    return JSONResponse({"status": "ok"})


def _log(request: Request, status: int) -> None:
    """The line of a request that nobody is admitted for; it is no operation, and adds nothing to the figures."""
    event = request.scope["aws.event"]
    answered = Answered(
        method=event["httpMethod"], endpoint=event["resource"], status=status, seconds=0, operation=UNKNOWN
    )
    telemetry.logger().info(MESSAGE, extra=answered.line)
