"""The way of one request through a REST API: route, authorizer, function, answer."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from gatehouse.clock import Clock, SystemClock
from local.gateway.authorizer import PATIENCE, authorize
from local.gateway.events import Api, MalformedResult, http_response, proxy_event
from local.gateway.messages import HttpRequest, HttpResponse
from local.gateway.responses import Refusal, gateway_response
from local.gateway.runtime import CallerGaveUp, FunctionFailed, Handler, PayloadTooLarge, Runtime
from local.gateway.template import Route, Template

BODY_LIMIT = 10 * 1024 * 1024

_log = logging.getLogger(__name__)


class Gateway:
    """Answers requests as the API of a template would, with the given handlers by the functions' logical ids.

    Safe for threads: as many requests run at a time as callers ask.
    """

    def __init__(self, template: Template, handlers: Mapping[str, Handler], clock: Clock | None = None) -> None:
        self._routes = template.routes
        self._configured = template.gateway_responses
        self._api = Api(template.stage, template.region, template.binary_media_types)
        self._runtime = Runtime(template, handlers)
        self._clock = clock or SystemClock()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request, whatever happens to it on its way."""
        request_id = uuid4()
        try:
            response = self._answer(request, request_id)
        except Refusal as refusal:
            _report(refusal, request_id)
            response = gateway_response(self._configured, refusal.kind, request_id)
        headers = (*response.headers, ("x-amzn-RequestId", str(request_id)))
        return HttpResponse(response.status, headers, response.body)

    def close(self) -> None:
        """Starts no more functions."""
        self._runtime.close()

    def _answer(self, request: HttpRequest, request_id: UUID) -> HttpResponse:
        if len(request.body) > BODY_LIMIT:
            raise Refusal("REQUEST_TOO_LARGE")
        route = self._route(request)
        event = proxy_event(self._api, request, request_id, self._clock.now())
        if route.authorizer:
            method_arn = self._api.method_arn(request)
            event["requestContext"]["authorizer"] = authorize(self._runtime, route.authorizer, event, method_arn)
        try:
            return http_response(self._api, self._integrate(route, event), request.value("Accept"))
        except MalformedResult as malformed:
            raise Refusal("DEFAULT_5XX") from malformed

    def _route(self, request: HttpRequest) -> Route:
        route = self._routes.get((request.method, request.path))
        if route is None:
            # API Gateway takes an unknown route for one of AWS's own, which are signed.
            raise Refusal("INVALID_SIGNATURE" if request.value("Authorization") else "MISSING_AUTHENTICATION_TOKEN")
        return route

    def _integrate(self, route: Route, event: dict[str, Any]) -> Any:
        try:
            return self._runtime.invoke(route.function, event, PATIENCE)
        except PayloadTooLarge as failure:
            raise Refusal("REQUEST_TOO_LARGE") from failure
        except CallerGaveUp as failure:
            raise Refusal("INTEGRATION_TIMEOUT") from failure
        except FunctionFailed as failure:
            raise Refusal("DEFAULT_5XX") from failure


def _report(refusal: Refusal, request_id: UUID) -> None:
    """Writes what an answer of the gateway's own was for, as API Gateway's access and execution logs would."""
    if refusal.kind == "UNAUTHORIZED":
        return  # the authorizer has a line of its own for it
    level = logging.INFO if refusal.__cause__ is None else logging.ERROR
    _log.log(level, "%s for request %s", refusal.kind, request_id, exc_info=refusal.__cause__)
