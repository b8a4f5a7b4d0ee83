"""Tampering: any one item of the sealed log changed, dropped, swapped or inserted is found, and where it is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.audit.chain import BEGINNING, ChainBroken, Head, Position, Seal, seals_after
from gatehouse.audit.findings import Finding, Kept, Part, Tampering
from gatehouse.audit.model import AuditAction, AuditEvent, Outcome, Personal
from gatehouse.audit.verification import Verdict, Verification
from tests.unit.audit.logs import (
    ADMIN,
    EVERY,
    PERSON,
    MemoryLog,
    a_log,
    an_event,
    found,
    head_of,
    made_fit,
    verdict,
)
from tests.unit.fakes import START

CHANGED, DROPPED, INSERTED, SWAPPED = Tampering
SEAL, EVENT, CHECKPOINT, HEAD, MARK = Part
SIZES = st.integers(1, 13)
OTHER_HASH = "f" * 64

SEALS_CHANGES: dict[str, Callable[[Seal], Seal]] = {
    "number": lambda seal: replace(seal, number=seal.number + 100),
    "event": lambda seal: replace(seal, event_id=an_event(99).id),
    "digest": lambda seal: replace(seal, digest=OTHER_HASH),
    "moment": lambda seal: replace(seal, sealed_at=seal.sealed_at + 1),
    "previous": lambda seal: replace(seal, previous=OTHER_HASH),
    "hash": lambda seal: replace(seal, hash=OTHER_HASH),
}
EVENTS_CHANGES: dict[str, Callable[[AuditEvent], AuditEvent]] = {
    "at": lambda event: replace(event, at=event.at + timedelta(milliseconds=1)),
    "action": lambda event: replace(event, action=AuditAction.USER_DELETED),
    "outcome": lambda event: replace(event, outcome=Outcome.REFUSED),
    "actor": lambda event: replace(event, actor=replace(event.actor, consumer_id=PERSON)),
    "address": lambda event: replace(event, actor=replace(event.actor, address=Personal("192.0.2.2", b"s" * 32))),
    "no address": lambda event: replace(event, actor=replace(event.actor, address=None)),
    "subject": lambda event: replace(event, subject_id=ADMIN),
    "before": lambda event: replace(event, before={**event.before, "isActive": 1}),
    "value": lambda event: replace(event, after={**event.after, "username": Personal("jean", b"s" * 32)}),
    "after": lambda event: replace(event, after={}),
    "both": lambda event: replace(event, before=event.after, after=event.before),
    "correlation": lambda event: replace(event, correlation_id=None),
}


@given(st.integers(0, 13))
def test_nothing_is_found_where_nothing_was_done(size: int) -> None:
    assert verdict(a_log(size)) == Verdict(first=min(size, 1), last=size)


@given(SIZES, st.data())
@pytest.mark.parametrize("change", SEALS_CHANGES.values(), ids=SEALS_CHANGES)
def test_a_changed_seal_is_found(change: Callable[[Seal], Seal], size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    log.kept_seals[number] = change(log.kept_seals[number])
    assert found(log) == (Finding(CHANGED, SEAL, number),)


@given(SIZES, st.data())
@pytest.mark.parametrize("what", ["event_id", "digest", "previous"])
def test_a_seal_that_was_changed_so_that_it_fits_in_itself_is_found(what: str, size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    log.kept_seals[number] = made_fit(log.kept_seals[number], **{what: OTHER_HASH})
    assert found(log) == (Finding(CHANGED, SEAL, number),)


@given(SIZES, st.data())
def test_a_moment_that_was_changed_so_that_the_seal_fits_in_itself_is_found(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    seal = log.kept_seals[number]
    log.kept_seals[number] = made_fit(seal, sealed_at=seal.sealed_at - 1)
    # At the end, nothing tells whether the seal or the head's hash was changed.
    assert found(log) == (Finding(CHANGED, HEAD if number == size else SEAL, number),)


@given(SIZES, st.data())
def test_a_dropped_seal_is_found(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    del log.kept_seals[number]
    assert found(log) == (Finding(DROPPED, SEAL, number),)


@given(st.integers(2, 13), st.data())
def test_swapped_seals_are_found(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    one, other = sorted(data.draw(st.permutations(range(1, size + 1)))[:2])
    seals = log.kept_seals
    seals[one], seals[other] = seals[other], seals[one]
    assert found(log) == (Finding(SWAPPED, SEAL, one, other=other),)
    assert verdict(log, first=other).findings == (Finding(SWAPPED, SEAL, one, other=other),)
    assert verdict(log, last=one).findings == (Finding(SWAPPED, SEAL, one, other=other),)


@given(SIZES, st.integers(1, EVERY), st.data())
def test_an_inserted_seal_is_found(size: int, further: int, data: st.DataObject) -> None:
    log, copied = a_log(size), data.draw(st.integers(1, size))
    forged = made_fit(log.kept_seals[copied], number=size + further, previous=head_of(log).last.hash)
    log.kept_seals[size + further] = forged
    assert found(log) == (Finding(INSERTED, SEAL, size + further),)


@given(SIZES, st.data())
def test_a_seal_put_in_the_place_of_another_is_found(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    log.write(an_event(50))
    [forged] = seals_after(Position(number - 1, log.kept_seals[number].previous), [an_event(50)], 0)
    log.kept_seals[number] = forged
    # The forged event is at hand, so at the end nothing tells whether the seal or the head's hash was changed.
    assert found(log)[0] == Finding(CHANGED, HEAD if number == size else SEAL, number)


@given(SIZES, st.data())
@pytest.mark.parametrize("change", EVENTS_CHANGES.values(), ids=EVENTS_CHANGES)
def test_a_changed_event_is_found(change: Callable[[AuditEvent], AuditEvent], size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    event = an_event(number)
    log.write(change(event))
    assert found(log) == (Finding(CHANGED, EVENT, number, event.id),)


@given(SIZES, st.data())
def test_a_dropped_event_is_found(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    event = an_event(number)
    del log.kept_events[event.id]
    assert found(log) == (Finding(DROPPED, EVENT, number, event.id),)


@given(st.integers(2, 13), st.data())
def test_swapped_events_are_found(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    one, other = sorted(data.draw(st.permutations(range(1, size + 1)))[:2])
    log.write(replace(an_event(one), id=an_event(other).id), replace(an_event(other), id=an_event(one).id))
    assert found(log) == (Finding(SWAPPED, EVENT, one, an_event(one).id, other),)


@given(SIZES, st.integers(-30, 30), st.data())
def test_an_inserted_event_is_found(size: int, seconds: int, data: st.DataObject) -> None:
    log, event = a_log(size), an_event(seconds)
    event = replace(event, id=event.id[:-1] + "9")
    log.write(event)
    number = data.draw(st.none() | st.integers(1, 2 * size))
    if number is not None:  # it claims a seal that is another's, or that nobody has
        log.numbers[event.id] = number
    assert found(log) == (Finding(INSERTED, EVENT, event_id=event.id),)


def test_a_copy_in_the_place_of_another_is_a_change_and_no_swap() -> None:
    log = a_log(5)
    log.kept_seals[2] = log.kept_seals[4]
    assert found(log) == (Finding(CHANGED, SEAL, 2),)
    log = a_log(5)
    log.write(replace(an_event(4), id=an_event(2).id), replace(an_event(4), correlation_id="x"))
    assert found(log) == tuple(Finding(CHANGED, EVENT, number, an_event(number).id) for number in (2, 4))


def test_a_seal_beyond_the_head_is_inserted_unless_it_fits_to_the_head_and_to_its_event() -> None:
    log = a_log(3)
    [fitting] = seals_after(head_of(log).last, [an_event(4)], 0)
    log.kept_seals[4] = fitting
    assert found(log) == (Finding(INSERTED, SEAL, 4),)
    log.write(an_event(4))
    assert found(log) == (Finding(CHANGED, HEAD, 3),)
    log.kept_seals[4] = made_fit(fitting, previous=OTHER_HASH)
    assert found(log) == (Finding(INSERTED, SEAL, 4),)


@pytest.mark.parametrize("claimed", [1, 3, 5, 9])
def test_an_event_that_claims_anothers_seal_is_inserted_at_once_and_wherever_that_is(claimed: int) -> None:
    log = a_log(5)
    event = replace(an_event(3), id=an_event(3).id[:-1] + "9")
    log.write(event)
    log.numbers[event.id] = claimed
    at_once = Verification(log, EVERY).run(START + timedelta(minutes=1), 3, 4)
    assert at_once.findings == (Finding(INSERTED, EVENT, event_id=event.id),)


def test_an_event_may_wait_a_day_for_its_seal() -> None:
    log, event = a_log(2), an_event(3)
    log.write(event)
    verification = Verification(log, EVERY)
    assert verification.run(event.at + timedelta(hours=23)) == Verdict(first=1, last=2, waiting=1)
    late = verification.run(event.at + timedelta(hours=25))
    assert late.findings == (Finding(INSERTED, EVENT, event_id=event.id),)


@given(st.integers(EVERY, 13), st.data())
def test_checkpoints_changed_dropped_swapped_or_inserted_are_found(size: int, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(range(EVERY, size + 1, EVERY)))
    for changed in (Position(number, OTHER_HASH), Position(number + 1, a_log(size).kept_checkpoints[number].hash)):
        log = a_log(size)
        log.kept_checkpoints[number] = changed
        assert found(log) == (Finding(CHANGED, CHECKPOINT, number),)
    log = a_log(size)
    held = log.kept_checkpoints.pop(number)
    assert found(log) == (Finding(DROPPED, CHECKPOINT, number),)
    for place in (number - 1, size + EVERY - size % EVERY):
        log = a_log(size)
        log.kept_checkpoints[place] = held
        assert found(log) == (Finding(INSERTED, CHECKPOINT, place),)


def test_swapped_checkpoints_are_found() -> None:
    log = a_log(3 * EVERY)
    kept = log.kept_checkpoints
    kept[EVERY], kept[3 * EVERY] = kept[3 * EVERY], kept[EVERY]
    assert found(log) == (Finding(SWAPPED, CHECKPOINT, EVERY, other=3 * EVERY),)


@given(SIZES, st.data())
def test_a_changed_or_dropped_head_is_found(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    head = head_of(log)
    for number in {size + 1, size + 1_000_000, max(size - 1, 0)}:
        log.head = replace(head, last=Position(number, head.last.hash))
        assert found(log) == (Finding(CHANGED, HEAD, number),)
    log.head = replace(head, last=Position(size, OTHER_HASH))
    assert found(log) == (Finding(CHANGED, HEAD, size),)
    older = data.draw(st.integers(0, size - 1))
    log.head = replace(head, last=log.kept_seals[older].position if older else BEGINNING)
    assert found(log) == (Finding(CHANGED, HEAD, older),)
    log.head = None
    assert found(log) == (Finding(DROPPED, HEAD),)


@given(SIZES, st.data())
def test_forgetting_people_keeps_the_chain(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    for number in data.draw(st.sets(st.integers(1, size))):
        log.write(log.kept_events[an_event(number).id].without(data.draw(st.sampled_from([PERSON, ADMIN]))))
    assert found(log) == ()


@given(SIZES, st.data())
def test_what_is_left_of_a_forgotten_value_cannot_be_changed(size: int, data: st.DataObject) -> None:
    log, number = a_log(size), data.draw(st.integers(1, size))
    forgotten = an_event(number).without(PERSON)
    log.write(replace(forgotten, before=forgotten.after))
    assert found(log) == (Finding(CHANGED, EVENT, number, forgotten.id),)


@given(st.integers(EVERY, 3 * EVERY + 1), st.data())
def test_a_chain_whose_old_seals_were_dropped_goes_on_from_a_checkpoint(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    start = data.draw(st.sampled_from(range(EVERY, size + 1, EVERY)))
    log.drop_up_to(start)
    assert verdict(log) == Verdict(first=start + 1, last=size)
    held = log.kept_checkpoints[start]
    log.kept_checkpoints[start] = Position(start, OTHER_HASH)
    assert found(log) == (Finding(CHANGED, CHECKPOINT, start),)
    del log.kept_checkpoints[start]
    assert found(log) == (Finding(DROPPED, CHECKPOINT, start),)
    log.kept_checkpoints[start] = held
    log.head = replace(head_of(log), start=Position(start, OTHER_HASH))
    assert found(log) == (Finding(CHANGED, HEAD, start),)
    log.head = replace(head_of(log), start=Position(start - 1, held.hash))
    assert found(log) == (Finding(CHANGED, HEAD, start - 1),)


def test_a_checkpoint_that_was_swapped_with_the_one_it_starts_from_hides_nothing() -> None:
    log = a_log(3 * EVERY)
    log.drop_up_to(EVERY)
    kept = log.kept_checkpoints
    kept[EVERY], kept[3 * EVERY] = kept[3 * EVERY], kept[EVERY]
    log.kept_seals[EVERY + 2] = made_fit(log.kept_seals[EVERY + 2], previous=head_of(log).start.hash)
    assert found(log) == (
        Finding(CHANGED, SEAL, EVERY + 2),
        Finding(SWAPPED, CHECKPOINT, EVERY, other=3 * EVERY),
    )


def test_a_head_that_ends_before_it_begins_is_found() -> None:
    log = a_log(2 * EVERY)
    log.drop_up_to(EVERY)
    whole = head_of(log)
    log.head = replace(whole, last=Position(1, OTHER_HASH))
    assert found(log) == (Finding(CHANGED, HEAD, 1),)
    log.head = replace(whole, start=Position(10**20, OTHER_HASH))
    assert found(log) == (Finding(CHANGED, HEAD, 2 * EVERY),)


def test_a_head_that_begins_before_the_beginning_is_found() -> None:
    log = a_log(2)
    log.head = replace(head_of(log), start=Position(-1, BEGINNING.hash))
    assert found(log) == (Finding(CHANGED, HEAD, 2),)


def test_what_is_left_over_of_dropped_seals_is_no_finding() -> None:
    log = a_log(2 * EVERY)
    log.head = replace(head_of(log), start=log.kept_checkpoints[EVERY])
    assert verdict(log) == Verdict(first=EVERY + 1, last=2 * EVERY)
    del log.kept_events[an_event(2).id]
    assert verdict(log).is_ok
    del log.numbers[an_event(2).id]
    assert verdict(log).is_ok
    del log.kept_seals[2]
    assert verdict(log).is_ok


def test_an_event_that_claims_a_seal_that_was_dropped_long_ago_is_found() -> None:
    log = a_log(2 * EVERY)
    log.drop_up_to(EVERY)
    event = replace(an_event(3), id=an_event(3).id[:-1] + "9")
    log.write(event)
    for claimed in (0, 2, EVERY):
        log.numbers[event.id] = claimed
        assert found(log) == (Finding(INSERTED, EVENT, event_id=event.id),)


def test_an_event_of_a_time_to_come_is_found() -> None:
    log, event = a_log(3), an_event(40 * 86_400)
    log.write(event)
    assert found(log) == (Finding(INSERTED, EVENT, event_id=event.id),)


@given(SIZES, st.data())
def test_changed_and_dropped_marks_are_found(size: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, size))
    event_id = an_event(number).id
    for changed in {0, size + 1, number + 1, number - 1}:
        log = a_log(size)
        log.numbers[event_id] = changed
        assert found(log) == (Finding(CHANGED, MARK, number, event_id),)
    log = a_log(size)
    del log.numbers[event_id]
    assert found(log) == (Finding(DROPPED, MARK, number, event_id),)


@given(st.integers(2, 13), st.data())
def test_swapped_marks_are_found(size: int, data: st.DataObject) -> None:
    log = a_log(size)
    one, other = sorted(data.draw(st.permutations(range(1, size + 1)))[:2])
    log.numbers |= {an_event(one).id: other, an_event(other).id: one}
    assert found(log) == (Finding(SWAPPED, MARK, one, an_event(one).id, other),)


def test_what_cannot_be_read_is_found() -> None:
    class Unreadable(MemoryLog):
        def events(self, event_ids: Collection[str]) -> Mapping[str, Kept]:
            return {name: replace(kept, event=None) for name, kept in super().events(event_ids).items()}

    log = Unreadable()
    log.__dict__ |= a_log(2).__dict__
    assert found(log) == tuple(Finding(CHANGED, EVENT, number, an_event(number).id) for number in (1, 2))


def test_a_head_that_cannot_be_read_is_found() -> None:
    class Headless(MemoryLog):
        def find_head(self) -> Head | None:
            raise ChainBroken

    assert found(Headless()) == (Finding(CHANGED, HEAD),)
