"""Handlers are called as Lambda calls them."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest

from local.gateway.intrinsics import TemplateError
from local.gateway.runtime import (
    PAYLOAD_LIMIT,
    CallerGaveUp,
    FunctionFailed,
    Handler,
    PayloadTooLarge,
    Runtime,
    load_handlers,
)
from local.gateway.template import Template
from tests.unit.local.conftest import TEMPLATE

PATIENCE = 29.0


@pytest.fixture
def runtime_of(template: Template) -> Iterator[Callable[[Handler], Runtime]]:
    made: list[Runtime] = []

    def make(handler: Handler) -> Runtime:
        made.append(Runtime(template.functions, {"EchoFunction": handler}))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


def test_event_and_result_go_through_json(runtime_of: Callable[[Handler], Runtime]) -> None:
    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        event["seen"] = (1, "é")
        return event

    given = {"a": None}
    assert runtime_of(handler).invoke("EchoFunction", given, PATIENCE) == {"a": None, "seen": [1, "é"]}
    assert given == {"a": None}


def test_the_context_is_lambdas(runtime_of: Callable[[Handler], Runtime]) -> None:
    def handler(_: dict[str, Any], context: Any) -> dict[str, Any]:
        return {
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn,
            "log_group": context.log_group_name,
            "id": context.aws_request_id,
            "left": context.get_remaining_time_in_millis(),
        }

    runtime = runtime_of(handler)
    first, second = (runtime.invoke("EchoFunction", {}, PATIENCE) for _ in range(2))
    assert first.pop("id") != second.pop("id")
    assert 1000 < first.pop("left") <= 2000
    assert first == {
        "name": "EchoFunction",
        "version": "$LATEST",
        "memory": "128",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:EchoFunction",
        "log_group": "/aws/lambda/EchoFunction",
    }


def test_calls_run_at_the_same_time_each_with_an_event_loop(runtime_of: Callable[[Handler], Runtime]) -> None:
    together = Barrier(4, timeout=2)

    async def meet() -> str:
        together.wait()
        return "met"

    runtime = runtime_of(lambda _, __: asyncio.get_event_loop().run_until_complete(meet()))
    with ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(runtime.invoke, "EchoFunction", {}, PATIENCE) for _ in range(4)]
    assert [call.result() for call in calls] == ["met"] * 4


@pytest.mark.parametrize(
    ("failing", "kind"),
    [
        (lambda _, __: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda _, __: {1, 2}, "Runtime.MarshalError"),
        (lambda _, __: "\ud800", "Runtime.MarshalError"),
        (lambda _, __: "x" * PAYLOAD_LIMIT, "Function.ResponseSizeTooLarge"),
    ],
)
def test_a_handler_that_gives_no_answer_fails_with_its_kind(
    runtime_of: Callable[[Handler], Runtime], failing: Handler, kind: str
) -> None:
    with pytest.raises(FunctionFailed, match=kind):
        runtime_of(failing).invoke("EchoFunction", {}, PATIENCE)


def test_an_answer_at_the_limit_is_given(runtime_of: Callable[[Handler], Runtime]) -> None:
    largest = "x" * (PAYLOAD_LIMIT - 2)
    assert runtime_of(lambda _, __: largest).invoke("EchoFunction", {}, PATIENCE) == largest


def test_an_event_over_the_limit_never_reaches_the_handler(runtime_of: Callable[[Handler], Runtime]) -> None:
    called = Event()
    with pytest.raises(PayloadTooLarge):
        runtime_of(lambda _, __: called.set()).invoke("EchoFunction", {"body": "x" * PAYLOAD_LIMIT}, PATIENCE)
    assert not called.is_set()


def test_a_call_over_the_functions_timeout_fails(template: Template) -> None:
    released = Event()
    runtime = Runtime(template.functions, {"EchoFunction": lambda _, __: released.wait(10)})
    started = time.monotonic()
    try:
        with pytest.raises(FunctionFailed, match=r"Task timed out after 2\.00 seconds"):
            runtime.invoke("EchoFunction", {}, PATIENCE)
        assert 1.9 < time.monotonic() - started < 5
    finally:
        released.set()
        runtime.close()


def test_a_caller_that_waits_less_than_the_function_may_take_gives_up(template: Template) -> None:
    released = Event()
    runtime = Runtime(template.functions, {"EchoFunction": lambda _, __: released.wait(10)})
    try:
        with pytest.raises(CallerGaveUp):
            runtime.invoke("EchoFunction", {}, 0.1)
    finally:
        released.set()
        runtime.close()


def test_a_timeout_error_of_the_handlers_own_is_its_failure(runtime_of: Callable[[Handler], Runtime]) -> None:
    def handler(_: dict[str, Any], __: Any) -> None:
        raise TimeoutError("elsewhere")

    with pytest.raises(FunctionFailed, match="TimeoutError: elsewhere"):
        runtime_of(handler).invoke("EchoFunction", {}, PATIENCE)


def test_a_template_whose_handlers_are_missing_is_refused(template: Template) -> None:
    with pytest.raises(TemplateError, match=r"There is no handler echo\.handler\.handler"):
        load_handlers(template)


# ---- where handlers come from


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """The name of a package that a template in `tmp_path` may have in its folder `source`; forgotten after the test."""
    name = f"package_{uuid4().hex}"
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def a_package(folder: Path, name: str, answer: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "words.py").write_text(f"ANSWER = {answer!r}\n")
    (folder / name / "handler.py").write_text(
        f"from {name} import words\n\n\ndef handler(event, context):\n    return words.ANSWER\n"
    )


def test_a_handler_is_loaded_from_its_functions_folder_and_the_path_stays_as_it_is(
    tmp_path: Path, package: str
) -> None:
    a_package(tmp_path / "source", package, "ours")
    before = list(sys.path)
    text = TEMPLATE.replace("echo.handler", f"{package}.handler").replace("DefaultAuthorizer: Gate", "")
    (tmp_path / "template.yaml").write_text(text)
    handlers = load_handlers(Template.load(tmp_path / "template.yaml", {}))
    assert {name: handler({}, None) for name, handler in handlers.items()} == {"EchoFunction": "ours"}
    assert sys.path == before


def test_two_packages_of_one_name_are_told_apart(tmp_path: Path, package: str) -> None:
    for folder in ("source", "."):  # EchoFunction has its code in the first, GateFunction in the second
        a_package(tmp_path / folder, package, folder)
    text = TEMPLATE.replace("echo.handler", f"{package}.handler").replace("gate.handler", f"{package}.handler")
    (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(TemplateError, match=f"another package is called {package}"):
        load_handlers(Template.load(tmp_path / "template.yaml", {}))
