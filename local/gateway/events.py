"""The language between API Gateway and Lambda: a request as an event, a function's result as a response.

A REST API's format, version 1.0, with what API Gateway adds, drops and renames on the way.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from local.gateway.api import Api
from local.gateway.intrinsics import ACCOUNT_ID
from local.gateway.messages import Headers, HttpRequest, HttpResponse

# The developer guide's table of headers, "important notes": a function sees none of these of the client ...
_DROPPED_FROM_REQUEST = {
    *("connection", "content-md5", "expect", "keep-alive", "max-forwards", "proxy-authenticate", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade", "via", "www-authenticate"),
}
# ... nor the client these of the function,
_DROPPED_FROM_RESPONSE = {
    *("content-length", "expect", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"),
}
# and these it sees under another name. AWS renames www-authenticate too; here it keeps its own (docs/decisions.md).
_REMAPPED = {"authorization", "connection", "content-md5", "date", "max-forwards", "server", "user-agent"}
_OVERWRITTEN_IN_REQUEST = {"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}

_NOBODY = dict.fromkeys(  # what `identity` holds for callers who sign their requests as AWS does
    (
        *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType"),
        *("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
    )
)
_RESULT_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class MalformedResult(Exception):
    """A function's result is not in the format that API Gateway takes."""


def proxy_event(api: Api, request: HttpRequest, request_id: UUID, now: datetime) -> dict[str, Any]:
    """The event that a function gets for a request to a path without parameters."""
    headers = _grouped(_one_casing(_received_headers(request)))
    query = _grouped(parse_qsl(request.query, keep_blank_values=True, errors="replace"))
    is_binary = bool(request.body) and api.is_binary(request.value("Content-Type"))
    body = base64.b64encode(request.body).decode() if is_binary else request.body.decode("utf-8", "replace")
    return {
        "resource": request.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(api, request, request_id, now),
        "body": body or None,
        "isBase64Encoded": is_binary,
    }


def authorizer_event(event: dict[str, Any], method_arn: str) -> dict[str, Any]:
    """The event that a REQUEST authorizer gets for the request of a proxy event: it never sees the body."""
    shared = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    for name in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"):
        shared[name] = shared[name] or {}
    return {"type": "REQUEST", "methodArn": method_arn, **shared}


def http_response(api: Api, result: Any, accept: str | None) -> HttpResponse:
    """The response that a function's result stands for; raises MalformedResult.

    A base64 body is decoded only for a client that accepts a binary type of the API first; others get it as it is.
    """
    if not isinstance(result, dict) or not result.keys() <= _RESULT_KEYS:
        raise MalformedResult
    status, body, is_base64 = result.get("statusCode"), result.get("body"), result.get("isBase64Encoded") or False
    if type(status) is not int or not 100 <= status <= 599:
        raise MalformedResult
    if not isinstance(body, str | None) or not isinstance(is_base64, bool):
        raise MalformedResult
    content = (body or "").encode()
    if is_base64 and api.is_binary(accept):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise MalformedResult from error
    headers = tuple(_sent_headers(result.get("headers") or {}, result.get("multiValueHeaders") or {}))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers += (("Content-Type", "application/json"),)
    return HttpResponse(status, headers, content)


def _received_headers(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, value in request.headers:
        if name.lower() not in _DROPPED_FROM_REQUEST | _OVERWRITTEN_IN_REQUEST:
            yield name, value
    yield "X-Forwarded-For", ", ".join([*request.values("X-Forwarded-For"), request.source_ip])
    yield "X-Forwarded-Port", str(request.port)
    yield "X-Forwarded-Proto", "http"


def _one_casing(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Headers that differ in case alone under the first one's name, so that none of them hides behind another."""
    casing: dict[str, str] = {}
    for name, value in pairs:
        yield casing.setdefault(name.lower(), name), value


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All values under each name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: several[-1] for name, several in values.items()}


def _request_context(api: Api, request: HttpRequest, request_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT_ID,
        "apiId": api.id,
        "deploymentId": "local",
        "domainName": request.value("Host"),
        "domainPrefix": api.id,
        "extendedRequestId": base64.b64encode(request_id.bytes[:11]).decode(),
        "httpMethod": request.method,
        "identity": {**_NOBODY, "sourceIp": request.source_ip, "userAgent": request.value("User-Agent")},
        "path": f"/{api.stage}{request.path}",
        "protocol": request.protocol,
        "requestId": str(request_id),
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": request.path,
        "stage": api.stage,
    }


def _sent_headers(single: Any, several: Any) -> Iterator[tuple[str, str]]:
    """Both maps merged: a name in both has the values of `multiValueHeaders`, and the single one where it differs."""
    if not isinstance(single, dict) or not isinstance(several, dict):
        raise MalformedResult
    pairs: Headers = ()
    for name, values in several.items():
        if not isinstance(values, list):
            raise MalformedResult
        pairs += tuple((name, _header_value(value)) for value in values)
    for name, value in single.items():
        pair = (name, _header_value(value))
        if (name.lower(), pair[1]) not in ((known.lower(), text) for known, text in pairs):
            pairs += (pair,)
    for name, value in pairs:
        if not _TOKEN.fullmatch(name):
            raise MalformedResult
        if name.lower() in _REMAPPED:
            yield f"x-amzn-Remapped-{name}", value
        elif name.lower() not in _DROPPED_FROM_RESPONSE:
            yield name, value


def _header_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or any(character in str(value) for character in "\r\n\0"):
        raise MalformedResult
    return str(value)
