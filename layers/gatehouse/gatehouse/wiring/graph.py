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
from gatehouse.wiring import configured

if TYPE_CHECKING:
    from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
    from gatehouse.admission.guesses import Guesses
    from gatehouse.admission.meters import Throttle
    from gatehouse.admission.service import Admission
    from gatehouse.audit.forbidden import ForbiddenCalls
    from gatehouse.audit.inspection import Inspection
    from gatehouse.audit.recording import Recorder
    from gatehouse.audit.trail import Trail
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.configuration.memory import RememberedConfiguration
    from gatehouse.configuration.service import Configuration
    from gatehouse.consumers.export import Export
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
        throttle = configured.throttle(self.settings, self.remembered_configuration.current)
        return _gate(self.settings, self.clock, self._tokens, throttle, self.remembered_plans)

    @cached_property
    def people(self) -> "People":
        from gatehouse.mail.sealing import Seal
        from gatehouse.wiring.people import build_people, in_the_table

        current = self.remembered_configuration.current
        return build_people(self.settings, self.clock, self._tokens, Seal(self._ring), in_the_table(), current=current)

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
            self.recorder,
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
            self.recorder,
            self.settings.self_service_credentials,
            self.people.two_factor.require_fresh,
        )

    @cached_property
    def recorder(self) -> "Recorder":
        from gatehouse.audit.recording import Recorder

        return Recorder(self.clock)

    @cached_property
    def forbidden_calls(self) -> "ForbiddenCalls":
        from gatehouse.audit.forbidden import ForbiddenCalls

        return ForbiddenCalls(self.recorder, self.people.refusals)

    @cached_property
    def trail(self) -> "Trail":
        from gatehouse.audit.trail import Trail
        from gatehouse.storage.audit import DynamoAuditEvents
        from gatehouse.storage.consumers import DynamoConsumers

        return Trail(DynamoAuditEvents(), DynamoConsumers())

    @cached_property
    def inspection(self) -> "Inspection":
        from gatehouse.audit.inspection import MOST_FILED_IN_A_REQUEST, MOST_IN_A_REQUEST, Inspection
        from gatehouse.audit.verification import Verification
        from gatehouse.storage.seals import DynamoChain

        verification = Verification(DynamoChain(), most=MOST_IN_A_REQUEST, most_filed=MOST_FILED_IN_A_REQUEST)
        return Inspection(verification, self.clock)

    @cached_property
    def export(self) -> "Export":
        from gatehouse.consumers.export import Export
        from gatehouse.storage.accounts import DynamoAccounts
        from gatehouse.storage.audit import DynamoAuditEvents
        from gatehouse.storage.belongings import DynamoBelongings
        from gatehouse.storage.credentials import DynamoCredentials
        from gatehouse.storage.usage import DynamoUsage

        accounts = DynamoAccounts()
        return Export(
            accounts=accounts,
            sessions=accounts,
            credentials=DynamoCredentials(),
            usage=DynamoUsage(),
            waiting=DynamoBelongings(),
            events=DynamoAuditEvents(),
            trail=self.trail,
            recorder=self.recorder,
            clock=self.clock,
        )

    @cached_property
    def clients(self) -> "Clients":
        from gatehouse.credentials.clients import Clients
        from gatehouse.storage.tokens import DynamoTokens

        return Clients(DynamoTokens(), self.clock, self._tokens, self.recorder)

    @cached_property
    def plans(self) -> "Plans":
        from gatehouse.plans.service import Plans
        from gatehouse.storage.plan_changes import DynamoPlanChanges

        return Plans(DynamoPlanChanges(), self.clock, self.recorder)

    @cached_property
    def remembered_plans(self) -> "RememberedPlans":
        from gatehouse.plans.memory import RememberedPlans
        from gatehouse.storage.plans import DynamoPlans

        return RememberedPlans(DynamoPlans().find_plan, self.clock)

    @cached_property
    def configuration(self) -> "Configuration":
        from gatehouse.configuration.service import Configuration
        from gatehouse.storage.configuration_changes import DynamoConfigurationChanges

        defaults = configured.deployed(self.settings)
        require_fresh = self.people.two_factor.require_fresh
        return Configuration(DynamoConfigurationChanges(), self.clock, self.recorder, defaults, require_fresh)

    @cached_property
    def remembered_configuration(self) -> "RememberedConfiguration":
        return configured.remembered(self.settings, self.clock)

    @cached_property
    def usage(self) -> "Usages":
        from gatehouse.storage.usage import DynamoUsage
        from gatehouse.usage.service import Usages

        throttle = configured.throttle(self.settings, self.remembered_configuration.current)
        return Usages(DynamoUsage(), self.clock, self.recorder, throttle, self.settings.self_service_credentials)

    @cached_property
    def cursors(self) -> "Cursors":
        from gatehouse.cursors import Cursors

        return Cursors(lambda: _cursor_keys(self._ring.every()))

    @cached_property
    def bootstrap(self) -> "Bootstrap":
        return build_bootstrap(self.settings, self.clock)


