"""Events: what is kept of a person, and what is left when they have to be forgotten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.acting import Who
from gatehouse.audit.chain import canonical_json, digest_of
from gatehouse.audit.model import Actor, ActorKind, AuditAction, Erased, Outcome, Personal
from gatehouse.audit.recording import PERSONAL, PLAIN, Recorder, a_salt
from gatehouse.clock import milliseconds
from gatehouse.ids import lowest_id
from tests.unit.audit.logs import ADMIN, PERSON, an_event
from tests.unit.fakes import START, StoppedClock

SALT = b"s" * 32
STRANGER = Actor(kind=ActorKind.ANONYMOUS, address=Personal("192.0.2.9", SALT))
SOMEBODY = Who(kind=ActorKind.ANONYMOUS, address="192.0.2.9", correlation_id="c")
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.tuples(st.text(), st.text()))


def test_what_is_forgotten_of_a_subject_is_what_tells_of_it_and_nothing_else() -> None:
    event = an_event(1)
    before, after, address = event.before["username"], event.after["username"], event.actor.address
    assert isinstance(before, Personal)
    assert isinstance(after, Personal)
    assert isinstance(address, Personal)

    assert event.without(PERSON) == replace(
        event,
        before={"username": Erased(before.digest), "isActive": True},
        after={"username": Erased(after.digest), "isActive": False},
    )
    assert event.without(ADMIN) == replace(event, actor=replace(event.actor, address=Erased(address.digest)))
    assert event.without(lowest_id(3)) == event


def test_the_address_of_a_nameless_actor_goes_with_the_subject() -> None:
    event = an_event(1, actor=STRANGER)
    assert event.without(PERSON).actor.address == Erased(Personal("192.0.2.9", SALT).digest)
    assert event.without(ADMIN) == event


@given(VALUES, st.sampled_from([PERSON, ADMIN]))
def test_forgetting_changes_no_digest_and_can_be_repeated(value: str, who: str) -> None:
    event = an_event(1, after={"email": Personal(value, SALT)}, subject_id=who)
    forgotten = event.without(who)
    assert digest_of(forgotten) == digest_of(event)
    assert forgotten.without(who) == forgotten


def test_of_a_forgotten_value_neither_it_nor_its_salt_is_left() -> None:
    left = repr(an_event(1, after={"email": Personal("jane@example.com", SALT)}).without(PERSON))
    assert "jane" not in left
    assert "ssss" not in left


def test_personal_values_are_in_no_repr() -> None:
    assert "192.0.2.9" not in repr(STRANGER)


@given(VALUES, VALUES)
def test_different_values_have_different_digests(one: str, other: str) -> None:
    is_same = one == other and type(one) is type(other)
    assert (Personal(one, SALT).digest == Personal(other, SALT).digest) is is_same
    assert Personal(one, SALT).digest != Personal(one, b"t" * 32).digest


def test_a_salt_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Personal("x", b"short")


def test_the_canonical_json_is_one_text_whatever_the_order_of_the_values() -> None:
    event = an_event(1, actor=Actor(kind=ActorKind.SYSTEM), before={"b": 1, "a": ("ä", None)}, after={})
    assert canonical_json(event) == canonical_json(replace(event, before={"a": ("ä", None), "b": 1}))
    assert canonical_json(event).decode() == (
        '{"action":"USER_UPDATED","actor":{"address":null,"consumerId":null,"credentialId":null,"kind":"SYSTEM",'
        '"role":null,"sessionId":null},"after":{},"at":' + str(milliseconds(event.at)) + ',"before":'
        '{"a":["\\u00e4",null],"b":1},"correlationId":"c1","outcome":"SUCCESS","subjectId":"' + PERSON + '",'
        '"target":null,"version":1}'
    )


def test_an_event_keeps_what_is_not_the_same_before_and_after() -> None:
    recorder = Recorder(StoppedClock(), salt=lambda: SALT)
    event = recorder.event(
        AuditAction.USER_UPDATED,
        SOMEBODY,
        outcome=Outcome.REFUSED,
        before={"role": "USER", "email": "a@example.com", "isActive": True, "lastName": None},
        after={"role": "USER", "email": "b@example.com", "isActive": False, "lastName": "Doe"},
    )
    assert event.id[:13] == lowest_id(milliseconds(START))[:13]
    assert event.before == {"email": Personal("a@example.com", SALT), "isActive": True, "lastName": None}
    assert event.after == {
        "email": Personal("b@example.com", SALT),
        "isActive": False,
        "lastName": Personal("Doe", SALT),
    }
    assert (event.outcome, event.actor, event.correlation_id) == (Outcome.REFUSED, STRANGER, "c")


def test_what_is_alike_and_of_another_type_is_not_the_same() -> None:
    event = Recorder(StoppedClock()).event(
        AuditAction.USER_UPDATED, SOMEBODY, before={"count": 1}, after={"count": True}
    )
    assert (event.before, event.after) == ({"count": 1}, {"count": True})


@pytest.mark.parametrize("name", ["password", "secret", "token", "secretHash", "code", "phone"])
def test_a_name_that_nobody_has_thought_about_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Recorder(StoppedClock()).event(AuditAction.USER_UPDATED, SOMEBODY, after={name: "x"})


def test_the_configuration_has_names_of_its_own() -> None:
    told = {"cleanupDaysUser": 90}
    assert Recorder(StoppedClock()).event(AuditAction.CONFIGURATION_CHANGED, SOMEBODY, after=told).after == told


def test_each_personal_value_has_a_salt_of_its_own() -> None:
    assert len({a_salt() for _ in range(100)}) == 100
    assert not PERSONAL & PLAIN
