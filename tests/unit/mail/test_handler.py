"""The mail function: each message is a mail's id, and those that could not be sent are handed back."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from gatehouse import telemetry, wiring
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import MailKind
from tests.unit.fakes import StoppedClock
from tests.unit.post import MemoryMails, Sent, the_post, the_writer


class Context:
    """Lambda's context, as far as time goes: so many mails are sent before it runs out."""

    def __init__(self, calls: int = 1_000) -> None:
        self.calls = calls

    def get_remaining_time_in_millis(self) -> int:
        self.calls -= 1
        return 60_000 if self.calls >= 0 else 1_000


@pytest.fixture
def mails(clock: StoppedClock) -> MemoryMails:
    """Three mails that wait."""
    mails, writer = MemoryMails(), the_writer(clock)
    for number in range(3):
        mails.add(writer.write(MailKind.TWO_FACTORS_ON, f"person{number}@example.com"))
    return mails


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def door(mails: MemoryMails, sent: Sent, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, loaded afresh on these mails."""
    monkeypatch.setattr(wiring, "post", lambda: the_post(mails, sent, clock), raising=False)
    monkeypatch.delitem(sys.modules, "mail.handler", raising=False)
    yield importlib.import_module("mail.handler")
    sys.modules.pop("mail.handler", None)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def event(*mail_ids: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": mail_id} for number, mail_id in enumerate(mail_ids)]}


def test_every_mail_is_sent(door: ModuleType, mails: MemoryMails, sent: Sent) -> None:
    assert door.handler(event(*mails.waiting), Context()) == {"batchItemFailures": []}
    assert [to for to, *_ in sent.letters] == [f"person{number}@example.com" for number in range(3)]
    assert mails.waiting == {}


def test_a_message_may_come_twice_or_too_late(door: ModuleType, mails: MemoryMails, sent: Sent) -> None:
    (first, *_) = mails.waiting
    assert door.handler(event(first, first, "long gone"), Context()) == {"batchItemFailures": []}
    assert len(sent.letters) == 1


def test_a_mail_that_could_not_be_sent_is_handed_back_and_keeps_no_other(
    door: ModuleType, mails: MemoryMails, sent: Sent, log: Callable[[], list[dict[str, Any]]]
) -> None:
    (first, *_) = mails.waiting
    sent.faults = [ServiceUnavailable("SES did not answer.")]

    assert door.handler(event(*mails.waiting), Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert [to for to, *_ in sent.letters] == ["person1@example.com", "person2@example.com"]
    assert list(mails.waiting) == [first]
    (line,) = log()
    assert (line["level"], line["message"], line["mail_id"]) == ("ERROR", "a mail was not sent", first)
    assert "person0@example.com" not in json.dumps(line)


def test_where_time_runs_out_the_rest_is_handed_back(door: ModuleType, mails: MemoryMails, sent: Sent) -> None:
    answer = door.handler(event(*mails.waiting), Context(calls=1))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert len(sent.letters) == 1


def test_an_event_of_another_kind_fails_as_a_whole(door: ModuleType) -> None:
    with pytest.raises(KeyError):
        door.handler({"Records": [{"dynamodb": {}}]}, Context())
