"""The object graph, built once per cold start; the only module that may import every room.

The authorizer stands before every request and needs the gate alone, so what only the other door needs is imported where
it is built.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.tokens import SessionTokens, SigningKeys
from gatehouse.admission.service import Admission
from gatehouse.clock import Clock, SystemClock
from gatehouse.outside.secrets import signing_keys
from gatehouse.settings import Settings
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.table import connect

if TYPE_CHECKING:
    from gatehouse.accounts.service import Accounts
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.consumers.service import Consumers
    from gatehouse.credentials.service import Credentials
    from gatehouse.cursors import Cursors


@dataclass(frozen=True)
class Gatehouse:
    """All use cases of one deployment."""

    settings: Settings
    clock: Clock
    accounts: "Accounts"
    admission: Admission
    consumers: "Consumers"
    credentials: "Credentials"
    cursors: "Cursors"
    bootstrap: "Bootstrap"


_installed: Gatehouse | None = None


def install(gatehouse: Gatehouse) -> None:
    """Makes this the object graph that the doors of this process get."""
    global _installed
    _installed = gatehouse


def house() -> Gatehouse:
    """The installed object graph, else one built from the environment."""
    return _installed or build(Settings.from_environment(), SystemClock())


def gate() -> Admission:
    """The gate of the installed object graph, else one built from the environment, without the house behind it."""
    if _installed is not None:
        return _installed.admission
    settings = Settings.from_environment()
    connect(settings)
    return _gate(settings, SystemClock(), _tokens(settings, _keys(settings)))


def build(settings: Settings, clock: Clock) -> Gatehouse:
    """The object graph for these settings; connects to the table."""
    from gatehouse.accounts.service import Accounts
    from gatehouse.consumers.service import Consumers
    from gatehouse.credentials.service import Credentials
    from gatehouse.cursors import Cursors
    from gatehouse.storage.accounts import DynamoAccounts
    from gatehouse.storage.consumers import DynamoConsumers
    from gatehouse.storage.credentials import DynamoCredentials

    connect(settings)
    keys = _keys(settings)
    tokens = _tokens(settings, keys)
    hasher, policy = _hasher(settings), _policy(settings)
    return Gatehouse(
        settings=settings,
        clock=clock,
        accounts=Accounts(
            DynamoAccounts(), clock, hasher, policy, tokens, timedelta(seconds=settings.refresh_token_ttl)
        ),
        admission=_gate(settings, clock, tokens),
        consumers=Consumers(DynamoConsumers(), clock, hasher, policy),
        credentials=Credentials(
            DynamoCredentials(), clock, hasher, settings.self_service_credentials, settings.allow_chosen_secrets
        ),
        cursors=Cursors(cache(lambda: _cursor_keys(keys()))),
        bootstrap=_bootstrap(settings, clock),
    )


def build_bootstrap(settings: Settings, clock: Clock) -> "Bootstrap":
    """What the command line needs of it: no signing keys, only the table, to which it connects."""
    connect(settings)
    return _bootstrap(settings, clock)


def _bootstrap(settings: Settings, clock: Clock) -> "Bootstrap":
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.storage.consumers import DynamoConsumers

    return Bootstrap(DynamoConsumers(), clock, _hasher(settings), _policy(settings))


def _gate(settings: Settings, clock: Clock, tokens: SessionTokens) -> Admission:
    return Admission(DynamoAdmission(), clock, _hasher(settings), tokens)


def _hasher(settings: Settings) -> PasswordHasher:
    return PasswordHasher(settings.bcrypt_rounds)


def _policy(settings: Settings) -> PasswordPolicy:
    return PasswordPolicy(settings.password_min_length, settings.password_classes)


def _tokens(settings: Settings, keys: Callable[[], SigningKeys]) -> SessionTokens:
    return SessionTokens(keys, settings.jwt_issuer, settings.access_token_ttl)


def _keys(settings: Settings) -> Callable[[], SigningKeys]:
    # Read at the first use and remembered: a secret that cannot be read just then is a 503, not a failed start.
    return cache(partial(signing_keys, settings))


def _cursor_keys(keys: SigningKeys) -> tuple[bytes, ...]:
    ordered = [keys.keys[keys.current], *(key for key_id, key in keys.keys.items() if key_id != keys.current)]
    return tuple(hmac.digest(key, b"gatehouse cursors", hashlib.sha256) for key in ordered)
