"""What works behind the requests, and what operators run: each is imported where it is made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gatehouse.clock import Clock
from gatehouse.settings import Settings
from gatehouse.signing.keys import SigningKeys
from gatehouse.storage.table import connect
from gatehouse.wiring import configured, graph

if TYPE_CHECKING:
    from gatehouse.announcements.telling import Announcer
    from gatehouse.audit.chain import Sealing
    from gatehouse.audit.inspection import Inspection
    from gatehouse.audit.late import LateSealing
    from gatehouse.audit.recording import Recorder
    from gatehouse.bootstrap import Bootstrap
    from gatehouse.changes import Events, Fact, LastUses, MailQueue, People, UsageDays
    from gatehouse.cleanup.scheduled import Cleanup
    from gatehouse.mail.service import MailSender, Post
    from gatehouse.signing.command import KeysByCommand
    from gatehouse.signing.rotation import Rotation
    from gatehouse.storage.changes import Image
    from gatehouse.wall.reconciliation import Reconciliation
    from gatehouse.wall.service import Wall


@dataclass(frozen=True)
class Following:
    """What follows from a change of the table: `facts` reads an item's images, before and after, and the time."""

    facts: "Callable[[Image | None, Image | None, datetime], Iterator[Fact]]"
    usage_days: "UsageDays"
    last_uses: "LastUses"
    wall: "Wall"
    mails: "MailQueue"
    sealing: "Sealing"
    announcer: "Announcer"
    people: "People"
    events: "Events"
    recorder: "Recorder"


def build_following(
    settings: Settings,
    clock: Clock,
    control_plane: Any = None,
    mails: "MailQueue | None" = None,
    announcer: "Announcer | None" = None,
) -> Following:
    """What follows from changes of the table that is connected.

    `control_plane` stands in for botocore's client, and is called without the pace that API Gateway needs.
    `mails` stands in for the queue on SQS, and `announcer` for the event bus.
    """
    from gatehouse.announcements.telling import Once
    from gatehouse.audit.chain import Sealing
    from gatehouse.audit.recording import Recorder
    from gatehouse.consumers.erasure import Erasure
    from gatehouse.outside.mail_queue import SqsMailQueue
    from gatehouse.storage.audit import DynamoAuditEvents
    from gatehouse.storage.belongings import DynamoBelongings
    from gatehouse.storage.changes import facts
    from gatehouse.storage.last_uses import DynamoLastUses
    from gatehouse.storage.seals import DynamoChain
    from gatehouse.storage.usage import DynamoUsageDays

    events = DynamoAuditEvents()
    return Following(
        facts=facts,
        usage_days=DynamoUsageDays(),
        last_uses=DynamoLastUses(),
        wall=_wall(settings, clock, control_plane),
        mails=mails or SqsMailQueue(settings.region, settings.mail_queue_url),
        sealing=Sealing(DynamoChain(), clock),
        announcer=Once(announcer or _bus(settings)),
        people=Erasure(DynamoBelongings(), events),
        events=events,
        recorder=Recorder(clock),
    )


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
    from gatehouse.storage.mail import DynamoMails

    way_out = sender or _ses(settings) or NoSender()
    return Post(DynamoMails(), way_out, clock, Seal(graph.ring(settings, clock, read_keys)), settings.app_url)


def build_cleanup(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> "Cleanup":
    """What cleans up the table that is connected."""
    from gatehouse.audit.recording import Recorder
    from gatehouse.audit.retention import Retention
    from gatehouse.cleanup.expiring import Expiring
    from gatehouse.cleanup.notices import WrittenNotices
    from gatehouse.cleanup.scheduled import Cleanup
    from gatehouse.cleanup.service import Sweep
    from gatehouse.mail.sealing import Seal
    from gatehouse.mail.writing import Writer
    from gatehouse.storage.audit import DynamoAuditEvents
    from gatehouse.storage.expiring import DynamoExpiring
    from gatehouse.storage.seals import DynamoChain
    from gatehouse.storage.sweep import DynamoSweep

    recorder = Recorder(clock)
    notices = WrittenNotices(Writer(clock, Seal(graph.ring(settings, clock, read_keys))))
    return Cleanup(
        sweep=Sweep(DynamoSweep(), clock, configured.cleanup_rules(settings), notices, recorder),
        expiring=Expiring(DynamoExpiring(), clock, recorder),
        retention=Retention(DynamoChain()),
        retention_days=configured.retention_days(settings),
        journal=DynamoAuditEvents(),
        clock=clock,
        recorder=recorder,
    )


def build_rotation(settings: Settings, clock: Clock) -> "Rotation":
    """What the rotation function does."""
    from gatehouse.outside.key_versions import key_versions
    from gatehouse.signing.rotation import Rotation

    return Rotation(key_versions(settings), clock, settings.jwt_issuer)


def build_keys_by_command(settings: Settings, clock: Clock) -> "KeysByCommand":
    """What an operator does with the signing keys of a deployment."""
    from gatehouse.outside.key_versions import key_versions
    from gatehouse.signing.command import KeysByCommand

    return KeysByCommand(key_versions(settings), clock)


def build_inspection(settings: Settings, clock: Clock) -> "Inspection":
    """What verifies the whole chain by command; connects to the table."""
    from gatehouse.audit.inspection import Inspection
    from gatehouse.audit.verification import Verification
    from gatehouse.storage.seals import DynamoChain

    connect(settings)
    return Inspection(Verification(DynamoChain()), clock)


def build_late_sealing(settings: Settings, clock: Clock) -> "LateSealing":
    """What seals by command what the stream gave up on; connects to the table."""
    from gatehouse.audit.chain import Sealing
    from gatehouse.audit.late import LateSealing
    from gatehouse.storage.seals import DynamoChain

    connect(settings)
    chain = DynamoChain()
    return LateSealing(chain, Sealing(chain, clock))


def build_bootstrap(settings: Settings, clock: Clock) -> "Bootstrap":
    """What the command line needs of the graph: the table, to which it connects, and the way out for mails."""
    connect(settings)
    return graph.build_bootstrap(settings, clock, _ses(settings))


def build_reconciliation(settings: Settings, clock: Clock) -> "Reconciliation":
    """What compares API Gateway's keys with the table that is connected."""
    from gatehouse.wall.reconciliation import Reconciliation

    return Reconciliation(_wall(settings, clock, None))


def _ses(settings: Settings) -> "MailSender | None":
    from gatehouse.outside.ses import SesSender

    if settings.mail_from is None:
        return None
    return SesSender(settings.region, settings.mail_from, settings.ses_configuration_set)


def _bus(settings: Settings) -> "Announcer":
    from gatehouse.announcements.telling import NoAnnouncer
    from gatehouse.outside.event_bus import EventBridgeBus

    return NoAnnouncer() if settings.event_bus is None else EventBridgeBus(settings.region, settings.event_bus)


def _wall(settings: Settings, clock: Clock, control_plane: Any) -> "Wall":
    from gatehouse.outside.gateway_keys import ApiGatewayKeys
    from gatehouse.storage.wall import DynamoWall
    from gatehouse.wall.pace import Pace
    from gatehouse.wall.service import Wall

    seed, current = settings.gateway_key_seed, configured.remembered(settings, clock).current
    wait = Pace().wait if control_plane is None else Pace(float("inf")).wait
    keys = ApiGatewayKeys(settings.region, settings.gateway_tiers, {"gatehouse": seed}, wait, control_plane)
    return Wall(
        store=DynamoWall(),
        keys=keys,
        clock=clock,
        seed=seed,
        throttle=configured.throttle(settings, current),
    )
