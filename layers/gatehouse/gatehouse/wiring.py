"""The object graph, built once per cold start; the only module that may import every room."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial

from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.service import Accounts
from gatehouse.accounts.tokens import SessionTokens, SigningKeys
from gatehouse.admission.service import Admission
from gatehouse.bootstrap import Bootstrap
from gatehouse.clock import Clock, SystemClock
from gatehouse.consumers.service import Consumers
from gatehouse.credentials.service import Credentials
from gatehouse.cursors import Cursors
from gatehouse.outside.secrets import signing_keys
from gatehouse.settings import Settings
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.table import connect


@dataclass(frozen=True)
class Gatehouse:
    """All use cases of one deployment."""

    settings: Settings
    clock: Clock
    accounts: Accounts
    admission: Admission
    consumers: Consumers
    credentials: Credentials
    cursors: Cursors
    bootstrap: Bootstrap


_current: Gatehouse | None = None


def current() -> Gatehouse:
    """The process's object graph, built from the environment where nothing was installed before."""
    if _current is None:
        install(build(Settings.from_environment(), SystemClock()))
        return current()
    return _current


def install(gatehouse: Gatehouse) -> None:
    """Makes this the process's object graph."""
    global _current
    _current = gatehouse


def build(settings: Settings, clock: Clock) -> Gatehouse:
    """The object graph for these settings; connects to the table."""
    connect(settings)
    # Read at the first use and remembered: a secret that cannot be read just then is a 503, not a failed start.
    keys = cache(partial(signing_keys, settings))
    hasher = PasswordHasher(settings.bcrypt_rounds)
    policy = PasswordPolicy(settings.password_min_length, settings.password_classes)
    tokens = SessionTokens(keys, settings.jwt_issuer, settings.access_token_ttl)
    return Gatehouse(
        settings=settings,
        clock=clock,
        accounts=Accounts(
            DynamoAccounts(), clock, hasher, policy, tokens, timedelta(seconds=settings.refresh_token_ttl)
        ),
        admission=Admission(DynamoAdmission(), clock, hasher, tokens),
        consumers=Consumers(DynamoConsumers(), clock, hasher, policy),
        credentials=Credentials(
            DynamoCredentials(), clock, hasher, settings.self_service_credentials, settings.allow_chosen_secrets
        ),
        cursors=Cursors(cache(lambda: _cursor_keys(keys()))),
        bootstrap=build_bootstrap(settings, clock),
    )


def build_bootstrap(settings: Settings, clock: Clock) -> Bootstrap:
    """What the command line needs of it: no signing keys, only the table."""
    connect(settings)
    policy = PasswordPolicy(settings.password_min_length, settings.password_classes)
    return Bootstrap(DynamoConsumers(), clock, PasswordHasher(settings.bcrypt_rounds), policy)


def _cursor_keys(keys: SigningKeys) -> tuple[bytes, ...]:
    ordered = [keys.keys[keys.current], *(key for key_id, key in keys.keys.items() if key_id != keys.current)]
    return tuple(hmac.digest(key, b"gatehouse cursors", hashlib.sha256) for key in ordered)
