"""What a change of an item means: only what something follows from is told, and nothing twice for one request."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gatehouse.announcements.model import QuotaNearlySpent
from gatehouse.audit.model import SALT_BYTES, AuditAction, AuditEvent, Outcome, Personal
from gatehouse.audit.refusals import Party, PartyKind, Tally
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
from gatehouse.storage.audit import EventRecord
from gatehouse.storage.changes import facts
from tests.unit.audit.logs import PERSON, an_event

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS = datetime(2026, 3, 2, tzinfo=UTC)
CONSUMER = "019ca945-0a00-77b4-a986-555aa325854b"


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def gate(day: int | None = 7, note: str | None = None, used: int = 1, **more: Any) -> dict[str, Any]:
    image: dict[str, Any] = {
        "PK": {"S": f"G#{CONSUMER}"},
        "SK": {"S": "G"},
        "isActive": {"BOOL": True},
        "role": {"S": "USER"},
        "epoch": number(0),
        "generation": number(0),
    }
    if day is not None:
        image |= {"day": number(day), "usage": {"M": {"1": number(used), "s": number(2)}}}
    if note is not None:
        image["note"] = {"S": note}
    return image | more


def profile(credentials: int = 1, role: str = "USER", plan: str | None = None, **more: Any) -> dict[str, Any]:
    image = {"PK": {"S": f"C#{CONSUMER}"}, "SK": {"S": "P"}, "role": {"S": role}, "numbered": number(credentials)}
    return image | ({} if plan is None else {"planId": {"S": plan}}) | more


def told(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Fact]:
    return list(facts(before, after, AT))


def test_a_noted_use_names_credential_and_version() -> None:
    assert told(gate(used=1), gate(used=2, note="cred 3")) == [SecretUsed(CONSUMER, "cred", 3, AT)]


def test_a_noted_use_of_a_session_names_the_session() -> None:
    assert told(gate(used=1), gate(used=2, note="sid s")) == [SessionUsed(CONSUMER, "sid", AT)]
    assert told(gate(7, used=41), gate(8, "sid s")) == [
        DayEnded(CONSUMER, 7, {"1": 41, "s": 2}),
        SessionUsed(CONSUMER, "sid", AT),
    ]
    assert told(gate(note="sid s"), gate(note="sid s", epoch=number(1))) == []


def test_a_turned_day_tells_the_day_before_as_it_was_at_its_end() -> None:
    assert told(gate(7, used=41), gate(8, "-")) == [DayEnded(CONSUMER, 7, {"1": 41, "s": 2})]
    assert told(gate(7, used=41), gate(9, "cred 1")) == [
        DayEnded(CONSUMER, 7, {"1": 41, "s": 2}),
        SecretUsed(CONSUMER, "cred", 1, AT),
    ]


@pytest.mark.parametrize("before", [None, gate(None)], ids=["no gate", "no day"])
def test_a_first_day_has_none_before_it(before: dict[str, Any] | None) -> None:
    assert told(before, gate(7, "-")) == []


@pytest.mark.parametrize("change", [{"epoch": {"N": "1"}}, {"role": {"S": "ADMIN"}}, {"keyTier": {"N": "1"}}])
def test_a_note_that_a_later_change_left_in_place_is_not_told_again(change: dict[str, Any]) -> None:
    assert told(gate(note="cred 1"), gate(note="cred 1", **change)) == []


def test_a_gate_without_a_note_or_that_is_gone_tells_nothing() -> None:
    assert told(gate(7), gate(8)) == []
    assert told(gate(7, "cred 1"), None) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (profile(0), profile(1)),
        (profile(1), profile(0)),
        (profile(1), None),
        (None, profile(1)),
        (profile(1), profile(1, role="ADMIN")),
        (profile(1), profile(1, plan="gold")),
        (profile(1, plan="gold"), profile(1)),
    ],
)
def test_what_a_key_goes_by_is_told(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    assert told(before, after) == [KeyAffected(CONSUMER)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, profile(0)),
        (profile(0), None),
        (profile(1), profile(2)),
        (profile(0), profile(0, role="ADMIN", plan="gold")),
        (profile(1), profile(1, sessions={"N": "5"}, isActive={"BOOL": False})),
    ],
)
def test_nothing_is_told_of_who_has_no_credential_or_of_what_no_key_goes_by(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    assert told(before, after) == []


def mail(**more: Any) -> dict[str, Any]:
    return {"PK": {"S": f"MAIL#{CONSUMER}"}, "SK": {"S": "M"}, "to": {"S": "jo@example.com"}, **more}


def test_a_mail_that_is_for_nobody_is_never_told() -> None:
    assert told(None, mail(SK={"S": "N"})) == []


def test_a_mail_is_told_when_it_is_written_and_not_when_it_is_claimed_or_gone() -> None:
    assert told(None, mail()) == [MailWritten(CONSUMER)]
    assert told(mail(), mail(claimedUntil=number(1))) == []
    assert told(mail(), None) == []


def with_quota(used: int, told: str | None = None, note: str | None = None, **more: Any) -> dict[str, Any]:
    counted = {"planId": {"S": "gold"}, "qEnds": number(int(ENDS.timestamp() * 1000)), "qUsed": number(used)}
    return gate(note=note, used=used, **counted, **({} if told is None else {"qTold": {"S": told}}), **more)


TOLD = f"{int(ENDS.timestamp() * 1000)} 100"


def test_a_quota_is_told_by_the_change_that_notes_it_as_told() -> None:
    (fact,) = told(with_quota(79), with_quota(80, TOLD, "-"))

    assert isinstance(fact, QuotaReached)
    assert fact.announcement == QuotaNearlySpent(
        cause=fact.announcement.cause,
        consumer_id=CONSUMER,
        at=AT,
        plan_id="gold",
        used=80,
        limit=100,
        resets_at=ENDS,
    )
    assert told(with_quota(80, TOLD), with_quota(81, TOLD, "cred 1")) == [SecretUsed(CONSUMER, "cred", 1, AT)]
    assert [type(fact) for fact in told(with_quota(79), with_quota(80, TOLD, "cred 1"))] == [QuotaReached, SecretUsed]


def test_a_quota_that_is_told_of_another_end_or_limit_is_told_again() -> None:
    (fact,) = told(with_quota(80, TOLD), with_quota(170, TOLD.replace(" 100", " 200"), "-"))

    assert isinstance(fact, QuotaReached)
    assert (fact.announcement.used, fact.announcement.limit) == (170, 200)


def test_a_reset_after_a_quota_was_told_tells_nothing() -> None:
    after = {name: value for name, value in with_quota(80, TOLD, "-").items() if not name.startswith("q")}

    assert told(with_quota(80, TOLD, "-"), after) == []


def image(event: AuditEvent) -> dict[str, Any]:
    raw: dict[str, Any] = EventRecord.of(event).serialize()
    return raw


def test_an_event_is_told_when_it_is_written_as_it_was_written() -> None:
    event = an_event(1)

    assert told(None, image(event)) == [Happened(event)]
    assert told(image(event), image(event.without(PERSON))) == []
    assert told(image(event), None) == []


@pytest.mark.parametrize("action", [AuditAction.USER_DELETED, AuditAction.ACCOUNT_ANONYMISED])
def test_a_person_is_gone_with_the_event_that_says_so(action: AuditAction) -> None:
    email = {"email": Personal("ann@example.com", bytes(SALT_BYTES))}
    gone, refused = an_event(1, action=action, before=email), an_event(2, action=action, outcome=Outcome.REFUSED)

    assert told(None, image(gone)) == [Happened(gone), PersonGone(gone.id, PERSON, "ann@example.com")]
    assert told(None, image(refused)) == [Happened(refused)]


@pytest.mark.parametrize("party", [Party(PartyKind.ADDRESS, "2001:db8::7/64"), Party(PartyKind.ACTOR, CONSUMER)])
def test_an_hour_of_refusals_is_told_when_its_counter_is_gone(party: Party) -> None:
    counter = {
        "PK": {"S": f"REF#{party.kind}/{party.id}"},
        "SK": {"S": "R#SIGN_IN_FAILED#498731"},
        "refused": number(37),
    }
    ended = Tally(party=party, action=AuditAction.SIGN_IN_FAILED, hour=498_731, refused=37)

    assert told(counter, None) == [RefusalsEnded(ended)]
    assert told(counter, counter | {"refused": number(38)}) == []
    assert told(None, counter) == []


def test_other_items_tell_nothing() -> None:
    assert told(None, {"PK": {"S": f"C#{CONSUMER}"}, "SK": {"S": "K#1"}, "note": {"S": "cred 1"}}) == []


@pytest.mark.parametrize(
    "spoiled", [{"day": {"S": "yesterday"}}, {"usage": {"M": {"1": {"S": "x"}}}}, {"note": {"S": "a b"}}]
)
def test_what_cannot_be_read_is_an_error(spoiled: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        told(gate(7), gate(8, "cred 1") | spoiled)


@pytest.mark.parametrize(
    "spoiled", [{"action": {"S": "WIZARDRY"}}, {"before": {"S": "{"}}, {"actor": {"S": "{}"}}, {"at": {"S": "now"}}]
)
def test_an_event_that_cannot_be_read_is_an_error(spoiled: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, LookupError)):
        told(None, image(an_event(1)) | spoiled)
