"""OAUTH2: a client id, which is the key id, and a client secret, sent to the token endpoint alone (RFC 6749 §2.3.1)."""

from urllib.parse import unquote

from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.kinds import basic_auth


def told(key: ApiKey) -> str:
    """What the client must keep: the secret that goes with the client id."""
    return key.secret


def parse(text: str) -> ApiKey:
    """The client in what follows the word Basic (`client_secret_basic`); raises Unauthenticated where none can be.

    The standard has both parts encoded as in a form, and many clients do not. Neither part can have a space, so that a
    plus is taken for itself; only an escape (`%2B`) is resolved.
    """
    client_id, secret = basic_auth.user_and_password(text)
    return ApiKey.of(unquote(client_id), unquote(secret))
