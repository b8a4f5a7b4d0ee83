"""The object graph, built once per cold start; the only module that may import every room.

The authorizer stands before every request and needs the gate alone, so what only other doors need is imported where it
is built.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.admission.gate import Counter
from gatehouse.admission.lookup import Lookup
from gatehouse.admission.memory import Memory
from gatehouse.admission.secrets import Secrets
from gatehouse.admission.service import Admission, Throttle
from gatehouse.clock import Clock, SystemClock
from gatehouse.consumers.model import Role
from gatehouse.outside.secrets import key_reader
from gatehouse.plans.memory import RememberedPlans
from gatehouse.settings import Settings
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.plans import DynamoPlans
from gatehouse.storage.table import connect
from gatehouse.tokens import Tokens

if TYPE_CHECKING:
    from gatehouse.accounts_wiring import People
    from gatehouse.admission.guesses import Guesses
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.changes import Fact, LastUses, MailQueue, UsageDays
    from gatehouse.consumers.service import Consumers
    from gatehouse.credentials.clients import Clients
    from gatehouse.credentials.service import Credentials
    from gatehouse.cursors import Cursors
    from gatehouse.mail.service import MailSender, Post
    from gatehouse.plans.service import Plans
    from gatehouse.signing.command import KeysByCommand
    from gatehouse.signing.rotation import Rotation
    from gatehouse.storage.changes import Image
    from gatehouse.usage.service import Usages
    from gatehouse.wall.reconciliation import Reconciliation
    from gatehouse.wall.service import Wall


@dataclass(frozen=True)
class Gatehouse:
    """All use cases of one deployment."""

    settings: Settings
    clock: Clock
    people: "People"
    admission: Admission
    consumers: "Consumers"
    credentials: "Credentials"
    clients: "Clients"
    plans: "Plans"
    remembered_plans: RememberedPlans
    usage: "Usages"
    cursors: "Cursors"
    bootstrap: "Bootstrap"


@dataclass(frozen=True)
class Following:
    """What follows from a change of the table: `facts` reads an item's images, before and after, and the time."""

    facts: "Callable[[Image | None, Image | None, datetime], Iterator[Fact]]"
    usage_days: "UsageDays"
    last_uses: "LastUses"
    wall: "Wall"
    mails: "MailQueue"


_installed: Gatehouse | None = None
_installed_following: Following | None = None
_installed_post: "Post | None" = None


def install(gatehouse: Gatehouse) -> None:
    """Makes this the object graph that the doors of this process get."""
    global _installed
    _installed = gatehouse


def install_following(following: Following) -> None:
    """Makes this what the stream's door of this process gets."""
    global _installed_following
    _installed_following = following


def install_post(post: "Post") -> None:
    """Makes this what the mail function of this process gets."""
    global _installed_post
    _installed_post = post


def house() -> Gatehouse:
    """The installed object graph, else one built from the environment."""
    return _installed or build(Settings.from_environment(), SystemClock())


def gate() -> Admission:
    """The gate of the installed object graph, else one built from the environment, without the house behind it."""
    if _installed is not None:
        return _installed.admission
    settings = Settings.from_environment()
    connect(settings)
    clock = SystemClock()
    return _gate(settings, clock, Tokens(_ring(settings, clock), settings.jwt_issuer), _plans(clock))


def gate_and_clients() -> tuple[Settings, Admission, "Clients"]:
    """The same with the use cases of OAuth2 clients beside it, and the settings of both."""
    if _installed is not None:
        return _installed.settings, _installed.admission, _installed.clients
    settings = Settings.from_environment()
    connect(settings)
    clock = SystemClock()
    tokens = Tokens(_ring(settings, clock), settings.jwt_issuer)
    return settings, _gate(settings, clock, tokens, _plans(clock)), _clients(clock, tokens)


def following() -> Following:
    """What was installed for the stream's door, else what is built from the environment."""
    if _installed_following is not None:
        return _installed_following
    settings = Settings.from_environment()
    connect(settings)
    return build_following(settings, SystemClock())


