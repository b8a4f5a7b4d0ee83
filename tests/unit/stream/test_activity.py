"""The activity log as it is written: the seed's line as JSON, with the request's correlation id."""

import io
import json

import pytest

from gatehouse import telemetry
from gatehouse.audit.model import SALT_BYTES, Actor, ActorKind, AuditAction, AuditEvent, Personal, Told
from stream import activity
from tests.unit.fakes import START


def _event(action: AuditAction, number: int, **after: Told) -> AuditEvent:
    actor = Actor(kind=ActorKind.PERSON, consumer_id="uuid-123")
    return AuditEvent(
        id=f"event-{number}",
        at=START,
        action=action,
        actor=actor,
        subject_id="uuid-123",
        after=after,
        correlation_id=f"request-{number}",
    )


def test_each_event_is_a_line_and_all_of_a_kind_one_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", written)
    email = Personal("john@example.com", bytes(SALT_BYTES))
    activity.tell(
        [
            _event(AuditAction.SIGNED_IN, 1, email=email),
            _event(AuditAction.USER_UPDATED, 2),
            _event(AuditAction.SIGNED_IN, 3),
        ]
    )

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["level"], line["message"], line["correlation_id"]) for line in lines] == [
        ("INFO", "User login: uuid-123 j***@example.com", "request-1"),
        ("INFO", "User updated: uuid-123", "request-2"),
        ("INFO", "User login: uuid-123", "request-3"),
    ]
    assert "john@" not in written.getvalue()
    assert json.loads(capsys.readouterr().out)["SignIns"] == [2.0]


def test_nothing_sealed_is_nothing_told(capsys: pytest.CaptureFixture[str]) -> None:
    activity.tell([])

    assert capsys.readouterr().out == ""
