"""`python -m local.sam serve`, or `invoke EVENT`: what is deployed, in SAM's containers on this machine."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer

from gatehouse import wiring
from gatehouse.clock import SystemClock
from gatehouse.settings import Settings
from local.gateway.environment import (
    ROOT,
    Choices,
    StartError,
    choices,
    cut_off,
    function_variables,
    kept_secret,
    load_template,
)
from local.gateway.store import make_ready
from local.gateway.template import Template
from local.gateway.welcome import READY, first_admin
from local.sam import emulator
from local.sam.emulator import Store

_SAM = str(ROOT / ".venv-sam/bin/sam")
_SECONDS_TO_STOP = 20
# In a container the schema lies where the layer puts it, and there is no Secrets Manager to ask.
_AS_DEPLOYED = ("SCHEMA_DIRECTORY", "JWT_SECRET_ARN")

main = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="What is deployed, in SAM's containers.")


@main.command()
def serve() -> None:
    """Serves the API on PORT until it is told to stop, and says when it is ready."""
    chosen = choices(os.environ)
    port = _free_port(chosen.port)
    with _system(chosen) as (options, settings):
        command = [_SAM, "local", "start-api", "--port", str(port), "--warm-containers", "LAZY", *options]
        with _running(command) as process:
            _wait_until_healthy(port, process)
            url = f"http://localhost:{port}/graphql"
            bootstrap = wiring.build_bootstrap(settings, SystemClock())
            print(READY + url, *first_admin(bootstrap, chosen, url), sep="\n", flush=True)
            sys.exit(process.wait())


@main.command()
def invoke(event: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Calls one function with the event in a file; the file's folder, events/authorizer say, names the function."""
    function = _function_of(event, load_template(os.environ))
    with _system(choices(os.environ)) as (options, _):
        command = [_SAM, "local", "invoke", function, "--event", str(event.resolve()), *options]
        with _running(command) as process:
            sys.exit(process.wait())


def _free_port(wanted: int) -> int:
    """A port that nothing listens on, the one that is wanted or, for 0, any; raises StartError where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise StartError(f"port {wanted} cannot be used ({error.strerror}); choose another with PORT=….") from error
        return int(probe.getsockname()[1])


def _function_of(event: Path, template: Template) -> str:
    """The logical id of the function that an event is for."""
    package = event.resolve().parent.name
    for function in template.functions.values():
        if function.handler.split(".")[0] == package:
            return function.name
    raise StartError(f"there is no function {package}, for which {event} would be.")


@contextmanager
def _system(chosen: Choices) -> Iterator[tuple[list[str], Settings]]:
    """The options with which SAM finds a store that is ready, and the settings with which this process finds it."""
    template = load_template(os.environ)
    with ExitStack() as opened:
        given = Store(chosen.endpoint, chosen.endpoint) if chosen.endpoint else None
        store = given or opened.enter_context(emulator.running())
        cut_off(os.environ)
        given_here = {"DYNAMODB_ENDPOINT": store.endpoint, "JWT_SECRET": kept_secret(os.environ)}
        variables = function_variables(template, os.environ | given_here)
        settings = Settings.from_environment(variables)
        make_ready(settings, template.table)
        variables["DYNAMODB_ENDPOINT"] = store.endpoint_for_containers
        file = opened.enter_context(NamedTemporaryFile("w", prefix="gatehouse-"))  # which only its owner may read
        json.dump({"Parameters": _declared(template, variables)}, file)
        file.flush()
        options = ["--env-vars", file.name, "--region", settings.region, "--skip-pull-image"]
        architecture = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
        yield [*options, "--parameter-overrides", f"Architecture={architecture}"], settings


def _declared(template: Template, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that the template declares: SAM passes on no others."""
    declared = {name for function in template.functions.values() for name in function.environment}
    return {name: variables[name] for name in declared.difference(_AS_DEPLOYED)}


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """SAM, which takes its containers down when it is asked to end, as it is at the end of the block."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    """Returns once the health check answers, which takes minutes where images are made first."""
    while process.poll() is None:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/health")
                if connection.getresponse().status == HTTPStatus.OK:
                    return
        except (OSError, HTTPException):
            pass
        time.sleep(0.5)
    raise StartError("SAM ended before the API was ready.")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        main()
    except StartError as error:
        sys.exit(f"SAM's containers cannot be used: {error}")
