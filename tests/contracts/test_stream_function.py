"""The stream's function on real changes, called as Lambda calls it: again, in another order, with what it cannot read.

Each event is sealed and told once, what is bad ends in the queue of failures, and nothing stands still for it.
"""

import copy
import importlib
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from gatehouse import telemetry, wiring
from gatehouse.admission.gate import Counter as GateCounter
from gatehouse.admission.gate import Request
from gatehouse.admission.memory import Memory
from gatehouse.admission.meters import plan_limits
from gatehouse.announcements.model import Announcement
from gatehouse.audit.acting import Who
from gatehouse.audit.model import ActorKind, AuditAction, AuditEvent, Erased
from gatehouse.audit.recording import Recorder
from gatehouse.audit.verification import Verification
from gatehouse.consumers.model import Role, User
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.plans.model import QuotaPeriod
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.gate import DynamoGates
from gatehouse.storage.plan_changes import DynamoPlanChanges
from gatehouse.storage.seals import DynamoChain
from local.gateway.environment import load_template
from local.gateway.pump import Pump
from local.gateway.streams import open_stream
from local.gateway.template import StreamMapping, Table
from local.gateway.wall import control_plane
from tests.contracts.made_up import at_once, changed
from tests.stores import Store
from tests.unit.fakes import START, StoppedClock, a_user, the_settings
from tests.unit.plan_stores import a_plan
from tests.unit.stream.followers import Context

type Record = dict[str, Any]
type Shard = Sequence[Record]

USERS = 60
ADMIN = Who(kind=ActorKind.PERSON, consumer_id=new_id(START), role=Role.ADMIN, address="192.0.2.1")
PEOPLE = DynamoConsumers()


@dataclass
class Outside:
    """The event bus and the queue of mails: they take note, and are silent to some calls."""

    announced: list[Announcement] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    silent: float = 0.0
    _chance: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - which calls, no secret

    def announce(self, announcements: Sequence[Announcement]) -> None:
        self._be_silent_now_and_then()
        self.announced += announcements

    def put(self, mail_id: str) -> None:
        self._be_silent_now_and_then()
        self.queued.append(mail_id)

    def _be_silent_now_and_then(self) -> None:
        if self._chance.random() < self.silent:
            raise ServiceUnavailable("Nobody answers.")


class Replay:
    """A stream that tells these records once."""

    def __init__(self, records: Shard) -> None:
        self._records = copy.deepcopy(list(records))

    def take(self) -> list[Record]:
        taken, self._records = self._records, []
        return taken


@dataclass
class Deployment:
    """The stream's function behind a table whose changes it has not been told of yet."""

    clock: StoppedClock
    mapping: StreamMapping
    function: ModuleType
    outside: Outside
    take: Callable[[], list[Record]]
    log: Callable[[], list[dict[str, Any]]]
    given_up: list[list[str]] = field(default_factory=list)

    def poll(self, shard: Shard) -> None:
        """Hands over the changes as Lambda does, until each is followed or given up."""

        def invoke(event: Any) -> Any:
            return self.function.handler(json.loads(json.dumps(event)), Context())

        def give_up(records: Sequence[Record]) -> None:
            self.given_up.append([record["dynamodb"]["SequenceNumber"] for record in records])

        Pump(Replay(shard), self.mapping, invoke, self.clock, give_up).turn()

    def told(self) -> Counter[str]:
        """How many lines of the activity log each event has."""
        return Counter(line["eventId"] for line in self.log() if "eventId" in line)


