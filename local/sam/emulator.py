"""dynoxide, a native DynamoDB emulator, in a container: SAM's containers do not reach the machine's own loopback."""

import io
import socket
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from local.gateway.environment import ROOT, StartError

_PROGRAMS = ROOT / "requirements/node/node_modules/@dynoxide"
_IMAGE = "gatehouse-dynoxide"
_DOCKERFILE = (
    b'FROM scratch\nCOPY dynoxide /\nENTRYPOINT ["/dynoxide", "serve", "--host", "0.0.0.0", "--port", "8000"]\n'
)
_PORT = "8000/tcp"
_SECONDS_TO_START = 10


@dataclass(frozen=True)
class Store:
    """Where a store is: for this machine, and for containers."""

    endpoint: str
    endpoint_for_containers: str


@contextmanager
def running() -> Iterator[Store]:
    """An empty store, gone after the block; raises StartError where there is no container engine, or no dynoxide."""
    program = next(_PROGRAMS.glob("linux-*/dynoxide"), None)
    if program is None:
        raise StartError("there is no dynoxide for this machine; DYNAMODB_ENDPOINT can name another emulator.")
    try:
        engine = docker.from_env()
        engine.images.build(fileobj=_context(program), custom_context=True, tag=_IMAGE, rm=True)
        container = engine.containers.run(_IMAGE, detach=True, ports={_PORT: ("127.0.0.1", 0)})
    except DockerException as error:
        raise StartError(f"the container engine did not start the store: {error}") from error
    try:
        yield _wait_for(container)
    finally:
        container.remove(force=True)


def _context(program: Path) -> io.BytesIO:
    """What the image is built from; without times and owners, so that it is built once."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, content, mode in (("Dockerfile", _DOCKERFILE, 0o644), ("dynoxide", program.read_bytes(), 0o755)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    context.seek(0)
    return context


def _wait_for(container: Container) -> Store:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        container.reload()
        network = container.attrs["NetworkSettings"]
        published = (network["Ports"] or {}).get(_PORT)
        if published and _answers(port := int(published[0]["HostPort"])):
            address = next(iter(network["Networks"].values()))["IPAddress"]
            return Store(f"http://127.0.0.1:{port}", f"http://{address}:8000")
        time.sleep(0.05)
    raise StartError("the store's container did not start.")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
