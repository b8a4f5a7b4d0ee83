"""How errors are told: the domain's in their own words, GraphQL's without the values they quote, the rest masked."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from gatehouse import telemetry
from gatehouse.access import Problem
from gatehouse.errors import BadRequest, GatehouseError, ServiceUnavailable, TwoFactorRequired

INTERNAL = "INTERNAL_SERVER_ERROR"


def refusal(error: GatehouseError | GraphQLError, correlation_id: str) -> dict[str, Any]:
    """The error in GraphQL's shape, for a request that is refused before it is executed.

    A GraphQLError here is one of validation; its text names fields and types, and `types_of_input` words those that
    would quote a value.
    """
    if isinstance(error, GraphQLError):
        return _placed(refusal(_worded(error), correlation_id), error)
    if isinstance(error, ServiceUnavailable):
        telemetry.logger().warning("something did not answer", exc_info=error)
    extensions = {
        "code": error.code,
        "statusCode": error.status,
        "field": error.field,
        "reason": error.reason,
        "challenge": error.challenge if isinstance(error, TwoFactorRequired) else None,
        "correlationId": correlation_id,
    }
    known = {name: value for name, value in extensions.items() if value is not None}
    return {"message": error.message, "extensions": known}


def in_execution(error: GraphQLError, correlation_id: str) -> dict[str, Any]:
    """The error of one field in GraphQL's shape; what was not meant for the caller is logged and masked."""
    cause = error.original_error
    if isinstance(cause, GatehouseError):
        return _placed(refusal(cause, correlation_id), error)
    if cause is None:
        # graphql-core found an argument at fault that only shows when its variables are known, and would quote it.
        return _placed(refusal(BadRequest("An argument is not of its type."), correlation_id), error)
    return _placed(unexpected(cause, correlation_id), error)


def unexpected(cause: Exception, correlation_id: str) -> dict[str, Any]:
    """One neutral sentence in GraphQL's shape for what was not meant for the caller; the cause is logged."""
    telemetry.logger().error("unexpected error", exc_info=cause)
    extensions = {"code": INTERNAL, "statusCode": 500, "correlationId": correlation_id}
    return {"message": "Something went wrong on our side.", "extensions": extensions}


def problem_of(told: Mapping[str, Any]) -> Problem:
    """The code and the reason of an error in GraphQL's shape."""
    return Problem(told["extensions"]["code"], told["extensions"].get("reason"))


def status_of(error: GatehouseError | GraphQLError) -> int:
    """The HTTP status that the error's code belongs to."""
    return BadRequest.status if isinstance(error, GraphQLError) else error.status


def _worded(error: GraphQLError) -> BadRequest:
    cause = error.original_error
    # One rule of graphql-core's suggests whatever it is told; no text of ours has these words.
    return cause if isinstance(cause, BadRequest) else BadRequest(error.message.partition(" Did you mean")[0])


def _placed(told: dict[str, Any], error: GraphQLError) -> dict[str, Any]:
    if error.locations:
        told["locations"] = [location.formatted for location in error.locations]
    if error.path:
        told["path"] = error.path
    return told
