"""The local gateway as a process of its own, for tests and benchmarks that need the real thing."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from threading import Thread

from local.gateway.environment import ROOT
from local.gateway.welcome import READY

UNLIMITED = dict.fromkeys(
    (
        *("THROTTLE_LIMIT", "THROTTLE_LIMIT_MODERATOR", "THROTTLE_LIMIT_ADMIN", "THROTTLE_LIMIT_ANONYMOUS"),
        *("GUESS_LIMIT_ADDRESS",),
    ),
    "100000",
)
"""Settings for tests that call more often than anybody may, from one address."""

_SECONDS_TO_START = 30
_SECONDS_TO_STOP = 5


@dataclass(frozen=True)
class GatewayProcess:
    """A gateway that answers: where GraphQL is, and the lines it has printed so far, its functions' logs included."""

    graphql_url: str
    lines: list[str]
    process: subprocess.Popen[str]


@contextmanager
def running(variables: Mapping[str, str]) -> Iterator[GatewayProcess]:
    """A gateway on a free port, with these variables over the process's own, ended by SIGTERM.

    Raises RuntimeError with what it printed where it does not start, TimeoutExpired where it does not end.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "local.gateway"],
        cwd=ROOT,
        env={**os.environ, "PORT": "0", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    urls: Queue[str | None] = Queue()
    reader = Thread(target=_read, args=(process, lines, urls), daemon=True)
    reader.start()
    try:
        url = urls.get(timeout=_SECONDS_TO_START)
        if url is None:
            raise RuntimeError("The gateway did not start:\n" + "".join(lines))
        yield GatewayProcess(url, lines, process)
        process.terminate()
        process.wait(_SECONDS_TO_STOP)
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout:
            process.stdout.close()


def _read(process: subprocess.Popen[str], lines: list[str], urls: Queue[str | None]) -> None:
    """Keeps what the process prints, and passes on the URL that it announces, or None where it ends without."""
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith(READY):
            urls.put(line.removeprefix(READY).strip())
    urls.put(None)
