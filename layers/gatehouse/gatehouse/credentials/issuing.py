"""Secrets of credentials, as they are given to a client and as they are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.credentials import keys
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.kinds import basic_auth, bearer_jwt, key_auth, oauth2
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import BadRequest
from gatehouse.tokens import Tokens

_TOLD: Mapping[CredentialType, Callable[[ApiKey], str]] = {
    CredentialType.KEY_AUTH: key_auth.told,
    CredentialType.BASIC_AUTH: basic_auth.told,
    CredentialType.OAUTH2: oauth2.told,
}


@dataclass(frozen=True)
class Secret:
    """What the client must keep, None where it chose it; and what is kept of it here, None where that is nothing."""

    told: str | None = field(repr=False)
    hash: str | None = field(repr=False)


@dataclass(frozen=True)
class Issuer:
    """Makes secrets; `chosen_secrets` says whether a caller may choose one."""

    hasher: PasswordHasher
    tokens: Tokens
    chosen_secrets: bool

    def check_choice(self, kind: CredentialType, key_id: str | None, secret: str | None) -> None:
        """Nothing, where a caller may choose these for a credential of the kind; raises BadRequest."""
        if key_id is not None:
            keys.check_key_id(key_id)
        if secret is None:
            return
        if kind is CredentialType.JWT:
            raise BadRequest("A JWT has no keySecret: its token is made.", field="keySecret")
        if not self.chosen_secrets:
            raise BadRequest(
                "keySecret cannot be chosen here; leave it out and keep the one you get.", field="keySecret"
            )
        if key_id is None:
            raise BadRequest("keySecret needs a keyId beside it.", field="keyId")
        keys.check_chosen_secret(secret)
        if kind is CredentialType.OAUTH2 and "%" in secret:
            raise BadRequest(
                "keySecret of an OAUTH2 client has no %: clients differ in how they send it.", field="keySecret"
            )

    def chosen(self, secret: str) -> Secret:
        """A secret that a caller chose."""
        return Secret(None, self.hasher.hash(secret))

    def made(self, credential: Credential, now: datetime) -> Secret:
        """A fresh secret of the credential's present version; raises ServiceUnavailable without a key to sign with."""
        if credential.type is CredentialType.JWT:
            return Secret(bearer_jwt.told(self.tokens, credential, now), None)
        key = ApiKey(credential.key_id, keys.make_secret(credential.key_id))
        return Secret(_TOLD[credential.type](key), keys.hash_made_secret(key.secret))
