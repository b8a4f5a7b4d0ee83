"""How a program of each type comes in with its secret, from what it was told to the gate."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from gatehouse import tokens
from gatehouse.admission.model import Admitted
from gatehouse.credentials.kinds import basic_auth, key_auth, oauth2
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.wiring import Gatehouse
from tests.unit.fakes import HOME

type Entrance = Callable[[Gatehouse, Credential, str], Admitted]
"""Who comes in with the secret of the credential; raises Unauthenticated."""


def _with_key(house: Gatehouse, _credential: Credential, secret: str) -> Admitted:
    return house.admission.by_secret(CredentialType.KEY_AUTH, key_auth.parse(secret), HOME)


def _with_password(house: Gatehouse, credential: Credential, secret: str) -> Admitted:
    return house.admission.by_secret(CredentialType.BASIC_AUTH, basic_auth.parse(_basic(credential, secret)), HOME)


def _with_token(house: Gatehouse, _credential: Credential, secret: str) -> Admitted:
    return house.admission.by_token(tokens.CREDENTIAL, secret)


def _with_fresh_access_token(house: Gatehouse, credential: Credential, secret: str) -> Admitted:
    client = house.admission.by_secret(CredentialType.OAUTH2, oauth2.parse(_basic(credential, secret)), HOME)
    return house.admission.by_token(tokens.CLIENT_ACCESS, house.clients.issue(client, None).token)


def _basic(credential: Credential, secret: str) -> str:
    return b64encode(f"{credential.key_id}:{secret}".encode()).decode()


ENTRANCES: Mapping[CredentialType, Entrance] = {
    CredentialType.KEY_AUTH: _with_key,
    CredentialType.BASIC_AUTH: _with_password,
    CredentialType.JWT: _with_token,
    CredentialType.OAUTH2: _with_fresh_access_token,
}