@pytest.fixture
def deployment(
    dynoxide: str, table: Table, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    template, outside = load_template({}), Outside()
    (mapping,) = template.stream_mappings
    # A name of its own: dynoxide keeps the stream of a table that is gone for the next of its name.
    store = Store(table, dynoxide, f"streamed-{uuid4()}")
    store._table = table  # with its stream
    settings = the_settings(
        TABLE_NAME=store.settings.table_name,
        DYNAMODB_ENDPOINT=dynoxide,
        GATEWAY_TIERS=template.functions["StreamFunction"].environment["GATEWAY_TIERS"],
    )
    lines = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", lines)
    monkeypatch.setattr("local.gateway.pump._SECONDS_BEFORE_A_RETRY", 0.0)
    with store.opened():
        plane = control_plane(template, clock)
        following = wiring.build_following(settings, clock, plane, outside, outside)
        monkeypatch.setattr(wiring, "_installed_following", following)
        monkeypatch.delitem(sys.modules, "stream.handler", raising=False)
        stream = open_stream(settings)
        assert stream is not None
        yield Deployment(
            clock=clock,
            mapping=mapping,
            function=importlib.import_module("stream.handler"),
            outside=outside,
            take=stream.take,
            log=lambda: [json.loads(line) for line in lines.getvalue().splitlines()],
        )
        sys.modules.pop("stream.handler", None)


def live(clock: StoppedClock) -> tuple[list[AuditEvent], list[Mail]]:
    """Consumers come, some are switched off with a mail, some go; each change is an event."""
    recorder, events, mails = Recorder(clock), [], []

    def event(action: AuditAction, user: User, **told: Any) -> AuditEvent:
        clock.advance(seconds=1)
        events.append(recorder.event(action, ADMIN, subject_id=user.id, **told))
        return events[-1]

    for number in range(USERS):
        user = replace(a_user(f"user{number}"), id=new_id(clock.now()))
        PEOPLE.create_user(user, None, event(AuditAction.USER_CREATED, user, after={"email": user.email}))
        if number % 3 == 0:
            off = changed(user, is_active=False)
            told = {"before": {"isActive": True}, "after": {"isActive": False}}
            mails.append(Mail(id=new_id(clock.now()), kind=MailKind.INVITATION, to=user.email, created_at=clock.now()))
            PEOPLE.update_user(user, off, mails[-1], event(AuditAction.USER_UPDATED, user, **told))
        elif number % 3 == 1:
            PEOPLE.delete_user(user, event(AuditAction.USER_DELETED, user, before={"email": user.email}))
    return events, mails


def in_shards(records: Shard) -> list[list[Record]]:
    """The records by their partitions, as a table's stream has them: only those of an item keep their order."""
    shards: list[list[Record]] = [[], [], []]
    for record in records:
        shards[sum(record["dynamodb"]["Keys"]["PK"]["S"].encode()) % 3].append(record)
    return shards


def poisoned(record: Record, number: str, **image: Any) -> Record:
    """The record as somebody spoiled it, under a number of its own."""
    bad = copy.deepcopy(record)
    bad["dynamodb"]["SequenceNumber"] = number
    bad["dynamodb"]["NewImage"] |= image
    return bad


def test_each_event_is_sealed_and_told_once_and_only_what_is_bad_is_given_up(deployment: Deployment) -> None:
    events, mails = live(deployment.clock)
    records = deployment.take()
    written = [record for record in records if record["dynamodb"]["Keys"]["SK"]["S"] == "E"]
    chance = random.Random(5)  # noqa: S311 - an order that can be repeated
    shards = in_shards(records)
    poison = {
        "10000001": poisoned(written[0], "10000001", before={"S": "{"}),
        "10000002": poisoned(written[1], "10000002", action={"S": "WIZARDRY"}),
        "10000003": poisoned(written[2], "10000003", at={"S": "yesterday"}),
    }
    for shard, bad in zip(shards, poison.values(), strict=True):
        shard.insert(chance.randrange(len(shard)), bad)
    for shard in (shards[2], shards[0], shards[1], shards[0][10:30], chance.sample(records, 50)):
        deployment.poll(shard)

    chain = DynamoChain()
    seals = chain.seals(1, 10_000)
    assert sorted(seals) == list(range(1, len(events) + 1))
    assert {seal.event_id for seal in seals.values()} == {event.id for event in events}
    assert Verification(chain).run(deployment.clock.now()).findings == ()
    assert deployment.told() == Counter(event.id for event in events)
    announced = Counter(each.cause for each in deployment.outside.announced)
    assert announced == Counter(event.id for event in events)
    assert set(deployment.outside.queued) == {mail.id for mail in mails}
    assert {number for batch in deployment.given_up for number in batch} >= poison.keys()
    assert {batch[0] for batch in deployment.given_up} <= poison.keys()


def test_shards_at_once_make_one_chain(deployment: Deployment) -> None:
    events, _ = live(deployment.clock)
    records = deployment.take()

    assert at_once([partial(deployment.poll, shard) for shard in (*in_shards(records), records)]) == [None] * 4
    chain = DynamoChain()
    assert Counter(seal.event_id for seal in chain.seals(1, 10_000).values()) == Counter(event.id for event in events)
    assert Verification(chain).run(deployment.clock.now()).findings == ()
    assert deployment.told() == Counter(event.id for event in events)
    assert deployment.given_up == []


def test_where_bus_and_queue_are_silent_now_and_then_nothing_is_lost(deployment: Deployment) -> None:
    deployment.outside.silent = 0.3
    events, mails = live(deployment.clock)
    for shard in in_shards(deployment.take()):
        deployment.poll(shard)

    assert deployment.given_up == []
    assert {each.cause for each in deployment.outside.announced} == {event.id for event in events}
    assert set(deployment.outside.queued) == {mail.id for mail in mails}
    assert deployment.told() == Counter(event.id for event in events)


def test_who_is_gone_is_forgotten_and_the_chain_fits_still(deployment: Deployment) -> None:
    events, _ = live(deployment.clock)
    for shard in in_shards(deployment.take()):
        deployment.poll(shard)
    gone = {event.subject_id for event in events if event.action is AuditAction.USER_DELETED}

    kept = [DynamoAuditEvents().find_event(event.id) for event in events]
    told = {
        event.subject_id: {type(value) for value in (*event.before.values(), *event.after.values())}
        for event in kept
        if event is not None and ("email" in event.before or "email" in event.after)
    }
    assert {owner for owner, kinds in told.items() if kinds == {Erased}} == gone
    assert Verification(DynamoChain()).run(deployment.clock.now()).findings == ()


def test_a_quota_is_announced_once_however_often_its_gate_is_told(deployment: Deployment) -> None:
    plan, user = a_plan(rate_limit=100, quota_limit=10, quota_period=QuotaPeriod.DAY), a_user()
    plans = DynamoPlanChanges()
    plans.create_plan(plan)
    PEOPLE.create_user(user, None)
    plans.assign_plan(user, changed(user, plan_id=plan.id))
    counter = GateCounter(DynamoGates(), Memory())
    for _ in range(11):
        counter.enter(Request(consumer_id=user.id, user="1", limits=plan_limits(plan), now=START), None)
    records = deployment.take()
    for shard in (records, records[3:]):
        deployment.poll(shard)

    told = [(each.kind, each.consumer_id, each.detail()["used"]) for each in deployment.outside.announced]
    assert told == [("QuotaNearlySpent", user.id, 8)]
