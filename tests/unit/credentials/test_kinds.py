"""The kinds of credentials: what a client must keep, and how what it sends is taken apart."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.consumers.model import Role
from gatehouse.credentials import keys
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.kinds import basic_auth, bearer_jwt, key_auth, oauth2
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import BadRequest, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.tokens import CREDENTIAL, TokenExpired, Tokens
from tests.unit.fakes import KEY, START
from tests.unit.rings import a_ring

TOKENS = Tokens(a_ring("k1", {"k1": KEY}), "gatehouse")
CHOSEN = ApiKey("my-service", "a:b%41+c~")


def _made() -> ApiKey:
    key_id = keys.make_key_id()
    return ApiKey(key_id, keys.make_secret(key_id))


def _basic(text: str | bytes) -> str:
    return b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def test_a_client_keeps_the_whole_api_key_and_else_the_secret_beside_its_visible_id() -> None:
    assert key_auth.told(CHOSEN) == "my-service.a:b%41+c~"
    assert basic_auth.told(CHOSEN) == oauth2.told(CHOSEN) == "a:b%41+c~"


@pytest.mark.parametrize("key", [CHOSEN, _made()], ids=["chosen", "made"])
def test_basic_credentials_are_taken_apart_at_the_first_colon_as_they_are(key: ApiKey) -> None:
    text = _basic(f"{key.key_id}:{key.secret}")

    assert basic_auth.parse(text) == basic_auth.parse(f" {text} ") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "my-service:secret",
        _basic("my-service"),
        _basic("my-service:"),
        _basic(":secret"),
        _basic("my-service:sec ret"),
        _basic("my-service:secret\n"),
        _basic("my-service:sécret"),
        _basic("my-service:secret".encode("utf-16")),
        _basic(b"my-service:\xff\xfe\xfd\xfc\xfb\xfa"),
        _basic("john@example.com:SecurePass123!"),
        _basic(f"{keys.make_key_id()}:secret"),
        _basic(f"{_made().key_id}:{_made().secret}"),
        _basic("my-service:secret") + "=",
        _basic("my-service:secret")[:-1],
        _basic("my-service:secret")[:4] + "\n" + _basic("my-service:secret")[4:],
        "\ud800",
        "A" * 1_000_000,
    ],
    ids=lambda text: ascii(text)[:12],
)
@pytest.mark.parametrize("parse", [basic_auth.parse, oauth2.parse])
def test_what_cannot_be_basic_credentials_is_refused_and_never_quoted(parse: Any, text: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        parse(text)

    assert "secret" not in refusal.value.message
    assert "service" not in refusal.value.message


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("my-service:secret", "secret"),
        ("my%2Dservice:secret", "secret"),
        ("my-service:a%3Ab%25%2B%7E!", "a:b%+~!"),
        ("my-service:a:b+c~!#", "a:b+c~!#"),
        ("my-service:100%sure", "100%sure"),
    ],
)
def test_a_clients_id_and_secret_may_be_encoded_as_in_a_form_or_not(sent: str, meant: str) -> None:
    assert oauth2.parse(_basic(sent)) == ApiKey("my-service", meant)


def _credential(**changes: Any) -> Credential:
    known: dict[str, Any] = {
        "id": new_id(START),
        "consumer_id": new_id(START),
        "type": CredentialType.JWT,
        "key_id": "my-service",
        "number": 1,
        "role": Role.USER,
        "label": None,
        "scopes": None,
        "expires_at": START + timedelta(days=2),
        "created_at": START,
        "updated_at": START,
    }
    return Credential(**{**known, **changes})


def test_a_jwt_tells_its_credential_its_version_and_its_end_and_no_rights() -> None:
    credential = _credential(version=3, scopes=("users:read",))
    token = bearer_jwt.told(TOKENS, credential, START)
    claims = TOKENS.verify(CREDENTIAL, token, START)

    assert dict(claims.own) == {
        "iss": "gatehouse",
        "aud": "gatehouse/credential",
        "sub": credential.consumer_id,
        "jti": claims.token_id,
        "iat": int(START.timestamp()),
        "exp": int((START + timedelta(days=2)).timestamp()),
        "cid": credential.id,
        "ver": 3,
    }
    with pytest.raises(TokenExpired):
        TOKENS.verify(CREDENTIAL, token, START + timedelta(days=2))


def test_a_jwt_lasts_90_days_or_as_long_as_is_said_up_to_a_year() -> None:
    year = START + timedelta(days=365)

    assert bearer_jwt.first_expiry(None, START) == START + timedelta(days=90)
    assert bearer_jwt.first_expiry(year, START) == year
    with pytest.raises(BadRequest) as refusal:
        bearer_jwt.first_expiry(year + timedelta(milliseconds=1), START)
    assert refusal.value.field == "expiresAt"


def test_a_jwt_ends_earlier_and_never_later() -> None:
    credential = _credential()
    earlier = START + timedelta(days=1)

    assert bearer_jwt.changed_expiry(earlier, credential) == earlier
    for later in (START + timedelta(days=2, milliseconds=1), None):
        with pytest.raises(BadRequest) as refusal:
            bearer_jwt.changed_expiry(later, credential)
        assert refusal.value.field == "expiresAt"
        assert "rotateCredential" in refusal.value.message