def build_bootstrap(settings: Settings, clock: Clock, sender: "MailSender | None" = None) -> "Bootstrap":
    """What makes the first ADMIN; `sender` is the way out for mails, where there is one."""
    from gatehouse.audit.recording import Recorder
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
        recorder=Recorder(clock),
        app_url=settings.app_url,
        sender=sender,
    )


def ring(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> KeyRing:
    """The signing keys, read at the first use: a secret that cannot be read just then is a 503, not a failed start."""
    return KeyRing(read_keys or key_reader(settings), clock)


def password_policy(settings: Settings) -> "PasswordPolicy":
    """What a new password must have in this deployment."""
    from gatehouse.accounts.passwords import PasswordPolicy

    words = frozenset({"gatehouse", settings.two_factor_issuer.lower()})
    return PasswordPolicy(settings.password_min_length, settings.password_classes, words)


def _hasher(settings: Settings) -> "PasswordHasher":
    from gatehouse.accounts.passwords import PasswordHasher

    return PasswordHasher(settings.bcrypt_rounds)


def _gate(
    settings: Settings,
    clock: Clock,
    tokens: Tokens,
    throttle: "Callable[[], Throttle]",
    plans: "RememberedPlans",
) -> "Admission":
    from gatehouse.admission.gate import Counter
    from gatehouse.admission.lookup import Lookup
    from gatehouse.admission.memory import Memory
    from gatehouse.admission.secrets import Secrets
    from gatehouse.admission.service import Admission
    from gatehouse.storage.admission import DynamoAdmission
    from gatehouse.storage.gate import DynamoGates

    memory = Memory()
    guesses = cache(partial(_guesses, settings, clock))
    verifier = Secrets(_hasher(settings), guesses, memory.verified, secrets.token_bytes(32))
    return Admission(
        clock=clock,
        tokens=tokens,
        lookup=Lookup(DynamoAdmission(), verifier, memory, timedelta(seconds=settings.session_idle_ttl)),
        counter=Counter(DynamoGates(), memory),
        memory=memory,
        throttle=throttle,
        find_plan=plans.find,
        key_seed=settings.gateway_key_seed,
        trusted_proxies=settings.trusted_proxies,
        factor_roles=frozenset(map(Role, settings.two_factor_roles)),
    )


def _guesses(settings: Settings, clock: Clock) -> "Guesses":
    from gatehouse.accounts.guard import Addresses, Guard
    from gatehouse.accounts.ledger import Rules
    from gatehouse.accounts.lockout import Lockout
    from gatehouse.admission.guesses import Guesses
    from gatehouse.audit.failed_sign_ins import FailedSignIns
    from gatehouse.audit.recording import Recorder
    from gatehouse.audit.refusals import Refusals
    from gatehouse.storage.lockout import DynamoLockouts
    from gatehouse.storage.refusals import DynamoRefusals

    store, most = DynamoLockouts(), settings.guess_limit_address
    rules = Rules(per_address=settings.guess_limit, first_lock=timedelta(seconds=settings.guess_seconds))
    guard = Guard(Lockout(store, rules), Addresses(store, most, rules.first_lock))
    failed = FailedSignIns(Recorder(clock), Refusals(DynamoRefusals()))
    return Guesses(guard, Addresses(store, most, rules.first_lock, name="made"), failed)


@lru_cache(maxsize=1)
def _cursor_keys(keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(hmac.digest(key, b"gatehouse cursors", hashlib.sha256) for key in keys)
