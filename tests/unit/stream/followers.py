"""What the stream's function is given in tests: it takes note of all that it is asked to do, and of what it sealed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gatehouse.announcements.model import Announcement
from gatehouse.audit.chain import Sealing
from gatehouse.audit.model import AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.changes import DayEnded, KeyAffected, MailWritten, PersonGone, SecretUsed, SessionUsed
from gatehouse.storage.audit import EventRecord
from gatehouse.storage.changes import facts
from gatehouse.wall.service import Outcome
from gatehouse.wiring import Following
from tests.unit.audit.logs import MemoryLog
from tests.unit.fakes import StoppedClock

EVENTS = Path(__file__).parents[3] / "events/stream"
CONSUMER = "01a1f9c2-6f3e-7c1b-8a52-3d0e9b7f4c21"
CREDENTIAL = "01a1f9c3-0b7d-7e44-9f10-52c8a6d1e0b3"
SESSION = "01a1f9c3-5d20-7a91-8e44-20b7c3f5d618"
MAIL = "01a1f9c4-11aa-7b02-8c33-7f5e0d9b6a42"


@dataclass
class Followers:
    """Takes note of what it is asked to do; fails for the consumers, mails and causes that it is told to."""

    done: list[object] = field(default_factory=list)
    outcome: Outcome = Outcome.GIVEN
    failing: set[str] = field(default_factory=set)
    log: MemoryLog = field(default_factory=MemoryLog)

    def keep_day(self, consumer_id: str, day: int, requests: Any) -> None:
        self.done.append(DayEnded(consumer_id, day, dict(requests)))

    def note_use(self, consumer_id: str, credential_id: str, version: int, at: datetime) -> None:
        self.done.append(SecretUsed(consumer_id, credential_id, version, at))

    def note_session_use(self, consumer_id: str, session_id: str, at: datetime) -> None:
        self.done.append(SessionUsed(consumer_id, session_id, at))

    def put(self, mail_id: str) -> None:
        if mail_id in self.failing:
            raise RuntimeError("SQS is gone")
        self.done.append(MailWritten(mail_id))

    def provision(self, consumer_id: str) -> Outcome:
        if consumer_id in self.failing:
            raise RuntimeError("API Gateway is gone")
        self.done.append(KeyAffected(consumer_id))
        return self.outcome

    def announce(self, announcements: Sequence[Announcement]) -> None:
        if any(each.cause in self.failing for each in announcements):
            raise RuntimeError("EventBridge is gone")
        self.done += announcements

    def forget(self, gone: PersonGone) -> None:
        if gone.consumer_id in self.failing:
            raise RuntimeError("the table is gone")
        self.done.append(gone)

    def keep_event(self, event: AuditEvent) -> None:
        self.done.append(event)

    @property
    def sealed(self) -> list[str]:
        """The ids of the events that have a seal, in the chain's order."""
        return [self.log.kept_seals[number].event_id for number in sorted(self.log.kept_seals)]


@dataclass
class Context:
    """Lambda's context, as far as time goes: so many calls are made before it runs out."""

    calls: int = 1_000

    def get_remaining_time_in_millis(self) -> int:
        self.calls -= 1
        return 60_000 if self.calls >= 0 else 1_000


def following(followers: Followers) -> Following:
    """All that the function needs, made of these."""
    wall: Any = followers
    clock = StoppedClock()
    return Following(
        facts=facts,
        usage_days=followers,
        last_uses=followers,
        wall=wall,
        mails=followers,
        sealing=Sealing(followers.log, clock),
        announcer=followers,
        people=followers,
        events=followers,
        recorder=Recorder(clock),
    )


def event(*names: str) -> dict[str, Any]:
    """The records of the event files, one after the other, each with a number of its own."""
    return batch(*(record for name in names for record in json.loads((EVENTS / f"{name}.json").read_text())["Records"]))


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    """The records as Lambda hands them over together."""
    for number, record in enumerate(records):
        record["dynamodb"]["SequenceNumber"] = str(number)
    return {"Records": list(records)}


def written(event: AuditEvent, **spoiled: Any) -> dict[str, Any]:
    """The record of an event that was written, with attributes that no event has."""
    image = json.loads(json.dumps(EventRecord.of(event).serialize())) | spoiled
    told = {
        "ApproximateCreationDateTime": 1_795_430_412,
        "Keys": {name: image[name] for name in ("PK", "SK")},
        "NewImage": image,
    }
    return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": told}
