"""Secrets Manager's stand-in: the key set of this machine, in a file that only its owner can read."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import NamedTemporaryFile

from gatehouse.errors import ServiceUnavailable
from gatehouse.persistence import Stale
from gatehouse.signing.keys import SigningKeys, fresh, parse, render


class KeyFile:
    """What `signing.command` keeps the key set in; other processes may read and change it meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self, now: datetime) -> None:
        """Keeps a first set, unless there is one; raises ServiceUnavailable."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                if not self._path.exists():
                    self._write(fresh(now))
        except OSError as error:
            raise self._failed(error) from error

    def read(self) -> SigningKeys:
        """The set; raises ServiceUnavailable or InvalidKeySet."""
        return self.current()[1]

    def current(self) -> tuple[str, SigningKeys]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError as error:
            raise self._failed(error) from error
        return hashlib.sha256(text.encode()).hexdigest(), parse(text)

    def replace(self, instead_of: str, keys: SigningKeys) -> None:
        try:
            with self._alone():
                if self.current()[0] != instead_of:
                    raise Stale
                self._write(keys)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ServiceUnavailable:
        return ServiceUnavailable(f"The signing keys in {self._path} are out of reach ({error.strerror}).")

    def _write(self, keys: SigningKeys) -> None:
        # A file of this kind is made with the mode 0600.
        with NamedTemporaryFile("w", dir=self._path.parent, encoding="utf-8", delete=False) as file:
            file.write(render(keys))
        Path(file.name).replace(self._path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_name(f"{self._path.name}.lock").open("w") as lock:
            flock(lock, LOCK_EX)
            yield
