"""dynoxide, a native DynamoDB emulator that is right about concurrency and capacity, as a process of its own."""

import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MODULES = Path(__file__).parents[1] / "requirements/node/node_modules/@dynoxide"
_SECONDS_TO_START = 60


class NoDynoxide(Exception):
    """It does not run here; the text says why, and what to do."""


def is_made_for_this_machine() -> bool:
    """Whether the project pins a program for this platform."""
    return (sys.platform, platform.machine()) == ("linux", "x86_64")


@contextmanager
def running(*command: str) -> Iterator[str]:
    """The endpoint of an empty store in memory, or of what the command makes; gone after the block."""
    program = _MODULES / "linux-x64" / "dynoxide"
    if not program.is_file():
        raise NoDynoxide("There is no dynoxide in requirements/node; `make test` installs it, and `npm ci` there.")
    port = _free_port()
    process = subprocess.Popen(
        [program, *(command or ("serve",)), "--host", "127.0.0.1", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # it holds nothing that is to be kept
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise NoDynoxide(f"dynoxide did not start within {_SECONDS_TO_START} s.")
