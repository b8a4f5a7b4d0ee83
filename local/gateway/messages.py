"""What comes in and what goes out: an HTTP request and an HTTP response, free of any server's types."""

from collections.abc import Iterator
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request as it came over the wire: the path still percent-encoded, header names in the client's casing."""

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    port: int = 3000
    protocol: str = "HTTP/1.1"

    def values(self, name: str) -> Iterator[str]:
        """The values of a header, in order."""
        return (value for key, value in self.headers if key.lower() == name.lower())

    def value(self, name: str) -> str | None:
        """The last value of a header, the one that API Gateway keeps where it keeps one; None without the header."""
        return next(reversed([*self.values(name)]), None)


@dataclass(frozen=True)
class HttpResponse:
    """An answer ready to be sent; its length is for the server to tell."""

    status: int
    headers: Headers
    body: bytes

    def value(self, name: str) -> str | None:
        """The first value of a header, None without the header."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)
