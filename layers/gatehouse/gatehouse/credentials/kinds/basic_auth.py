"""BASIC_AUTH: a key id and a secret, sent as `Authorization: Basic` (RFC 7617); an account's password never is one."""

import base64
import binascii

from gatehouse.credentials.keys import ApiKey
from gatehouse.errors import Unauthenticated

_LONGEST = 2_048


def told(key: ApiKey) -> str:
    """What the client must keep: the password that goes with the key id."""
    return key.secret


def parse(text: str) -> ApiKey:
    """The key in what follows the word Basic; raises Unauthenticated where it cannot be one."""
    return ApiKey.of(*user_and_password(text))


def user_and_password(text: str) -> tuple[str, str]:
    """The two parts of what follows the word Basic, at the first colon; raises Unauthenticated."""
    if len(text) > _LONGEST:
        raise Unauthenticated("The Basic credential is too long.")
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise Unauthenticated("The Basic credential is not base64 of UTF-8.") from error
    if not colon:
        raise Unauthenticated("The Basic credential has no colon.")
    return user, password
