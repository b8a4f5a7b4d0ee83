"""Lambda's stand-in: calls handlers as Lambda does, with JSON in and out, a context, a time limit and a size limit.

Unlike Lambda it calls one handler from several threads at a time, each with an event loop of its own.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.gateway.intrinsics import TemplateError
from local.gateway.template import Function, Template

PAYLOAD_LIMIT = 6 * 1024 * 1024
WORKERS = 32

Handler = Callable[[dict[str, Any], Any], Any]


class FunctionFailed(Exception):
    """The handler raised, gave what is no JSON, gave too much of it, or took longer than the function's Timeout."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.message = message


class PayloadTooLarge(Exception):
    """Lambda does not take an event of this size."""


class CallerGaveUp(Exception):
    """The function may run longer than its caller waits, and did."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The object that a handler gets beside the event, with the names that Lambda gives them."""

    function_name: str
    memory_limit_in_mb: str
    invoked_function_arn: str
    log_group_name: str
    deadline: float
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call is given up, 0 after that."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Runtime:
    """Calls functions by their logical id."""

    def __init__(
        self, functions: Mapping[str, Function], handlers: Mapping[str, Handler], workers: int = WORKERS
    ) -> None:
        self._functions = functions
        self._handlers = handlers
        self._loops: list[asyncio.AbstractEventLoop] = []
        self._workers = ThreadPoolExecutor(workers, "function", initializer=self._give_thread_a_loop)

    def invoke(self, name: str, event: dict[str, Any], patience: float) -> Any:
        """What the function gives for an event, after at most `patience` seconds.

        Raises FunctionFailed, PayloadTooLarge, or CallerGaveUp. A handler that overran cannot be stopped: its thread
        ends when it does.
        """
        function = self._functions[name]
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > PAYLOAD_LIMIT:
            raise PayloadTooLarge(name)
        call = self._workers.submit(_call, self._handlers[name], payload, _context(function))
        try:
            return json.loads(call.result(timeout=min(function.timeout, patience)))
        except TimeoutError:
            call.cancel()
            if function.timeout >= patience:
                raise CallerGaveUp(name) from None
            raise FunctionFailed("Sandbox.Timedout", f"Task timed out after {function.timeout:.2f} seconds") from None

    def close(self) -> None:
        """Takes no more calls and drops those that wait; does not wait for those that run."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        for loop in self._loops:
            if not loop.is_running():
                loop.close()

    def _give_thread_a_loop(self) -> None:
        """Mangum takes the thread's event loop and makes none."""
        loop = asyncio.new_event_loop()
        self._loops.append(loop)
        asyncio.set_event_loop(loop)


def load_handlers(template: Template) -> dict[str, Handler]:
    """The handlers of those of the template's functions that its API's routes lead to; raises TemplateError without."""
    routes = template.api.routes.values()
    names = {route.function for route in routes} | {route.authorizer for route in routes}
    return {name: _load(function) for name, function in template.functions.items() if name in names}


def load_event_handlers(template: Template) -> dict[str, Handler]:
    """The handlers of the functions that get the table's changes, messages of a queue, or an event of a schedule.

    Raises TemplateError.
    """
    names = [
        *(mapping.function for mapping in template.stream_mappings),
        *(mapping.function for mapping in template.queue_mappings),
        *(schedule.function for schedule in template.schedules),
    ]
    return {name: _load(template.functions[name]) for name in names}


def _load(function: Function) -> Handler:
    """The handler, from the folder of the function's code, which is not on Python's path and is not put there."""
    module, _, attribute = function.handler.rpartition(".")
    try:
        _load_package(module.partition(".")[0], function.code)
        loaded: Handler = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise TemplateError(f"There is no handler {function.handler}: {error}") from error
    return loaded


def _load_package(name: str, folder: Path) -> None:
    """Makes a package known by its name; raises TemplateError where another one has the name already."""
    file = folder / name / "__init__.py"
    if not file.is_file():
        raise ModuleNotFoundError(f"there is no {file}")
    if name in sys.modules:
        if not file.samefile(sys.modules[name].__file__ or folder):
            raise TemplateError(f"{file}: another package is called {name}.")
        return
    loader = SourceFileLoader(name, str(file))
    spec = ModuleSpec(name, loader, is_package=True)
    spec.submodule_search_locations = [str(file.parent)]
    spec.has_location = True
    spec.origin = str(file)
    sys.modules[name] = module_from_spec(spec)
    loader.exec_module(sys.modules[name])


def _context(function: Function) -> Context:
    return Context(
        function_name=function.name,
        memory_limit_in_mb=str(function.memory),
        invoked_function_arn=function.arn,
        log_group_name=f"/aws/lambda/{function.name}",
        deadline=time.monotonic() + function.timeout,
    )


def _call(handler: Handler, payload: bytes, context: Context) -> bytes:
    """What the handler gives, as JSON."""
    try:
        result = handler(json.loads(payload), context)
    except Exception as error:
        raise FunctionFailed(type(error).__name__, str(error)) from error
    try:
        answer = json.dumps(result, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FunctionFailed("Runtime.MarshalError", "The result is no JSON") from error
    if len(answer) > PAYLOAD_LIMIT:
        raise FunctionFailed("Function.ResponseSizeTooLarge", f"The result has more than {PAYLOAD_LIMIT} bytes")
    return answer
