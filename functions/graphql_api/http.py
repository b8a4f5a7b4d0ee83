"""GraphQL over HTTP: what a request must look like, and with which media type and status it is answered.

https://graphql.github.io/graphql-over-http/draft/
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request

from gatehouse.errors import BadRequest

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

# What API Gateway hands on in place of bytes that are no UTF-8; who means the character itself can send its escape.
_LOST = "\ufffd"
_NOT_AT_ALL = re.compile(r";\s*q=0(\.0*)?\s*($|;)")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Unacceptable(BadRequest):
    """A request that is no GraphQL request; `status` is the HTTP status to refuse it with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class GraphQLRequest:
    """What the client wants executed."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    is_get: bool


def response_type(request: Request) -> str:
    """The media type to answer with; raises Unacceptable (406) where the client takes neither of the two."""
    sent = request.headers.get("accept", "*/*").split(",")
    accepted = [_media_type(part) for part in sent if not _NOT_AT_ALL.search(part)]
    for media_type in accepted:
        if media_type in (GRAPHQL_JSON, JSON):
            return media_type
        if media_type in ("*/*", "application/*", ""):
            return JSON
    raise Unacceptable(406, f"Accept must allow {GRAPHQL_JSON} or {JSON}.")


async def read(request: Request, max_bytes: int) -> GraphQLRequest:
    """The GraphQL request; raises Unacceptable. No error tells what was sent."""
    if request.method == "GET":
        return _from_query_string(request)
    content_type = request.headers.get("content-type", "")
    if _media_type(content_type) != JSON:
        raise Unacceptable(415, f"The request must be sent as {JSON}.")
    if "charset=" in content_type.lower() and "utf-8" not in content_type.lower():
        raise Unacceptable(415, "The request must be sent in UTF-8.")
    body = await request.body()
    if len(body) > max_bytes:
        raise Unacceptable(413, f"The request has at most {max_bytes} bytes.")
    sent = _json(body, "The body")
    if not isinstance(sent, dict):
        raise Unacceptable(400, "The body must be one JSON object; several at once are not taken.")
    return _checked(sent, is_get=False)


def _from_query_string(request: Request) -> GraphQLRequest:
    given = request.query_params
    sent: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if given.get(name)}
    for name in ("variables", "extensions"):
        if given.get(name):
            sent[name] = _json(given[name].encode(errors="replace"), name)
    return _checked(sent, is_get=True)


def _checked(sent: dict[str, Any], *, is_get: bool) -> GraphQLRequest:
    query, variables, name = sent.get("query"), sent.get("variables"), sent.get("operationName")
    extensions = sent.get("extensions")
    if not isinstance(query, str) or not query:
        raise Unacceptable(400, "query must be a text.")
    if variables is not None and not isinstance(variables, dict):
        raise Unacceptable(400, "variables must be an object or null.")
    if name is not None and not isinstance(name, str):
        raise Unacceptable(400, "operationName must be a text or null.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Unacceptable(400, "extensions must be an object or null.")
    return GraphQLRequest(query, variables or {}, name or None, is_get)


def _json(raw: bytes, what: str) -> Any:
    try:
        text = raw.decode()
        if _LOST in text:
            raise Unacceptable(400, f"{what} must be JSON in UTF-8.")
        value = json.loads(text, parse_constant=_no_constant)
        # An escape can spell half of a character, which no store and no log could take.
        if b"\\u" in raw and _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise Unacceptable(400, f"{what} must be Unicode text.")
    except (ValueError, RecursionError) as error:
        raise Unacceptable(400, f"{what} must be JSON in UTF-8.") from error
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("JSON has no NaN and no Infinity")


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()