def post() -> "Post":
    """What was installed for the mail function, else what is built from the environment."""
    if _installed_post is not None:
        return _installed_post
    settings = Settings.from_environment()
    connect(settings)
    return build_post(settings, SystemClock())


def rotation() -> "Rotation":
    """What the rotation function does, built from the environment."""
    from gatehouse.outside.key_versions import key_versions
    from gatehouse.signing.rotation import Rotation

    settings = Settings.from_environment()
    return Rotation(key_versions(settings), SystemClock(), settings.jwt_issuer)


def build_keys_by_command(settings: Settings, clock: Clock) -> "KeysByCommand":
    """What an operator does with the signing keys of a deployment."""
    from gatehouse.outside.key_versions import key_versions
    from gatehouse.signing.command import KeysByCommand

    return KeysByCommand(key_versions(settings), clock)


def build(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> Gatehouse:
    """The object graph for these settings; connects to the table. `read_keys` stands in for Secrets Manager."""
    from gatehouse.accounts_wiring import build_people, in_the_table, password_policy
    from gatehouse.consumers.service import Consumers
    from gatehouse.credentials.issuing import Issuer
    from gatehouse.credentials.service import Credentials
    from gatehouse.cursors import Cursors
    from gatehouse.mail.sealing import Seal
    from gatehouse.plans.service import Plans
    from gatehouse.storage.consumers import DynamoConsumers
    from gatehouse.storage.credentials import DynamoCredentials
    from gatehouse.storage.plan_changes import DynamoPlanChanges
    from gatehouse.storage.usage import DynamoUsage
    from gatehouse.usage.service import Usages

    connect(settings)
    ring = _ring(settings, clock, read_keys)
    tokens = Tokens(ring, settings.jwt_issuer)
    plans, throttle = _plans(clock), _throttle(settings)
    hasher, policy = _hasher(settings), password_policy(settings)
    people = build_people(settings, clock, tokens, Seal(ring), in_the_table())
    return Gatehouse(
        settings=settings,
        clock=clock,
        people=people,
        admission=_gate(settings, clock, tokens, plans),
        consumers=Consumers(DynamoConsumers(), clock, hasher, policy, people.writer, people.two_factor.require_fresh),
        credentials=Credentials(
            DynamoCredentials(),
            clock,
            Issuer(hasher, tokens, settings.allow_chosen_secrets),
            settings.self_service_credentials,
            people.two_factor.require_fresh,
        ),
        clients=_clients(clock, tokens),
        plans=Plans(DynamoPlanChanges(), clock),
        remembered_plans=plans,
        usage=Usages(
            DynamoUsage(), clock, throttle.by_role, throttle.window_seconds, settings.self_service_credentials
        ),
        cursors=Cursors(lambda: _cursor_keys(ring.every())),
        bootstrap=_bootstrap(settings, clock),
    )


def build_bootstrap(settings: Settings, clock: Clock) -> "Bootstrap":
    """What the command line needs of it: no signing keys, only the table, to which it connects, and the way out."""
    from gatehouse.outside.ses import SesSender

    connect(settings)
    sender = None
    if settings.mail_from is not None:
        sender = SesSender(settings.region, settings.mail_from, settings.ses_configuration_set)
    return _bootstrap(settings, clock, sender)


def build_following(
    settings: Settings, clock: Clock, control_plane: Any = None, mails: "MailQueue | None" = None
) -> Following:
    """What follows from changes of the table that is connected.

    `control_plane` stands in for botocore's client, and is called without the pace that API Gateway needs.
    `mails` stands in for the queue on SQS.
    """
    from gatehouse.outside.mail_queue import SqsMailQueue
    from gatehouse.storage.changes import facts
    from gatehouse.storage.last_uses import DynamoLastUses
    from gatehouse.storage.usage import DynamoUsageDays

    queue = mails or SqsMailQueue(settings.region, settings.mail_queue_url)
    return Following(facts, DynamoUsageDays(), DynamoLastUses(), _wall(settings, clock, control_plane), queue)


def build_post(
    settings: Settings,
    clock: Clock,
    sender: "MailSender | None" = None,
    read_keys: Callable[[], SigningKeys] | None = None,
) -> "Post":
    """What sends the mails that wait in the table that is connected.

    `sender` stands in for SES, and `read_keys` for Secrets Manager.
    """
    from gatehouse.mail.sealing import Seal
    from gatehouse.mail.service import NoSender, Post
    from gatehouse.outside.ses import SesSender
    from gatehouse.storage.mail import DynamoMails

    if sender is None and settings.mail_from is not None:
        sender = SesSender(settings.region, settings.mail_from, settings.ses_configuration_set)
    seal = Seal(_ring(settings, clock, read_keys))
    return Post(DynamoMails(), sender or NoSender(), clock, seal, settings.app_url)


def build_reconciliation(settings: Settings, clock: Clock) -> "Reconciliation":
    """What compares API Gateway's keys with the table, to which it connects."""
    from gatehouse.wall.reconciliation import Reconciliation

    connect(settings)
    return Reconciliation(_wall(settings, clock, None))


def _wall(settings: Settings, clock: Clock, control_plane: Any) -> "Wall":
    from gatehouse.outside.gateway_keys import ApiGatewayKeys
    from gatehouse.storage.wall import DynamoWall
    from gatehouse.wall.pace import Pace
    from gatehouse.wall.service import Wall

    seed, throttle = settings.gateway_key_seed, _throttle(settings)
    wait = Pace().wait if control_plane is None else Pace(float("inf")).wait
    keys = ApiGatewayKeys(settings.region, settings.gateway_tiers, {"gatehouse": seed}, wait, control_plane)
    return Wall(
        store=DynamoWall(),
        keys=keys,
        clock=clock,
        seed=seed,
        limits=throttle.by_role,
        window_seconds=throttle.window_seconds,
    )


def _bootstrap(settings: Settings, clock: Clock, sender: "MailSender | None" = None) -> "Bootstrap":
    from gatehouse.accounts_wiring import password_policy
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.storage.account_changes import DynamoAccountChanges
    from gatehouse.storage.accounts import DynamoAccounts
    from gatehouse.storage.consumers import DynamoConsumers

    consumers, accounts, changes = DynamoConsumers(), DynamoAccounts(), DynamoAccountChanges()
    return Bootstrap(
        store=consumers,
        finder=accounts,
        changes=changes,
        clock=clock,
        hasher=_hasher(settings),
        policy=password_policy(settings),
        app_url=settings.app_url,
        sender=sender,
    )


def _gate(settings: Settings, clock: Clock, tokens: Tokens, plans: RememberedPlans) -> Admission:
    memory = Memory()
    guesses = cache(partial(_guesses, settings))
    verifier = Secrets(_hasher(settings), guesses, memory.verified, secrets.token_bytes(32))
    return Admission(
        clock=clock,
        tokens=tokens,
        lookup=Lookup(DynamoAdmission(), verifier, memory, timedelta(seconds=settings.session_idle_ttl)),
        counter=Counter(DynamoGates(), memory),
        memory=memory,
        throttle=_throttle(settings),
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


def _clients(clock: Clock, tokens: Tokens) -> "Clients":
    from gatehouse.credentials.clients import Clients
    from gatehouse.storage.tokens import DynamoTokens

    return Clients(DynamoTokens(), clock, tokens)


def _throttle(settings: Settings) -> Throttle:
    by_role = {
        Role.USER: settings.throttle_limit,
        Role.MODERATOR: settings.throttle_limit_moderator,
        Role.ADMIN: settings.throttle_limit_admin,
    }
    return Throttle(window_seconds=settings.throttle_ttl, by_role=by_role, anonymous=settings.throttle_limit_anonymous)


def _plans(clock: Clock) -> RememberedPlans:
    return RememberedPlans(DynamoPlans().find_plan, clock)


def _hasher(settings: Settings) -> PasswordHasher:
    return PasswordHasher(settings.bcrypt_rounds)


def _ring(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> KeyRing:
    # Read at the first use: a secret that cannot be read just then is a 503, not a failed start.
    return KeyRing(read_keys or key_reader(settings), clock)


@lru_cache(maxsize=1)
def _cursor_keys(keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(hmac.digest(key, b"gatehouse cursors", hashlib.sha256) for key in keys)
