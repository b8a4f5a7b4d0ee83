"""The changes of one call: what they tell is sealed, and then each fact is handed to what follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from gatehouse.changes import (
    DayEnded,
    Fact,
    Happened,
    KeyAffected,
    MailWritten,
    PersonGone,
    QuotaReached,
    RefusalsEnded,
    SecretUsed,
    SessionUsed,
)
from gatehouse.wiring import Following
from stream import announcing, forgetting, last_use, left_out, mailing, provisioning, records, sealing, usage


class Batch:
    """Follows changes; a consumer's key is seen to once, by how things stand after all of the batch has happened."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._keys_seen_to: set[str] = set()

    def read(self, record: Mapping[str, Any]) -> list[Fact]:
        """What a record tells; one that cannot be read raises any exception."""
        change = records.read(record)
        return list(self._following.facts(change.before, change.after, change.at))

    def seal(self, read: Mapping[str, Sequence[Fact]]) -> list[str]:
        """Seals the events among the facts, by the changes that tell them; those changes whose events have no seal."""
        told = [(change, fact.event) for change, facts in read.items() for fact in facts if isinstance(fact, Happened)]
        unsealed = sealing.seal([event for _, event in told], self._following.sealing) if told else ()
        return [change for change, event in told if event.id in unsealed]

    def follow(self, facts: Sequence[Fact]) -> None:
        """Does what follows from each, whatever becomes of the others; raises what keeps any from being done."""
        failed: list[Exception] = []
        for fact in facts:
            try:
                self._follow(fact)
            except Exception as error:  # noqa: BLE001 - raised with those of the others
                failed.append(error)
        match failed:
            case [alone]:
                raise alone
            case [_, *_]:
                raise ExceptionGroup("several things were not done", failed)

    def _follow(self, fact: Fact) -> None:
        following = self._following
        match fact:
            case DayEnded():
                usage.follow(fact, following.usage_days)
            case SecretUsed() | SessionUsed():
                last_use.follow(fact, following.last_uses)
            case MailWritten():
                mailing.follow(fact, following.mails)
            case Happened() | QuotaReached():
                announcing.follow(fact, following.announcer)
            case PersonGone():
                forgetting.follow(fact, following.people)
            case RefusalsEnded():
                left_out.follow(fact, following.events, following.recorder)
            case KeyAffected():
                if fact.consumer_id not in self._keys_seen_to:
                    provisioning.follow(fact, following.wall)
                    self._keys_seen_to.add(fact.consumer_id)
            case _:
                assert_never(fact)
