"""One GraphQL request, from HTTP to HTTP: read, bounded, allowed, executed, told and logged."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ariadne import graphql_sync
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gatehouse import counts, telemetry
from gatehouse.access import MESSAGE, Answered, Problem
from gatehouse.admission import telling
from gatehouse.errors import Forbidden, GatehouseError, RateLimitExceeded, ServiceUnavailable, Unauthenticated
from gatehouse.wiring import Gatehouse
from graphql_api import context, documents, errors, http, plan_policy
from graphql_api.context import RequestContext
from graphql_api.directives import Access, rule_of
from graphql_api.limits import Limits
from graphql_api.types_of_input import check_variables

_RETRY_AFTER_SECONDS = "1"


class Endpoint:
    """Ariadne, held to the GraphQL over HTTP specification and to Gatehouse's limits."""

    def __init__(self, gatehouse: Gatehouse, schema: GraphQLSchema) -> None:
        settings = gatehouse.settings
        self._gatehouse = gatehouse
        self._schema = schema
        self._limits = Limits.of(settings)
        self._counts = telemetry.counts()
        self._root_fields = frozenset(documents.names_of_root_fields(schema))
        self._documents = documents.Documents(schema, self._limits, settings.max_query_tokens, settings.introspection)

    async def answer(self, request: Request) -> Response:
        """The answer to a GET or POST; every refusal has a code, a status and the correlation id."""
        started = time.perf_counter()
        event = request.scope["aws.event"]
        exchange = _Exchange(context.from_event(self._gatehouse, event))
        try:
            exchange.require_allowance()
            exchange.media_type = http.response_type(request)
            wanted = await http.read(request, self._gatehouse.settings.max_body_bytes)
            response = self._execute(exchange, wanted)
        except http.Unacceptable as error:
            response = exchange.refuse([error], error.status)
        except documents.Invalid as error:
            response = exchange.refuse_well_formed(error.refusals)
        except GatehouseError as error:
            response = exchange.refuse_well_formed([error])
        except Exception as error:  # noqa: BLE001 - the boundary: Mangum would answer in its own words, without a code
            response = exchange.fail(error)
        self._keep_forbidden(exchange)
        self._tell(exchange, event, response.status_code, time.perf_counter() - started)
        return response

    def _execute(self, exchange: "_Exchange", wanted: http.GraphQLRequest) -> Response:
        document = self._documents.read(wanted.query)
        operation = documents.operation_of(document, wanted.operation_name)
        if wanted.is_get and operation.operation is not OperationType.QUERY:
            raise http.Unacceptable(405, "A GET request takes queries only; send a mutation with POST.")
        exchange.fields = documents.root_fields(document, operation)
        self._require_caller(exchange, operation)
        if wrong := check_variables(
            self._schema, operation, wanted.variables, tells_fields=self._documents.introspection
        ):
            raise documents.Invalid(wrong)
        cost = self._limits.check_operation(self._schema, document, operation, wanted.variables)
        plan_policy.enforce(exchange.context, document, operation, exchange.fields, cost)
        _, result = graphql_sync(
            self._schema,
            {"query": wanted.query, "variables": wanted.variables, "operationName": wanted.operation_name},
            context_value=exchange.context,
            query_document=document,
            query_validator=_was_validated,
            error_formatter=_as_it_is,
            logger=_silent(),
        )
        return exchange.tell(result)

    def _keep_forbidden(self, exchange: "_Exchange") -> None:
        """For the audit, what the caller was forbidden."""
        caller, problems = exchange.context.caller, exchange.problems
        if caller.is_anonymous or not any(problem.code == Forbidden.code for problem in problems):
            return
        reasons = {problem.reason for problem in problems if problem.code == Forbidden.code and problem.reason}
        self._gatehouse.forbidden_calls.keep(caller, exchange.fields, reasons)

    def _tell(self, exchange: "_Exchange", event: Mapping[str, Any], status: int, seconds: float) -> None:
        """One line a request, and its figures: facts, no text that a caller sent but the names of known root fields."""
        answered = Answered(
            method=event["httpMethod"],
            endpoint=event["resource"],
            status=status,
            seconds=seconds,
            operation=counts.operation(exchange.fields, self._root_fields),
            query=exchange.fields,
            caller=exchange.context.caller,
            allowance=exchange.context.allowance,
            problems=exchange.problems,
        )
        telemetry.logger().info(MESSAGE, extra=answered.line)
        self._counts.add(answered.facts)

    def _require_caller(self, exchange: "_Exchange", operation: OperationDefinitionNode) -> None:
        """Refuses an anonymous caller before anything is executed, unless every field is public."""
        root = self._schema.get_root_type(operation.operation)
        caller = exchange.context.caller
        if root is None or not caller.is_anonymous:
            return
        for name in exchange.fields:
            if not name.startswith("__") and rule_of(root.fields[name]).access is not Access.PUBLIC:
                raise Unauthenticated("Sign in first.", reason=caller.refused_because)


