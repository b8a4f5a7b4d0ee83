"""The use cases behind the API, each made when it is first asked for: a cold start pays for what it uses.

The authorizer stands before every request and needs the gate alone. So what each part is made of is imported where it
is made.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import cache, cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from gatehouse.clock import Clock
from gatehouse.consumers.model import Role
from gatehouse.outside.secrets import key_reader
from gatehouse.settings import Settings
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing
from gatehouse.tokens import Tokens

if TYPE_CHECKING:
    from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
    from gatehouse.admission.guesses import Guesses
    from gatehouse.admission.service import Admission, Throttle
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.consumers.service import Consumers
    from gatehouse.credentials.clients import Clients
    from gatehouse.credentials.service import Credentials
    from gatehouse.cursors import Cursors
    from gatehouse.mail.service import MailSender
    from gatehouse.plans.memory import RememberedPlans
    from gatehouse.plans.service import Plans
    from gatehouse.usage.service import Usages
    from gatehouse.wiring.people import People


class Gatehouse:
    """All use cases of one deployment, on the table that is connected. `read_keys` stands in for Secrets Manager."""

    def __init__(self, settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self._ring = ring(settings, clock, read_keys)
        self._tokens = Tokens(self._ring, settings.jwt_issuer)

    @cached_property
    def admission(self) -> "Admission":
        return _gate(self.settings, self.clock, self._tokens, self.remembered_plans)

    @cached_property
    def people(self) -> "People":
        from gatehouse.mail.sealing import Seal
        from gatehouse.wiring.people import build_people, in_the_table

        return build_people(self.settings, self.clock, self._tokens, Seal(self._ring), in_the_table())

    @cached_property
    def consumers(self) -> "Consumers":
        from gatehouse.consumers.service import Consumers
        from gatehouse.storage.consumers import DynamoConsumers

        return Consumers(
            DynamoConsumers(),
            self.clock,
            _hasher(self.settings),
            password_policy(self.settings),
            self.people.writer,
            self.people.two_factor.require_fresh,
        )

    @cached_property
    def credentials(self) -> "Credentials":
        from gatehouse.credentials.issuing import Issuer
        from gatehouse.credentials.service import Credentials
        from gatehouse.storage.credentials import DynamoCredentials

        return Credentials(
            DynamoCredentials(),
            self.clock,
            Issuer(_hasher(self.settings), self._tokens, self.settings.allow_chosen_secrets),
            self.settings.self_service_credentials,
            self.people.two_factor.require_fresh,
        )

    @cached_property
    def clients(self) -> "Clients":
        from gatehouse.credentials.clients import Clients
        from gatehouse.storage.tokens import DynamoTokens

        return Clients(DynamoTokens(), self.clock, self._tokens)

    @cached_property
    def plans(self) -> "Plans":
        from gatehouse.plans.service import Plans
        from gatehouse.storage.plan_changes import DynamoPlanChanges

        return Plans(DynamoPlanChanges(), self.clock)

    @cached_property
    def remembered_plans(self) -> "RememberedPlans":
        from gatehouse.plans.memory import RememberedPlans
        from gatehouse.storage.plans import DynamoPlans

        return RememberedPlans(DynamoPlans().find_plan, self.clock)

    @cached_property
    def usage(self) -> "Usages":
        from gatehouse.storage.usage import DynamoUsage
        from gatehouse.usage.service import Usages

        limits = throttle(self.settings)
        return Usages(
            DynamoUsage(), self.clock, limits.by_role, limits.window_seconds, self.settings.self_service_credentials
        )

    @cached_property
    def cursors(self) -> "Cursors":
        from gatehouse.cursors import Cursors

        return Cursors(lambda: _cursor_keys(self._ring.every()))

    @cached_property
    def bootstrap(self) -> "Bootstrap":
        return build_bootstrap(self.settings, self.clock)


def build_bootstrap(settings: Settings, clock: Clock, sender: "MailSender | None" = None) -> "Bootstrap":
    """What makes the first ADMIN; `sender` is the way out for mails, where there is one."""
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.storage.account_changes import DynamoAccountChanges
    from gatehouse.storage.accounts import DynamoAccounts
    from gatehouse.storage.consumers import DynamoConsumers

    return Bootstrap(
        store=DynamoConsumers(),
        finder=DynamoAccounts(),
        changes=DynamoAccountChanges(),
        clock=clock,
        hasher=_hasher(settings),
        policy=password_policy(settings),
        app_url=settings.app_url,
        sender=sender,
    )


def ring(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> KeyRing:
    """The signing keys, read at the first use: a secret that cannot be read just then is a 503, not a failed start."""
    return KeyRing(read_keys or key_reader(settings), clock)


def throttle(settings: Settings) -> "Throttle":
    """How much each role, and each address without a name, may ask for."""
    from gatehouse.admission.service import Throttle

    by_role = {
        Role.USER: settings.throttle_limit,
        Role.MODERATOR: settings.throttle_limit_moderator,
        Role.ADMIN: settings.throttle_limit_admin,
    }
    return Throttle(window_seconds=settings.throttle_ttl, by_role=by_role, anonymous=settings.throttle_limit_anonymous)


def password_policy(settings: Settings) -> "PasswordPolicy":
    """What a new password must have in this deployment."""
    from gatehouse.accounts.passwords import PasswordPolicy

    words = frozenset({"gatehouse", settings.two_factor_issuer.lower()})
    return PasswordPolicy(settings.password_min_length, settings.password_classes, words)


def _hasher(settings: Settings) -> "PasswordHasher":
    from gatehouse.accounts.passwords import PasswordHasher

    return PasswordHasher(settings.bcrypt_rounds)


def _gate(settings: Settings, clock: Clock, tokens: Tokens, plans: "RememberedPlans") -> "Admission":
    from gatehouse.admission.gate import Counter
    from gatehouse.admission.lookup import Lookup
    from gatehouse.admission.memory import Memory
    from gatehouse.admission.secrets import Secrets
    from gatehouse.admission.service import Admission
    from gatehouse.storage.admission import DynamoAdmission
    from gatehouse.storage.gate import DynamoGates

    memory = Memory()
    guesses = cache(partial(_guesses, settings))
    verifier = Secrets(_hasher(settings), guesses, memory.verified, secrets.token_bytes(32))
    return Admission(
        clock=clock,
        tokens=tokens,
        lookup=Lookup(DynamoAdmission(), verifier, memory, timedelta(seconds=settings.session_idle_ttl)),
        counter=Counter(DynamoGates(), memory),
        memory=memory,
        throttle=throttle(settings),
        find_plan=plans.find,
        key_seed=settings.gateway_key_seed,
        trusted_proxies=settings.trusted_proxies,
        factor_roles=frozenset(map(Role, settings.two_factor_roles)),
    )


def _guesses(settings: Settings) -> "Guesses":
    from gatehouse.accounts.guard import Addresses, Guard
    from gatehouse.accounts.ledger import Rules
    from gatehouse.accounts.lockout import Lockout
    from gatehouse.admission.guesses import Guesses
    from gatehouse.storage.lockout import DynamoLockouts

    store, most = DynamoLockouts(), settings.guess_limit_address
    rules = Rules(per_address=settings.guess_limit, first_lock=timedelta(seconds=settings.guess_seconds))
    addresses = Addresses(store, most, rules.first_lock)
    return Guesses(Guard(Lockout(store, rules), addresses), Addresses(store, most, rules.first_lock, name="made"))


@lru_cache(maxsize=1)
def _cursor_keys(keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(hmac.digest(key, b"gatehouse cursors", hashlib.sha256) for key in keys)
