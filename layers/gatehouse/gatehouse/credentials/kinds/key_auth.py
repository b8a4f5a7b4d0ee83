"""KEY_AUTH: an API key, sent as `X-API-Key: keyId.secret`."""

from gatehouse.credentials.keys import ApiKey


def told(key: ApiKey) -> str:
    """What the client must keep: all of what it sends."""
    return f"{key.key_id}.{key.secret}"


def parse(text: str) -> ApiKey:
    """The key in the header's value; raises Unauthenticated where it cannot be one."""
    key_id, _, secret = text.partition(".")
    return ApiKey.of(key_id, secret)
