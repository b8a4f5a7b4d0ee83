"""The request as a client sends it: a form with its parameters once each, and the client's id and secret."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.kinds import oauth2
from oauth.refusals import Refusal

type Form = Mapping[str, str]
"""The parameters by their names; one without a value counts as left out (RFC 6749 §3.2)."""

FORM = "application/x-www-form-urlencoded"

_MOST_PARAMETERS = 20


def read(event: Mapping[str, Any], max_bytes: int) -> Form:
    """The form in the event's body; raises Refusal."""
    media_type = next(iter(values_of(event, "content-type")), "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise Refusal("invalid_request", f"The request must be sent as {FORM}.")
    body = _body(event)
    if len(body) > max_bytes:
        raise Refusal("invalid_request", f"The request has at most {max_bytes} bytes.", 413)
    try:
        told = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise Refusal("invalid_request", "The body is no form in UTF-8.") from error
    if len({name for name, _ in told}) < len(told):
        raise Refusal("invalid_request", "A parameter stands in the form twice.")
    return {name: value for name, value in told if value}


def client_of(event: Mapping[str, Any], form: Form) -> ApiKey:
    """The client's id and secret, sent in one of the two ways.

    Raises Refusal, and Unauthenticated where no client can have them.
    """
    sent = values_of(event, "authorization")
    if not sent:
        if "client_id" not in form or "client_secret" not in form:
            raise Refusal("invalid_client", "Send client_id and client_secret, in the form or as Basic.", 401)
        return ApiKey.of(form["client_id"], form["client_secret"])
    scheme, _, text = sent[0].partition(" ")
    if len(sent) > 1 or "client_secret" in form:
        raise Refusal("invalid_request", "Send client_id and client_secret in one way, not in several.")
    if scheme.lower() != "basic":
        raise Refusal("invalid_client", "A client sends its id and secret in the form or as Basic.", 401)
    client = oauth2.parse(text)
    if form.get("client_id", client.key_id) != client.key_id:
        raise Refusal("invalid_request", "client_id in the form is not that of the client.")
    return client


def values_of(event: Mapping[str, Any], name: str) -> list[str]:
    """All values of a header, by its name in lower case."""
    sent = event["multiValueHeaders"] or {}
    return [value for header, values in sent.items() if header.lower() == name for value in values]


def _body(event: Mapping[str, Any]) -> bytes:
    body = event["body"] or ""
    if not event["isBase64Encoded"]:
        return str(body).encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise Refusal("invalid_request", "The body is no form in UTF-8.") from error
