"""`python -m local.gateway`: the whole system on this machine, ready to be called."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable

from gatehouse import wiring
from gatehouse.clock import Clock
from gatehouse.errors import ServiceUnavailable
from gatehouse.settings import InvalidSetting, Settings
from gatehouse.signing.keys import InvalidKeySet, SigningKeys
from local.gateway import moto_guard
from local.gateway.cleaning import cleaning
from local.gateway.clock import MovableClock
from local.gateway.environment import (
    EXAMPLE_BASE_PATH,
    StartError,
    choices,
    cut_off,
    function_variables,
    key_file,
    lend_credentials,
    load_example,
    load_template,
)
from local.gateway.following import account, pumping
from local.gateway.gateway import Gateway
from local.gateway.intrinsics import TemplateError
from local.gateway.outbox import Outbox
from local.gateway.queues import LocalQueue
from local.gateway.runtime import load_handlers
from local.gateway.server import Server
from local.gateway.store import make_ready
from local.gateway.welcome import READY, first_admin, where_the_example_is
from local.key_file import KeyFile


def main() -> None:
    """Serves until it is told to stop; ends with 1 and a sentence where it cannot start."""
    log = logging.getLogger("local")
    log.addHandler(logging.StreamHandler(sys.stdout))
    log.setLevel(logging.INFO)
    try:
        _serve()
    except (StartError, InvalidSetting, InvalidKeySet, TemplateError) as error:
        sys.exit(f"The local gateway cannot start: {error}")
    except KeyboardInterrupt:  # before the server took over the signal
        sys.exit(130)
    # A handler in flight cannot be stopped, and the interpreter would wait for its thread.
    sys.stdout.flush()
    os._exit(0)


def _serve() -> None:
    chosen = choices(os.environ)
    listening = _listen(chosen.port)
    template = load_template(os.environ)
    variables = function_variables(template, os.environ)
    os.environ.update(variables)
    settings = Settings.from_environment(variables)
    if chosen.endpoint is None:
        cut_off(os.environ)
        moto_guard.start()
    else:
        lend_credentials()
    make_ready(settings, template.table)
    clock = MovableClock()
    read_keys = _kept_keys(clock)
    graph = wiring.build(settings, clock, read_keys)
    wiring.install(graph)
    outbox, mails = Outbox(), LocalQueue()
    wiring.install_post(wiring.build_post(settings, clock, outbox, read_keys))
    wiring.install_cleanup(wiring.build_cleanup(settings, clock, read_keys))
    plane = account(settings, template, clock, mails)
    example = load_example(template)
    handlers = load_handlers(template) | load_handlers(example)
    gateway = Gateway(template, handlers, clock, {EXAMPLE_BASE_PATH: example}, plane)
    url = f"http://localhost:{listening.getsockname()[1]}/graphql"
    lines = [READY + url, *first_admin(graph.bootstrap, chosen, url), where_the_example_is(url)]
    with pumping(settings, template, clock, mails), cleaning(template) as clean_up:
        server = Server(gateway, clock, outbox, clean_up, frozenset(settings.allowed_origins))
        asyncio.run(server.run_until_signalled(listening, lambda: print("\n".join(lines), flush=True)))


def _kept_keys(clock: Clock) -> Callable[[], SigningKeys] | None:
    """What reads the key set of this machine, which is made where there is none; None with JWT_SECRET."""
    if (path := key_file()) is None:
        return None
    keys = KeyFile(path)
    try:
        keys.make(clock.now())
        keys.read()
    except ServiceUnavailable as error:
        raise StartError(error.message) from error
    return keys.read


def _listen(port: int) -> socket.socket:
    """A socket of this machine alone; it takes connections once the server does."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        raise StartError(f"port {port} cannot be used ({error.strerror}); choose another with PORT=….") from error
    return listening


if __name__ == "__main__":
    main()