@dataclass
class _Exchange:
    """What is known of the request while it is answered."""

    context: RequestContext
    media_type: str = http.JSON
    fields: Sequence[str] = ()
    problems: list[Problem] = field(default_factory=list)

    def require_allowance(self) -> None:
        """Nothing, where the gate let the caller in; raises RateLimitExceeded, which an authorizer cannot answer."""
        if self.context.allowance.is_spent:
            raise RateLimitExceeded("Too many requests; the Retry-After header tells when to try again.")

    def tell(self, result: Mapping[str, Any]) -> Response:
        """The answer to an executed request; 503 or 500 where nothing came of it, because of the store or of us."""
        told = dict(result)
        if "errors" in told:
            told["errors"] = [errors.in_execution(error, self.context.correlation_id) for error in told["errors"]]
            self.problems = [errors.problem_of(error) for error in told["errors"]]
        if self.context.next:
            told["extensions"] = {"next": self.context.next}
        came = any(value is not None for value in (told.get("data") or {}).values())
        return self._respond(told, 200 if came else _status_of_nothing([problem.code for problem in self.problems]))

    def fail(self, cause: Exception) -> Response:
        """The answer where something of ours went wrong; what it was is logged, not told."""
        told = errors.unexpected(cause, self.context.correlation_id)
        self.problems = [errors.problem_of(told)]
        return self._respond({"errors": [told]}, 500)

    def refuse(self, refusals: Sequence[GatehouseError | GraphQLError], status: int) -> Response:
        """The answer to a request that is not executed."""
        told = [errors.refusal(refusal, self.context.correlation_id) for refusal in refusals]
        self.problems = [errors.problem_of(error) for error in told]
        return self._respond({"errors": told}, status)

    def refuse_well_formed(self, refusals: Sequence[GatehouseError | GraphQLError]) -> Response:
        """The same for one that is good HTTP: with the older media type, only who may not come in is told by status."""
        status = errors.status_of(refusals[0])
        return self.refuse(refusals, 200 if status == 400 and self.media_type == http.JSON else status)

    def _respond(self, told: Mapping[str, Any], status: int) -> Response:
        headers = {
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **telling.headers(self.context.allowance),
        }
        if status == Unauthenticated.status:
            headers["www-authenticate"] = "Bearer"
        if status == ServiceUnavailable.status:
            headers["retry-after"] = _RETRY_AFTER_SECONDS
        if status == RateLimitExceeded.status:
            headers["retry-after"] = str(self._retry_after())
        if status == 405:
            headers["allow"] = "POST"
        told = {
            **told,
            "extensions": {**told.get("extensions", {}), "rateLimit": telling.extension(self.context.allowance)},
        }
        return JSONResponse(told, status, headers, media_type=f"{self.media_type}; charset=utf-8")

    def _retry_after(self) -> int:
        now = self.context.gatehouse.clock.now()
        return self.context.retry_after or telling.retry_after(self.context.allowance, now)


def _status_of_nothing(codes: Sequence[str]) -> int:
    if errors.INTERNAL in codes:
        return 500
    return ServiceUnavailable.status if set(codes) == {ServiceUnavailable.code} else 200


def _was_validated(*_args: Any, **_kwargs: Any) -> list[GraphQLError]:
    return []


def _as_it_is(error: Any, _debug: bool = False) -> Any:
    return error


def _silent() -> logging.Logger:
    """A logger for Ariadne, which would log clients' mistakes as errors, with their text; `errors` logs ours."""
    logger = logging.getLogger("graphql_api.silent")
    logger.disabled = True
    return logger
