"""The way of one request through API Gateway: API, route, authorizer, usage plan, function, answer."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from gatehouse.clock import Clock, SystemClock
from local.gateway.api import Api, Route
from local.gateway.authorizer import PATIENCE, authorize
from local.gateway.control_plane import ControlPlane
from local.gateway.events import MalformedResult, http_response, proxy_event
from local.gateway.intrinsics import TemplateError
from local.gateway.messages import HttpRequest, HttpResponse
from local.gateway.responses import Refusal, gateway_response
from local.gateway.runtime import CallerGaveUp, FunctionFailed, Handler, PayloadTooLarge, Runtime
from local.gateway.template import Function, Template
from local.gateway.usage_plans import UsagePlans
from local.gateway.wall import control_plane

BODY_LIMIT = 10 * 1024 * 1024

_log = logging.getLogger(__name__)


class Gateway:
    """Answers requests as the API of a template would, with the given handlers by the functions' logical ids.

    The APIs of other templates stand beside it, each under a first segment of the path that its functions do not see;
    in a URL of AWS the stage's name is in that place. Safe for threads: as many requests run at a time as callers ask.
    """

    def __init__(
        self,
        template: Template,
        handlers: Mapping[str, Handler],
        clock: Clock | None = None,
        beside: Mapping[str, Template] | None = None,
        plane: ControlPlane | None = None,
    ) -> None:
        others = beside or {}
        self._api = template.api
        self._beside = {base_path: other.api for base_path, other in others.items()}
        for api in (self._api, *self._beside.values()):
            _check(api, handlers)
        self._runtime = Runtime(_functions([template, *others.values()]), handlers)
        self._clock = clock or SystemClock()
        self._usage_plans = UsagePlans(plane or control_plane(template, self._clock), self._clock)

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request, whatever happens to it on its way."""
        request_id = uuid4()
        api, asked = self._addressed(request)
        try:
            response = self._answer(api, asked, request_id)
        except Refusal as refusal:
            _report(refusal, request_id)
            response = gateway_response(api.gateway_responses, refusal.kind, request_id)
        headers = (*response.headers, ("x-amzn-RequestId", str(request_id)))
        return HttpResponse(response.status, headers, response.body)

    def close(self) -> None:
        """Starts no more functions."""
        self._runtime.close()

    def _addressed(self, request: HttpRequest) -> tuple[Api, HttpRequest]:
        """The API that a request is for, and the request as that API gets it."""
        base_path, _, rest = request.path.removeprefix("/").partition("/")
        if base_path in self._beside:
            return self._beside[base_path], replace(request, path=f"/{rest}")
        return self._api, request

    def _answer(self, api: Api, request: HttpRequest, request_id: UUID) -> HttpResponse:
        if len(request.body) > BODY_LIMIT:
            raise Refusal("REQUEST_TOO_LARGE")
        route = _route(api, request)
        event = proxy_event(api, request, request_id, self._clock.now())
        context, usage_key = event["requestContext"], None
        if route.authorizer:
            method_arn = api.method_arn(request)
            context["authorizer"], usage_key = authorize(self._runtime, route.authorizer, event, method_arn)
        if route.needs_key:
            context["identity"] |= self._usage_plans.enter((api.id, api.stage), usage_key)
        try:
            return http_response(api, self._integrate(route, event), request.value("Accept"))
        except MalformedResult as malformed:
            raise Refusal("DEFAULT_5XX") from malformed

    def _integrate(self, route: Route, event: dict[str, Any]) -> Any:
        try:
            return self._runtime.invoke(route.function, event, PATIENCE)
        except PayloadTooLarge as failure:
            raise Refusal("REQUEST_TOO_LARGE") from failure
        except CallerGaveUp as failure:
            raise Refusal("INTEGRATION_TIMEOUT") from failure
        except FunctionFailed as failure:
            raise Refusal("DEFAULT_5XX") from failure


def _check(api: Api, handlers: Mapping[str, Handler]) -> None:
    """Raises TemplateError for a route that leads to a function, or asks one, that is not there."""
    for route in api.routes.values():
        for name in (route.function, route.authorizer):
            if name is not None and name not in handlers:
                raise TemplateError(f"{route.method} {route.path}: there is no function {name}.")


def _functions(templates: Iterable[Template]) -> dict[str, Function]:
    """The functions of all templates; raises TemplateError where two have one of the same name."""
    functions: dict[str, Function] = {}
    for template in templates:
        if twice := functions.keys() & template.functions.keys():
            raise TemplateError(f"Two templates have a function {min(twice)}.")
        functions |= template.functions
    return functions


def _route(api: Api, request: HttpRequest) -> Route:
    route = api.routes.get((request.method, request.path))
    if route is None:
        # API Gateway takes an unknown route for one of AWS's own, which are signed.
        raise Refusal("INVALID_SIGNATURE" if request.value("Authorization") else "MISSING_AUTHENTICATION_TOKEN")
    return route


def _report(refusal: Refusal, request_id: UUID) -> None:
    """Writes what an answer of the gateway's own was for, as API Gateway's access and execution logs would."""
    if refusal.kind == "UNAUTHORIZED":
        return  # the authorizer has a line of its own for it
    level = logging.INFO if refusal.__cause__ is None else logging.ERROR
    _log.log(level, "%s for request %s", refusal.kind, request_id, exc_info=refusal.__cause__)
